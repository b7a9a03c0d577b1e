"""Django's own admin for orders, as it comes, below /plain/: what the orders page is measured against."""

from django.contrib.admin import AdminSite, ModelAdmin
from django.urls import path

from orders.models import Order
from panel.urls import urlpatterns as desk

CHANGELIST = "/plain/orders/order/"


class PlainOrders(ModelAdmin):  # type: ignore[type-arg]
    """The columns and filters that the desk's own admin had when the page's bound was set; nothing is made faster."""

    list_display = (
        "id", "upstream_id", "service", "link", "quantity", "charge", "status", "placed_by", "created_at",
    )  # fmt: skip
    list_filter = ("status", "created_at", "placed_by")
    list_select_related = ("service", "placed_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "=upstream_id", "=request_id", "link")


site = AdminSite(name="plain")
site.register(Order, PlainOrders)
urlpatterns = [path("plain/", site.urls), *desk]
