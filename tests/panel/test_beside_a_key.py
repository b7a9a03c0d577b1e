"""What orders for practice does not run where the key to the real supplier is."""

import pytest

from tests.panel.ops.test_settings import GOOD_SECRET
from tests.panel.ops.test_start import run

KEY = "hush-hush-" * 3
LIVE = {"NOTPANEL_API_KEY": KEY, "DEBUG": "false", "SECRET_KEY": GOOD_SECRET}


@pytest.mark.parametrize("command", [("sandbox", "--port=0"), ("demo", "--port=0", "--sandbox-port=0")])
def test_neither_the_sandbox_nor_the_demo_runs_beside_a_key(command: tuple[str, ...]) -> None:
    ended = run("manage.py", *command, **LIVE)
    assert ended.returncode != 0
    assert "do not run beside it" in ended.stderr and KEY not in ended.stderr + ended.stdout
