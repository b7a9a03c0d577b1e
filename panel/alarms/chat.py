"""Posts a message to the chat's incoming webhook, whose address is a secret that no variable here holds."""

import json

import requests
from django.conf import settings

from panel.alarms.message import Message, NotSent
from panel.notpanel.transport import Call, make_session

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
TEXT_CHARACTERS = 1_900  # the narrowest chat takes 2,000
# Replaces what means something to a chat: a call to everybody, a link with other words on it.
HARMLESS = str.maketrans({"@": "@\N{ZERO WIDTH SPACE}", "<": "‹", ">": "›", "&": "＆", "[": "(", "]": ")"})


def post(message: Message) -> None:
    """Posts the message. Raises NotSent when the chat did not take it."""
    if trouble := post_body(chat_body(message)):
        raise NotSent(trouble, everybody=True)


def chat_body(message: Message) -> bytes:
    """The message as JSON: `text` for most chats, the same as `content` for the others. Too long a text is cut."""
    words = f"{message.title}: {message.words}".translate(HARMLESS)
    text = "\n".join([words[: TEXT_CHARACTERS - sum(len(link) + 1 for link in message.links)], *message.links])
    return json.dumps({"text": text, "content": text, "allowed_mentions": {"parse": []}}).encode()


def post_body(body: bytes) -> str:
    """What went wrong, or "" when the chat took it. The answer's body is not read.

    Returns what went wrong as a sentence because what requests raises names the address.
    """
    call = Call(CONNECT_SECONDS, TOTAL_SECONDS)
    try:
        with make_session(call) as session:
            answer = session.post(
                settings.ALARM_WEBHOOK_URL, data=body, headers={"Content-Type": "application/json"},
                allow_redirects=False, stream=True,
            )  # fmt: skip
            answer.close()
            return "" if 200 <= answer.status_code < 300 else f"The chat answered {answer.status_code}."
    except requests.exceptions.SSLError:
        return "The chat’s certificate is not trusted."
    except Exception:  # broken HTTP makes requests raise nearly anything
        return "The chat did not answer." if call.sent else "The chat could not be reached."
