"""policy.md says the figures that the code has."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.access import ACTIONS, Role, is_on
from accounts.desk_settings import Values
from accounts.factors.proof import PROOF_SECONDS
from accounts.invitations import links, passwords
from accounts.sign_in import devices, throttle
from orders.bulk.selection import MOST_ORDERS
from orders.models import kept_search
from orders.models.team import NOTE_CHARACTERS
from orders.placing.form_fields import LONGEST_LINES_CHARACTERS, MOST_RUNS
from orders.rules.links import LINK_CHARACTERS
from orders.webhooks import dispatch
from panel import settings as product
from panel.ops import checks, env
from tests import ROOT

POLICY = " ".join((ROOT / "tests/security/policy.md").read_text().split())


def days(span: timedelta) -> str:
    """`7 days`."""
    return f"{span.days} days"


FIGURES = [
    f"{passwords.LEAST_CHARACTERS} characters or more",
    f"up to {passwords.MOST_CHARACTERS:,}, of any kind",
    ": " + ", ".join(passwords.PRODUCT_WORDS) + ", the name of the host",
    f"Within {throttle.WINDOW_SECONDS} seconds a device that has signed in before has {throttle.KNOWN_TRIES} tries",
    f"strangers have {throttle.ADDRESS_TRIES} for an address, {throttle.ACCOUNT_TRIES} for an account and "
    f"{throttle.DESK_TRIES} in all",
    f"within {days(links.INVITATION_FOR)} (invitation) or {links.RESET_FOR.total_seconds() // 3600:.0f} hours (reset)",
    f"within {Values._field_defaults['factor_grace_days']} days of needing one",
    f"after {product.SESSION_IDLE_HOURS:.0f} hours without use and {product.SESSION_HOURS:.0f} hours after the sign-in",
    f"not older than {PROOF_SECONDS // 60} minutes",
    f"{env.SECRET_CHARACTERS} random characters or more",
    f"up to {LINK_CHARACTERS:,} characters",
    f"at most {MOST_RUNS:,} runs",
    f"up to {LONGEST_LINES_CHARACTERS:,} characters; notes up to {NOTE_CHARACTERS:,}",
    f"{product.REFILLS_PER_ORDER} refills of an order",
    f"{MOST_ORDERS:,} orders in one job",
    f"forgotten after {days(kept_search.KEPT_FOR)}, deliveries too, devices after {days(devices.FORGOTTEN_AFTER)}",
    *(f"| {role} |" for role in Role),
]


@pytest.mark.parametrize("figure", FIGURES)
def test_the_figures_are_those_of_the_code(figure: str) -> None:
    assert figure in POLICY
    assert dispatch.KEPT_FOR == kept_search.KEPT_FOR


def test_each_right_has_a_role_that_is_written_down() -> None:
    least = {next(role for role in Role if is_on(role, action, {})) for action in ACTIONS}
    assert least == set(Role)


def test_what_it_names_is_there() -> None:
    for path in re.findall(r"`((?:accounts|orders|panel|tests)/[\w/.]+)`", POLICY):
        assert (ROOT / path).exists(), path


def test_a_deployment_check_tells_of_a_repository(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    assert checks.check_repository(None) == []
    (tmp_path / ".git").mkdir()
    (told,) = checks.check_repository(None)
    assert told.id == "desk.I001" and "git archive" in str(told.hint)
