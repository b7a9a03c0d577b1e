"""A type is known however it is spelled, and a quantity is never nothing."""

from decimal import Decimal

import pytest

from accounts.access import Role
from catalog.models import Service
from orders.models import Order
from orders.rules.refusal import Refusal
from orders.rules.service_types import TYPES, UNKNOWN_TYPE, service_type_of
from orders.rules.statuses import NO_WORD, Status, label
from panel.format.visible import visible
from tests.makers import make_service, make_user, place_order
from tests.orders.placing.test_order_form import filled
from tests.people import as_a

SPELLED = {
    "custom comments": ("Custom Comments", "custom_comments", "Custom-Comments", "custom  comments",
                        " CUSTOM COMMENTS ", "CustomComments", "custom\u00a0comments", "Custom\u200b Comments",
                        "custom.comments", "Custom\tComments", "custom__comments",
                        "custom – comments", "Ｃｕｓｔｏｍ Comments"),
    "subscriptions": ("Subscriptions", "SUBSCRIPTIONS", "SUBSCRİPTİONS", "subscriptions_", "sub-scriptions"),
    "package": ("Package", "PACKAGE", "package ", "\ufeffPackage"),
    "default": ("Default", "default", "DEFAULT", "de\u00adfault"),
    "mentions": ("Mentions", "mentions.", "(Mentions)"),
    "poll": ("Poll", "POLL", "poll\n"),
}  # fmt: skip
OTHERS = ("Custom Comments Package", "Comments", "Comment Likes", "Custom Comment", "Mentions User Followers",
          "Mentions with Hashtags", "Mentions Custom List", "Packages", "Subscription", "Poll 2", "Defaults", "", "—",
          "Comments Custom", "Web Traffic", "по умолчанию")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "spelled"), [(name, spelled) for name, spellings in SPELLED.items() for spelled in spellings]
)
def test_a_type_is_known_however_it_is_spelled(name: str, spelled: str) -> None:
    service = Service(type=spelled, rate=Decimal(2), minimum=10, maximum=100)
    assert service_type_of(service) is TYPES[name]
    assert service.is_package == (name == "package")
    assert service.bought_whole == (name in ("package", "subscriptions"))


@pytest.mark.parametrize("name", OTHERS)
def test_another_type_is_not_taken_for_it(name: str) -> None:
    service = Service(type=name)
    assert service_type_of(service) is UNKNOWN_TYPE
    assert not service.bought_whole


# ── Nothing is no quantity ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("kind", ["Default", "Mentions", "Poll", "Strange"])
@pytest.mark.parametrize("typed", ["0", "00", " 0 ", "0.0", "-0", "-1", "٠"])
@pytest.mark.django_db
def test_a_minimum_of_0_lets_no_quantity_of_0_through(kind: str, typed: str) -> None:
    service = make_service(minimum=0, type=kind)
    form = filled(service, quantity=typed, usernames="lumen", answer_number="1")
    assert as_a(Role.OPERATOR).post("/orders/new/", form).status_code == 422
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_it_lets_1_through_and_says_so() -> None:
    service = make_service(minimum=0)
    page = as_a(Role.OPERATOR).get(f"/orders/new/?service={service.upstream_id}").content.decode()
    assert "1 – 10,000" in page and "0 – 10,000" not in page
    as_a(Role.OPERATOR).post("/orders/new/", filled(service, quantity="1"))
    assert Order.objects.get().quantity == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Package", "package_", "Subscriptions", "Strange"])
@pytest.mark.django_db
def test_what_is_billed_at_a_minimum_of_0_is_billed_at_1(kind: str) -> None:
    service = make_service(minimum=0, type=kind, rate=Decimal(3))
    order = place_order(service=service, quantity=None)
    assert order.quantity == 1
    assert order.expected_charge == (3 if service.is_package else Decimal("0.003"))


@pytest.mark.parametrize("quantity", [0, -5])
@pytest.mark.django_db
def test_the_verb_itself_refuses_nothing(quantity: int) -> None:
    with pytest.raises(Refusal, match="At least 1"):
        place_order(service=make_service(minimum=0), quantity=quantity)


# ── A label is never empty ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Followers", "Followers"), (" x ", "x"), ("фолловеры", "фолловеры"), ("🔥", "🔥"), ("—", "—"), ("_", "_"),
        ("e\u0301", "e\u0301"), ("\u200bx", "\u200bx"), ("", ""), ("  ", ""), ("\u200b", ""), ("\u2060\ufeff", ""),
        ("\u3164\u115f", ""), ("\u2800", ""), ("\u00ad", ""), ("\u0301", ""), ("\x00", ""), ("\u202e\u2066", ""),
    ],
)  # fmt: skip
def test_what_shows_nothing_is_nothing(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(("status", "word"), [("\u200b", NO_WORD), ("", NO_WORD), ("odd", "odd"), ("queued", "Queued")])
def test_a_status_always_has_a_word(status: str, word: str) -> None:
    assert label(status) == word


def test_every_status_of_ours_has_a_word() -> None:
    assert all(label(status) for status in Status)


@pytest.mark.parametrize("name", ["", "\u200b", " \u3164 "])
@pytest.mark.django_db
def test_a_person_always_has_a_name(name: str) -> None:
    assert str(make_user(name=name, username="ana")) == "ana"


@pytest.mark.django_db
def test_a_view_needs_a_name_that_can_be_seen() -> None:
    answer = as_a(Role.OPERATOR).post("/orders/views/new/?open=live", {"name": "\u200b"})
    assert answer.status_code == 422
