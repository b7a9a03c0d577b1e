"""Customers, for whom orders are placed where that is worth knowing, and what they pay. No order needs one."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Index, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from panel.format.letters import folded

NAME_CHARACTERS = 100
REFERENCE_CHARACTERS = 100  # of what a customer calls an order by
CONTACT_CHARACTERS = 200
NOTE_CHARACTERS = 2_000
LIST_CHARACTERS = 60
ERASED = "Erased customer"


class PriceList(models.Model):
    """A named set of selling prices, for customers who pay the same."""

    name = models.CharField(max_length=LIST_CHARACTERS)
    key = models.CharField(max_length=LIST_CHARACTERS * 2, help_text="The name, folded.")

    class Meta:
        ordering = ("key",)
        constraints = [models.UniqueConstraint(fields=["key"], name="one_price_list_of_a_name")]

    def __str__(self) -> str:
        return self.name


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers by what they are found by."""

    def kept(self) -> Self:
        """Those that were not erased."""
        return self.filter(erased_at=None)

    def named(self, name: str) -> "Customer | None":
        """The customer of this name, in any letters."""
        key = folded(name)
        return self.select_related("price_list").filter(key=key).first() if key else None

    def matching(self, typed: str) -> Self:
        """Those in whose name or contact each of these words occurs."""
        return self.kept().filter(*(Q(search_text__contains=word) for word in folded(typed).split()))


class Customer(models.Model):
    """Somebody who buys from the team. What is erased of a customer leaves the orders behind, without a name."""

    name = models.CharField(max_length=NAME_CHARACTERS)
    # NULL once erased: the name may then be used again.
    key = models.CharField(max_length=NAME_CHARACTERS * 2, null=True, help_text="The name, folded.")
    contact = models.CharField(
        max_length=CONTACT_CHARACTERS, blank=True, help_text="An address or a handle, as the team writes to."
    )
    search_text = models.TextField(blank=True, editable=False, help_text="Name and contact, folded.")
    note = models.TextField(blank=True)
    language = models.CharField(max_length=20, blank=True, help_text="Of their answers; empty: as the team chooses.")
    time_zone = models.CharField(max_length=60, blank=True, help_text="Of their clock; empty: the desk's.")
    # No index of its own: pages read a customer's list, not a list's customers.
    price_list = models.ForeignKey(
        PriceList, null=True, blank=True, on_delete=models.PROTECT, related_name="customers", db_index=False
    )
    credit_limit = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, help_text="The most they may owe, USD; empty: no limit."
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, help_text="When all that is personal was erased; empty: it was not.")

    objects: ClassVar[CustomerQuerySet] = CustomerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name", "id")
        constraints = [models.UniqueConstraint(fields=["key"], name="one_customer_of_a_name")]

    def __str__(self) -> str:
        return self.name or f"{ERASED} {self.pk}"

    def get_absolute_url(self) -> str:
        """The customer's own page."""
        return reverse("customer", args=[self.pk])


class SellingRule(models.Model):
    """How the selling price is made for some customers and some services: orders/rules/margin.py."""

    # Which customers and services, so that there is one rule for each: `c7 s149`, `l3`, or nothing for everybody.
    scope = models.CharField(max_length=50)
    # No indexes of their own: `scope` finds a rule, and the page of prices reads all.
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="rules", db_index=False)
    price_list = models.ForeignKey(PriceList, null=True, on_delete=models.PROTECT, related_name="rules", db_index=False)
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    percent = models.DecimalField(max_digits=9, decimal_places=2, help_text="Added to what an order costs us.")
    plus = models.DecimalField(max_digits=18, decimal_places=6, help_text="Added to each order, USD.")
    step = models.DecimalField(max_digits=18, decimal_places=6, help_text="Rounded up to it, USD; 0: not rounded.")
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("scope",)
        constraints = [
            models.CheckConstraint(condition=Q(customer=None) | Q(price_list=None), name="rule_for_customer_or_list"),
            models.UniqueConstraint(fields=["scope"], name="one_rule_of_a_scope"),
        ]

    def __str__(self) -> str:
        return f"Rule {self.scope or 'for everybody'}"


def scope_text(customer: int | None, price_list: int | None, service: int | None) -> str:
    """`SellingRule.scope` of a rule for these."""
    parts = (("c", customer), ("l", price_list), ("s", service))
    return " ".join(f"{letter}{pk}" for letter, pk in parts if pk is not None)


class Payment(models.Model):
    """What a customer paid to the team. One that was a mistake is followed by a negative one."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments", db_index=False)
    amount = models.DecimalField(max_digits=18, decimal_places=6, help_text="USD.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    form_token = models.UUIDField(unique=True, editable=False)

    class Meta:
        ordering = ("-id",)
        indexes = [
            # A customer's page: the last payments.
            Index(fields=["customer", "-id"], name="payment_of_customer"),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} of customer {self.customer_id}"


class CustomerSum(models.Model):
    """One change of a customer's sums; the sum of all is what holds now. Money is in millionths of a dollar.

    Triggers write and merge them: orders/statistics/customer_sums.py.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    orders = models.BigIntegerField(default=0)
    under_way = models.BigIntegerField(default=0)
    earned = models.BigIntegerField(default=0, help_text="What they pay in the end, of orders with a selling price.")
    margin = models.BigIntegerField(default=0, help_text="Of orders with a selling price and a cost in dollars.")
    paid = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "customer sums"
        indexes = [
            # The sums of the customers of a page.
            Index(fields=["customer"], name="sum_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.orders:+} for customer {self.customer_id}"
