"""Every address of the desk, found in the URLconf itself, with something behind each."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.invitations import links
from accounts.models import (
    BalanceReading,
    ChainLink,
    ChainWatch,
    DeskSession,
    DeskSettings,
    DoorEvent,
    KnownDevice,
    SettingChange,
    SignInCount,
    User,
)
from catalog.models import Change, Favourite, RateChange, Service, SetAside, ShrinkAlarm
from orders.models import (
    AnswerText,
    Attempt,
    Bulk,
    Charged,
    Customer,
    Delivery,
    Endpoint,
    Folding,
    Handed,
    KeptSearch,
    ListTemplate,
    MassDraft,
    MassJob,
    MassLine,
    Mention,
    Note,
    Order,
    Pace,
    Payment,
    Plan,
    PlanPart,
    PollCall,
    Presence,
    PriceList,
    Reading,
    ReportMail,
    SaleLine,
    SaleSum,
    SavedView,
    SellingRule,
    Sending,
    ServiceScore,
    ShiftNote,
    ShiftReader,
    Spending,
    TurnedAway,
    Worklist,
)
from orders.rules.statuses import Status
from orders.statistics.sales import DETAIL, FIGURES
from panel.alarms.models import Alarm, Notice, Recipient, Sighting, Watch
from panel.ops.database import ONLY_ROW
from panel.upstream.models import Beat, Chore, Upstream, Window
from tests.makers import make_approval, make_order, make_user

OURS = ("orders", "catalog", "accounts", "panel")
ARGUMENTS = {
    "situation": "completed",
    "number": "1",
    "app_label": "orders",
    "url": "nothing",
    "key": "abc",
    "uidb36": "1",
    "content_type_id": "0",
}


def our_models() -> list[type[Model]]:
    return [model for app in OURS for model in apps.get_app_config(app).get_models() if model._meta.managed]


def one_of_everything() -> Order:
    """A desk on which every model of ours has a row; its order, still moving."""
    now, order = timezone.now(), make_order(Status.IN_PROGRESS)
    DoorEvent.objects.create(at=now, kind="new_device", group="sign_in", person=order.placed_by, address="192.0.2.7",
                             device="Firefox on Linux")  # fmt: skip
    order.record("moved", was="Pending", to="In progress")
    ChainLink.objects.create(number=0, first_id=0, last_id=0, lines=0, sealed_at=now, key="0f0f0f0f", digest=b"d")
    ChainWatch.objects.create(pk=ONLY_ROW, looked_at=now)
    Reading.objects.create(order=order, at=now, status="in_progress", remains=650)
    Folding.objects.create(pk=ONLY_ROW, down_to=1)
    Pace.objects.create(service=order.service, starts=9, finishes=12, finish_median=60, finish_p95=90, quantity=500,
                        computed_at=now, ends_to=now)  # fmt: skip
    note = Note.objects.create(order=order, by=order.placed_by, at=now, text="Look here.", form_token=uuid.uuid4())
    Mention.objects.create(note=note, user=order.placed_by)
    Presence.objects.create(order=order, user=order.placed_by, seen_at=now)
    Handed.objects.create(order=order, user=order.placed_by, by=order.placed_by, at=now)
    shift_note = ShiftNote.objects.create(by=order.placed_by, at=now, text="Quiet night.", form_token=uuid.uuid4(),
                                          taken_along=[["late", order.pk]])  # fmt: skip
    ShiftReader.objects.create(note=shift_note, user=order.placed_by)
    Attempt.objects.create(task=order.tasks.get(), began_at=now)
    Sending.objects.create(pk=ONLY_ROW)
    make_approval(order, outcome="withdrawn", decided_at=now, decided_by=order.placed_by)
    AnswerText.objects.create(language="es", situation="completed", text="{which}: listo.", changed_by=order.placed_by,
                              changed_at=now)  # fmt: skip
    Worklist.objects.create(by=order.placed_by, at=now, entries=[["#1", order.pk], ["#9", 0]], language="en",
                            chosen_at=now)  # fmt: skip
    Bulk.objects.create(kind="refill", asked_by=order.placed_by, asked_at=now, token=uuid.uuid4(), picked=1,
                        left_out={order.pk: "Its service has no refill."})  # fmt: skip
    MassDraft.objects.create(owner=order.placed_by, source="a pasted list", changed_at=now, lines=[
        {"n": 1, "typed": {"service": str(order.service.upstream_id), "link": "instagram.com/lumen", "quantity": "99"}}
    ])  # fmt: skip
    listed = MassJob.objects.create(token=uuid.uuid4(), placed_by=order.placed_by, placed_at=now, source="a paste",
                                    listed=1, ordered=1, expected_charge=order.expected_charge)  # fmt: skip
    MassLine.objects.create(job=listed, number=1, order=order, typed={"link": order.link})
    blank = {"n": 1, "typed": {"service": "7"}, "blanks": ["link", "quantity"]}
    ListTemplate.objects.create(owner=order.placed_by, name="Weekly", key="weekly", shared=True, listed=1, saved_at=now,
                                lines=[blank])  # fmt: skip
    plan = Plan.objects.create(token=uuid.uuid4(), owner=order.placed_by, made_at=now, source="a paste", seen={},
                               zone="Europe/Berlin", listed=2, part_lines=1, every=1, unit="days")  # fmt: skip
    line = {"n": 1, "typed": {"service": str(order.service.upstream_id), "link": "instagram.com/lumen.two"}}
    PlanPart.objects.create(plan=plan, number=2, due_at=now + timedelta(days=1), next_at=now + timedelta(days=1),
                            listed=1, lines=[line])  # fmt: skip
    PlanPart.objects.create(plan=plan, number=1, due_at=now, listed=1, left=1, lines=[line], outcome="refused",
                            settled_at=now, why="Line 1: At least 50 for this service.")  # fmt: skip
    Delivery.objects.create(key="d", digest="d", event="order.completed", upstream_id=order.upstream_id or "",
                            body="{}", mark="0f0f0f0f", received_at=now, due_at=now)  # fmt: skip
    Endpoint.objects.create(url="https://desk.example.com/webhooks/notpanel/", registered_at=now)
    PollCall.objects.create(ends_at=now, order_ids=[])
    TurnedAway.objects.create(day=now.date(), reason="forged", count=7)
    saved = SavedView.objects.create(owner=order.placed_by, name="Weekly", query="period=7", is_report=True)
    ReportMail.objects.create(view=saved, person=order.placed_by, due_at=now + timedelta(days=7))
    SavedView.objects.create(owner=order.placed_by, name="Mine", query="by=me", shared=True)
    KeptSearch.objects.keep("@lumen.studio")
    RateChange.objects.create(service=order.service, now=order.service.rate, at=now)
    Change.objects.create(service=order.service, moved={"rate": ["0.80", "0.90"]}, at=now)
    Favourite.objects.create(service=order.service, user=order.placed_by)
    SetAside.objects.create(digest="d", raw='{"service": 7}', why="It has no name.", first_seen_at=now)
    ShrinkAlarm.objects.create(raised_at=now, listed=12, missing=288)
    BalanceReading.objects.create(amount=47, first_asked_at=now, asked_at=now)
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"low_balance": "25"})
    SignInCount.objects.create(key="c0ffee", tries=2, ends_at=1)
    KnownDevice.objects.create(user=order.placed_by, digest="d", address="192.0.2.7", device="Firefox on Linux",
                               first_at=now, last_at=now)  # fmt: skip
    DeskSession.objects.create(digest="d", user=order.placed_by, address="192.0.2.7", device="Firefox on Linux",
                               began_at=now, used_at=now, ends_at=now + timedelta(days=7))  # fmt: skip
    SettingChange.objects.create(name="low_balance", was="20", now="25", changed_by=order.placed_by, changed_at=now)
    customer = Customer.objects.create(name="Northside Gym", key="northside gym", contact="@northside",
                                       created_by=order.placed_by, credit_limit=500)  # fmt: skip
    Order.objects.filter(pk=order.pk).update(customer=customer, customer_reference="INV-2231", sold_for="4.20")
    customer.price_list = PriceList.objects.create(name="Agency", key="agency")
    customer.save(update_fields=["price_list"])
    SellingRule.objects.create(scope=f"c{customer.pk}", customer=customer, percent=50, plus=0, step=0,
                               changed_by=order.placed_by)  # fmt: skip
    Payment.objects.create(customer=customer, amount=2, by=order.placed_by, form_token=uuid.uuid4())
    links.make(order.placed_by, by=order.placed_by)
    Upstream.objects.create(pk=ONLY_ROW, spoke_at=now)
    Beat.objects.create(name="desk:1", started_at=now, beat_at=now)
    Spending.objects.create(pk=ONLY_ROW, at=now, since=now, spent=12, queued=1)
    Charged.objects.create(slot=1, orders=1, expected=900_000, charged=900_000, given_back=0, elsewhere=0)
    ServiceScore.objects.create(service=order.service, value=74, rank=26, ended=40, delivered=97, late=2, refills=4,
                                refused=1, weeks=[None] * 11 + [74], measured_at=now)  # fmt: skip
    of_sales = {"slot": 1, "service": 1, "person": 1, "customer": 0, **dict.fromkeys(FIGURES, 1)}
    SaleLine.objects.create(**of_sales)
    SaleSum.objects.create(level=DETAIL.number, **of_sales)
    Chore.objects.create(name="balance", due_at=now)
    Window.objects.create(number=1, ends_at=now, key_limit=100, key_left=93, ip_limit=300, ip_left=293, look=7)
    alarm = Alarm.objects.create(kind="balance", facts={"balance": "12", "below": "20"}, raised_at=now)
    to = Recipient.objects.create(user=order.placed_by, kinds=["balance"])
    Notice.objects.create(alarm=alarm, to=to, channel=to.channel, due_at=now)
    Sighting.objects.create(alarm=alarm, user=order.placed_by, at=now)
    Watch.objects.create(pk=ONLY_ROW)
    LogEntry.objects.create(
        user=make_user(), content_type=ContentType.objects.get_for_model(User), object_id="1", object_repr="Ana",
        action_flag=CHANGE, change_message="Changed role.",
    )  # fmt: skip
    return order


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each route with its view; arguments as `<name>`, whether the pattern is a path or an expression."""
    for pattern in (resolver or get_resolver()).url_patterns:
        said = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, said)
        else:
            yield plain_route(said), pattern.callback


def plain_route(said: str) -> str:
    """A route as Django says it, with arguments as `<name>`, whether it is a path or an expression."""
    as_paths = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", said).replace("^", "").replace("$", "")
    return re.sub(r"<\w+:", "<", as_paths)


def address(route: str) -> str:
    """An address of this route, of the newest row where one is meant."""

    def argument(found: re.Match[str]) -> str:
        if found[1] in ARGUMENTS:
            return ARGUMENTS[found[1]]
        rows = behind(route)._default_manager.order_by("-pk")
        newest = (rows.filter(is_report=True) if "reports/saved" in route else rows).first()
        return str(newest.pk if newest else 1)

    return "/" + re.sub(r"<(\w+)>", argument, route)


def behind(route: str) -> type[Model]:
    """The model that a route's id is of."""
    for model, _ in registered():
        if route.startswith(f"admin/{model._meta.label_lower.replace('.', '/')}/"):
            return model
    within = {
        "orders/views": SavedView,
        "reports/saved": SavedView,
        "services/alarms": ShrinkAlarm,
        "activity/since": ShiftNote,
        "alarms": Alarm,
        "mass/drafts": MassDraft,
        "orders/plans": Plan,
        "orders/templates": ListTemplate,
        "mass/lists": MassJob,
        "bulks": Bulk,
        "answers": Worklist,
        "services/changes": Change,
        "favourite": Service,
        "accounts/sessions": DeskSession,
        "team/": User,
        "customers/prices": SellingRule,
        "customers/": Customer,
    }
    return next((model for words, model in within.items() if words in route), Order)


def registered() -> "list[tuple[type[Model], admin.ModelAdmin[Any]]]":
    return list(admin.site._registry.items())


def admin_address(model: type[Model], page: str, *args: object) -> str:
    """`page` is changelist, add, change, delete or history."""
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=args)
