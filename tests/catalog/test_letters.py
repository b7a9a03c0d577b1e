"""Services and orders named in other letters are found by plain words, and stand under their network."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from catalog.category_tree import category_tree, split_category
from catalog.models import Service
from orders.table.listing import Listing
from tests.catalog.test_service_list import listed_ids, page
from tests.makers import make_order, make_service, make_user
from tests.people import as_a

pytestmark = pytest.mark.django_db
migration = import_module("catalog.migrations.0003_search_in_any_letters")

# A name as suppliers write it, its category, and words by which a person finds it.
NAMES = [
    ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀 ⚡ HQ", "𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀", "instagram followers"),
    ("İstanbul Beğeni", "Instagram Likes", "istanbul begeni"),
    ("İSTANBUL beğeni", "Instagram Likes", "İstanbul BEĞENİ"),
    ("I\u0307stanbul Beg\u0306eni", "Instagram Likes", "istanbul Beğeni"),
    ("Ｔｉｋｔｏｋ Ｌｉｋｅｓ", "TikTok", "tiktok likes"),
    ("ʏᴏᴜᴛᴜʙᴇ ᴠɪᴇᴡꜱ", "YouTube", "Youtube views"),
    ("🆃🅶 Members", "TG", "tg members"),
    ("Cafe\u0301 Paris", "Instagram Likes", "café"),
    ("Café Paris", "Instagram Likes", "cafe"),
    ("Insta\u200bgram Sa\u00adves", "Instagram", "instagram saves"),
    ("𝐅𝐁 𝐏𝐚𝐠𝐞", "FB", "fb page"),
]


@pytest.mark.parametrize(("name", "category", "words"), NAMES, ids=[words for *_, words in NAMES])
def test_a_service_is_found_by_plain_words(name: str, category: str, words: str) -> None:
    """On the services page, in the order form's picker, and in the palette."""
    service = make_service(name=name, category=category)
    make_service(name="Discord Boosts", category="Discord")
    operator = as_a("operator")
    assert listed_ids(page(operator, f"?q={words}")) == [service.upstream_id]
    for path in ("/services/found/", "/palette/"):
        answer = operator.get(path, {"q": words})
        assert answer.status_code == 200
        assert str(service.upstream_id) in answer.content.decode()
        assert "Discord Boosts" not in answer.content.decode()


@pytest.mark.parametrize(("name", "category", "words"), NAMES, ids=[words for *_, words in NAMES])
def test_an_order_is_found_by_plain_words(name: str, category: str, words: str) -> None:
    """As its service was named when it was placed."""
    by = make_user()
    order = make_order("completed", by=by, service=make_service(name=name, category=category))
    make_order("completed", by=by, service=make_service(name="Discord Boosts", category="Discord"))
    assert Listing(by, text=words).page().orders == [order]


def test_services_that_were_there_are_found_too() -> None:
    """The migration folds what the desk had stored with capitals alone taken away."""
    services = [make_service(name=name, category=category) for name, category, _ in NAMES]
    new = dict(Service.objects.values_list("pk", "haystack"))
    for service in services:
        old = f"{service.upstream_id} {service.name} {service.category} {service.type}".casefold()
        Service.objects.filter(pk=service.pk).update(haystack=old)
    migration.fold(apps, SimpleNamespace(connection=connection))
    assert dict(Service.objects.values_list("pk", "haystack")) == new


@pytest.mark.parametrize(("category", "network", "words"), [
    ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀", "Instagram", "Followers"), ("IG › Likes", "Instagram", "Likes"), ("TG", "Telegram", "TG"),
    ("🔥 IG | Likes", "Instagram", "Likes"), ("INSTAGRAM Likes", "Instagram", "Likes"), ("FB - Page Likes", "Facebook",
    "Page Likes"), ("ＹＴ Views", "YouTube", "Views"), ("tik tok › Views", "TikTok", "Views"),
    ("Kwai Likes", "Kwai", "Likes"), ("𝗞𝘄𝗮𝗶 Likes", "Kwai", "Likes"), ("Igloo › Likes", "Igloo", "Likes"),
])  # fmt: skip
def test_a_network_has_one_name_in_the_tree(category: str, network: str, words: str) -> None:
    """Whatever letters a category is written in, and also by its short name; others keep theirs."""
    assert split_category(category) == (network, words)


def test_the_tree_gathers_them_and_each_leads_to_its_services() -> None:
    """One branch, and behind it the services of all its categories."""
    ids = {
        make_service(category=category).upstream_id for category in ("Instagram › Likes", "IG › Views", "𝗜𝗻𝘀𝘁𝗮 Saves")
    }
    [branch] = category_tree().branches
    assert (branch.name, branch.services) == ("Instagram", len(ids))
    assert set(listed_ids(page(as_a("viewer"), "?category=Instagram"))) == ids
