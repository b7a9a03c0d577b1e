"""The faults that a call can meet. http/faulty_replies.py has what each does to the answer."""

from panel.notpanel.sandbox.faults.rules import Fault

HUGE_BYTES = 64 * 1024 * 1024

FAULTS = {
    "lose_answer": Fault(True, {"reset": False}, "takes effect, then closes the connection without an answer"),
    "lose_request": Fault(False, {"reset": False}, "closes the connection before anything takes effect"),
    "hang_up": Fault(True, {}, "answers well, then closes a connection that it had promised to keep"),
    "slow": Fault(True, {"seconds": 5.0}, "takes effect at once and answers late"),
    "drip": Fault(True, {"seconds": 1.0}, "sends one byte every so many seconds"),
    "interim": Fault(True, {"status": 103, "count": 1}, "sends so many interim answers before the answer"),
    "twice": Fault(True, {"seconds": 0.0}, "sends the answer, and so many seconds later once more"),
    "cut": Fault(True, {}, "promises a longer body than it sends"),
    "error_before": Fault(False, {"status": 500, "text": "Internal server error"}, "fails, with nothing done"),
    "error_after": Fault(True, {"status": 500, "text": "Internal server error"}, "fails, with everything done"),
    "error_200": Fault(False, {"text": "Something went wrong"}, "sends an error with HTTP 200"),
    "throttle": Fault(
        False,
        {"by": "key", "headers": True, "seconds": 5.0, "reset": ""},
        "429, denied by ip, key or tier; `reset` overrules the header word for word",
    ),
    "put_off": Fault(
        False, {"status": 200, "text": "System is under maintenance, try again later"}, "a no that passes by itself"
    ),
    "suspend": Fault(False, {}, "403 Account suspended"),
    "wrong_key": Fault(False, {"status": 401, "text": "Invalid API key"}, "does not know the key"),
    "html": Fault(True, {"status": 200}, "sends a web page with HTTP 200"),
    "html_502": Fault(False, {"status": 502}, "sends a gateway's web page with HTTP 502"),
    "empty": Fault(True, {"status": 200}, "sends no body at all"),
    "not_json": Fault(True, {"body": "order accepted"}, "sends words that are not JSON"),
    "redirect": Fault(False, {"status": 302, "to": "/elsewhere"}, "points to another address"),
    "huge": Fault(True, {"bytes": HUGE_BYTES, "gzip": False}, "sends a body without end"),
    "omit": Fault(True, {"ids": "", "count": 1}, "leaves ids (named, or the first few) or fields out of an answer"),
    "shuffle": Fault(True, {}, "sends the rows of a batch in another order"),
    "double": Fault(True, {"count": 1}, "sends the first rows of a batch twice"),
    "invent": Fault(True, {"count": 1}, "puts rows of orders that nobody named before those of a batch"),
    "nested": Fault(
        True,
        {"field": "refill", "text": ""},
        "sends errors as the trade does, where the id belongs; `text`: only those",
    ),
    "bom": Fault(True, {}, "sends a byte order mark before the JSON"),
    "say": Fault(
        True, {"status": 200, "body": "{}", "type": "application/json"}, "answers exactly what it was told to"
    ),
}
REJECTIONS = {
    "throttle",
    "put_off",
    "suspend",
    "wrong_key",
}  # of the caller, before anybody reads what the call asks for
