"""200 texts that mean harm, or break lines, and a desk that says them wherever upstream or a person may write.

No text holds NUL, which PostgreSQL does not keep, nor half of a surrogate pair, which is no text.
"""

import uuid
from collections.abc import Sequence
from itertools import product
from typing import Any
from unicodedata import normalize

from django.db import transaction
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import RateChange, Service, SetAside, ShrinkAlarm
from orders.models import Attempt, Bulk, Delivery, Endpoint, Order, SavedView, Sending, Task
from orders.rules.statuses import Status
from panel.alarms.models import Alarm
from panel.ops.database import ONLY_ROW
from panel.upstream.models import Beat, Chore, Upstream
from tests.makers import make_order, make_service, make_user

DO = "window.__xss=1"
BREAKS = ("", '">', "'>", "</script>", "</title></textarea>", "]]>", "-->", "</style></q></a>")  # out of a context
ELEMENTS = (
    f"<script>{DO}</script>", f"<img src=x onerror={DO}>", f"<svg onload={DO}>", f"<svg/onload={DO}//",
    "<iframe srcdoc='<script>parent.__xss=1</script>'>", f"<object data=javascript:{DO}></object>",
    f"<details open ontoggle={DO}>", f"<input autofocus onfocus={DO}>",
    "<style>@import 'https://evil.example'</style>", "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>", "<img src=https://evil.example/pixel.gif>",
    f"<a href=javascript:{DO}>press me</a>", "<b hx-get=/orders/ hx-trigger=load>",
    f"<math><mtext><img src=x onerror={DO}></math>", "<form action=https://evil.example><input name=q>",
)  # fmt: skip
ATTRIBUTES = tuple(
    f"x{quote}{gap}{name}={quote}{value}"
    for quote, gap in product("\"'`", " \t\n/")
    for name, value in (("onmouseover", DO), ("style", "position:fixed;inset:0"))
)
ADDRESSES = (
    f"javascript:{DO}", f"JaVaScRiPt:{DO}", f"java\tscript:{DO}", f"\x01javascript:{DO}",
    f"data:text/html,<script>{DO}</script>", f"vbscript:{DO}", f"https://a.example/\"onmouseover={DO}",
    f"https://a.example/'><script>{DO}</script>", "https://instagram.com@evil.example/lumen",
    "https://instagram.com\\@evil.example/", "//evil.example/x", "https://[::1", "https://аpple.example/",
    "https://xn--80ak6aa92e.example/%00%0a<b>", "file:///etc/passwd", "https://a.example/" + "a" * 900,
)  # fmt: skip
TEMPLATES = (
    "{{7*7}}", "{% raw %}", "{#", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{constructor}}", "%(name)s", "{who}",
    "{0.__class__}", "%s%n%d", "{}", "\\u003cscript\\u003e", "&lt;script&gt;", "&amp;lt;", "&#60;img&#62;",
    "&NotEqualTilde;&hellip;",
)  # fmt: skip
SENTENCES_IN = (
    "'; DROP TABLE orders_order; --", '" OR 1=1 --', "%' OR '1'='1", "_%_%", "\\", "=1+1", "+cmd|' /C calc'!A0",
    "@SUM(1,2)", "-2+3", '=HYPERLINK("https://evil.example")', "\t=1", '"a","b"', "null", "undefined", "NaN", "true",
    "-0", "1e309", "../../etc/passwd", "`id`", "$(id)", "OR", '"', "NEAR(a b)",
)  # fmt: skip
DIRECTIONS = (
    "שלום עולם", "مرحبا بالعالم ★ Followers", "abc שלום 123 مرحبا xyz", "\u202eevil drow\u202c", "\u202e" * 40 + "x",
    "\u2066isolate", "\u2069\u2069\u2069out", "\u200f\u200e\u061c", "\u202d123\u202e456", "עִבְרִית (R30) [max 5K]",
)  # fmt: skip
MARKS = (
    "\u200b" * 300, "a\u200bb\u200cc\u200dd\ufeff", "Z" + "\u0300\u0321\u0334\u0489" * 120 + "algo",
    " ".join("e" + "\u0301" * 30 for _ in range(40)), "👩‍👩‍👧‍👦" * 60, "🏴\U000e0067\U000e0062\U000e007f", "👍🏽" * 90,
    "🇺🇳" * 80, "粉絲增長服務" * 60, "ｆｕｌｌｗｉｄｔｈ", "ﷺ" * 100, "𒐫" * 60, "𝕱𝖔𝖑𝖑𝖔𝖜𝖊𝖗𝖘" * 20, "ใใใใ็็็็็" * 40,
    "\ufffd\ufffe\U0010ffff", "İıſßŉ", "ﬃ" * 50, "\u00ad" * 100 + "x",
)  # fmt: skip
CONTROLS = tuple(f"a{chr(code)}b" for code in (1, 7, 8, 9, 10, 11, 12, 13, 27, 28, 31, 127, 128, 133, 0x2028, 0x2029))
LENGTHS = (
    "W" * 5000, "word " * 1000, "\n" * 500 + "x", "\t" * 500 + "x", "i" * 300, "x\r\n" * 400, " ", "\u3000",
    "<" * 4000, "&" * 4000,
)  # fmt: skip

HOSTILE: tuple[str, ...] = (
    *ELEMENTS, *ATTRIBUTES, *ADDRESSES, *TEMPLATES, *SENTENCES_IN, *DIRECTIONS, *MARKS, *CONTROLS, *LENGTHS,
    *(out + element for element, out in product(ELEMENTS, BREAKS[1:])),
)[:200]  # fmt: skip
CALM = (
    "Instagram › Calm words", "Instagram › More words", "https://a.example/lumen.studio", "in_progress",
    "@lumen.studio", "12",
)  # fmt: skip

STATUSES = (Status.QUEUED, Status.REVIEW, Status.REJECTED, Status.IN_PROGRESS, Status.PARTIAL, Status.COMPLETED)


def furnish(texts: Sequence[str], owner: User) -> list[Order]:
    """An order a text, which says it in every field; each has a service, a person, tasks and a view of its own."""
    with transaction.atomic():
        orders = [_order(number, text, owner) for number, text in enumerate(texts)]
        _around(texts[0], owner)
        owner.pinned = list(SavedView.objects.order_by("pk").values_list("pk", flat=True)[:12])
        owner.save(update_fields=["pinned"])
    return orders


def trouble(text: str) -> None:
    """The whole desk says this on top of every page."""
    now = timezone.now()
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"trouble": text, "trouble_since": now, "spoke_at": now})
    said: dict[str, dict[str, Any]] = {
        "sending": {"by": text, "why": text, "since": now.isoformat()},
        "prices": {"new": 1, "all": 1, "percent": "20", "some": [[1, text, "1", "2"]]},
        "worker": {"name": text, "since": now.isoformat()},
    }
    for kind, facts in said.items():
        Alarm.objects.update_or_create(kind=kind, subject="", defaults={"facts": facts, "raised_at": now})
    Sending.objects.update_or_create(pk=ONLY_ROW, defaults={"stopped_at": now, "reason": text[:500]})


def _order(number: int, text: str, owner: User) -> Order:
    now = timezone.now()
    who = make_user(Role.MANAGER, username=f"{normalize('NFKC', text)[:50]}{number}", name=text[:80].strip())
    service = make_service(name=text[:500], category=text[:300], dripfeed=True)
    status = text[:40] if number % 7 == 6 else STATUSES[number % 7]
    order = make_order(
        status, by=who, service=service, link=text[:1000], coupon=text[:100], said={text: [text]},
        body={"service": "1", "link": text, "comments": f"{text}\n" * 2, "username": text, text[:40]: text},
        reported_at=now, remains=400, currency=text[:10], left_out=number % 2,
        **({} if status in STATUSES[:3] else {"upstream_id": f"{text[:56]}{number}"}),
    )  # fmt: skip
    Service.objects.filter(pk=service.pk).update(type=text[:60])
    bulk = Bulk.objects.create(kind="refill", asked_by=who, asked_at=now, token=uuid.uuid4(), picked=2, asked=1,
                               picked_from=text[:200], left_out={order.pk: text})  # fmt: skip
    placing = order.tasks.get()
    Task.objects.filter(pk=placing.pk).update(answer=text, attempts=1 + number % 3)
    Attempt.objects.create(task=placing, began_at=now, ended_at=now, ending="unclear", said=text)
    for kind, outcome in (("refill", "refused"), ("cancel", "unclear")):
        order.tasks.create(kind=kind, asked_by=who, settled_at=now, outcome=outcome, answer=text, bulk=bulk)
    for happened in ("closed", "unclear", "adopted", "puzzled", "refill_accepted", text[:30]):
        named = ("reason", "trouble", "upstream_id", "was", "to", "ref", "slot", "slots", "said")
        facts: dict[str, Any] = dict.fromkeys(named, text)
        order.record(happened, by=who, **facts)
    SavedView.objects.create(owner=who, name=text[:60], query=f"q={text[:200]}", shared=True)
    SetAside.objects.create(digest=str(number), raw=text, why=text, first_seen_at=now)
    Delivery.objects.create(key=str(number), digest=str(number), event=text[:40], status=text[:40], body=text, mark="",
                            upstream_id=order.upstream_id or text[:64], received_at=now)  # fmt: skip
    Endpoint.objects.create(url=text[:500], events=text[:500], upstream_id=text[:64], registered_at=now)
    Beat.objects.create(name=f"{text[:110]}{number}", started_at=now, beat_at=now)
    Chore.objects.create(name=f"{text[:12]}{number}", due_at=now, trouble=text)
    return order


def _around(text: str, owner: User) -> None:
    now = timezone.now()
    ShrinkAlarm.objects.create(raised_at=now, listed=1, missing=9)
    RateChange.objects.create(service=Service.objects.all()[0], now=1, at=now)
    owner.name, owner.page_length = text[:80], 200
    owner.save(update_fields=["name", "page_length"])
    trouble(text)
