"""Signatures of deliveries: who may sign, when, in which spelling; and what a delivery says."""

import hashlib
import hmac
import random

import pytest

from panel.notpanel.signing import (
    MOST_SIGNATURES,
    REASONS,
    WINDOW_SECONDS,
    Contents,
    Scheme,
    Untrusted,
    mark,
    read,
    sign,
    verify,
)

NEW, OLD, NOW = "whsec_new", "whsec_old", 1_790_000_000
BODY = b'{"event": "order.completed"}'


def trouble(headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (NEW,), now: float = NOW) -> str:
    """The reason for which a delivery is not trusted; "" when it is."""
    try:
        verify(headers, body, secrets, now)
    except Untrusted as untrusted:
        assert str(untrusted) == REASONS[untrusted.reason]
        return untrusted.reason
    return ""


def header(value: str) -> dict[str, str]:
    """The headers of a delivery with this signature header."""
    return {"X-NotPanel-Signature": value}


def right(seconds: object = NOW, body: bytes = BODY, secret: str = NEW) -> str:
    """The right signature, computed without the code under test."""
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_signature_as_upstream_makes_it_is_trusted() -> None:
    proof = verify(header(f"t={NOW},v1={right()}"), BODY, [NEW], NOW)
    assert (proof.seconds, proof.mark) == (NOW, hashlib.sha256(NEW.encode()).hexdigest()[:8])
    assert sign(BODY, NEW, NOW) == header(f"t={NOW},v1={right()}")


def test_only_the_very_same_signing_has_the_same_digest() -> None:
    proofs = [verify(sign(body, NEW, at), body, [NEW], NOW) for body, at in ((BODY, NOW), (BODY, NOW), (BODY, NOW - 1),
                                                                              (BODY + b" ", NOW))]  # fmt: skip
    assert proofs[0].digest == proofs[1].digest
    assert len({proof.digest for proof in proofs}) == 3


@pytest.mark.parametrize("secrets", [(NEW,), (OLD, NEW), (NEW, OLD)])
def test_any_of_the_secrets_will_do_while_one_takes_over_from_another(secrets: tuple[str, ...]) -> None:
    assert verify(sign(BODY, NEW, NOW), BODY, secrets, NOW).mark == mark(NEW)


@pytest.mark.parametrize(
    "signatures", [f"v1={right(secret=OLD)},v1={right()}", f"v1={right()},v1={right(secret=OLD)},v0=x"]
)
def test_any_of_several_signatures_will_do(signatures: str) -> None:
    assert trouble(header(f"t={NOW},{signatures}")) == ""


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(0, ""), (-WINDOW_SECONDS, ""), (WINDOW_SECONDS, ""), (-WINDOW_SECONDS - 1, "stale"),
     (WINDOW_SECONDS + 1, "early"), (-NOW, "stale"), (10**11, "early")],
)  # fmt: skip
def test_a_recording_is_too_old_after_five_minutes_and_so_is_one_from_the_future(seconds: int, reason: str) -> None:
    assert trouble(sign(BODY, NEW, NOW + seconds)) == reason


def test_only_what_upstream_signed_is_ever_called_stale() -> None:
    assert trouble(header(f"t={NOW - 400},v1={'0' * 64}")) == "forged"


SPELLED = [
    ("", "unsigned"),
    (right(), "garbled"),
    (f"v1={right()}", "garbled"),
    (f"t={NOW}", "garbled"),
    (f"t={NOW} v1={right()}", "garbled"),
    (f"t={NOW};v1={right()}", "garbled"),
    (f"t={NOW},,v1={right()}", "garbled"),
    (f",t={NOW},v1={right()}", "garbled"),
    (f"t={NOW},v1=", "garbled"),
    (f"t=,v1={right()}", "garbled"),
    (f"t={NOW},t={NOW},v1={right()}", "garbled"),
    (f"t=+{NOW},v1={right()}", "garbled"),
    (f"t={NOW}.0,v1={right()}", "garbled"),
    (f"t=-1,v1={right(-1)}", "garbled"),
    (f"t=٣,v1={right('٣')}", "garbled"),
    (f"t={'9' * 5000},v1={right('9' * 5000)}", "garbled"),
    (f"t={NOW}," + ",".join([f"v1={right()}"] * (MOST_SIGNATURES + 1)), "garbled"),
    (f"t={NOW}, v1={right()}", "garbled"),
    (f"t={NOW},v2={right()}", "garbled"),
    (f"t=0{NOW},v1={right()}", "forged"),
    (f"t={NOW - 1},v1={right()}", "forged"),
    (f"t={NOW},v1={right().upper()}", "forged"),
    (f"t={NOW},v1={right()[:-1]}", "forged"),
    (f"t={NOW},v1={right()}0", "forged"),
    (f"t={NOW},v1= {right()}", "forged"),
    (f"t={NOW},v1={right(secret=OLD)}", "forged"),
    (f"t={NOW},v1={right(body=b'')}", "forged"),
    (f"t={NOW},v1=\udcff\x00é", "forged"),
]


@pytest.mark.parametrize(("value", "reason"), SPELLED)
def test_every_other_spelling_is_rejected(value: str, reason: str) -> None:
    assert trouble(header(value)) == reason


def test_without_secrets_nothing_is_trusted() -> None:
    assert trouble(sign(BODY, NEW, NOW), secrets=()) == "forged"
    assert trouble(sign(BODY, "", NOW), secrets=()) == "forged"


SCHEMES = [
    Scheme(),
    Scheme(signature="X-Sig", version="sha256", encoding="base64"),
    Scheme(signature="X-Sig", time="X-Time", version=""),
    Scheme(signature="X-Sig", time="X-Time", version="v9", joint=":"),
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_scheme_is_a_matter_of_settings(scheme: Scheme) -> None:
    headers = sign(BODY, NEW, NOW, scheme, delivery="d1", event="e1")
    assert verify(headers, BODY, [NEW], NOW, scheme).seconds == NOW
    for other in SCHEMES:
        if other != scheme:
            with pytest.raises(Untrusted):
                verify(headers, BODY, [NEW], NOW, other)


def test_a_scheme_is_read_from_words() -> None:
    assert Scheme.of([]) == Scheme()
    assert Scheme.of(["encoding=base64", "signature=X-S", "joint=="]) == Scheme("X-S", encoding="base64", joint="=")


@pytest.mark.parametrize("word", ["encoding", "encoding=rot13", "colour=red", "signature=", "delivery=a b", "version="])
def test_a_wrong_word_of_a_scheme_is_named(word: str) -> None:
    with pytest.raises(ValueError, match=word.partition("=")[0]):
        Scheme.of([word])


# ── What a delivery says ─────────────────────────────────────────────────────────────────────────
DELIVERIES = [
    ('{"id": "evt_1", "event": "order.completed", "data": {"order": "ord_7", "status": "completed"}}',
     Contents("d1", "order.completed", "ord_7", "completed")),
    ('{"event": "balance.low", "data": {"balance": "12.34"}}', Contents("d1", "balance.low", "", "")),
    ('{"type": "order.failed", "order_id": "ord_7"}', Contents("d1", "order.failed", "ord_7", "")),
    ('{"data": {"id": "ord_7"}}', Contents("d1", "from.header", "ord_7", "")),
    ('{"data": {"order": {"id": "ord_7", "status": "partial"}}}', Contents("d1", "from.header", "ord_7", "partial")),
    ('{"order": 17}', Contents("d1", "from.header", "17", "")),
    ('{"order": "<b>", "data": {"order_id": "ord_7"}}', Contents("d1", "from.header", "ord_7", "")),
    ('{"event": ["x"], "order": {"a": 1}, "data": "ord_7"}', Contents("d1", "from.header", "", "")),
    ('{"event": "a\\u0000b", "order": "ord_\\ud800"}', Contents("d1", "from.header", "", "")),
    ("{}", Contents("d1", "from.header", "", "")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "contents"), DELIVERIES)
def test_a_delivery_is_read_wherever_it_names_its_order(body: str, contents: Contents) -> None:
    headers = {"X-NotPanel-Delivery": "d1", "X-NotPanel-Event": "from.header"}
    assert read(headers, body.encode()) == contents


@pytest.mark.parametrize(("header", "body", "id"), [
    ("d1", '{"id": "evt_1"}', "d1"), ("", '{"id": "evt_1"}', "evt_1"), ("", "{}", ""), ("x" * 101, '{"id": 5}', "5"),
    ("a b", '{"id": ""}', ""), ("é", "{}", ""),
])  # fmt: skip
def test_its_id_is_the_headers_or_the_bodys_or_none(header: str, body: str, id: str) -> None:
    assert read({"X-NotPanel-Delivery": header}, body.encode()).id == id


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b'"x"', b"{", b'{"a": NaN}', b"[" * 60_000, b'{"a":' * 10_000, b"\xff{}", b"\xef\xbb\xbf{}",
    b"{} x", b'{"id": 1, "id": 2}', b'{"a": ' + b"9" * 60_000 + b"}",
])  # fmt: skip
def test_what_is_no_json_object_is_refused_in_good_time(body: bytes) -> None:
    with pytest.raises(ValueError):
        read({}, body)


def test_a_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each secret is tried with each signature, even after one fits, and never by `==`."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("panel.notpanel.signing.hmac.compare_digest", compare)
    value = f"t={NOW},v1={right()},v1={right(secret=OLD)}"
    verify(header(value), BODY, [NEW, OLD], NOW)
    assert len(compared) == 4


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_differs_by_one_byte_is_trusted(seed: int) -> None:
    chance = random.Random(seed)
    headers = sign(BODY, NEW, NOW)
    value = headers["X-NotPanel-Signature"]
    for _ in range(300):
        at, byte = chance.randrange(len(value)), chr(chance.randrange(1, 256))
        if value[at] != byte:
            assert trouble(header(value[:at] + byte + value[at + 1 :])) != ""
        at, other = chance.randrange(len(BODY)), chance.randrange(256)
        if BODY[at] != other:
            assert trouble(headers, BODY[:at] + bytes([other]) + BODY[at + 1 :]) == "forged"
