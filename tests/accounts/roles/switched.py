"""Moves switches of the table of roles in tests, as an owner has saved them."""

from accounts.access import OFF, ON
from accounts.models import DeskSettings
from panel.ops.database import ONLY_ROW


def switch(**states: bool) -> None:
    """Stores switches: `switch(operator_cancel=False)`. Those that were moved before stay as they are."""
    row, _ = DeskSettings.objects.get_or_create(pk=ONLY_ROW)
    row.chosen |= {name.replace("_", ".", 1): ON if on else OFF for name, on in states.items()}
    row.save(update_fields=["chosen"])
