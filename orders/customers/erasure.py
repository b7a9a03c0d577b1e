"""Erases what is personal of a customer: from the register, and wherever their name was typed into lists."""

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from orders.customers.change import record_customer
from orders.models import Customer, ListTemplate, MassDraft, MassLine, PlanPart
from orders.rules.refusal import require_allowed
from panel.format.letters import folded
from panel.ops.database import batches

AT_ONCE = 500  # rows in one statement


def erase_customer(customer: Customer, *, by: Any) -> bool:
    """Erases what is personal of a customer. Orders, sums and references stay. Repeating it changes nothing."""
    require_allowed(by, "customers")
    require_allowed(by, "decide")
    with transaction.atomic():
        kept = Customer.objects.select_for_update().filter(pk=customer.pk, erased_at=None).first()
        if kept is None:
            return False
        forget_in_lists(kept)
        blank = dict.fromkeys(("name", "contact", "note", "search_text"), "")
        Customer.objects.filter(pk=kept.pk).update(**blank, key=None, erased_at=timezone.now())
        record_customer("customer_erased", customer, by=by)
    return True


def forget_in_lists(customer: Customer) -> None:
    """Takes the name out of lines of lists that were placed, of drafts, templates and parts of plans.

    Lines that became orders are found by these; of lines that did not, all that name anybody are read.
    """
    named = MassLine.objects.filter(typed__has_key="customer").order_by()
    for found in (named.filter(order__customer=customer), named.filter(order=None)):
        for pks in batches(list(found.values_list("pk", flat=True)), AT_ONCE):
            lines = MassLine.objects.filter(pk__in=pks).only("typed")
            MassLine.objects.bulk_update([line for line in lines if forget([line.typed], customer)], ["typed"])
    # Parts that were placed whole keep no lines.
    for kept in (MassDraft.objects, ListTemplate.objects, PlanPart.objects.exclude(lines=[])):
        model: type[models.Model] = kept.model
        for pk in kept.order_by().values_list("pk", flat=True):
            row: Any = model._default_manager.select_for_update().only("lines").filter(pk=pk).first()
            if row and forget([line["typed"] for line in row.lines], customer):
                row.save(update_fields=["lines"])


def forget(lines: Iterable[dict[str, str]], customer: Customer) -> bool:
    """Takes the name out of these lines, in whatever letters it was typed. Whether it stood in any."""
    theirs = [typed for typed in lines if folded(typed.get("customer", "")) == customer.key]
    for typed in theirs:
        del typed["customer"]
    return bool(theirs)
