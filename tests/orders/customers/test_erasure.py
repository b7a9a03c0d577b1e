"""Erasing a customer reaches every list that their name was typed into, and nobody else's."""

import pytest
from django.apps import apps
from django.db.models import JSONField

from accounts.access import Role
from orders.customers.erasure import erase_customer
from orders.models import MassDraft, MassLine, Order, PlanPart
from orders.plans.template import lines_of_draft, save_template
from tests.makers import make_service, make_user
from tests.orders.customers.shops import make_customer
from tests.orders.mass.lists import pasted, placed
from tests.orders.plans.plans import planned, time_comes

pytestmark = pytest.mark.django_db
TEXT = """{0} | https://instagram.com/p/A1bcdEf/ | 100 | northside  GYM | H-1
{0} | https://instagram.com/p/B1bcdEf/ | 100 | Harbour
99999 | https://instagram.com/p/C1bcdEf/ | 100 | Nórthside Gym
"""


def everything_kept() -> str:
    """Every JSON value of every table of orders."""
    models = [(model, field.name) for model in apps.get_app_config("orders").get_models()
              for field in model._meta.concrete_fields if isinstance(field, JSONField)]  # fmt: skip
    return " ".join(str(value) for model, name in models for value in model._base_manager.values_list(name, flat=True))


def test_no_list_draft_template_or_plan_keeps_the_name() -> None:
    person, customer = make_user(), make_customer("Northside Gym")
    make_customer("Harbour")
    text = TEXT.format(make_service(category="Instagram › Likes", name="Likes", minimum=50).upstream_id)
    placed(text, person)
    draft = pasted(text, person)
    save_template("Friday", lines_of_draft(draft), "links", shared=True, by=person)
    plan = planned(text.splitlines()[0].replace("A1", "D1"), person)
    before = everything_kept()
    assert "northside" in before and "Nórthside" in before
    erase_customer(customer, by=make_user(Role.MANAGER))
    after = everything_kept().lower()
    assert "northside" not in after and "nórthside" not in after
    assert after.count("harbour") == before.lower().count("harbour")
    assert MassLine.objects.get(number=1).typed["reference"] == "H-1"
    assert MassDraft.objects.get(pk=draft.pk).lines[0]["typed"]["link"].endswith("A1bcdEf/")
    assert time_comes(plan).outcome == PlanPart.Outcome.PLACED
    assert Order.objects.get(link__contains="D1bcdEf").customer is None, "it goes, for nobody in particular"


def test_a_name_that_stands_in_no_list_costs_no_write() -> None:
    person = make_user()
    draft = pasted(TEXT.format(make_service().upstream_id), person)
    erase_customer(make_customer("Somebody else"), by=make_user(Role.MANAGER))
    assert MassDraft.objects.get(pk=draft.pk).changed_at == draft.changed_at
    assert "Harbour" in everything_kept()
