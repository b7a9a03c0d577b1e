"""Addresses under /orders/. They are nouns, and every change is a POST to a noun."""

from django.urls import path

from accounts.access import needs
from orders.aftersale import views as aftersale
from orders.answers import texts_views as answer_texts
from orders.answers import views as answers
from orders.approvals import views as approvals
from orders.bulk import assignments
from orders.bulk import views as bulk
from orders.detail import views as detail
from orders.following import views as following
from orders.mass import job_views as mass_jobs
from orders.mass import views as mass
from orders.models import Task
from orders.placing import views as placing
from orders.plans import template_views as templates
from orders.plans import views as plans
from orders.reports import late
from orders.table import saved_views
from orders.table import views as table
from orders.teamwork import views as teamwork

app_name = "orders"
# What may be asked of an order, each with the action that it takes.
refill, cancel = needs("refill"), needs("cancel")
ask_refill, ask_cancel, ask_withdrawal = (needs(what)(aftersale.question) for what in ("refill", "cancel", "place"))
urlpatterns = [
    path("", table.index, name="index"),
    path("changes/", table.changes, name="changes"),
    path("export/", table.export, name="export"),
    path("searches/", table.searches, name="searches"),
    path("filters/", table.filters, name="filters"),
    path("columns/", table.columns, name="columns"),
    path("views/", saved_views.index, name="views"),
    path("views/new/", saved_views.new, name="new_view"),
    path("views/<int:pk>/", saved_views.change, name="view"),
    path("views/<int:pk>/pin/", saved_views.pin, name="pin"),
    path("views/<int:pk>/removal/", saved_views.removal, name="view_removal"),
    path("new/", placing.new, name="new"),
    path("new/receipt/", placing.receipt, name="receipt"),
    path("mass/", mass.new, name="mass_new"),
    path("mass/drafts/<uuid:pk>/", mass.show, name="mass_draft"),
    path("mass/drafts/<uuid:pk>/lines/", mass.lines, name="mass_lines"),
    path("mass/drafts/<uuid:pk>/placement/", mass.placement, name="mass_placement"),
    path("mass/drafts/<uuid:pk>/removal/", mass.removal, name="mass_removal"),
    path("mass/drafts/<uuid:pk>/plan/", plans.new, name="plan_new"),
    path("mass/lists/", mass_jobs.index, name="mass_jobs"),
    path("mass/lists/<int:pk>/", mass_jobs.show, name="mass_job"),
    path("mass/lists/<int:pk>/csv/", mass_jobs.as_csv, name="mass_csv"),
    path("mass/lists/<int:pk>/waiting/", mass_jobs.waiting, name="mass_waiting"),
    path("mass/lists/<int:pk>/mending/", mass_jobs.mending, name="mass_mending"),
    path("mass/lists/<int:pk>/repetition/", mass_jobs.repetition, name="mass_repetition"),
    path("plans/", plans.index, name="plans"),
    path("plans/<int:pk>/", plans.show, name="plan"),
    path("plans/<int:pk>/going/", plans.going, name="plan_going"),
    path("plans/<int:pk>/parts/<int:number>/", plans.rest, name="plan_part"),
    path("templates/new/", templates.new, name="template_new"),
    path("templates/<int:pk>/", templates.show, name="template"),
    path("templates/<int:pk>/change/", templates.change, name="template_change"),
    path("templates/<int:pk>/removal/", templates.removal, name="template_removal"),
    path("bulks/", bulk.index, name="bulks"),
    path("bulks/matching/", bulk.matching, name="matching"),
    path("bulks/new/", bulk.new, name="bulk_new"),
    path("bulks/new/confirmation/", bulk.confirmation, name="bulk_confirmation"),
    path("bulks/<int:pk>/", bulk.show, name="bulk"),
    path("bulks/<int:pk>/csv/", bulk.as_csv, name="bulk_csv"),
    path("bulks/<int:pk>/tries/", bulk.tries, name="bulk_tries"),
    path("answers/", answers.index, name="all_answers"),
    path("answers/<int:pk>/", answers.show, name="answers"),
    path("answers/<int:pk>/language/", answers.language, name="answers_language"),
    path("answers/<int:pk>/changes/", answers.changes, name="answers_changes"),
    path("answers/texts/", answer_texts.index, name="answer_texts"),
    path("answers/texts/<slug:situation>/", answer_texts.show, name="answer_text"),
    path("sending/stops/", placing.stop, name="stops"),
    path("sending/resumption/", placing.resumption, name="resumption"),
    path("sending/due/", placing.due_then, name="due_then"),
    path("sending/release/", placing.release, name="release"),
    path("refills/", aftersale.tasks, {"kind": Task.Kind.REFILL}, name="all_refills"),
    path("cancels/", aftersale.tasks, {"kind": Task.Kind.CANCEL}, name="all_cancels"),
    path("late/", late.index, name="late"),
    path("approvals/", approvals.index, name="approvals"),
    path("<int:pk>/approval/", approvals.approval, name="approval"),
    path("<int:pk>/approval/refusal/", approvals.refusal, name="approval_refusal"),
    path("<int:pk>/approval/reminders/", approvals.reminder, name="approval_reminder"),
    path("next/", teamwork.next_order, name="next"),
    path("assignments/", assignments.new, name="assignments"),
    path("assignments/confirmation/", assignments.confirmation, name="assigning"),
    path("<int:pk>/", detail.show, name="show"),
    path("<int:pk>/deciding/", teamwork.deciding, name="deciding"),
    path("<int:pk>/looks/", following.looks, name="looks"),
    path("<int:pk>/notes/", detail.notes, name="notes"),
    path("<int:pk>/assignment/", detail.assignment, name="assignment"),
    path("<int:pk>/customer/", detail.customer, name="order_customer"),
    path("<int:pk>/withdrawal/", aftersale.withdrawal, name="withdrawal"),
    path("<int:pk>/withdrawal/question/", ask_withdrawal, {"what": "withdrawal"}, name="withdrawal_question"),
    path("<int:pk>/funding/", placing.funding, name="funding"),
    path("<int:pk>/tries/", placing.tries, name="tries"),
    path("<int:pk>/adoption/", placing.adoption, name="adoption"),
    path("<int:pk>/closing/", placing.closing, name="closing"),
    path("<int:pk>/abandonment/", following.abandonment, name="abandonment"),
    path("<int:pk>/sighting/", following.sighting, name="sighting"),
    path("<int:pk>/refills/", refill(aftersale.refill_or_cancel), {"kind": Task.Kind.REFILL}, name="refills"),
    path("<int:pk>/refills/question/", ask_refill, {"what": "refills"}, name="refills_question"),
    path("<int:pk>/refills/tries/", refill(aftersale.repetition), {"kind": Task.Kind.REFILL}, name="refill_tries"),
    path("<int:pk>/refills/settlement/", aftersale.settlement, name="settlement"),
    path("<int:pk>/refills/next/", aftersale.next_refill, name="next_refill"),
    path("<int:pk>/cancellation/", cancel(aftersale.refill_or_cancel), {"kind": Task.Kind.CANCEL}, name="cancellation"),
    path("<int:pk>/cancellation/question/", ask_cancel, {"what": "cancellation"}, name="cancellation_question"),
    path("<int:pk>/cancellation/tries/", cancel(aftersale.repetition), {"kind": Task.Kind.CANCEL}, name="cancel_tries"),
]
