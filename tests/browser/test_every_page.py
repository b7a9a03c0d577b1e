"""Every page, light and dark, wide and narrow: accessible, within its borders, light, and from this host alone."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from accounts.access import Role
from accounts.invitations import links
from accounts.models import BalanceReading, ChainWatch, DeskSession, DoorEvent, TrailLine, User
from accounts.sign_in.record import KINDS
from catalog.changes import hold
from catalog.models import Change, RateChange, ShrinkAlarm
from orders.bulk.job import start_job
from orders.bulk.selection import Selection
from orders.mass.draft import lines_of_list
from orders.models import AnswerText, Order, Pace, Presence, Reading, Spending, Task
from orders.plans import template
from orders.rules.statuses import Status
from orders.teamwork import notes
from panel.alarms.models import Alarm, Sighting
from panel.upstream.models import Beat, Window
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.makers import make_order, make_service, make_user
from tests.orders.customers.shops import make_customer, pay, rule_for_all, sold_to
from tests.orders.mass.lists import placed
from tests.orders.plans.plans import planned, time_comes

pytestmark = pytest.mark.slow
PICTURES = os.environ.get("PICTURES")  # a folder for a picture of each page; without it none are taken
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passed is not asked for: to tell of it takes axe, and the way here, twice as long as to find what did not.
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
DAY = timedelta(days=1)
LONG = "Instagram Followers — Ελληνικά, العربية | Real & Active ★ Max 2.5K/day [R60] ♻️ " * 3


@pytest.fixture
def pages(desk: Desk) -> dict[str, str]:
    """A desk with one order of every status, and where its pages are."""
    now = timezone.now()
    Beat.objects.create(name="here:1", started_at=now, beat_at=now)
    an_hour_of_calls(now)
    make_user(Role.OWNER, username="mira", name="Mira")
    owner, service, wordy = make_user(Role.OWNER, name="Olivia"), make_service(), make_service(name=LONG, dripfeed=True)
    for status in [*Status, "in_moderation"]:
        make_order(
            status, by=owner, service=wordy if status == "partial" else service,
            link="https://www.instagram.com/" + "atelier.miro.ceramics" * (8 if status == "partial" else 1),
            remains=400 if status in ("in_progress", "partial") else 0 if status == "completed" else None,
            reported_at=now if status in ("in_progress", "pending", "completed") else None,
        )  # fmt: skip
    for of, seconds in ((service, 4000), (wordy, 400_000)):
        Pace.objects.create(
            service=of, starts=42, finishes=40, start_median=540, start_p95=1200, finish_median=seconds, lately=6000,
            finish_p95=2 * seconds, quantity=500, computed_at=now, ends_to=now,
        )  # fmt: skip
    Order.objects.filter(status__in=("in_progress", "processing")).update(late_from=now - timedelta(hours=2))
    ShrinkAlarm.objects.create(raised_at=now, listed=12, missing=9988)
    for moved in (service, wordy):
        RateChange.objects.create(service=moved, was="0.80", now=moved.rate, at=now)
    held, _ = (
        Change.objects.create(service=moved, moved={"rate": ["0.8", "0.9"], "name": ["Old", LONG]}, at=now)
        for moved in (wordy, service)
    )
    hold(held.pk, by=owner, at=now)
    for kind, facts in (
        ("sending", {"by": LONG, "why": f"{LONG} {'x' * 300}", "since": now.isoformat()}),
        ("prices", {"new": 300, "all": 400, "percent": "20", "some": [[n, LONG, "1", "1.9"] for n in range(5)]}),
        ("worker", {"name": "w" * 100, "since": now.isoformat()}),
    ):
        alarm = Alarm.objects.create(kind=kind, facts=facts, raised_at=now)
        Alarm.objects.create(kind=kind, facts=facts, raised_at=now - timedelta(days=2), ended_at=now)
    Sighting.objects.create(alarm=alarm, user=owner, at=now)
    told = Order.objects.get(status="partial")
    told_of(told, by=owner)
    AnswerText.objects.create(language="es", situation="completed", text="{which}: ¡listo!", changed_by=owner,
                              changed_at=now)  # fmt: skip
    job = start_job(
        Selection.of("refill", Order.objects.values_list("pk", flat=True), "ticked on the orders page"), by=owner
    )
    money_of(owner)
    door_of(owner)
    broken_trail(told.events.latest("pk"))
    return {
        "orders": "/orders/", "late": "/orders/late/", "empty": "/orders/?status=nothing&before=1",
        "order": f"/orders/{told.pk}/?from=status%3Dpartial",
        "surprising": f"/orders/{Order.objects.get(status='refunded').pk}/", "doubts": "/orders/?open=doubt",
        "reports": "/reports/?period=7", "reports-before": "/reports/?from=2020-01-01&to=2020-01-01",
        "charges": "/upstream/charges/", "drift": f"/upstream/charges/?day={now.date()}",
        "no-charges": "/upstream/charges/?until=2020-01-01", "balance": "/upstream/balance/",
        "new": f"/orders/new/?service={service.upstream_id}&quantity=500", "services": "/services/",
        "changes": "/services/changes/", "held": "/services/changes/?view=held", "unfound": "/services/?q=x&rate=1",
        "held-form": f"/orders/new/?service={wordy.upstream_id}",
        "activity": "/activity/", "activity-all": f"/activity/?who=all&line={told.events.latest('pk').pk}",
        "no-activity": "/activity/?about=nobody", "chain": "/activity/chain/", "upstream": "/upstream/",
        "webhooks": "/upstream/webhooks/", "mentions": "/mentions/", "since": "/activity/since/",
        "since-full": f"/activity/since/?from={now - timedelta(hours=9):%Y-%m-%dT%H:%MZ}&see=badly",
        "next": "/orders/next/", "team": "/team/", "roles": "/team/roles/",
        "invite": "/team/new/", "person": f"/team/{wordy_person().pk}/", "factors": "/accounts/factors/",
        "app": "/accounts/factors/app/", "passkey": "/accounts/factors/passkeys/", "gone": "/accounts/invitation/",
        "security": "/team/security/", "security-end": "/team/security/?before=1", "sessions": "/accounts/sessions/",
        "sessions-of": f"/team/{owner.pk}/sessions/",
        "password": "/accounts/password/change/", "missing": "/nowhere/",
        "answers": f"/orders/answers/{job.worklist_id}/", "messages": "/orders/answers/",
        "texts": "/orders/answers/texts/?language=es", "text": "/orders/answers/texts/late/",
        "paste": "/orders/bulks/new/", "jobs": "/orders/bulks/", "job": job.get_absolute_url(),
        "approvals": "/orders/approvals/", "expired": "/orders/approvals/?state=expired", "limits": "/team/limits/",
        "asked": f"/orders/{Order.objects.get(status='approval').pk}/", "person-limits": f"/team/{owner.pk}/limits/",
        "preferences": "/accounts/preferences/", "settings": "/upstream/settings/",
        "alarms": "/alarms/", "alarm-choices": "/alarms/choices/",
        "palette": "/palette/?q=followers", "keys": "/keys/", "components": "/styleguide/",
        **selling_pages(owner),
    }  # fmt: skip


def selling_pages(by: User) -> dict[str, str]:
    """Pages of a customer who owes too much, of selling prices, and of lists with lines in every trouble."""
    rule_for_all("-50")
    service = make_service(category="Instagram › Likes", name=f"Instagram Likes {LONG}", minimum=50)
    customer = make_customer(f"C{LONG[:90]}", by=by, contact=LONG[:80], note=LONG, credit_limit=Decimal(1))
    sold_to(customer, "H" * 90, by=by, service=service, despite_credit=True)
    pay(customer, "3", by=by)
    lines = [
        f"{service.upstream_id} | https://www.instagram.com/p/A1bcdEf/?igsh={'x' * 90} | 500 | {customer.name} | H-1",
        f"{service.upstream_id} | https://www.instagram.com/p/B1bcdEf/ | 500",
        f"{service.upstream_id} | https://www.instagram.com/p/B1bcdEf/ | 500",
        f"99999 | https://example.org/{'y' * 200} | 1 | {LONG}",
    ]
    job = placed("\n".join(lines), by)
    return {
        "customers": "/customers/", "customer": f"/customers/{customer.pk}/", "new-customer": "/customers/new/",
        "change-customer": f"/customers/{customer.pk}/change/", "prices": "/customers/prices/", "mass": "/orders/mass/",
        "lists": "/orders/mass/lists/", "list": job.get_absolute_url(), **planned_pages(lines[:2], by),
    }  # fmt: skip


def planned_pages(lines: list[str], by: User) -> dict[str, str]:
    """A plan of which one part waits for a person and another is to come, and a template."""
    job = placed("\n".join(lines).replace("/p/", "/p/Z"), by)
    weekly = template.save_template(LONG[:60], lines_of_list(job), "both", shared=True, by=by)
    plan = planned("\n".join(lines).replace("/p/", "/p/Y"), by, zone="Asia/Kathmandu")
    time_comes(plan, 1, timedelta(hours=7))
    return {
        "plans": "/orders/plans/", "plan": f"{plan.get_absolute_url()}?part=1", "template": weekly.get_absolute_url(),
        "template-new": f"/orders/templates/new/?list={job.pk}",
    }  # fmt: skip


def broken_trail(line: TrailLine) -> None:
    """What the chore that verifies the trail might have found."""
    words = f"Line {line.pk} was changed: its seal does not fit what it says."
    breaks = [[line.pk, "changed", words, 1], [line.pk, "moved", LONG, 2]]
    ChainWatch.objects.create(pk=1, looked_at=line.at, breaks=breaks, broken_since=line.at)


def wordy_person() -> User:
    """A person with long names, a passkey and a link."""
    person = make_user(Role.MANAGER, name=LONG[:80], username="w" * 60)
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "k" * 60})
    links.make(person, by=person)
    return person


def an_hour_of_calls(now: datetime) -> None:
    """Of all purposes, one of them denied; and a worker of each kind."""
    this_minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    Window.objects.bulk_create(
        Window(
            number=60 - ago, ends_at=this_minute - timedelta(minutes=ago), key_limit=100, key_left=37, ip_limit=300,
            ip_left=237, tier_limit=200, tier_left=137, place=ago % 23, ask=ago % 7, look=20 + ago % 31, upkeep=2,
            denied=ago == 7,
        )
        for ago in range(60)
    )  # fmt: skip
    for name, at, stopped in (("desk-2.example.internal:40123 (look upkeep)", now - timedelta(minutes=9), None),
                              ("old:7", now - timedelta(hours=3), now - timedelta(hours=3))):  # fmt: skip
        Beat.objects.create(name=name, started_at=now - timedelta(days=2), beat_at=at, stopped_at=stopped, calls=48_120)


def money_of(by: User) -> None:
    """A month of charges, some of them odd, and a balance that was topped up and is low again."""
    now, service = timezone.now(), make_service()
    for day in range(35):
        status, currency = (Status.COMPLETED if day % 3 else Status.PARTIAL), ("EUR" if day == 5 else "USD")
        charge, at = Decimal("0.90") + Decimal(day % 4 - 1) / 3, now - timedelta(days=day)
        make_order(status, by=by, service=service, remains=0, created_at=at, charge=charge, currency=currency)
    refunded = Order.objects.filter(status="refunded")
    refunded.update(charge=Decimal("1250.40"), currency="USD", remains=99_999, doubts="charge remains",
                    said={"status": "in_progress", "remains": "99,999", "charge": "1250.40"})  # fmt: skip
    left = Decimal(300)
    for hour in range(120, 0, -1):
        left += 150 if left < 30 and hour > 24 else Decimal(-3) - hour % 5
        at = now - timedelta(hours=hour)
        BalanceReading.objects.create(amount=left, first_asked_at=at, asked_at=at + timedelta(minutes=59))
    BalanceReading.objects.create(amount=Decimal("12.40"), first_asked_at=now, asked_at=now)
    Spending.objects.create(
        pk=1, at=now, since=now - timedelta(hours=24), spent=Decimal("126.40"), queued=Decimal("4.50")
    )


def door_of(person: User) -> None:
    """What happened at the door, of each kind; and sessions here and there, one from a long address."""
    now, long_one = timezone.now(), make_user(name=LONG[:80])
    DoorEvent.objects.bulk_create(
        DoorEvent(
            at=now - timedelta(minutes=37 * at), kind=name, group=kind.group, by=person if at % 5 == 0 else None,
            person=None if at % 7 == 3 else long_one if at % 2 else person, device="Samsung Internet on Android",
            address="2001:db8:85a3:1234:5678:8a2e:370:7334" if at % 3 else "203.0.113.9",
            facts={"why": "wrong password", "reason": LONG, "device_ended": "Chrome on Windows", "count": 3,
                   "method": "POST", "path": "/orders/" + "x" * 180},
        )
        for at, (name, kind) in enumerate([*KINDS.items()] * 2)
    )  # fmt: skip
    for at, (device, address) in enumerate([("Firefox on Linux", "203.0.113.61"), ("Safari on iPhone", "2001:db8::7"),
                                            ("", "")]):  # fmt: skip
        DeskSession.objects.create(digest=f"d{at}", user=person, device=device, address=address, ends_at=now + 7 * DAY,
                                   began_at=now - at * DAY, used_at=now - timedelta(hours=at * 5))  # fmt: skip


def told_of(order: Order, *, by: User) -> None:
    """Two days of progress, a refill, and notes: one long, one from the right, one to everybody who is called Mira."""
    now = timezone.now()
    Reading.objects.bulk_create(
        Reading(order=order, at=now - timedelta(minutes=57 * (50 - step)), status="in_progress",
                remains=max(400, 1000 - step * step))
        for step in range(50)
    )  # fmt: skip
    asked = {"asked_by": by, "asked_at": now - timedelta(hours=3), "settled_at": now, "over_at": now}
    Task.objects.create(order=order, kind=Task.Kind.REFILL, over_how=Task.Settled.MARKED, slot=1, slots=3, **asked)
    calm, right = "The customer is calm; told them 48 h.", "مرحبا @Mira, بخير"
    for text in (calm, f"{LONG}\n" * 8, right, "@mira https://" + "x" * 200):
        notes.write_note(order, text, uuid.uuid4(), by=by)
    for number in range(3):
        Presence.objects.create(order=order, user=make_user(name=f"Ana {LONG[:50]} {number}"), seen_at=now)


LOOKS = [(width, dark) for width in (WIDE, NARROW) for dark in (False, True)]
TWO_LOOKS = [LOOKS[0], LOOKS[-1]]  # each width and each set of colours once
WIDTHS = (320, 820, 1024, 1240)  # besides the two that are looked at
# What axe's other rules look at is the same in the other set of colours.
OF_COLOURS = {**RULES, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_is_accessible_and_stays_within_its_borders(
    desk: Desk, opens: Opens, pages: dict[str, str], width: ViewportSize
) -> None:
    """In both sets of colours, without loading the page anew for the other. Nothing complains on the console, and
    nothing is asked of another host.
    """
    page = opens(User.objects.get(username="mira"), "/orders/", width=width)
    said, asked = heard_of(page)
    stranger = opens("stranger", "/accounts/login/", width=width)
    found: list[str] = []
    for name, path in pages.items():
        page.goto(desk.url + path)
        found += faults_in_both(page, name)
        if width == WIDE:
            found += wider_than_the_screen(page, name)
            page.set_viewport_size(width)
        # The browser itself tells of a page that was answered with 404 or 410.
        found += [f"{name}: {line}" for line in said if not (name in ("missing", "gone") and "status of 4" in line)]
        said.clear()
    found += faults_in_both(stranger, "sign-in")
    assert not found, "\n".join(found)
    assert len(asked) > len(pages)
    assert [url for url in asked if not url.startswith((desk.url, "data:"))] == []


def heard_of(page: Page) -> tuple[list[str], list[str]]:
    """What the browser and scripts complain of from now on, and the addresses that are asked for."""
    said, asked = list[str](), list[str]()
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    return said, asked


def faults_in_both(page: Page, name: str) -> list[str]:
    found: list[str] = []
    looks: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (("light", RULES), ("dark", OF_COLOURS))
    for colours, rules in looks:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # no colour is met on its way to another
        found += [f"{colours}: {fault}" for fault in faults(page, name, rules)]
        picture(page, name)
    return found


def picture(page: Page, name: str) -> None:
    """For people to look at, named after its width and colours too."""
    if PICTURES and page.viewport_size:
        dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        look = f"{page.viewport_size['width']}-{'dark' if dark else 'light'}"
        page.screenshot(path=Path(PICTURES) / f"{name}-{look}.png", full_page=True)


def faults(page: Page, name: str, rules: dict[str, Any] = RULES) -> Iterator[str]:
    """What axe finds, and whether the page is wider than the screen."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(f"{AXE_SCRIPT}; null")
    for fault in page.evaluate("rules => axe.run(rules).then(found => found.violations)", rules):
        where = "; ".join(node["html"][:160] for node in fault["nodes"][:3])
        yield f"{name}: {fault['id']}: {fault['help']}: {where}"
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if beyond > 0:
        yield f"{name}: scrolls {beyond} px sideways"


def wider_than_the_screen(page: Page, name: str) -> Iterator[str]:
    """The other widths at which the page scrolls sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            yield f"{name}: scrolls sideways at {width} px"


def test_a_phones_bar_keeps_its_two_lines_and_leads_to_the_pages_about_upstream(desk: Desk, opens: Opens) -> None:
    page = opens("owner", "/orders/", width={"width": WIDTHS[0], "height": 800})
    page.get_by_role("link", name="no worker is running").click()
    for name in ("Webhooks", "Balance", "Alarms", "Calls and workers"):
        to = page.get_by_role("navigation", name="System").get_by_role("link", name=name, exact=True)
        to.click()
        expect(to).to_have_attribute("aria-current", "true")
        expect(page.locator(".more > summary")).to_have_attribute("aria-current", "page")
    assert page.locator("#bar").evaluate("bar => bar.getBoundingClientRect().height") <= 40
