"""What the web server loads: pages, and the WebSocket of those that show progress."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradelog.settings")

pages = get_asgi_application()

from batches.live import LiveBatches  # noqa: E402 (it needs the models, which are there by now)
from tradelog.bodies import bounded  # noqa: E402

# From our own pages only, by who is logged in there; whatever is no socket of ours is refused.
sockets = URLRouter(
    [
        path("batches/live/", LiveBatches.as_asgi()),
        re_path("", WebsocketDenier.as_asgi()),
    ]
)
application = ProtocolTypeRouter(
    {
        "http": bounded(pages),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets)),
    }
)
