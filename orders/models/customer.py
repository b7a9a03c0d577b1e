"""Customers: for whom orders are placed, where that is worth knowing. No order needs one."""

from django.db import models
from django.utils import timezone

from accounts.models import User

NAME_CHARACTERS = 100


class Customer(models.Model):
    """Somebody who buys from the team. What is erased of a customer leaves the orders behind, without a name."""

    name = models.CharField(max_length=NAME_CHARACTERS)
    contact = models.CharField(max_length=200, blank=True, help_text="An address or a handle, as the team writes to.")
    note = models.TextField(blank=True)
    language = models.CharField(max_length=20, blank=True, help_text="Of their answers; empty: as the team chooses.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, help_text="When all that is personal was erased; empty: it was not.")

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name or f"Customer {self.pk}"
