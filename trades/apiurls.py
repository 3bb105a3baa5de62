"""The addresses of the API of trades, positions and issues; none ends with a slash."""

from django.urls import path

from trades import api

urlpatterns = [
    path("api/trades", api.Trades.as_view(), name="api-trades"),
    path("api/trades/<str:id>", api.OneTrade.as_view(), name="api-trade"),
    path("api/positions", api.Positions.as_view(), name="api-positions"),
    path("api/positions/<str:id>", api.OnePosition.as_view(), name="api-position"),
    path("api/issues", api.Issues.as_view(), name="api-issues"),
    path("api/issues/<str:id>/dismiss", api.Dismiss.as_view(), name="api-issue-dismiss"),
    path("api/issues/<str:id>/restore", api.Restore.as_view(), name="api-issue-restore"),
]
