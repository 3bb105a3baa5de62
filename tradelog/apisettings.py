"""What the libraries of the API are told; tradelog/settings.py takes it over."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "web.apilogin.TokenLogin",  # the first is what the answer to strangers asks for
        "web.apilogin.PasswordLogin",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["web.apilogin.Rights"],
    "DEFAULT_THROTTLE_CLASSES": ["web.apilogin.Requests"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["web.apibody.JSONBody"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "web.api.answer_error",
    "URL_FORMAT_OVERRIDE": None,
}
REST_KNOX = {"TOKEN_PREFIX": "tl_"}  # by which scanners for lost secrets can know it
SPECTACULAR_SETTINGS = {
    "TITLE": "tradelog",
    "DESCRIPTION": "Imports of broker files, with what became of every line. See docs/api.md.",
    "VERSION": "1",
    "ENUM_NAME_OVERRIDES": {
        "BatchStatusEnum": "batches.states.Status",
        "BatchTradeStatusEnum": "batches.states.TradeStatus",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "/static/favicon.svg",
}
