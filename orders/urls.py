"""Orders: nouns, each with its fragments."""

from django.urls import path

from orders.bulk import views as bulk
from orders.models import Task
from orders.placing import views as placing
from orders.reports import late
from orders.table import export_view, panels, replies, saved_views, views
from orders.teamwork import views as teamwork

app_name = "orders"
urlpatterns = [
    path("", views.index, name="index"),
    path("changes/", views.changes, name="changes"),
    path("export/", export_view.export, name="export"),
    path("filters/", panels.filters, name="filters"),
    path("columns/", panels.columns, name="columns"),
    path("views/", saved_views.index, name="views"),
    path("views/new/", saved_views.new, name="new_view"),
    path("views/<int:pk>/", saved_views.change, name="view"),
    path("views/<int:pk>/pin/", saved_views.pin, name="pin"),
    path("views/<int:pk>/removal/", saved_views.removal, name="view_removal"),
    path("new/", placing.new, name="new"),
    path("new/receipt/", placing.receipt, name="receipt"),
    path("bulks/", bulk.index, name="bulks"),
    path("bulks/matching/", bulk.matching, name="matching"),
    path("bulks/new/", bulk.new, name="bulk_new"),
    path("bulks/new/confirmation/", bulk.confirmation, name="bulk_confirmation"),
    path("bulks/<int:pk>/", bulk.show, name="bulk"),
    path("bulks/<int:pk>/csv/", bulk.as_csv, name="bulk_csv"),
    path("bulks/<int:pk>/tries/", bulk.tries, name="bulk_tries"),
    path("sending/stops/", replies.stop, name="stops"),
    path("sending/resumption/", replies.resumption, name="resumption"),
    path("refills/", views.wishes, {"kind": Task.Kind.REFILL}, name="all_refills"),
    path("cancels/", views.wishes, {"kind": Task.Kind.CANCEL}, name="all_cancels"),
    path("late/", late.index, name="late"),
    path("<int:pk>/", views.show, name="show"),
    path("<int:pk>/looks/", replies.looks, name="looks"),
    path("<int:pk>/notes/", teamwork.notes, name="notes"),
    path("<int:pk>/assignment/", teamwork.assignment, name="assignment"),
    path("<int:pk>/withdrawal/", replies.withdrawal, name="withdrawal"),
    path("<int:pk>/funding/", replies.funding, name="funding"),
    path("<int:pk>/tries/", replies.tries, name="tries"),
    path("<int:pk>/adoption/", replies.adoption, name="adoption"),
    path("<int:pk>/closing/", replies.closing, name="closing"),
    path("<int:pk>/abandonment/", replies.abandonment, name="abandonment"),
    path("<int:pk>/sighting/", replies.sighting, name="sighting"),
    path("<int:pk>/refills/", replies.refills, name="refills"),
    path("<int:pk>/refills/tries/", replies.repetition, {"kind": Task.Kind.REFILL}, name="refill_tries"),
    path("<int:pk>/refills/settlement/", replies.settlement, name="settlement"),
    path("<int:pk>/refills/next/", replies.next_refill, name="next_refill"),
    path("<int:pk>/cancellation/", replies.cancellation, name="cancellation"),
    path("<int:pk>/cancellation/tries/", replies.repetition, {"kind": Task.Kind.CANCEL}, name="cancel_tries"),
]
