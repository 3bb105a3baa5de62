"""The addresses of the API, of its document, and of the page to browse that."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer

from tradelog import tokens
from web.api import AnyAccept, NothingHere
from web.apilogin import Rights


class Document(SpectacularJSONAPIView):
    permission_classes = [Rights]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept
    rights: dict[str, list[str]] = {}


browse = login_required(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))

urlpatterns = [
    path("", include("joblogs.apiurls")),
    path("", include("imports.apiurls")),
    path("", include("orders.apiurls")),
    path("", include("batches.apiurls")),
    path("", include("trades.apiurls")),
    path("api/tokens", tokens.Tokens.as_view(), name="api-tokens"),
    path("api/tokens/<str:id>", tokens.Token.as_view(), name="api-token"),
    path("api/schema", Document.as_view(), name="api-schema"),
    path("api/docs", browse, name="api-docs"),
    re_path("^api/", NothingHere.as_view()),
]
