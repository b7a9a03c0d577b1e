"""The environment is read strictly: a wrong value stops the start with a sentence."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.core.exceptions import ImproperlyConfigured

from panel.ops import env
from tests import ROOT

GOOD_SECRET = "for-tests-alone-0123456789-abcdefghijklmnopqrstuvwxyz"
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


# ── Files that hold a value ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"quiet", "quiet"), (b"quiet\n", "quiet"), (b"  quiet \r\n", "quiet"), ("\ufeffquiet\n".encode(), "quiet"),
        (b"$quiet", "$quiet"), (b"a=b#c", "a=b#c"), ("ключ".encode(), "ключ"),
    ],
)  # fmt: skip
def test_what_a_file_holds_is_the_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, value: str
) -> None:
    assert text_from(monkeypatch, tmp_path / "key", content) == value


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read (No such file or directory)"), (b"", "holds nothing"), (b" \n", "holds nothing"),
        ("\ufeff".encode(), "holds nothing"), (b"\xff\xfe\x00k", "cannot be read (not a file of UTF-8 text)"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_names_its_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, why: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        text_from(monkeypatch, tmp_path / "key", content)
    assert str(caught.value) == (
        f"QUIET_FILE={tmp_path / 'key'} {why}: write the path of a file that holds the value and that this user may "
        "read, or set QUIET instead."
    )


@pytest.mark.parametrize("path", ["/dev", "/dev/null/key", "/nowhere/at/all", "/tmp/" + "x" * 300])
def test_a_path_that_leads_to_no_file_is_named(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("QUIET_FILE", path)
    with pytest.raises(ImproperlyConfigured, match=rf"^QUIET_FILE={path} cannot be read \("):
        env.text("QUIET")


@pytest.mark.parametrize("secret", ["sk-hush-hush", "hush-hush/x+y==", "hush hush"])
def test_a_secret_in_place_of_its_path_is_not_repeated(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("QUIET_FILE", secret)
    with pytest.raises(ImproperlyConfigured, match=r"^The file that QUIET_FILE names cannot be read") as caught:
        env.text("QUIET")
    assert "hush" not in str(caught.value)


def text_from(monkeypatch: pytest.MonkeyPatch, path: Path, content: bytes | None) -> str:
    """QUIET as it is read from a file with this content, or without the file."""
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("QUIET_FILE", str(path))
    monkeypatch.setattr(env.source.ENVIRON, "cache", False)
    return env.text("QUIET")


@pytest.mark.parametrize(("content", "read"), [("DEBUG=false\n", "false"), (None, ""), ("# DEBUG=false\n", "")])
def test_a_file_of_settings_may_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, read: str
) -> None:
    monkeypatch.setenv("DEBUG", "")  # so that it is put back
    monkeypatch.delenv("DEBUG")
    if content is not None:
        (tmp_path / ".env").write_text(content)
    env.read_file(tmp_path / ".env")
    assert env.text("DEBUG") == read


def test_a_file_of_settings_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"DEBUG=false\xff")
    with pytest.raises(ImproperlyConfigured, match=r"/\.env cannot be read \(not a file of UTF-8 text\)"):
        env.read_file(tmp_path / ".env")


# ── The database's address ───────────────────────────────────────────────────────────────────────
SERVER = {"ENGINE": env.ENGINES["postgres"], "HOST": "host", "NAME": "name"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://desk:hush@host/name", {**SERVER, "USER": "desk", "PASSWORD": "hush", "PORT": ""}),
        ("postgresql://desk:hush@host:5433/name", {**SERVER, "PORT": 5433}),
        ("POSTGRES://host/name", SERVER),
        ("  postgres://host/name\n", SERVER),
        ("postgres://desk:hu%2Fs%23h@host/name", {**SERVER, "PASSWORD": "hu/s#h"}),
        ("postgres://desk:hu@sh@host/name", {**SERVER, "PASSWORD": "hu@sh"}),
        ("postgres://host/name?sslmode=require", {**SERVER, "OPTIONS": {"sslmode": "require"}}),
        ("postgres:///?service=desk", {"OPTIONS": {"service": "desk"}, "NAME": ""}),
        ("postgres:////run/postgresql/name", {"HOST": "/run/postgresql", "NAME": "name"}),
        ("sqlite://:memory:", {"NAME": ":memory:"}),
        ("sqlite:///:memory:", {"NAME": ":memory:"}),
        ("sqlite:////tmp/desk.sqlite3", {"ENGINE": env.ENGINES["sqlite"], "NAME": "/tmp/desk.sqlite3"}),
        ("sqlite:////tmp/a%20desk%2B.sqlite3", {"NAME": "/tmp/a desk+.sqlite3"}),
        ("", {"ENGINE": env.ENGINES["sqlite"], "NAME": "/tmp/default.sqlite3"}),
        (" ", {"NAME": "/tmp/default.sqlite3"}),
    ],
)
def test_a_database_is_read_from_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: dict[str, object]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    read = env.database("DATABASE_URL", "sqlite:////tmp/default.sqlite3")
    assert {key: read[key] for key in expected} == expected


@pytest.mark.parametrize(
    "url",
    [
        "what is this", "hush", "/tmp/hush.sqlite3", "postgres", "postgres:", "postgres//desk:hush@host/name",
        "postgres:/host/hush", "'postgres://desk:hush@host/name'", "postgresql+psycopg://desk:hush@host/name",
        "mysql://desk:hush@host/name", "oracle://desk:hush@host/name", "https://hush.example.com", "://hush",
        "postgres://desk:hush@host:port/name", "postgres://desk:hush@host:99999/name", "postgres://desk:hush@[::1/name",
        "postgres://desk:hush@host", "postgres://desk:hush@host/", "postgres://", "postgres://desk:hu/sh@host/name",
        "postgres://desk:1/2hush@host/name", "postgres://desk:1/2#hush@host/name", "postgres://desk:12?hush@host/name",
        "sqlite://hush.sqlite3", "sqlite://hush/desk.sqlite3", "sqlite:hush.sqlite3", "sqlite:/hush.sqlite3",
        "sqlite://", "sqlite:///", "sqlite:////", "sqlite:////tmp", "sqlite:////dev/null/hush/desk.sqlite3",
        "sqlite:////tmp/hush%00.sqlite3",
    ],
)  # fmt: skip
def test_an_address_of_no_database_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL[ :]") as caught:
        env.database("DATABASE_URL", "sqlite:////tmp/default.sqlite3")
    if not url.startswith("sqlite:////"):  # a folder that cannot be made is named
        assert "hush" not in str(caught.value)
    assert ": write it like " in str(caught.value) or "make it for this user" in str(caught.value)


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py check` in an environment with these variables alone."""
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env={**CLEAN, **variables}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DEBUG": "false"}, "SECRET_KEY is not set"),
        ({"DEBUG": "flase"}, "write true or false"),
        ({"NOTPANEL_API_URL": "https://notpanel.com/api/v2"}, "NOTPANEL_API_URL is set and DEBUG is not: set DEBUG="),
        ({"NOTPANEL_API_URL": "http://notpanel.com/api/v2"}, "must begin with https://, but for a sandbox on this"),
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


WEAK = ("5h0rt", "s" * 60, "django-insecure-" + GOOD_SECRET, "changeme" * 9, "debug-only-" + GOOD_SECRET, "ab" * 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_secret_does_not_start_on_a_server(name: str, weak: str) -> None:
    served = {"SECRET_KEY": GOOD_SECRET, "DEBUG": "false"}
    ended = start(**{**served, name: weak})
    assert f"{name} is short, plain or an example" in ended.stderr and weak not in ended.stderr
    assert start(**{**served, "DEBUG": "true", name: weak}).returncode == 0


@pytest.mark.parametrize(
    "good", [GOOD_SECRET, GOOD_SECRET + "s" * 50, "a lock that ever so many quick brown foxes jump over"]
)
def test_a_random_one_does(good: str) -> None:
    env.refuse_weak("SECRET_KEY", good)


def test_what_an_older_secret_signed_is_still_read(settings: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old" + GOOD_SECRET, []
    signed = signing.dumps("ana")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" + GOOD_SECRET, ["old" + GOOD_SECRET]
    assert signing.loads(signed) == "ana"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "starts"),
    [
        ({"NOTPANEL_API_KEY": "k"}, False),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": ""}, False),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "  "}, False),
        ({"NOTPANEL_API_KEY": "k", "SECRET_KEY": GOOD_SECRET}, False),
        ({"NOTPANEL_API_KEY_FILE": str(ROOT / "manage.py")}, False),  # any file that holds something
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "true"}, True),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "1"}, True),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "ON"}, True),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "false", "SECRET_KEY": GOOD_SECRET}, True),
        ({"NOTPANEL_API_KEY": "k", "DEBUG": "off", "SECRET_KEY": GOOD_SECRET}, True),
        ({"NOTPANEL_API_KEY": ""}, True),
        ({"NOTPANEL_API_KEY": " "}, True),
        ({}, True),
    ],
)
def test_with_a_key_debug_is_on_only_when_it_is_asked_for(variables: dict[str, str], starts: bool) -> None:
    ended = start(**variables)
    assert (ended.returncode == 0) == starts, ended.stderr
    assert ("NOTPANEL_API_KEY is set and DEBUG is not: set DEBUG=false" in ended.stderr) != starts


def test_time_zones_do_not_depend_on_the_machine() -> None:
    """Without zone data everybody's clock would silently be UTC."""
    code = "from zoneinfo import ZoneInfo, available_timezones as a; ZoneInfo('Europe/Athens'); assert len(a()) > 400"
    slim = {**CLEAN, "PYTHONTZPATH": ""}  # as on an image without /usr/share/zoneinfo
    ran = subprocess.run([sys.executable, "-c", code], env=slim, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_zone_data_is_installed_everywhere(name: str) -> None:
    """A line with a `;` would be for some systems only."""
    lines = (ROOT / name).read_text().splitlines()
    assert [line for line in lines if line.startswith("tzdata==") and ";" not in line]


def test_the_defaults_are_what_the_readme_promises() -> None:
    names = ("SEND_DELAY_SECONDS", "REFILLS_PER_ORDER", "REFILL_PRESUMED_SETTLED_AFTER")
    code = "from panel import settings as s; print(" + ", ".join(f"s.{name}" for name in names) + ")"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == ["5.0", "3", "72.0"]


def test_with_a_key_and_a_secret_it_starts_for_the_real_supplier() -> None:
    ended = start(DEBUG="false", SECRET_KEY=GOOD_SECRET, NOTPANEL_API_KEY="k")
    assert ended.returncode == 0, ended.stderr


# ── Other machines are spoken to by TLS ──────────────────────────────────────────────────────────
ELSEWHERE = "postgres://desk:hush@db.example.com/desk"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "starts"),
    [
        ({"DATABASE_URL": ELSEWHERE}, "another machine: add ?sslmode=verify-full"),
        ({"DATABASE_URL": f"{ELSEWHERE}?sslmode=prefer"}, "another machine"),
        ({"DATABASE_URL": f"{ELSEWHERE}?sslmode=require"}, "another machine"),
        ({"DATABASE_URL": f"{ELSEWHERE}?sslmode=verify-full&sslrootcert=system"}, ""),
        ({"DATABASE_URL": f"{ELSEWHERE}?sslmode=disable"}, ""),
        ({"DATABASE_URL": ELSEWHERE, "DEBUG": "true"}, ""),
        ({"DATABASE_URL": "postgres://desk:hush@127.0.0.1/desk"}, ""),
        ({"DATABASE_URL": "postgres:////run/postgresql/desk"}, ""),
        ({"EMAIL_URL": "smtp://desk:hush@mail.example.com"}, "begin it with smtp+tls:// or smtp+ssl://"),
        ({"EMAIL_URL": "smtp+tls://desk:hush@mail.example.com:587"}, ""), ({"EMAIL_URL": "smtp://localhost"}, ""),
    ],
)  # fmt: skip
def test_a_server_speaks_tls_with_other_machines(variables: dict[str, str], starts: str) -> None:
    ended = start(**{"DEBUG": "false", "SECRET_KEY": GOOD_SECRET, **variables})
    assert (ended.returncode == 0) == (starts == ""), ended.stderr
    assert starts in ended.stderr and "hush" not in ended.stderr
