"""Mistakes in what a person is shown before they order, and in what managers set for the whole desk."""

from tests.mutants.mistake import Mistake

FORM, DEARER = "orders/placing/form.py", "tests/orders/placing/test_dearer.py"
PICKER, PICKED = "orders/placing/picker.py", "tests/orders/placing/test_picker.py"
SETTINGS, SET = "accounts/desk_settings.py", "tests/accounts/test_desk_settings.py"
SYNCED = "tests/panel/upstream/test_sync_now.py"

MISTAKES = (
    Mistake(
        "a rise of the price that nobody is asked about", FORM,
        'if dearer and self.data.get("despite_price") != service.price_mark:', "if False:",
        DEARER,
    ),
    Mistake(
        "a yes to one price counts for the next", "catalog/models.py",
        'return f"{self.undecided_id}:{self.rate_text}" if self.price_move else ""',
        'return f"{self.pk}" if self.price_move else ""',
        DEARER,
    ),
    Mistake(
        "a price that was nothing never rises", "catalog/models.py",
        "if move is None or move.now <= move.was * (1 + percent / 100):",
        "if move is None or not move.was or move.now <= move.was * (1 + percent / 100):",
        DEARER,
    ),
    Mistake(
        "a cheaper service that is on hold", PICKER,
        "held_over=None, unread_since=None)", "unread_since=None)",
        PICKED,
    ),
    Mistake(
        "a cheaper service whose change nobody has decided about", PICKER,
        "if other.undecided_id is None), None)", "if other), None)",
        PICKED,
    ),
    Mistake(
        "a cheaper service that is placed instead of shown", "orders/placing/views.py",
        'not {"search", "keep", "instead"} & request', 'not {"search", "keep"} & request',
        PICKED,
    ),
    Mistake(
        "a second press that begins another sync", "panel/upstream/models.py",
        "self.filter(name=name, asked_at=None).update(", "self.filter(name=name).update(",
        SYNCED,
    ),
    Mistake(
        "a sync under way that forgets who asked meanwhile", "panel/worker/recurring.py",
        "claimed = Chore.objects.filter(pk=chore.pk, due_at=chore.due_at)",
        "claimed = Chore.objects.filter(pk=chore.pk)",
        SYNCED,
    ),
    Mistake(
        "a manager who undoes what another has just set", SETTINGS,
        "if now[name] not in (seen.get(name), wanted[name])]", "if False]",
        SET,
    ),
    Mistake(
        "settings that a form sets though nobody changed them", "accounts/settings_form.py",
        "if text != seen[name]}", "if text}",
        SET,
    ),
    Mistake(
        "an undo window that is cut when the delay is", SETTINGS,
        ', *map(Decimal, lately.values_list("was", flat=True)[:CHANGES_READ])]', "]",
        SET,
    ),
    Mistake(
        "hours that make nothing late", "orders/rules/lateness.py",
        "return timezone.now() - current().late_grace", "return timezone.now()",
        SET,
    ),
    Mistake(
        "a morning in the wrong time zone", SETTINGS,
        'now.astimezone(zone_named(self.zone) or ZoneInfo("UTC"))', 'now.astimezone(ZoneInfo("UTC"))',
        SET,
    ),
    Mistake(
        "a time zone that each sign-in changes", "accounts/preferences.py",
        "if known and not user.time_zone:", "if known:",
        "tests/accounts/test_sign_in.py",
    ),
)  # fmt: skip
