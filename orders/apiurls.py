"""The addresses of the API of the open orders; none ends with a slash."""

from django.urls import path

from orders import api

urlpatterns = [
    path("api/open-orders", api.OpenOrders.as_view(), name="api-open-orders"),
    path("api/open-orders/sync", api.Sync.as_view(), name="api-open-orders-sync"),
    path("api/open-orders/<str:id>", api.Order.as_view(), name="api-open-order"),
]
