"""Mistakes around the desk: nginx lets through what it should drop, or lets a slow visitor keep others waiting; the
audit of the packages calls well what nobody looked up."""

from tests.mutants.mistake import Mistake

NGINX = "panel/ops/nginx.conf"
MACHINE = "tests/machine.py"
TEST_PROXY = "tests/panel/proxy/test_proxy.py"
TEST_SLOW = "tests/panel/proxy/test_slow_clients.py"
TEST_MACHINE = "tests/panel/ops/test_machine.py"
AUDIT = "tests/supply/audit.py"
TEST_AUDIT = "tests/supply/test_audit.py"
SBOM = "tests/supply/sbom.py"
TEST_SBOM = "tests/supply/test_sbom.py"

MISTAKES = (
    Mistake(
        "the desk waits for whoever sends a body in drips", NGINX,
        "proxy_request_buffering on;", "proxy_request_buffering off;",
        TEST_SLOW,
    ),
    Mistake(
        "the desk waits for whoever reads slowly", NGINX,
        "proxy_buffering on;", "proxy_buffering off;",
        TEST_SLOW,
    ),
    Mistake(
        "one address may fill nginx with bodies", NGINX,
        "limit_conn of_one_address 100;", "limit_conn of_one_address 10000;",
        TEST_SLOW,
    ),
    Mistake(
        "a visitor chooses their address", NGINX,
        "X-Forwarded-For $remote_addr;", "X-Forwarded-For $http_x_forwarded_for;",
        TEST_PROXY,
    ),
    Mistake(
        "a visitor adds to their address", NGINX,
        "X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;",
        TEST_PROXY,
    ),
    Mistake(
        "a visitor says whether they came over TLS", NGINX,
        "X-Forwarded-Proto $scheme;", "X-Forwarded-Proto $http_x_forwarded_proto;",
        TEST_PROXY,
    ),
    Mistake(
        "another header of the kind goes through", NGINX,
        'proxy_set_header X-Forwarded-Ssl "";', "",
        TEST_PROXY,
    ),
    Mistake(
        "the desk does not learn which host was asked", NGINX,
        "proxy_set_header Host $http_host;", "",
        TEST_PROXY,
    ),
    Mistake(
        "connections to the desk are not kept", NGINX,
        'proxy_set_header Connection "";', "",
        TEST_PROXY,
    ),
    Mistake(
        "old TLS is taken", NGINX,
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_protocols TLSv1.1 TLSv1.2; ssl_conf_command CipherString ALL:@SECLEVEL=0;",
        TEST_PROXY,
    ),
    Mistake(
        "nginx redirects a form over plain HTTP", NGINX,
        "!~ ^(GET|HEAD)$", "= NOTHING",
        TEST_PROXY,
    ),
    Mistake(
        "answers name nginx's version", NGINX,
        "server_tokens off;", "server_tokens on;",
        TEST_PROXY,
    ),
    Mistake(
        "a package that is installed for the tests starts its service", MACHINE,
        "    ours = not MAY_START.exists()", "    ours = False",
        f"{TEST_MACHINE}::test_what_is_installed_starts_no_service",
    ),
    Mistake(
        "packages that nobody looked up are called well", AUDIT,
        "if missing := to_ask - asked:", "if missing := set[str]():",
        TEST_AUDIT,
    ),
    Mistake(
        "without its tools the audit is passed", AUDIT,
        "    return UNKNOWN\n", "    return CLEAN\n",
        TEST_AUDIT,
    ),
    Mistake(
        "an environment that was not finished audits", "tests/supply/environment.py",
        " and stamp.exists() and stamp.read_bytes() == wanted", "",
        TEST_AUDIT,
    ),
    Mistake(
        "the list of packages lacks their hashes", SBOM,
        "for content in package.hashes]", "for content in package.hashes[:1]]",
        f"{TEST_SBOM}::test_it_names_every_pinned_package_with_all_its_hashes",
    ),
    Mistake(
        "the list of packages differs each time", SBOM,
        "uuid5(NAMESPACE_URL, json.dumps([house, components, depends]))", "uuid5(NAMESPACE_URL, str(time.time_ns()))",
        f"{TEST_SBOM}::test_the_same_packages_give_the_same_list_but_for_its_time",
    ),
)  # fmt: skip
