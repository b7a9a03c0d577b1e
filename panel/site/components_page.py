"""The components sheet: every part that pages are made of, in every state, made by the real macros and partials."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from markupsafe import Markup

from accounts.access import needs
from accounts.models import User
from catalog.models import Service
from orders.models import Event, Order, Task
from orders.rules.eligibility import Refills, refill_question
from orders.rules.statuses import Status
from orders.table.columns import DEFAULT_COLUMNS, Reader, draw_order
from panel.web.polling import bar_of

THEMES = ("light", "dark")
FIRST_ROW = 48_200  # the id of the first theme's first order; each theme has ids of its own
LONG_NAME = "Instagram Followers — Ελληνικά, العربية | Real & Active ★ Max 2.5K/day [R60] ♻️"
ANA, LINK = User(pk=1, username="ana", name="Ana"), "https://www.instagram.com/lumen.studio/p/CxYz81"


class Fields(forms.Form):
    """A form with a field of each kind. As it is posted below, one of them is wrong, and so is the whole."""

    name = forms.CharField(help_text="With a help text.", required=False)
    wrong = forms.IntegerField(label="Wrong", min_value=500)
    choice = forms.ChoiceField(label="Choice", choices=[("all", "Everyone on the team")], required=False)
    words = forms.CharField(label="Comments", widget=forms.Textarea(attrs={"rows": 2}), required=False)
    tick = forms.BooleanField(label="A tick", required=False)

    def clean(self) -> None:
        """Finds the form wrong as a whole too."""
        self.add_error(None, "Your session ended meanwhile. Nothing was done.")


@require_safe
@needs("administer")
def components(request: HttpRequest) -> HttpResponse:
    """The page. It reads no order from the database, and nothing on it does anything. A real desk has no use for it."""
    if not settings.SANDBOX:
        raise Http404
    sprite = (settings.BASE_DIR / "static" / "icons.svg").read_text()
    now = timezone.now()
    reader = Reader.of(request.user, DEFAULT_COLUMNS, stopped=bool(bar_of(request).stopped_at))
    context = {
        "sheets": [sheet(position, now, reader) for position in range(len(THEMES))], "at": now,
        "statuses": list(Status), "icons": re.findall(r'id="i-([\w-]+)"', sprite),
    }  # fmt: skip
    return render(request, "site/components_sheet.html", context)


def sheet(position: int, now: datetime, reader: Reader) -> dict[str, Any]:
    """What the half of the theme at this position of THEMES shows."""
    typed = {"name": "lumen.studio", "wrong": "137", "words": "Lovely light!\nΠολύ ωραίο", "tick": "on"}
    theme = THEMES[position]
    pending = asked_task("refill", now)
    meters = [Refills(0, 3, None), Refills(1, 3, None), Refills(2, 3, pending), Refills(3, 3, None)]
    orders, form = list(made_up_orders(FIRST_ROW + 100 * position, now)), Fields(typed, auto_id=f"{theme}-%s")
    drawn = Markup("").join(draw_order(order, reader) for order in orders)
    return {"theme": theme, "orders": orders, "drawn": drawn, "form": form, "meters": meters,
            "events": list(events(now)), "question": refill_question(orders[-4])}  # fmt: skip


def made_up_orders(first_pk: int, now: datetime) -> Iterator[Order]:
    """An order in each state that a row can show. None of them is in the database."""
    waits, settled = {"due_at": now + timedelta(seconds=20)}, {"settled_at": now, "attempts": 1}
    unclear = {**waits, "attempts": 2, "unclear_since": now, "answer": "No answer within 10 s."}
    upstream = {"task": {**settled, "outcome": "done"}, "upstream_id": "ord_8LvyQ04mNe", "reported_at": now}
    states: list[tuple[str, dict[str, Any]]] = [
        (Status.APPROVAL, {"task": waits}),
        (Status.QUEUED, {"task": waits}),
        (Status.QUEUED, {"task": unclear}),
        (Status.QUEUED, {"task": {**waits, "attempts": 1, "needs": Decimal("4.5")}}),
        (Status.QUEUED, {**upstream, "reported_at": None}),
        (Status.REVIEW, {"task": {**settled, "outcome": "review", "answer": "Incorrect request"}}),
        (Status.REJECTED, {"task": {**settled, "outcome": "refused", "answer": "Link is private"}}),
        (Status.REJECTED, {"task": {**settled, "attempts": 0, "outcome": "withdrawn", "answer": "Withdrawn by Ana."}}),
        (Status.REJECTED, {"task": {**settled, "outcome": "closed", "answer": "Not at the supplier."}}),
        (Status.REJECTED, {"task": {**settled, "attempts": 0, "outcome": "declined", "answer": "Declined by Mira."}}),
        (Status.REJECTED, {"task": {**settled, "attempts": 0, "outcome": "expired", "answer": "Nobody decided."}}),
        (Status.PENDING, upstream),
        (Status.PROCESSING, {**upstream, "remains": 1_000, "left_out": 3}),
        (Status.IN_PROGRESS, {**upstream, "remains": 350, "left_out": 4, "missing_since": now}),
        (Status.IN_PROGRESS, {**upstream, "remains": 350, "asked": (asked_task("cancel", now),)}),
        (Status.COMPLETED, {**upstream, "remains": 0, "asked": (asked_task("refill", now, slot=1, slots=3),)}),
        (Status.PARTIAL, {**upstream, "remains": 350, "name": LONG_NAME}),
        (Status.CANCELLED, {**upstream, "remains": 1_000, "charge": Decimal(0)}),
        (Status.REFUNDED, {**upstream, "refill": False}),
        ("in_moderation", upstream),
    ]
    for pk, (status, facts) in enumerate(states, first_pk):
        yield made_up_order(pk, status, now, **facts)


def made_up_order(pk: int, status: str, now: datetime, *, task: dict[str, Any], asked: tuple[Task, ...] = (),
                  name: str = "Instagram Followers — R30", refill: bool = True, **facts: Any) -> Order:  # fmt: skip
    """An order with all that its row reads: its service, its placement (`task`), refills and cancels (`asked`)."""
    service = Service(pk=1, upstream_id=1204, name=name, type="Default", category="Instagram › Followers",
                      rate=Decimal("0.9"), minimum=50, maximum=10_000, refill=refill, cancel=True)  # fmt: skip
    order = Order(**{
        "pk": pk, "status": status, "service": service, "placed_by": ANA, "link": LINK, "quantity": 1_000,
        "created_at": now - timedelta(hours=3), "expected_charge": Decimal("0.9"), "start_count": 12_480, **facts,
    })  # fmt: skip
    order.recall_poll(None)
    order.__dict__["known_tasks"] = [Task(kind=Task.Kind.PLACE, asked_by=ANA, asked_at=now, **task), *asked]
    return order


def asked_task(kind: str, now: datetime, **facts: Any) -> Task:
    """A refill or cancel that upstream has accepted."""
    return Task(kind=kind, asked_by=ANA, asked_at=now, settled_at=now, known_at=now, outcome=Task.Outcome.DONE, **facts)


def events(now: datetime) -> Iterator[Event]:
    """An event of each tone, newest first."""
    yield Event(kind="refused", at=now, facts={"said": '{"error": "Link is private"}'})
    yield Event(kind="unclear", at=now, facts={"attempt": 1, "trouble": "No answer within 10 s."})
    yield Event(kind="moved", at=now, facts={"was": "Pending", "to": "In progress"})
    facts = {"quantity": "1,000", "rate": "$0.90", "expected": "$0.90"}
    yield Event(kind="placed", by=ANA, at=now - timedelta(days=1), facts=facts)
