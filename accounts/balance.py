"""Asks upstream for the balance; runs in the worker."""

from accounts.models import BalanceReading
from panel.format.money import stored
from panel.notpanel.client import Client


def read_balance(client: Client) -> BalanceReading:
    """Upstream's word on what is left; a new row only when the amount or the currency moved."""
    said = client.balance()
    amount, last = stored(said.amount), BalanceReading.objects.first()
    if last and (last.amount, last.currency) == (amount, said.currency):
        last.asked_at = max(last.asked_at, said.asked_at)
        last.save(update_fields=["asked_at"])
        return last
    return BalanceReading.objects.create(
        amount=amount, currency=said.currency, first_asked_at=said.asked_at, asked_at=said.asked_at
    )
