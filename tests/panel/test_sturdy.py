"""Numbers beyond 64 bits and texts too long for a pattern are answered at every address, on both databases."""

import re
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client, RequestFactory

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from panel.web.admin_record import SEARCH_CHARACTERS, can_be_asked
from panel.web.params import LARGEST_ID
from tests.addresses import admin_address, one_of_everything, our_models, registered, routes
from tests.makers import PASSWORD, make_user
from tests.people import EVERYBODY, as_a

BEYOND = {
    "the-largest": LARGEST_ID, "one-more": LARGEST_ID + 1, "2**64": 2**64, "10**20": 10**20, "9**50": 9**50,
    "10**400": 10**400,
}  # fmt: skip


def answers(client: Client, paths: list[str], *methods: str) -> dict[str, int]:
    """What each path was answered with, if not with a page, a redirect or a refusal."""
    client.raise_request_exception = False
    statuses = {path: client.generic(method, path).status_code for path in paths for method in methods}
    return {path[:80]: status for path, status in statuses.items() if status >= 500}


# ── Ids in addresses ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("person", "number"),
    [pytest.param(Role.OWNER, BEYOND["one-more"], id="one-more")]
    + [
        pytest.param(Role.OWNER, number, id=name, marks=pytest.mark.slow)
        for name, number in BEYOND.items()
        if name != "one-more"
    ]
    + [pytest.param(person, LARGEST_ID + 1, marks=pytest.mark.slow) for person in EVERYBODY if person != Role.OWNER],
)
def test_no_address_breaks_on_a_number_beyond_64_bits(person: str, number: int) -> None:
    """The owner, who comes everywhere, asks for each; the others for the first that no column holds."""
    one_of_everything()
    paths = ["/" + re.sub(r"<\w+>", str(number), route) for route, _ in routes() if "<" in route]
    if person not in (EVERYBODY[0], EVERYBODY[-1]):
        paths = [path for path in paths if not path.startswith("/admin/")]
    assert len(paths) > 25
    assert answers(as_a(person), paths, "GET", "POST") == {}


@pytest.mark.django_db
def test_an_id_that_no_row_can_have_is_not_found() -> None:
    order, client = one_of_everything(), as_a(Role.OWNER)
    assert [client.get(f"/orders/bulks/{number}/").status_code for number in BEYOND.values()] == [404] * len(BEYOND)
    assert client.get(f"/orders/{LARGEST_ID}/").status_code == 404
    assert client.get(f"/orders/{order.pk}/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "object_id", [str(number) for number in BEYOND.values()] + ["-1", "1.5", "nonsense", "a_00b", "9" * 5000]
)
def test_an_id_that_no_record_can_have_leads_back_from_every_admin_page(object_id: str) -> None:
    client = as_a(Role.OWNER)
    for model, _ in registered():
        for page in ("change", "history"):
            assert client.get(admin_address(model, page, object_id)).get("Location") == "/admin/", (model, page)


# ── What the admin is asked ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        ("created_at__year", "2026"), ("created_at__year__gte", "2025"), ("created_at__month", "12"),
        ("created_at__gte", "2026-01-01"), ("created_at__lt", "2026-01-01 00:00:00+14:00"), ("created_at__isnull", "1"),
        ("created_at__date", "2026-01-01"), ("status__exact", "review"), ("id", str(10**18 - 1)), ("pk__in", "1,2,3"),
        ("placed_by__id__exact", "1"), ("service__name__icontains", "e1000 likes"), ("link__contains", "a" * 200),
        ("request_id", "00000000-0000-4000-8000-000000000000"), ("said__isnull", "0"), ("nonsense", "9" * 30),
        ("charge__gte", "1e3"), ("coupon", "kate1234"),
    ],
)  # fmt: skip
def test_the_admin_asks_what_every_database_can_answer(lookup: str, value: str) -> None:
    assert can_be_asked(Order, lookup, value)


@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        ("created_at__year", "9" * 20), ("created_at__year", "0"), ("created_at__year__lte", "-1"),
        ("created_at__year", "1"),
        ("created_at__year", "10000"), ("created_at__year", "١٩٩٩"), ("created_at__iso_year", "2026"),
        ("created_at__year__range", "2025,2026"), ("created_at__gte", "0001-01-01 00:00:00+14:00"),
        ("created_at__lt", "9999-12-31T23:59:59-23:59"), ("created_at__in", "2026-01-01,0001-01-01"),
        ("created_at__gte", "00010101"), ("created_at__week_day__icontains", "x"), ("created_at__hour__range", "1"),
        ("id", "9" * 19), ("id__gte", "-" + "9" * 20), ("service__upstream_id", "9" * 400), ("charge", "1e999999999"),
        ("charge", "-1E-400"), ("link__icontains", "x" * 201), ("link__startswith", "%" * 60_000), ("link", "a\0b"),
        ("link__regex", "("), ("link__iregex", "(a+)+$"), ("id__range", "1,2"), ("said__a__b", "1"),
        ("said__contains", "{"), ("created_at__date__icontains", "2"),
    ],
)  # fmt: skip
def test_the_admin_does_not_ask_what_a_database_may_break_on(lookup: str, value: str) -> None:
    assert not can_be_asked(Order, lookup, value)


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "status"), [
    ("created_at__year=" + "9" * 20, 400), ("created_at__year=2026", 200), ("id__exact=" + "9" * 20, 400),
    ("q=" + "x" * 60_000, 200), ("q=" + "9" * 60_000, 200), ("link__contains=" + "x" * 60_000, 400), ("o=9", 200),
    ("p=" + "9" * 30, 200),
    ("_to_field=tasks", 400), ("_to_field=id", 200), ("_to_field=nonsense", 400), ("_to_field=" + "x" * 60_000, 400),
])  # fmt: skip
def test_the_admins_list_is_answered(query: str, status: int) -> None:
    one_of_everything()
    client = as_a(Role.OWNER)
    answer = client.get(f"/admin/orders/order/?{query}")
    assert answer.status_code == status, answer.get("Location")


FIELD_NAMES = sorted({field.name for model in our_models() for field in model._meta.get_fields()})


@pytest.mark.parametrize(("model", "keeper"), registered(), ids=lambda each: getattr(each, "__name__", ""))
def test_every_name_is_a_field_to_lead_to_or_not(model: type[Model], keeper: "ModelAdmin[Any]") -> None:
    """Columns, keys either way, relations, and what only looks like a field: Django's own check broke on some."""
    allowed = {name for name in FIELD_NAMES if keeper.to_field_allowed(RequestFactory().get("/"), name)}
    assert allowed <= {field.name for field in model._meta.concrete_fields if field.unique}


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Order, User])
def test_no_admin_page_breaks_on_a_field_to_lead_to(model: type[Model]) -> None:
    one_of_everything()
    row = model._default_manager.first()
    pages = [
        admin_address(model, "changelist"),
        admin_address(model, "add"),
        admin_address(model, "change", row and row.pk),
    ]
    paths = [f"{page}?_to_field={name}" for page in pages for name in FIELD_NAMES if hasattr(model, name)]
    assert len(paths) > 30
    assert answers(as_a(Role.OWNER), paths, "GET") == {}


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
@pytest.mark.parametrize("name", ["x" * 60_000, "%" * 60_000, "x" * 60_000 + "@example.com", "é" * 30_000, "_" * 50_001,
                                  "9" * 60_000, "ana" + " " * 60_000, "a" * 254, "a" * 255, "\\" * 60_000])  # fmt: skip
def test_a_name_of_any_length_signs_in_or_not(name: str) -> None:
    make_user(username="ana", email="ana@example.com")
    client = Client(raise_request_exception=False)
    status = client.post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code
    assert status == (302 if name.strip() == "ana" else 200)


@pytest.mark.django_db
def test_the_longest_address_signs_in_and_one_letter_more_does_not() -> None:
    longest = f"{'a' * 240}@example.com{'m' * 2}"
    User.objects.create_user("ana", PASSWORD, email=longest)
    assert len(longest) == 254
    for name, status in ((longest, 302), (longest + "m", 200), (longest + "m" * 60_000, 200)):
        assert Client().post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code == status


def test_a_search_of_the_admin_is_shorter_than_any_pattern_that_breaks() -> None:
    assert SEARCH_CHARACTERS * 4 < 50_000  # bytes of SQLite's longest pattern
