"""What a browser may load into our pages."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE

# The admin's shell runs Alpine, which compiles its attributes, and sets its colours in a <style>.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": ["'none'"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}
