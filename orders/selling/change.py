"""Setting and removing the rules of selling prices, and making price lists."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.trail.record import record_change, what_changed
from catalog.models import Service
from orders.models import Customer, PriceList, SellingRule
from orders.models.customer import LIST_CHARACTERS, scope_text
from orders.rules.refusal import Refusal, require_allowed
from orders.selling.prices import rule_words, whom_words
from panel.format.letters import folded
from panel.format.locale import for_the_record


def set_rule(
    *, customer: Customer | None, price_list: PriceList | None, service: Service | None, percent: Decimal,
    plus: Decimal, step: Decimal, by: Any,
) -> SellingRule:  # fmt: skip
    """Sets the rule for these, in place of the one there was. Orders that are placed already keep their price."""
    require_allowed(by, "prices")
    if customer and price_list:
        raise Refusal("A rule is for one customer or for a price list, not for both.")
    scope = scope_text(*(getattr(named, "pk", None) for named in (customer, price_list, service)))
    with transaction.atomic():
        before = SellingRule.objects.select_for_update().filter(scope=scope).first()
        values = {"percent": percent, "plus": plus, "step": step, "changed_by": by, "changed_at": timezone.now()}
        names = {"customer": customer, "price_list": price_list, "service": service}
        rule, _ = SellingRule.objects.update_or_create(scope=scope, defaults={**values, **names})
        with for_the_record():
            moved = what_changed({"price": rule_words(before) if before else ""}, {"price": rule_words(rule)})
        if moved["after"]:
            record_change("price_set", by=by, thing="price", thing_id=rule.pk, label=whom_words(rule), **moved)
    return rule


def remove_rule(pk: int, *, by: Any) -> None:
    """Removes a rule; repeating it changes nothing."""
    require_allowed(by, "prices")
    with transaction.atomic():
        rules = SellingRule.objects.select_related("price_list", "service").select_for_update(of=("self",))
        rule = rules.filter(pk=pk).first()
        if rule is None:
            return
        with for_the_record():
            before = {"price": rule_words(rule)}
        record_change("price_removed", by=by, thing="price", thing_id=pk, label=whom_words(rule), before=before)
        rule.delete()


def make_list(name: str, *, by: Any) -> PriceList:
    """Makes a price list. Each has a name of its own, in any letters."""
    require_allowed(by, "prices")
    name = " ".join(name.split())
    if not (key := folded(name)):
        raise Refusal("Write a name for the price list.")
    if len(name) > LIST_CHARACTERS or len(key) > 2 * LIST_CHARACTERS:
        raise Refusal(f"This name is too long: at most {LIST_CHARACTERS} characters.")
    try:
        with transaction.atomic():
            made = PriceList.objects.create(name=name, key=key)
            record_change("list_made", by=by, thing="price list", thing_id=made.pk, label=name)
    except IntegrityError:
        raise Refusal(f"There is a price list called “{PriceList.objects.get(key=key)}” already.") from None
    return made
