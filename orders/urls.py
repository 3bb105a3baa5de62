"""The pages of the open orders; their API has addresses of its own."""

from django.urls import path

from orders import pages

urlpatterns = [
    path("", pages.open_orders, name="open-orders"),
    path("export/", pages.export, name="open-orders-export"),
    path("sync/", pages.sync_now, name="open-orders-sync"),
    path("<slug:key>/", pages.open_order, name="open-order"),
]
