"""The chat's address and the mail server's password are in no page, log, row or exception."""

import logging
import os
import subprocess
import sys
import traceback
from typing import Any

import pytest

from panel.alarms import chat as chat_module
from panel.alarms import mail as mail_module
from panel.alarms.evaluate import raise_alarm
from panel.alarms.message import Message, NotSent
from panel.alarms.models import Notice
from panel.alarms.notify import send_due_notice
from panel.ops.logs import Json
from tests import ROOT
from tests.addresses import one_of_everything
from tests.panel.alarms.receivers import Chat, Mailbox
from tests.panel.alarms.test_alarm_notices import AT, LOW, at, make_recipient, send_all
from tests.panel.ops.test_settings import GOOD_SECRET, start
from tests.panel.test_secrets import DEBUG_PAGE, all_pages, all_rows

pytestmark = pytest.mark.django_db
HUSH = "hush-hush"  # in the chat's path, in the password, and in what the mail server says
MESSAGE = Message("m", "ana@example.com", "Title", "Words.", [])
FAULTS = ("", "500", "302", "cut", "hang")
SET = {"ALARM_WEBHOOK_URL": f"https://chat.example.com/{HUSH}", "EMAIL_URL": f"smtp+tls://desk:{HUSH}@mail.example.com"}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every line that the desk's settings let through at the lowest level."""
    caplog.set_level(logging.DEBUG)
    for name in ("django", "asyncio", "notpanel", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.handler.setFormatter(Json())
    return caplog


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_module, "TOTAL_SECONDS", 0.5)


@pytest.mark.slow
def test_the_secrets_are_nowhere_whatever_fails(
    mailbox: Mailbox, chat: Chat, settings: Any, log: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_HOST_PASSWORD = settings.EMAIL_HOST_USER = HUSH
    one_of_everything()
    Notice.objects.all().delete()
    make_recipient("balance")
    for number, fault in enumerate(FAULTS):
        chat.fault, mailbox.fault = fault, "stranger" if fault else ""
        raise_alarm("balance", str(number), LOW, AT)
        send_all(at(number * 30))
    settings.ALARM_WEBHOOK_URL = f"http://127.0.0.1:1/{HUSH}"
    raise_alarm("balance", "last", LOW, AT)
    send_due_notice(at(200))
    assert chat.paths.count("/services/T0/B0/hush-hush") >= len(FAULTS)
    records = "\n".join(str(vars(record)) for record in log.records)
    for place, text in {"log": log.text, "records": records, "rows": all_rows(), "pages": all_pages()}.items():
        assert "Instagram" in text or "alarm" in text, f"there is nothing to look through in the {place}"
        assert HUSH not in text, place


@pytest.mark.parametrize("fault", [*FAULTS[1:], "gone"])
def test_no_exception_of_the_chat_shows_its_address(chat: Chat, settings: Any, fault: str) -> None:
    """Not even with the locals of its frames."""
    chat.fault = fault
    if fault == "gone":
        settings.ALARM_WEBHOOK_URL = f"http://127.0.0.1:1/{HUSH}"
    with pytest.raises(NotSent) as caught:
        chat_module.post(MESSAGE)
    assert HUSH not in printed(caught)


@pytest.mark.parametrize("fault", ["busy", "hang", "stranger", "refuses", "lost"])
def test_no_exception_of_the_mail_shows_the_password(mailbox: Mailbox, settings: Any, fault: str) -> None:
    settings.EMAIL_HOST_PASSWORD, settings.EMAIL_HOST_USER, mailbox.fault = HUSH, "desk", fault
    with pytest.raises(NotSent) as caught:
        mail_module.send(MESSAGE)
    assert HUSH not in printed(caught)


def printed(caught: pytest.ExceptionInfo[NotSent]) -> str:
    """The exception with its frames and their local variables, as an error tracker prints it."""
    assert caught.value.__context__ is None
    below_this_test = caught.tb.tb_next
    frames = traceback.TracebackException(caught.type, caught.value, below_this_test, capture_locals=True)
    return "".join(frames.format())


def test_djangos_debug_page_masks_the_secrets() -> None:
    variables = {**os.environ, **SET, "DEBUG": "true", "DJANGO_SETTINGS_MODULE": "panel.settings"}
    page = subprocess.check_output([sys.executable, "-c", DEBUG_PAGE], cwd=ROOT, env=variables, text=True)
    assert "ALARM_WEBHOOK_URL" in page
    assert "EMAIL_URL" in page
    assert HUSH not in page


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ALARM_WEBHOOK_URL": f"http://chat.example.com/{HUSH}"}, "must begin with https://"),
        ({"ALARM_WEBHOOK_URL": f"http://127.0.0.1:9/{HUSH}", "DEBUG": "false", "SECRET_KEY": GOOD_SECRET,
          "NOTPANEL_API_KEY": "k"}, "must begin with https://"),
        ({"EMAIL_URL": f"mail://desk:{HUSH}@mail.example.com"}, "EMAIL_URL: write it like"),
        ({"EMAIL_URL": f"smtp://desk@mail.example.com:{HUSH}"}, "EMAIL_URL: write it like"),
        ({"PRICE_JUMP_PERCENT": "0"}, "PRICE_JUMP_PERCENT"),
    ],
)  # fmt: skip
def test_a_desk_with_a_wrong_setting_does_not_start_and_does_not_repeat_it(
    environment: dict[str, str], sentence: str
) -> None:
    ended = start(**environment)
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert HUSH not in ended.stderr + ended.stdout


def test_a_desk_with_right_settings_starts() -> None:
    ended = start(DEBUG="false", SECRET_KEY=GOOD_SECRET, NOTPANEL_API_KEY="k", **SET)
    assert ended.returncode == 0, ended.stderr
