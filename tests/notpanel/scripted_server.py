"""A server that sends exactly the bytes of a script over a real socket, in plain or over TLS."""

import base64
import hashlib
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl


class End(Enum):
    """How a script ends its connection."""

    CLOSE = "close"
    RESET = "reset"


Step = bytes | float | End  # bytes to send, seconds to wait, or how to end the connection
Script = Iterable[Step]


def answer(body: bytes | str, status: int = 200, **headers: str) -> list[Step]:
    """A whole HTTP answer; `headers` with underscores for dashes."""
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join([*lines, "", ""]).encode() + body]


def drip(data: bytes, seconds: float) -> Iterator[Step]:
    """Steps that send one byte at a time, with a pause after each."""
    for byte in data:
        yield bytes([byte])
        yield seconds


class ScriptedServer:
    """Answers the n-th request with the n-th script, and every later one with the last."""

    def __init__(self, *scripts: Script, certificate: Path | None = None) -> None:
        self.scripts: list[Script] = list(scripts)
        self.forms: list[dict[str, str]] = []  # what each request carried
        self.heads: list[bytes] = []  # each request's line and headers
        self.connections = 0
        self.finished = threading.Event()  # set when a script is at its end, and the connection ended if it says so
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if self._tls and certificate:
            self._tls.load_cert_chain(certificate)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://localhost:{self.port}/api/v2"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._socket.close()

    def play(self, *scripts: Script) -> None:
        """Answers with these scripts from the next request on."""
        self.scripts, self.forms, self.heads = list(scripts), [], []

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed by __exit__
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            spoken = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with spoken, spoken.makefile("rb") as incoming:
                while (form := self._read_form(incoming)) is not None and self._play(spoken, self.script_for(form)):
                    self.finished.set()
        except OSError:
            return  # the client hung up, which is what many of these tests are about
        finally:
            self.finished.set()

    def script_for(self, form: dict[str, str]) -> Script:
        """What a request with this form, which is the newest of `forms`, is answered with."""
        return self.scripts[min(len(self.forms), len(self.scripts)) - 1]

    def _read_form(self, incoming: Iterable[bytes]) -> dict[str, str] | None:
        """The form of the next request, or None at the end of the connection."""
        head, length = b"", 0
        for line in incoming:
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            if line == b"\r\n":
                self.heads.append(head)
                body: bytes = incoming.read(length)  # type: ignore[attr-defined]
                form = dict(parse_qsl(body.decode(), keep_blank_values=True))
                self.forms.append(form)
                return form
        return None

    def _play(self, connection: socket.socket, script: Script) -> bool:
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, float):
                self._over.wait(step)
            else:
                if step is End.RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                return False
        return not self._over.is_set()


# --- A self-signed certificate without openssl or cryptography: the suite runs where only Python is ---

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the curve P-256: field, order, generator
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_CURVE = bytes.fromhex("06082a8648ce3d030107")
_SIGNED_WITH = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
Point = tuple[int, int] | None


def _sum(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % _P == 0:
        return None
    slope = (3 * a[0] ** 2 - 3) * pow(2 * a[1], -1, _P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, _P)
    x = (slope**2 - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _times(factor: int) -> tuple[int, int]:
    total: Point = None
    power: Point = _G
    while factor:
        if factor & 1:
            total = _sum(total, power)
        power, factor = _sum(power, power), factor >> 1
    assert total is not None
    return total


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + length + content


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


def self_signed(path: Path, name: str = "localhost") -> Path:
    """Write a fresh key and its certificate for `name`, valid for a day, into one PEM file."""
    private = secrets.randbelow(_N - 1) + 1
    public = b"\x04" + b"".join(c.to_bytes(32, "big") for c in _times(private))
    who = _der(0x30, _der(0x31, _der(0x30, bytes.fromhex("0603550403"), _der(0x0C, name.encode()))))
    now = datetime.now(UTC)
    days = [_der(0x17, f"{now + timedelta(days=d):%y%m%d%H%M%SZ}".encode()) for d in (-1, 1)]
    names = _der(0x30, bytes.fromhex("0603551d11"), _der(0x04, _der(0x30, _der(0x82, name.encode()))))
    authority = _der(0x30, bytes.fromhex("0603551d13"), b"\x01\x01\xff", _der(0x04, _der(0x30, b"\x01\x01\xff")))
    facts = _der(
        0x30,
        _der(0xA0, _integer(2)),
        _integer(secrets.randbits(64)),
        _SIGNED_WITH,
        who,
        _der(0x30, *days),
        who,
        _der(0x30, _der(0x30, bytes.fromhex("06072a8648ce3d0201"), _CURVE), _der(0x03, b"\x00", public)),
        _der(0xA3, _der(0x30, names, authority)),
    )
    nonce = secrets.randbelow(_N - 1) + 1
    r = _times(nonce)[0] % _N
    s = pow(nonce, -1, _N) * (int.from_bytes(hashlib.sha256(facts).digest(), "big") + r * private) % _N
    signature = _der(0x03, b"\x00", _der(0x30, _integer(r), _integer(s)))
    key = _der(0x30, _integer(1), _der(0x04, private.to_bytes(32, "big")), _der(0xA0, _CURVE))
    path.write_text(_pem("EC PRIVATE KEY", key) + _pem("CERTIFICATE", _der(0x30, facts, _SIGNED_WITH, signature)))
    return path
