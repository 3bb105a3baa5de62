"""What a browser may load into our pages, and may do there."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

Directives = dict[str, list[str]]

# Of what is no page: nothing.
NOTHING: Directives = {"default-src": [NONE], "frame-ancestors": [NONE]}
# Of pages without the shell: errors, locks.
PLAIN = NOTHING | {
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
}
# The page to browse the API, whose own styles come by its script.
BROWSE = PLAIN | {
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
}
# The shell runs Alpine, which compiles its attributes, and sets its colours in a <style>, whose
# digest is added. Bars have their lengths in a style attribute.
OURS = PLAIN | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src-attr": [UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
}
# The admin's own pages also have styles in elements.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": OURS | {"style-src": [SELF, UNSAFE_INLINE]}}

COLOURS = re.compile(rb'<style id="unfold-theme-colors">(.*?)</style>', re.DOTALL)
NOT_NEEDED = "accelerometer camera display-capture geolocation gyroscope microphone payment usb"


def set_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The narrowest that fits the answer; django-csp writes it."""
    others = ", ".join(f"{name}=()" for name in NOT_NEEDED.split())

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response._csp_config = policy_of(request, response)
        response.headers["Permissions-Policy"] = others
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    return middleware


def policy_of(request: HttpRequest, response: HttpResponse) -> Directives:
    if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
        return NOTHING
    if request.path == "/api/docs":
        return BROWSE
    colours = COLOURS.search(response.content)
    if colours is None:
        return PLAIN
    if request.path.startswith("/admin/"):
        return CONTENT_SECURITY_POLICY["DIRECTIVES"]
    digest = b64encode(sha256(colours[1]).digest()).decode()
    return OURS | {"style-src": [SELF, f"'sha256-{digest}'"]}
