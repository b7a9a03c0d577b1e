"""Every address of the desk as somebody comes to it: each page, filter, tab, search, poll and press.

A line is a method, an address, and what is sent. GET must be answered with 200, or as it says behind `->`. POST must
write something; ASK is a POST that writes nothing. Names in braces are of `subjects`. What is behind the addresses of
Django's admin is the same for each model, so `admin_lines` makes their lines.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from django.test import Client
from django.utils import timezone

from catalog.models import ShrinkAlarm
from orders.aftersale.states import STATES
from orders.models import Order, Sending
from orders.rules.statuses import Status
from orders.table.filters import FILTERS, MONEY, OPEN_FILTERS, PAST, PLACINGS
from tests.addresses import registered
from tests.benchmarks.admin_visits import admin_lines
from tests.benchmarks.page import BROWSER, HTMX, OpenPage
from tests.benchmarks.rounds import Probe
from tests.benchmarks.visitor import Line, Visitor
from tests.deliveries import ENDPOINT_PATH, body_of, headers_of
from tests.makers import PASSWORD

UNCHANGED_SETTINGS = {"price_jump_percent": 20, "send_delay_seconds": 5, "late_grace_hours": 0}
LINES = """
GET  / -> 302
GET  /orders/
GET  /orders/?before={middle}
GET  /orders/?after={middle}
GET  /orders/?sort=oldest
GET  /orders/?sort=oldest&before={middle}
GET  /orders/?sort=oldest&after={middle}
GET  /orders/?sort=dearest
GET  /orders/?sort=dearest&before={dear}
GET  /orders/?sort=dearest&after={dear}
GET  /orders/?sort=cheapest
GET  /orders/?sort=cheapest&before={dear}
GET  /orders/?q={middle}
GET  /orders/?q={upstream_id}
GET  /orders/?q={link}
GET  /orders/?q={word}
GET  /orders/?q=instagram+followers
GET  /orders/?s={search}
GET  /orders/?status=completed&by={owner}
GET  /orders/?status=partial&sort=dearest
GET  /orders/?status=completed&service={service}
GET  /orders/?view={view}&open=live
GET  /orders/?assigned={person}&open=live
POST /orders/export/?open=doubt | format=csv
POST /orders/export/?open=doubt | format=xlsx
POST /orders/searches/ | q=lumen
GET  /orders/filters/
GET  /orders/columns/
POST /orders/columns/ | column=order&column=status&usual=1
GET  /orders/views/
GET  /orders/views/new/?open=live
POST /orders/views/new/ | name=Mine&query=open%3Dlive
POST /orders/views/{view}/ | name=Theirs
POST /orders/views/{view}/pin/ | pinned=yes
POST /orders/views/{view}/removal/
GET  /orders/new/
GET  /orders/new/?service={service}
GET  /orders/new/?like={completed}
POST /orders/new/ | service={service}&link=https://instagram.com/lumen.anew&quantity=1000&token={token}&seen={seen}
ASK  /orders/new/ | service={service}&link=&quantity=1000&token={token}&seen={seen} -> 422
GET  /orders/new/receipt/
ASK  /orders/new/receipt/ | service={service}&link=https://instagram.com/lumen.anew&quantity=1000
ASK  /orders/new/receipt/ | service={service}&link=https://www.instagram.com/lumen.studio&quantity=1000
GET  /orders/bulks/
GET  /orders/bulks/?before={job}
GET  /orders/bulks/matching/?open=doubt
GET  /orders/bulks/matching/?status=completed
GET  /orders/bulks/new/
ASK  /orders/bulks/new/ | kind=refill&text={pasted}
POST /orders/bulks/new/ | kind=answer&text={pasted}
POST /orders/bulks/new/confirmation/ | picked={picked}&only=answers
POST /orders/bulks/new/confirmation/ | picked={picked}
GET  /orders/bulks/{job}/
GET  /orders/bulks/{job}/?result=refused
GET  /orders/bulks/{job}/csv/
POST /orders/bulks/{job}/tries/
GET  /orders/mass/
GET  /orders/mass/?draft={draft}
POST /orders/mass/ | text={service}|instagram.com/lumen|100
ASK  /orders/mass/ | text=nothing -> 422
GET  /orders/mass/drafts/{draft}/
GET  /orders/mass/drafts/{draft}/?show=no&edit=1
POST /orders/mass/drafts/{draft}/lines/ | tick=1:out
POST /orders/mass/drafts/{draft}/removal/
POST /orders/mass/drafts/{draft}/placement/ | seen={list_mark}
GET  /orders/mass/drafts/{draft}/plan/
ASK  /orders/mass/drafts/{draft}/plan/ | first={first}&zone=UTC&part_lines=1&every=1&unit=days
POST /orders/mass/drafts/{draft}/plan/ | first={first}&zone=UTC&part_lines=1&every=1&unit=days&make=1&seen={list_mark}
GET  /orders/templates/new/?draft={draft}
POST /orders/templates/new/ | draft={draft}&name=Anew&blanks=link
GET  /orders/templates/{template}/
POST /orders/templates/{template}/ | links=instagram.com/lumen.anew
POST /orders/templates/{template}/change/ | name=Daily
POST /orders/templates/{template}/removal/
GET  /orders/plans/
GET  /orders/plans/?before={job}
GET  /orders/plans/{plan}/
GET  /orders/plans/{plan}/?part=2
POST /orders/plans/{plan}/going/ | then=stop
POST /orders/plans/{plan}/going/ | then=drop
POST /orders/plans/{plan}/parts/1/
POST /orders/plans/{plan}/parts/1/ | then=leave
GET  /orders/mass/lists/
GET  /orders/mass/lists/?before={job}
GET  /orders/mass/lists/{list}/
GET  /orders/mass/lists/{list}/?result=refused
GET  /orders/mass/lists/{list}/csv/
POST /orders/mass/lists/{list}/waiting/ | then=stop
POST /orders/mass/lists/{list}/waiting/ | then=drop
POST /orders/mass/lists/{list}/mending/
POST /orders/mass/lists/{list}/repetition/
GET  /orders/answers/
GET  /orders/answers/?before={worklist}
GET  /orders/answers/{worklist}/
GET  /orders/answers/{worklist}/?form=blocks&situation=completed
POST /orders/answers/{worklist}/language/ | language=es
GET  /orders/answers/{worklist}/changes/ -> 302
POST /orders/answers/{worklist}/changes/ | edit=1&text=We+will+call+you
GET  /orders/answers/texts/
GET  /orders/answers/texts/?language=es
GET  /orders/answers/texts/completed/
GET  /orders/answers/texts/completed/?language=es&order={completed}
ASK  /orders/answers/texts/completed/ | preview=1&text={{order}}&order={completed}
POST /orders/answers/texts/cancelled/ | saw={cancelled_text}&text={{which}}:+cancelled.
GET  /orders/sending/due/
POST /orders/sending/stops/ | reason=They+are+down
GET  /orders/refills/?before={task}
GET  /orders/cancels/?before={task}
GET  /orders/late/
GET  /orders/approvals/
GET  /orders/approvals/?state=approved&before={completed}
GET  /orders/approvals/?state=expired
POST /orders/{approval}/approval/ | seen=x
POST /orders/{approval}/approval/refusal/ | reason=Not+now
POST /orders/{own_approval}/approval/reminders/
GET  /orders/next/
POST /orders/next/
GET  /orders/assignments/ -> 302
ASK  /orders/assignments/ | which=all&match=open%3Ddoubt
POST /orders/assignments/confirmation/ | picked={assigned}&to={person}
POST /orders/{completed}/deciding/ | about=refills
GET  /orders/{noted}/
GET  /orders/{missing}/
POST /orders/{in_progress}/looks/
POST /orders/{completed}/notes/ | text=@operator5+look&token={token}
POST /orders/{unassigned}/assignment/ | to={person}&saw=
GET  /orders/{unsent}/withdrawal/question/
POST /orders/{unsent}/withdrawal/
POST /orders/{unfunded}/funding/ | then=now
POST /orders/{unfunded}/funding/ | then=press
POST /orders/{waiting}/tries/
POST /orders/{review}/tries/
POST /orders/{review}/adoption/ | upstream_id=ord_found
POST /orders/{review}/closing/ | reason=They+do+not+have+it
POST /orders/{missing}/abandonment/ | reason=They+do+not+know+it
POST /orders/{doubted}/sighting/ | doubts=charge
GET  /orders/{refillable}/refills/question/
POST /orders/{refillable}/refills/
POST /orders/{refill_unclear}/refills/tries/
POST /orders/{refill_pending}/refills/settlement/ | reason=They+said+so
POST /orders/{refill_pending}/refills/next/
GET  /orders/{cancellable}/cancellation/question/
POST /orders/{cancellable}/cancellation/
POST /orders/{cancel_unclear}/cancellation/tries/
POST /orders/{completed}/customer/ | customer=shop+003&reference=INV-anew
ASK  /orders/new/receipt/ | service={service}&link=https://instagram.com/lumen.anew&quantity=1000&customer=shop+003
GET  /customers/
GET  /customers/?after={customer}
ASK  /customers/ | q=shop
ASK  /customers/found/ | customer=shop
GET  /customers/new/
POST /customers/new/ | name=A+new+shop&contact=@anew&credit_limit=50
GET  /customers/{customer}/
ASK  /customers/{customer}/ | ref=INV-6
GET  /customers/{customer}/change/
POST /customers/{customer}/change/ | name=Shop+anew&contact=@anew
POST /customers/{customer}/payments/ | amount=25&token={token}
POST /customers/{few}/file/
GET  /customers/{customer}/erasure/
POST /customers/{few}/erasure/ | sure=yes
GET  /customers/prices/
POST /customers/prices/ | percent=60&customer=shop+003
POST /customers/prices/{price_rule}/removal/
POST /customers/prices/lists/ | name=Friends
GET  /services/
GET  /services/?q=instagram+likes
GET  /services/?category=Instagram+›+Followers
GET  /services/found/?q=likes
POST /services/{service_pk}/favourite/ | on=1
GET  /services/found/
GET  /services/sync/
POST /services/syncs/
GET  /services/changes/
GET  /services/changes/?view=held
GET  /services/changes/?view=decided
GET  /services/changes/?view=decided&before={decided}
POST /services/changes/acceptance/ | change={change}
POST /services/changes/{change}/decision/ | decision=accepted
POST /services/changes/{change}/decision/ | decision=held
GET  /activity/
GET  /activity/?who=all
GET  /activity/?who=all&after={event}
GET  /activity/?who=machine&kind=aftersale
GET  /activity/?person={person}
GET  /activity/?kind=orders&person={person}
GET  /activity/?about=order+{event_order}
GET  /activity/?from={today}
GET  /activity/?line={event_line}
GET  /activity/?kind=orders&kind=notes&kind=settings
GET  /activity/chain/
POST /activity/chain/verification/
POST /activity/export/?about=order+{event_order} | format=csv
GET  /activity/since/
GET  /activity/since/?from={night}
GET  /activity/since/?from={month}
GET  /activity/since/?from={night}&see=badly
GET  /activity/since/notes/ -> 302
POST /activity/since/notes/ | text=Look+at+%23{review}&token={token}&item=look-{review}
POST /activity/since/notes/{shift_note}/reading/
POST /activity/since/dealings/ | order={partial}
POST /activity/since/handed/ | order={handed}
GET  /mentions/
GET  /mentions/?before={early}
POST /mentions/read/ | note={early}
GET  /upstream/
GET  /reports/
GET  /reports/?period=year&split=customer
GET  /reports/?view={report}
POST /reports/export/?period=7 | format=csv
GET  /reports/saved/
POST /reports/saved/ | name=Weekly&query=period%3D7
POST /reports/saved/{report}/ | name=Other&sharing=yes&shared=on
POST /reports/saved/{report}/mail/ | mail=no
POST /reports/saved/{report}/removal/
GET  /upstream/charges/
GET  /upstream/charges/?day={today}
GET  /upstream/balance/
GET  /upstream/balance/?before={reading}
GET  /upstream/settings/
GET  /upstream/webhooks/
POST /upstream/webhooks/rings/
GET  /alarms/
GET  /alarms/?before={alarm}
POST /alarms/{unseen_alarm}/sightings/
GET  /alarms/choices/
POST /alarms/choices/ | kinds=balance&over_too=on
GET  /alarms/choices/chat/ -> 302
POST /alarms/choices/chat/ | kinds=balance&time_zone=UTC
GET  /team/
GET  /team/new/
POST /team/new/ | username=new.person&name=New&email=&role=viewer
GET  /team/{person}/
GET  /team/roles/
POST /team/roles/ | saw_operator.cancel=on
POST /team/{person}/role/ | role=viewer&saw=operator
POST /team/{person}/state/ | on=0
POST /team/{person}/details/ | name=New
POST /team/{person}/links/
POST /team/{person}/links/withdrawal/
POST /team/{person}/factors/reset/ | reason=They+lost+the+phone
GET  /team/limits/
POST /team/limits/ | team_day_limit=900&saw_team_day_limit=
GET  /team/{person}/limits/
POST /team/{person}/limits/ | order=own&order_sum=40&day=none
GET  /team/security/
GET  /team/security/?before={door}
GET  /team/security/?what=refused
GET  /team/security/?person={person}
GET  /team/security/?what=refused&person={person}
GET  /team/{person}/sessions/
POST /team/{person}/sessions/endings/
GET  /accounts/sessions/
POST /accounts/sessions/endings/
POST /accounts/sessions/{session}/ending/
GET  /palette/
GET  /palette/?q=likes
GET  /palette/?q={middle}
GET  /palette/?q={word}
GET  /keys/
GET  /styleguide/
GET  /healthz
GET  /healthz/ready
GET  /accounts/login/ -> 302
GET  /accounts/logout/
POST /accounts/logout/
GET  /accounts/inactive/
GET  /accounts/password/change/
POST /accounts/password/change/ | oldpassword={password}&password1=slow-harbour-lamp&password2=slow-harbour-lamp
GET  /accounts/preferences/
POST /accounts/preferences/ | theme=dark&time_zone=UTC&numbers={numbers}&density=&page_length=50&undo_seconds=20
POST /accounts/preferences/live/ | paused=
GET  /accounts/factors/
GET  /accounts/factors/app/
GET  /accounts/factors/codes/ -> 302
GET  /accounts/factors/1/removal/ -> 404
GET  /accounts/login/factor/ -> 302
GET  /accounts/login/passkey/ -> 302
GET  /accounts/factors/passkeys/
GET  /accounts/invitation/ -> 302
GET  /accounts/password/choice/ -> 410
GET  /accounts/preferences/sample/
GET  /admin/
GET  /admin/login/ -> 302
GET  /admin/logout/ -> 405
GET  /admin/password_change/ -> 302
GET  /admin/password_change/done/
GET  /admin/autocomplete/ -> 403
GET  /admin/jsi18n/
GET  /admin/r/0/1/ -> 404
GET  /admin/orders/
GET  /admin/nothing/ -> 404
GET  /admin/accounts/user/add/ -> 403
"""
# A value of each filter of the orders list.
FILTER_VALUES = {
    "service": "{service}", "category": "Instagram+›+Followers", "network": "instagram", "by": "{owner}",
    "assigned": "{person}", "host": "instagram.com", "from": "{yesterday}", "to": "{today}", "least": "0.5",
    "most": "5", "customer": "{customer}", "reference": "{reference}", "past": "late", "money": "back",
    "category_now": "Instagram+›+Followers",
}  # fmt: skip
# What `polls` and `presses` come to besides.
ELSEWHERE = (
    "/orders/changes/", "/orders/sending/resumption/", "/orders/sending/release/", "/services/alarms/1/acceptance/",
    ENDPOINT_PATH,
)  # fmt: skip


# ── All visits ───────────────────────────────────────────────────────────────────────────────────
def all_visits(visitor: Visitor) -> Iterator[Probe]:
    """Every visit; a press must write something."""
    for line in map(Line.read, lines(visitor)):
        yield Probe(line.name, partial(visitor.go, line), writes=line.method == "POST")
    yield Probe("GET  /keys/ in a session that was not used for a minute", partial(visitor.send, "get", "/keys/"),
                lambda: visitor.last_used(timezone.now() - timedelta(minutes=2)), writes=True)  # fmt: skip
    yield from polls(visitor)
    yield from (probe._replace(writes=True) for probe in presses(visitor))


def lines(visitor: Visitor) -> Iterator[str]:
    yield from LINES.strip().splitlines()
    yield from (f"GET  /orders/?status={status}" for status in Status)
    yield from (f"GET  /orders/?status={status}&before={{{status}_4th}}" for status in Status)
    unchanged = "&".join(f"{name}={value}&saw_{name}={value}" for name, value in UNCHANGED_SETTINGS.items())
    yield f"POST /upstream/settings/ | low_balance=30&saw_low_balance=20&{unchanged}"
    yield from (f"GET  /orders/?status={tab}" for tab in PLACINGS)
    yield from (f"GET  /orders/?status={tab}&before={{middle}}" for tab in PLACINGS)
    yield from (f"GET  /orders/?open={name}" for name in OPEN_FILTERS)
    yield from (f"GET  /orders/?open={name}&before={{middle}}" for name in OPEN_FILTERS)
    yield from (f"GET  /orders/?past={name}" for name in PAST if name != FILTER_VALUES["past"])
    yield from (f"GET  /orders/?money={name}" for name in MONEY if name != FILTER_VALUES["money"])
    for name in FILTERS.keys() - {"status", "open"}:
        assert name in FILTER_VALUES, f"the list has a new filter, {name}; say in FILTER_VALUES what it is asked for"
        yield f"GET  /orders/?{name}={FILTER_VALUES[name]}"
        last = "{owner_4th}" if name == "by" else "{middle}"  # so that a page is behind it on every desk
        yield f"GET  /orders/?{name}={FILTER_VALUES[name]}&before={last}"
    yield from (f"GET  /orders/{{{status}}}/" for status in Status)
    for kind, states in STATES.items():
        yield f"GET  /orders/{kind}s/"
        yield from (f"GET  /orders/{kind}s/?state={state}" for state in states)
    for model, model_admin in registered():
        yield from admin_lines(visitor, model, model_admin)


def polls(visitor: Visitor) -> Iterator[Probe]:
    """Open pages that ask what is new."""
    opened = OpenPage(visitor.owner)
    visitor.routes.add("orders/changes/")
    yield Probe("poll of the orders page, nothing new", opened.poll)
    shown = [int(pk) for pk in opened.rows][:5]
    yield Probe("poll of the orders page, five changed", lambda: polled_anew(opened),
                lambda: Order.objects.filter(pk__in=shown).change())  # fmt: skip
    for name, url in {
        "an order's page": f"/orders/{visitor.subjects['in_progress']}/", "a receipt": "/orders/bulks/500/",
        "answers": "/orders/answers/500/",
        "the alarms": "/alarms/", "upstream's page": "/upstream/",
    }.items():  # fmt: skip
        yield Probe(f"poll of {name}", partial(visitor.send, "get", url, None, HTMX))


def polled_anew(opened: OpenPage) -> None:
    """Polls, and forgets what it was told."""
    before = dict(opened.rows), opened.bar, opened.top
    response = opened.poll()
    assert response.status_code == 200, response.status_code
    opened.rows, opened.bar, opened.top = before


def presses(visitor: Visitor) -> Iterator[Probe]:
    """Presses that need a desk in another state."""
    stopped = {"stopped_at": timezone.now(), "stopped_by": visitor.owner, "reason": "They are down."}

    def stop(**more: Any) -> None:
        Sending.objects.update(**stopped, **more)

    def shrink() -> None:
        ShrinkAlarm.objects.update(closed_at=None, missing=7)

    go = visitor.go
    yield Probe("press: sending goes on", partial(go, Line.read("POST /orders/sending/resumption/")), stop)
    in_old_books = partial(stop, old_since=timezone.now(), doubt_since=timezone.now() - timedelta(hours=2))
    yield Probe("press: release what was due", partial(go, Line.read("POST /orders/sending/release/ | which=none")),
                in_old_books)  # fmt: skip
    accept = Line.read("POST /services/alarms/{shrink}/acceptance/ | missing=7")
    yield Probe("press: a short catalog is true", partial(go, accept), shrink)
    yield Probe("press: sign in", partial(sign_in, visitor))
    yield Probe("a delivery comes in", partial(deliver, visitor))


def sign_in(visitor: Visitor) -> None:
    form = {"login": visitor.owner.username, "password": PASSWORD}
    response = Client(headers=BROWSER).post("/accounts/login/", form)
    assert response.status_code == 302, response.status_code


def deliver(visitor: Visitor) -> None:
    body = body_of(visitor.subjects["upstream_id"])
    headers = headers_of(body)
    kind = headers.pop("Content-Type")
    response = Client(headers=BROWSER).post(ENDPOINT_PATH, body, content_type=kind, headers=headers)
    assert response.status_code == 200, response.content
    visitor.routes.add(ENDPOINT_PATH.strip("/") + "/")
