"""Orders: nouns, each with its fragments."""

from django.urls import path

from orders import acting, bulking, exporting, late, narrowing, saving, teamwork, views
from orders.placing import views as placing
from orders.tasks import Task

app_name = "orders"
urlpatterns = [
    path("", views.index, name="index"),
    path("changes/", views.changes, name="changes"),
    path("export/", exporting.export, name="export"),
    path("filters/", narrowing.filters, name="filters"),
    path("columns/", narrowing.columns, name="columns"),
    path("views/", saving.index, name="views"),
    path("views/new/", saving.new, name="new_view"),
    path("views/<int:pk>/", saving.change, name="view"),
    path("views/<int:pk>/pin/", saving.pin, name="pin"),
    path("views/<int:pk>/removal/", saving.removal, name="view_removal"),
    path("new/", placing.new, name="new"),
    path("new/receipt/", placing.receipt, name="receipt"),
    path("bulks/", bulking.index, name="bulks"),
    path("bulks/matching/", bulking.matching, name="matching"),
    path("bulks/new/", bulking.new, name="bulk_new"),
    path("bulks/new/confirmation/", bulking.confirmation, name="bulk_confirmation"),
    path("bulks/<int:pk>/", bulking.show, name="bulk"),
    path("bulks/<int:pk>/csv/", bulking.as_csv, name="bulk_csv"),
    path("bulks/<int:pk>/tries/", bulking.tries, name="bulk_tries"),
    path("sending/stops/", acting.stop, name="stops"),
    path("sending/resumption/", acting.resumption, name="resumption"),
    path("refills/", views.wishes, {"kind": Task.Kind.REFILL}, name="all_refills"),
    path("cancels/", views.wishes, {"kind": Task.Kind.CANCEL}, name="all_cancels"),
    path("late/", late.index, name="late"),
    path("<int:pk>/", views.show, name="show"),
    path("<int:pk>/looks/", acting.looks, name="looks"),
    path("<int:pk>/notes/", teamwork.notes, name="notes"),
    path("<int:pk>/assignment/", teamwork.assignment, name="assignment"),
    path("<int:pk>/withdrawal/", acting.withdrawal, name="withdrawal"),
    path("<int:pk>/funding/", acting.funding, name="funding"),
    path("<int:pk>/tries/", acting.tries, name="tries"),
    path("<int:pk>/adoption/", acting.adoption, name="adoption"),
    path("<int:pk>/closing/", acting.closing, name="closing"),
    path("<int:pk>/abandonment/", acting.abandonment, name="abandonment"),
    path("<int:pk>/sighting/", acting.sighting, name="sighting"),
    path("<int:pk>/refills/", acting.refills, name="refills"),
    path("<int:pk>/refills/tries/", acting.repetition, {"kind": Task.Kind.REFILL}, name="refill_tries"),
    path("<int:pk>/refills/settlement/", acting.settlement, name="settlement"),
    path("<int:pk>/refills/next/", acting.next_refill, name="next_refill"),
    path("<int:pk>/cancellation/", acting.cancellation, name="cancellation"),
    path("<int:pk>/cancellation/tries/", acting.repetition, {"kind": Task.Kind.CANCEL}, name="cancel_tries"),
]
