"""Posts a message to the chat's incoming webhook. Its address is a secret, and stands in no variable here."""

import json

import requests
from django.conf import settings

from panel.alarms.message import Message, NotSent
from panel.notpanel.transport import Call, make_session

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
MOST_CHARACTERS = 1_900  # the narrowest chat takes 2,000
# What a chat would make something of: a call to everybody, a link with other words on it.
HARMLESS = str.maketrans({"@": "@\N{ZERO WIDTH SPACE}", "<": "‹", ">": "›", "&": "＆", "[": "(", "]": ")"})


def post(message: Message) -> None:
    """Untold when the chat did not take it. What requests raises names the address, so it goes no further."""
    answer = ask(body(message))
    if not answer.isdecimal():
        raise NotSent(answer, everybody=True)
    if not 200 <= int(answer) < 300:
        raise NotSent(f"The chat answered {answer}.", everybody=True)


def body(message: Message) -> bytes:
    """`text` for most chats, `content` for one that calls it so."""
    words = f"{message.title}: {message.words}".translate(HARMLESS)
    text = "\n".join([words[: MOST_CHARACTERS - sum(len(link) + 1 for link in message.links)], *message.links])
    return json.dumps({"text": text, "content": text, "allowed_mentions": {"parse": []}}).encode()


def ask(said: bytes) -> str:
    """The answer's status, or what went wrong. Of the answer's body nothing is read."""
    call = Call(CONNECT_SECONDS, TOTAL_SECONDS)
    try:
        with make_session(call) as session:
            answer = session.post(
                settings.ALARM_WEBHOOK_URL, data=said, headers={"Content-Type": "application/json"},
                allow_redirects=False, stream=True,
            )  # fmt: skip
            answer.close()
            return str(answer.status_code)
    except requests.exceptions.SSLError:
        return "The chat’s certificate is not to be trusted."
    except Exception:  # broken HTTP makes requests raise nearly anything
        return "The chat did not answer." if call.sent else "The chat could not be reached."
