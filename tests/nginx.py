"""nginx with the file that is shipped for it, on loopback and for a test alone. Needs no Django.

Of that file only paths, names and ports are changed.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

HERE = "127.0.0.1"
ELSEWHERE = "127.0.0.2"  # this machine too, for a visitor from another address
CONFIGURATION = ROOT / "panel" / "ops" / "nginx.conf"
NAME = "localhost"  # in place of desk.example.com
START_SECONDS = 60.0
ANSWER_SECONDS = 20.0
STOP_SECONDS = 10.0
UNPRIVILEGED = "www-data"  # whom nginx becomes where it is started by root
OUTSIDE_PATH = ("/usr/sbin", "/usr/local/sbin")  # where nginx is, and people's PATH does not lead
TEMPORARY = (
    "client_body",
    "proxy",
    "fastcgi",
    "uwsgi",
    "scgi",
)  # of nginx's folders, which Debian's has for root alone


def find_nginx() -> str | None:
    """Where nginx is, or None."""
    return shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), *OUTSIDE_PATH)))


class Proxy(NamedTuple):
    """A running nginx."""

    port: int  # of https
    plain_port: int
    trust: ssl.SSLContext  # that takes its certificate and no other
    certificate: Path

    def connect(self, source: str = HERE) -> http.client.HTTPSConnection:
        """A visitor's connection, from this address of the machine."""
        return http.client.HTTPSConnection(
            NAME, self.port, timeout=ANSWER_SECONDS, context=self.trust, source_address=(source, 0)
        )

    def line(self) -> ssl.SSLSocket:
        """A connection to write on as one pleases."""
        return self.trust.wrap_socket(
            socket.create_connection((HERE, self.port), timeout=ANSWER_SECONDS), server_hostname=NAME
        )


@contextmanager
def nginx(folder: Path, desk_socket: Path, port: int, plain_port: int) -> Iterator[Proxy]:
    """nginx on these ports in front of that socket, with a certificate made for it. What it keeps lies in `folder`."""
    program = find_nginx()
    assert program
    make_certificate(folder)
    open_to_nginx(folder)
    file = folder / "nginx.conf"
    file.write_text(adapted(CONFIGURATION.read_text(), folder, desk_socket, port, plain_port))
    trust = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    command = [program, "-c", str(file), "-e", str(folder / "error.log"), "-g", "daemon off;"]
    with running(command, os.environ, folder / "nginx.log", lambda: listens(port)):
        yield Proxy(port, plain_port, trust, folder / "fullchain.pem")


def adapted(text: str, folder: Path, desk_socket: Path, port: int, plain_port: int) -> str:
    """The shipped file with other paths, names and ports. Each of them must be in it."""
    there = [("/run/order-desk/desk.sock", desk_socket), ("/run/nginx.pid", folder / "nginx.pid"),
             ("/var/log/nginx", folder), ("/etc/ssl/order-desk", folder), ("desk.example.com", NAME)]  # fmt: skip
    for old, new in there:
        assert old in text, old
        text = text.replace(old, str(new))
    for old_port, new_port in ((80, plain_port), (443, port)):
        text = re.sub(rf"(listen )({old_port}\b)", rf"\g<1>{HERE}:{new_port}", text)
        text = re.sub(rf"(listen \[::)\]:{old_port}\b", rf"\g<1>1]:{new_port}", text)
    if not has_ipv6():
        text = re.sub(r".*listen \[::1\].*\n", "", text)
    text = text.replace("https://$server_name$", f"https://$server_name:{port}$")
    folders = "".join(f"    {name}_temp_path {folder / name};\n" for name in TEMPORARY)
    return text.replace("http {\n", f"http {{\n{folders}", 1)


def has_ipv6() -> bool:
    """Whether this machine has a loopback address of that kind."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def make_certificate(folder: Path) -> None:
    """A key and a certificate for NAME that last a day."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def open_to_nginx(folder: Path) -> None:
    """Lets the user that nginx becomes pass into this folder, as the folder of a desk's socket must."""
    if os.geteuid() == 0:
        shutil.chown(folder, group=UNPRIVILEGED)
        folder.chmod(0o750)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with suppress(OSError), closing(socket.create_connection((HERE, port), timeout=ANSWER_SECONDS)):
        return True
    return False


@contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], log: Path, ready: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program that is ready, and that is ended with everything it has started."""
    with log.open("ab") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
