"""The pages of trades, positions and issues; their API has addresses of its own."""

from django.urls import path

from trades import issuepages, pages, positionpages

urlpatterns = [
    path("trades/", pages.trades, name="trades"),
    path("trades/export/", pages.export, name="trades-export"),
    path("trades/<int:pk>/", pages.trade, name="trade"),
    path("positions/", positionpages.positions, name="positions"),
    path("positions/export/", positionpages.export, name="positions-export"),
    path("positions/totals/", positionpages.totals, name="positions-totals"),
    path("positions/point-value/<int:pk>/", positionpages.point_value, name="point-value"),
    path("positions/<int:pk>/", positionpages.position, name="position"),
    path("issues/", issuepages.issues, name="issues"),
    path("issues/dismiss/", issuepages.dismiss, name="issues-dismiss"),
    path("issues/restore/", issuepages.restore, name="issues-restore"),
]
