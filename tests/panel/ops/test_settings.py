"""The environment is read strictly: a wrong value stops the start with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from panel.ops import env
from tests import ROOT

CLEAN = {"PATH": os.environ["PATH"], "DATABASE_URL": "sqlite://:memory:"}  # an environment that sets nothing


@pytest.mark.parametrize(("word", "expected"), [("true", True), ("ON", True), ("0", False), ("no", False), ("", True)])
def test_a_flag_is_true_or_false(monkeypatch: pytest.MonkeyPatch, word: str, expected: bool) -> None:
    monkeypatch.setenv("DEBUG", word)
    assert env.flag("DEBUG", default=True) is expected


@pytest.mark.parametrize("word", ["flase", "2", "tru e", "none"])
def test_a_wrong_word_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("DEBUG", word)
    with pytest.raises(ImproperlyConfigured, match="write true or false"):
        env.flag("DEBUG", default=False)


@pytest.mark.parametrize("word", ["soon", "-1", "nan", "inf", "721", "1e999x"])
def test_a_wrong_number_is_refused(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("TRUST_WINDOW_HOURS", word)
    with pytest.raises(ImproperlyConfigured, match="TRUST_WINDOW_HOURS"):
        env.number("TRUST_WINDOW_HOURS", 12.0, float, least=0.0, most=720.0)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("quiet\n")
    monkeypatch.delenv("NOTPANEL_API_KEY", raising=False)
    monkeypatch.setenv("NOTPANEL_API_KEY_FILE", str(tmp_path / "key"))
    assert env.text("NOTPANEL_API_KEY") == "quiet"


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py check` in an environment with these variables alone."""
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env={**CLEAN, **variables}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DEBUG": "false"}, "SECRET_KEY is not set"),
        ({"DEBUG": "flase"}, "write true or false"),
        ({"NOTPANEL_API_URL": "https://notpanel.com/api/v2"}, "NOTPANEL_API_KEY is not set"),
        ({"NOTPANEL_API_KEY": "k", "NOTPANEL_API_URL": "http://notpanel.com/api/v2"}, "must begin with https://"),
        ({"LOG_LEVEL": "LOUD"}, "write one of"),
        ({"LOG_FORMAT": "xml"}, "write one of"),
        ({"NOTPANEL_WEBHOOK_SCHEME": "encoding=rot13"}, "NOTPANEL_WEBHOOK_SCHEME: encoding is one of hex, base64."),
    ],
)
def test_the_desk_does_not_start(variables: dict[str, str], sentence: str) -> None:
    ended = start(**variables)
    assert ended.returncode != 0
    assert sentence in ended.stderr


def test_the_defaults_are_what_the_readme_promises() -> None:
    names = ("SEND_DELAY_SECONDS", "REFILLS_PER_ORDER", "REFILL_PRESUMED_SETTLED_AFTER")
    code = "from panel import settings as s; print(" + ", ".join(f"s.{name}" for name in names) + ")"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == ["5.0", "3", "72.0"]


def test_with_a_key_and_a_secret_it_starts_for_the_real_supplier() -> None:
    ended = start(DEBUG="false", SECRET_KEY="s" * 60, NOTPANEL_API_KEY="k")
    assert ended.returncode == 0, ended.stderr
