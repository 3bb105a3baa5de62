"""Which address leads into which room."""

from django.contrib import admin
from django.urls import include, path

from tradelog import dashboard, health, metrics, ownpassword, tokenpages

urlpatterns = [
    path("health", health.health, name="health"),
    path("health/web", health.web_health, name="health-web"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("tradelog.login")),
    path("admin/password_change/", ownpassword.change_password),
    path("account/tokens/", tokenpages.tokens, name="tokens"),
    path("account/tokens/<str:key>/revoke/", tokenpages.token_revoke, name="token-revoke"),
    path("admin/dashboard/sample/", dashboard.load_sample, name="dashboard-sample"),
    path("admin/dashboard/<str:name>/", dashboard.part, name="dashboard-part"),
    path("admin/", admin.site.urls),
    path("", include("tradelog.apiurls")),
    path("open-orders/", include("orders.urls")),
    path("import-logs/", include("imports.urls")),
    path("batches/", include("batches.urls")),
    path("", include("trades.urls")),
    path("", include("joblogs.urls")),
]

handler400 = "web.api.bad_request"
handler403 = "web.api.forbidden"
handler404 = "web.api.not_found"
handler500 = "web.failures.server_error"
