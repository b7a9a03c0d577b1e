"""nginx in front of the desk, by the file that is shipped: TLS, what the desk is told of a visitor, and what is not."""

import http.client
import json
import re
import socket
import ssl
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.nginx import ANSWER_SECONDS, CONFIGURATION, ELSEWHERE, HERE, NAME, adapted, find_nginx, has_ipv6, nginx
from tests.panel.proxy.conftest import Fronted
from tests.served import answers
from tests.upstream import free_port

pytestmark = pytest.mark.slow
# What a visitor may send to be somebody else, or to seem to have come over TLS or not.
FORGED = {
    "X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "X_Forwarded_Protocol": "http",
    "X_Forwarded_Ssl": "off", "X_Forwarded_Host": "evil.example", "X_Forwarded_Port": "1", "X_Real_IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=http", "Proxy": "http://evil.example",
}  # fmt: skip


def seen(fronted: Fronted, headers: dict[str, str]) -> dict[str, Any]:
    """What the desk saw of a request with these headers from ELSEWHERE."""
    return dict(json.loads(fronted.ask("/seen", source=ELSEWHERE, **headers).body))


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────
def test_it_speaks_http_2_where_the_visitor_does(fronted: Fronted) -> None:
    address = f"{fronted.origin}/healthz"
    for asked, spoken in (("--http2", "2"), ("--http1.1", "1.1")):
        command = [
            "curl",
            "--silent",
            asked,
            "--cacert",
            str(fronted.proxy.certificate),
            "--write-out",
            " %{http_version}",
        ]
        ran = subprocess.run([*command, address], capture_output=True, text=True, check=True)
        assert ran.stdout == f"ok\n {spoken}"


@pytest.mark.parametrize(("version", "taken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_old_tls_is_refused(fronted: Fronted, version: str, taken: bool) -> None:
    context = ssl.create_default_context(cafile=str(fronted.proxy.certificate))
    with pytest.warns() if not taken else closing(socket.socket()):  # Python warns of what is old
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("ALL:@SECLEVEL=0")
    with closing(socket.create_connection((HERE, fronted.proxy.port), timeout=ANSWER_SECONDS)) as line:
        try:
            context.wrap_socket(line, server_hostname=NAME).close()
            shaken = True
        except (ssl.SSLError, ConnectionError):
            shaken = False
    assert shaken == taken


def test_another_name_gets_nothing(fronted: Fronted) -> None:
    anybody = ssl._create_unverified_context()
    with (
        closing(socket.create_connection((HERE, fronted.proxy.port), timeout=ANSWER_SECONDS)) as line,
        pytest.raises(OSError),
    ):
        anybody.wrap_socket(line, server_hostname="evil.example")
    assert plain(fronted, "GET", host="evil.example") is None


def plain(fronted: Fronted, method: str, host: str = NAME) -> tuple[int, str] | None:
    """The status and Location of a request over plain HTTP; None when the line is cut."""
    with closing(http.client.HTTPConnection(HERE, fronted.proxy.plain_port, timeout=ANSWER_SECONDS)) as line:
        try:
            line.request(method, "/orders/?q=a%20b", headers={"Host": host, "X-Forwarded-Proto": "https"})
            answer = line.getresponse()
        except ConnectionError:
            return None
        return answer.status, answer.headers.get("Location", "")


def test_plain_http_leads_to_https_and_takes_nothing(fronted: Fronted) -> None:
    found = f"{fronted.origin}/orders/?q=a%20b"
    assert plain(fronted, "GET") == plain(fronted, "HEAD") == (301, found)
    assert plain(fronted, "POST") == (403, "")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_it_listens_on_ipv6_too(fronted: Fronted) -> None:
    line = socket.create_connection(("::1", fronted.proxy.port), timeout=ANSWER_SECONDS)
    with fronted.proxy.trust.wrap_socket(line, server_hostname=NAME) as shaken:
        assert shaken.version()


# ── What the desk is told ────────────────────────────────────────────────────────────────────────
def test_the_desk_sees_the_visitors_address_and_their_host_over_tls(fronted: Fronted) -> None:
    told = seen(fronted, {})
    assert (told["address"], told["secure"], told["host"]) == (ELSEWHERE, True, f"{NAME}:{fronted.proxy.port}")


def test_what_a_visitor_forges_is_dropped(fronted: Fronted) -> None:
    honest = seen(fronted, {})
    assert seen(fronted, FORGED) == honest
    for name in FORGED:  # each by itself, for two may undo each other
        assert seen(fronted, {name: FORGED[name]}) == honest
    assert honest["headers"]["X-Forwarded-For"] == ELSEWHERE
    assert not {"Forwarded", "Proxy", "X-Real-Ip", "X-Forwarded-Host", "X-Forwarded-Ssl"} & set(honest["headers"])


def test_two_headers_of_one_name_change_nothing(fronted: Fronted) -> None:
    sent = "".join(f"{name}: 203.0.113.9\r\n" for name in ("X-Forwarded-For", "X_Forwarded_For", "x-forwarded-for"))
    told = written(fronted, f"GET /seen HTTP/1.1\r\nHost: {NAME}\r\n{sent}\r\n".encode())
    assert told["address"] == told["headers"]["X-Forwarded-For"] == HERE


def written(fronted: Fronted, request: bytes) -> dict[str, Any]:
    """What the desk saw of a request that is written byte for byte."""
    with closing(fronted.proxy.line()) as line:
        line.sendall(request)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return dict(json.loads(answer.read()))


def test_a_host_that_is_not_the_desks_is_refused(fronted: Fronted) -> None:
    """nginx chooses by the name in the first line where there is one, and the desk sees the other."""
    asked = f"GET https://{NAME}/accounts/login/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    for request in (asked, asked.replace(f"https://{NAME}", "")):
        with closing(fronted.proxy.line()) as line:
            line.sendall(request.encode())
            answer = line.recv(65536)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_a_request_with_two_ends_is_refused(fronted: Fronted) -> None:
    """Were the two to disagree where it ends, its rest would be the next visitor's request."""
    both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /seen HTTP/1.1\r\n\r\n"
    with closing(fronted.proxy.line()) as line:
        line.sendall(f"POST /seen HTTP/1.1\r\nHost: {NAME}\r\n{both}".encode())
        assert line.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_body_in_pieces_comes_whole_and_with_its_length(fronted: Fronted) -> None:
    chunks = b"".join(b"400\r\n" + b"x" * 1024 + b"\r\n" for _ in range(200)) + b"0\r\n\r\n"
    head = f"POST /seen HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n"
    told = written(fronted, head.encode() + chunks)
    assert told["body"] == 200 * 1024
    assert told["headers"]["Content-Length"] == str(200 * 1024) and "Transfer-Encoding" not in told["headers"]


# ── The desk behind it ───────────────────────────────────────────────────────────────────────────
def test_people_sign_in_through_it(fronted: Fronted) -> None:
    answer, cookies = fronted.sign_in(**FORGED)
    assert answer.status == 302 and answer.headers["location"] == ["/orders/"]
    for name, line in answer.cookies().items():
        assert name.startswith("__Host-") and re.search("; Secure(;|$)", line) and "Domain" not in line
    page = fronted.ask("/orders/", Cookie=cookies)
    assert page.status == 200 and "Ana" in page.body
    away = fronted.ask("/orders/")
    assert away.status == 302 and away.headers["location"][0].startswith(("/accounts/", fronted.origin))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"http://{NAME}", f"https://{NAME}"])
def test_a_form_from_elsewhere_is_refused(fronted: Fronted, origin: str) -> None:
    """Also from another port of the same host, which is what the last one says."""
    answer, cookies = fronted.sign_in(Origin=origin)
    assert answer.status == 403 and "sessionid" not in cookies


def test_each_header_is_there_once_and_none_names_a_version(fronted: Fronted) -> None:
    for path, status in (("/accounts/login/", 200), ("/nowhere/", 404), ("/healthz", 200), ("/static/icons.svg", 200)):
        answer = fronted.ask(path)
        headers = answer.headers
        assert answer.status == status
        assert headers["server"] == ["nginx"]
        assert not any(found for name, found in headers.items() if name != "set-cookie" and len(found) > 1), path
        assert "content-security-policy" in headers and "strict-transport-security" in headers, path
        assert not re.search("gunicorn|[0-9]+[.][0-9]+[.][0-9]+", str(headers.get("server"))), path
        assert "x-nothing" not in headers


def test_what_the_desk_refuses_it_says_itself(fronted: Fronted) -> None:
    assert "Order Desk" in fronted.ask("/nowhere/").body
    assert fronted.ask("/accounts/login/", "POST", b"", Origin=fronted.origin).status == 403
    assert "x-request-id" in fronted.ask("/accounts/login/", "POST", b"x" * 2_800_000, Origin=fronted.origin).headers
    delivery = fronted.ask("/webhooks/notpanel/", "POST", b"x" * 100_000, Content_Type="application/json")
    assert delivery.status == 413 and "65,536 bytes" in delivery.body


def test_nginx_says_of_itself_what_the_desk_says_too(fronted: Fronted) -> None:
    """Also of what it refuses before it knows which page was asked for."""
    promised = fronted.ask("/healthz").headers["strict-transport-security"][0]
    for header in (f"Host: {NAME}\r\nX: {'x' * 40_000}", "Host: a b"):
        with closing(fronted.proxy.line()) as line:
            line.sendall(f"GET / HTTP/1.1\r\n{header}\r\n\r\n".encode())
            answer = line.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 400 ") and "nginx/" not in answer
        assert "Strict-Transport-Security: " in answer and "Content-Security-Policy: default-src 'none'" in answer
    assert f'Strict-Transport-Security "{promised}" always;' in CONFIGURATION.read_text()


def test_what_is_far_too_large_never_reaches_the_desk(fronted: Fronted) -> None:
    for path, size in (("/accounts/login/", 3_500_000), ("/webhooks/notpanel/", 200_000)):
        with closing(fronted.proxy.line()) as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {size}\r\n\r\n".encode())
            answer = line.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 413 ") and "Nothing was done." in answer
        assert "Strict-Transport-Security: " in answer and "Content-Security-Policy: default-src 'none'" in answer


def test_connections_to_the_desk_are_kept(fronted: Fronted) -> None:
    for _ in range(30):
        assert fronted.ask("/healthz").status == 200
    assert 0 < len(heard(fronted.socket)) <= 16 * 2


def heard(desk: Path) -> list[str]:
    """The connections that the desk has taken on this socket and not closed."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in lines if line.endswith(f" {desk}") and line.split()[5] == "03"]


def test_without_a_desk_it_says_so_and_takes_it_back_at_once(fronted: Fronted) -> None:
    folder = fronted.folder / "away"
    folder.mkdir()
    alone = folder / "desk.sock"
    with nginx(folder, alone, free_port(), free_port()) as proxy:
        away = fronted._replace(proxy=proxy)
        for method, path in (("GET", "/orders/"), ("POST", "/orders/new/"), ("POST", "/webhooks/notpanel/")):
            answer = away.ask(path, method, b"" if method == "POST" else None)
            assert answer.status == 503 and "The desk does not answer" in answer.body
            assert answer.headers["cache-control"] == ["no-store"] and answer.headers["server"] == ["nginx"]
            assert answer.headers["content-security-policy"] == ["default-src 'none'; frame-ancestors 'none'"]
        alone.symlink_to(fronted.socket)
        assert away.ask("/healthz").body == "ok\n"
    assert answers(f"unix:{fronted.socket}")


def test_the_lines_for_webhooks_in_a_gunicorn_of_their_own_are_good(fronted: Fronted) -> None:
    """They are comments until somebody needs them, so nothing else reads them."""
    shipped = CONFIGURATION.read_text()
    used = re.sub(r"(?m)^( *)#(upstream webhooks|    (?:server|keepalive)|\})", r"\1\2", shipped)
    used = used.replace("proxy_pass http://desk;  # or http://webhooks", "proxy_pass http://webhooks;")
    assert used.count("webhooks.sock") == 1 and "#    " not in used and used.count("http://webhooks;") == 1
    file = fronted.folder / "webhooks.conf"
    file.write_text(adapted(used, fronted.folder, fronted.socket, free_port(), free_port()))
    program = find_nginx()
    assert program
    ran = subprocess.run([program, "-t", "-c", file, "-e", fronted.folder / "t.log"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
