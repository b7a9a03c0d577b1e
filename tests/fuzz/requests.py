"""Hostile requests: which address, who asks, how, and what stands in the query, the body, the headers and cookies."""

import re
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.db.models import Field

from tests import ROOT
from tests.addresses import address, registered, routes
from tests.architecture.source import PACKAGES
from tests.fuzz.values import NUMBERS, RAW, SENSIBLE, value
from tests.people import EVERYBODY, STRANGER

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
CONTENT_TYPES = (FORM,) * 4 + (PARTS,) * 2 + (f"{FORM}; charset=nonsense", "multipart/form-data", "application/json")
METHODS = ("GET",) * 6 + ("POST",) * 5 + ("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE")
HEADERS = (
    "Referer", "HX-Current-URL", "HX-Target", "HX-Trigger", "HX-Prompt", "Accept-Language", "X-Forwarded-For", "Cookie",
    "X-Forwarded-Proto", "If-None-Match", "If-Modified-Since", "Range", "Origin", "User-Agent", "Accept", "X-CSRFToken",
    "Authorization", "X-HTTP-Method-Override",
)  # fmt: skip
COOKIES = ("sessionid", "csrftoken", "messages")
MOST_IN_A_HEADER = 4_000  # characters that a web server lets through

# How the product names what it reads of a query or a form, and what others read.
NAMED = re.compile(
    r"""(?:GET|POST|form|typed|query)(?:\.get|\.getlist)?[\[(]"(\w+)"|\bname="(\w+)"|"(\w+)" (?:not )?in """
)
OF_OTHERS = (
    "login", "password", "remember", "next", "csrfmiddlewaretoken", "oldpassword", "password1", "password2", "username",
    "email", "link", "quantity", "comments", "usernames", "runs", "interval", "answer_number", "min", "max", "posts",
    "delay", "expiry", "coupon", "token", "service", "role", "name",
)  # fmt: skip
OF_THE_ADMIN = (
    "q", "p", "o", "e", "all", "_to_field", "_popup", "_changelist_filters", "_facets", "action", "index", "term",
    "_selected_action", "_save", "_continue", "_saveasnew", "post", "app_label", "model_name", "field_name", "next",
)  # fmt: skip
LIST_OF_THE_ADMIN = re.compile(r"admin/\w+/\w+/")
DATE_PARTS = ("year", "iso_year", "month", "date", "time", "hour")
DATE_LOOKUPS = ("exact", "gte", "in", "range")


class Hostile(NamedTuple):
    """One request. `path` is as it stands in the request line, query included."""

    person: str
    method: str
    path: str
    body: bytes
    content_type: str
    headers: dict[str, str]
    cookies: dict[str, str]

    def __str__(self) -> str:
        return f"{self.person} {self.method} {self.path[:300]} {self.body[:200]!r} {str(self.headers)[:200]}"


def hostile_requests(seed: int) -> Iterator[Hostile]:
    """Requests without end, the same for the same seed: each route by each person in turn, in ever other orders.

    Of the admin only owners see more than its sign-in, so nobody else is sent there often; its lists take most.
    """
    random, turns = Random(seed), list[tuple[str, str]]()
    for route, _ in routes():
        people = (STRANGER, EVERYBODY[-1]) if route.startswith("admin/") else EVERYBODY
        turns += [(route, person) for person in people]
        turns += [(route, EVERYBODY[-1])] * (3 if LIST_OF_THE_ADMIN.fullmatch(route) else 0)
    while True:
        random.shuffle(turns)
        yield from (hostile_request(random, route, person) for route, person in turns)


def hostile_request(random: Random, route: str, person: str) -> Hostile:
    """One request to this route by this person; what is not hostile in it lets the rest come further."""
    method, content_type, names = random.choice(METHODS), random.choice(CONTENT_TYPES), names_for(route)
    query = "&".join(_asked(random, random.choice(names)) for _ in range(random.choice((0, 0, 1, 1, 2, 5))))
    fields = {random.choice(names): value(random) for _ in range(random.choice((0, 1, 3, 8)))}
    fields |= {random.choice(names): random.choice(SENSIBLE) for _ in range(3)} if fields else {}
    headers = {name: _header(value(random)) for name in random.sample(HEADERS, random.choice((0, 0, 1, 2)))}
    headers |= {"HX-Request": "true"} if random.random() < 0.3 else {}
    return Hostile(
        person=person,
        method=method,
        path=_path(random, route) + "?" * bool(query) + query,
        body=b"" if method in ("GET", "HEAD") else _body(random, fields, content_type),
        content_type=content_type,
        headers=headers,
        cookies={random.choice(COOKIES): _header(value(random))} if random.random() < 0.05 else {},
    )


def _asked(random: Random, name: str) -> str:
    text = random.choice(RAW) if random.random() < 0.1 else quote(value(random))
    return f"{quote(name)}={text}"


def _path(random: Random, route: str) -> str:
    """An address of the route: as often of a row that there is as with something hostile in place of its id."""
    if random.random() < 0.5:
        return address(route)
    text = random.choice((random.choice(NUMBERS), value(random)))
    return "/" + re.sub(r"<\w+>", quote(text.lstrip("/"), safe=random.choice(("/", ""))), route)


def _body(random: Random, fields: dict[str, str], content_type: str) -> bytes:
    """The fields as a form of this kind, now and then cut off, or with a file in it."""
    if content_type.startswith("multipart"):
        file = '; filename="x\\0.csv"' if random.random() < 0.2 else ""
        head = "--x\r\nContent-Disposition: form-data; name="
        parts = (f'{head}"{name}"{file}\r\n\r\n{text}\r\n' for name, text in fields.items())
        body = f"{''.join(parts)}--x--\r\n".encode()
    else:
        body = urlencode(fields).encode()
    if random.random() < 0.9:
        return body
    return body[: random.randrange(len(body) + 1)] + random.choice((b"", b"\xff\xfe", b"&=&"))


def _header(text: str) -> str:
    """What a web server lets through of this text in a header."""
    return "".join(letter for letter in text if " " <= letter <= "~" or "\xa0" <= letter <= "\xff")[:MOST_IN_A_HEADER]


# ── Names of fields ──────────────────────────────────────────────────────────────────────────────
@cache
def names_for(route: str) -> tuple[str, ...]:
    """The names of fields that may mean something at this route."""
    if not route.startswith("admin/"):
        return names_in_the_product()
    models = [model for model, _ in registered() if f"/{model._meta.label_lower.replace('.', '/')}/" in route]
    return (*OF_THE_ADMIN, *(name for model in models for name in _lookups_of_model(model)))


@cache
def names_in_the_product() -> tuple[str, ...]:
    """Every name that a view reads of a query or a form, or a template gives to a field."""
    files = [*ROOT.glob("templates/**/*.html"), *(path for app in PACKAGES for path in ROOT.glob(f"{app}/**/*.py"))]
    matches = (match for path in files for match in NAMED.findall(path.read_text()))
    return tuple(sorted({*OF_OTHERS, *(name for match in matches for name in match if name)}))


def _lookups_of_model(model: Any) -> Iterator[str]:
    """Each field of a model with each of its lookups, also through one transform or one relation."""
    for field in model._meta.get_fields():
        yield from _lookups_of_field(field.name, field)
        if field.is_relation and field.concrete:
            for inner in field.related_model._meta.concrete_fields:
                yield from _lookups_of_field(f"{field.name}__{inner.name}", inner)


def _lookups_of_field(name: str, field: Any) -> Iterator[str]:
    yield from (name, f"{name}__nonsense", f"{name}__exact__gte")
    lookups = field.get_lookups() if isinstance(field, Field) else {}
    for lookup, how in lookups.items():
        yield f"{name}__{lookup}"
        output = getattr(how, "output_field", None)
        yield from (
            f"{name}__{lookup}__{inner}" for inner in (output.get_lookups() if isinstance(output, Field) else ())
        )
    if "year" in lookups:
        yield from (f"{name}__{part}__{how}" for part in DATE_PARTS for how in DATE_LOOKUPS)
