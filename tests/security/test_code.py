"""What the code may not do at all, read from its text, and which ciphers, hashes and random values it stands on."""

import ast
import inspect
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa import app_settings as mfa
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.backends import base as django_sessions
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from accounts.factors import keys
from accounts.invitations.links import TOKEN_BYTES
from accounts.sessions.store import SessionStore
from accounts.sign_in.devices import COOKIE_BYTES
from panel import settings as product
from tests import ROOT

PRODUCT = ("accounts", "catalog", "orders", "panel")
NOT_SERVED = (
    "panel/notpanel/sandbox",
    "panel/demo",
    "panel/management/commands/demo.py",
)  # they do not run beside a key
# Modules that reach other machines, and who may import them: the one client, the mail and the chat.
REACHES_OUT = {
    "requests",
    "urllib3",
    "http.client",
    "smtplib",
    "socket",
    "ftplib",
    "urllib.request",
    "httpx",
    "aiohttp",
}
MAY_REACH_OUT = {
    "panel/notpanel/client.py", "panel/notpanel/connection.py", "panel/notpanel/transport.py",
    "panel/alarms/chat.py", "panel/alarms/mail.py",
    "panel/ops/start.py",  # what this process listens on
    "panel/worker/heartbeat.py",  # what this machine is called
}  # fmt: skip
# What makes code, starts programs or reads objects out of bytes.
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen"}
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "yaml", "ctypes", "cffi"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of what is served, parsed."""
    for room in PRODUCT:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(NOT_SERVED):
                yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> set[str]:
    """The modules that this one imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def called(tree: ast.Module) -> set[str]:
    """The names of the functions that this module calls; of methods only those of `os`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                found.add(node.func.id)
            elif isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "os":
                found.add(node.func.attr)
    return found


def test_only_the_client_the_mail_and_the_chat_reach_other_machines() -> None:
    reaching = {name for name, tree in modules() if imported(tree) & REACHES_OUT}
    assert reaching - MAY_REACH_OUT == set()


def test_no_text_becomes_code_and_no_bytes_become_objects() -> None:
    for name, tree in modules():
        assert not called(tree) & FORBIDDEN_CALLS, name
        assert not {module.partition(".")[0] for module in imported(tree)} & FORBIDDEN_IMPORTS, name


def test_no_program_is_started_by_what_is_served() -> None:
    assert [name for name, tree in modules() if "subprocess" in imported(tree)] == []


def test_no_template_is_made_of_a_text() -> None:
    words = re.compile(r"from_string|render_inline|\bTemplate\(|\.format_map\(|mark_safe|autoescape")
    found = {name for name, _ in modules() for line in [(ROOT / name).read_text()] if words.search(line)}
    # The environment itself, rows drawn from template files of ours, and sentences of ours that are filled with facts.
    allowed = {"panel/site/templating.py", "orders/table/columns.py", "accounts/sign_in/record.py"}
    assert found <= allowed, found


SCRIPTS = sorted((ROOT / "static").glob("*.js"))
NEVER_IN_A_SCRIPT = re.compile(
    r"\beval\(|new Function|document\.write|postMessage|addEventListener\(.message|WebSocket|__proto__|indexedDB"
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_runs_no_text_and_speaks_to_no_other_window(script: Path) -> None:
    assert not NEVER_IN_A_SCRIPT.search(script.read_text())


def test_a_script_writes_markup_only_where_it_is_its_own() -> None:
    lines = [line.strip() for script in SCRIPTS for line in script.read_text().splitlines()]
    assigned = [line for line in lines if re.search(r"(inner|outer)HTML\s*\+?=", line)]
    assert len(assigned) == 1 and "${" not in assigned[0], assigned
    assert not any("insertAdjacentHTML" in script.read_text() for script in SCRIPTS)


def test_browsers_store_no_secret() -> None:
    """Only what a person is in the midst of: what is ticked, where the cursor is, how keys and names are shown."""
    stored = re.compile(r"(?:local|session)Storage\.(\w+)")
    names = {name for script in SCRIPTS for name in stored.findall(script.read_text())}
    assert names == {"walked", "ticked", "cursor", "keys", "whole", "getItem", "setItem", "removeItem"}


# ── Ciphers, hashes, random values ───────────────────────────────────────────────────────────────
def test_no_weak_hash_or_cipher_is_named() -> None:
    weak = re.compile(r"\b(md5|sha1|md4|des3?|rc4|ecb|cbc|Fernet|blowfish)\b", re.IGNORECASE)
    assert [name for name, _ in modules() if weak.search((ROOT / name).read_text())] == []


def test_secrets_are_sealed_by_authenticated_encryption() -> None:
    assert {type(key).__name__ for key in keys.ring()} == {"AESGCM"}
    sealed = keys.encrypt("heron")
    assert sealed != keys.encrypt("heron"), "a new nonce each time"
    changed = [sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in range(2, len(sealed) - 2)]
    assert not any(map(keys.is_encrypted, [*changed, sealed[:-4], "", "1.", "1.é", "heron"]))


def test_passwords_are_hashed_slowly() -> None:
    assert not hasattr(product, "PASSWORD_HASHERS"), "Django's, which grow with its versions"
    assert PBKDF2PasswordHasher.iterations >= 600_000
    assert (PBKDF2PasswordHasher.algorithm, PBKDF2PasswordHasher.digest().name) == ("pbkdf2_sha256", "sha256")


@pytest.mark.django_db
def test_what_nobody_may_guess_is_random_and_long() -> None:
    key = SessionStore()._get_new_session_key()  # type: ignore[attr-defined]
    assert len(key) == 32 and re.fullmatch("[a-z0-9]+", key), "165 bits"
    assert "get_random_string" in inspect.getsource(django_sessions)
    assert min(TOKEN_BYTES, COOKIE_BYTES, keys.SECRET_BYTES) * 8 >= 128
    assert len(secrets.token_urlsafe(TOKEN_BYTES)) >= 43


def test_no_other_generator_makes_a_secret() -> None:
    """`random` serves pauses and samples, and each line that uses it says so to the linter."""
    for name, tree in modules():
        if "random" in imported(tree):
            lines = (ROOT / name).read_text().splitlines()
            assert all("S311" in line for line in lines if re.search(r"\brandom\.(?!sample)\w+\(", line)), name


def test_codes_and_secrets_of_factors_are_random() -> None:
    for function in (RecoveryCodes.generate_seed, generate_totp_secret):
        assert re.search(r"secrets\.token|random\.SystemRandom|os\.urandom", inspect.getsource(function))
    assert 10**mfa.RECOVERY_CODE_DIGITS >= 2**20
    assert mfa.TOTP_PERIOD == 30 and mfa.TOTP_DIGITS == 6


# ── Where one request ends and the next begins ───────────────────────────────────────────────────
REQUEST = b"POST / HTTP/1.1\r\nHost: desk.example.com\r\n%s\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Content-Length: 5\r\nContent-Length: 6",
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding: xchunked",
     b"Transfer-Encoding : chunked", b"Content-Length: +5", b"Content-Length: 5_0",
     b"X: a\rTransfer-Encoding: chunked"],
)  # fmt: skip
def test_a_request_with_two_ends_is_refused(headers: bytes) -> None:
    with pytest.raises((ParseException, ValueError)):
        request = next(RequestParser(Config(), iter([REQUEST % headers]), ("127.0.0.1", 1)))
        request.body.read()
