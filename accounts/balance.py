"""Asks upstream for the balance; runs in the worker."""

from django.utils import timezone

from accounts.models import BalanceReading
from panel.format.money import stored
from panel.notpanel.client import Client


def read_balance(client: Client) -> BalanceReading:
    """The newest reading, after one call. A new row is written only when the amount or the currency has changed."""
    balance, last = client.balance(), BalanceReading.objects.first()
    amount = stored(balance.amount)
    if last and (last.amount, last.currency) == (amount, balance.currency):
        # The newer of the two. One that lies in the future is of a clock that was set back since.
        overtaken = balance.asked_at < last.asked_at <= timezone.now()
        last.asked_at = last.asked_at if overtaken else balance.asked_at
        last.save(update_fields=["asked_at"])
        return last
    return BalanceReading.objects.create(
        amount=amount, currency=balance.currency, first_asked_at=balance.asked_at, asked_at=balance.asked_at
    )
