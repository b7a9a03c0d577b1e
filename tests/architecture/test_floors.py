"""The house stands: imports point down only, and few hold the phone to upstream."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

APPS = ("panel", "orders", "catalog", "accounts")

# The ground knows none of the above it; each name also stands for what is inside it.
GROUND = {"panel.notpanel", "panel.format", "panel.web", "panel.ops"}
MAY: dict[str, set[str]] = {
    "panel.notpanel": {"panel.notpanel"},
    "panel.format": {"panel.format"},
    "panel.web": {"panel.web"},
    "panel.ops": {"panel.ops"},
    "accounts": {"accounts", *GROUND},
    "catalog": {"catalog", *GROUND},
    "orders": {"orders", "catalog", "accounts", *GROUND},
    "panel": {"panel", "orders", "catalog", "accounts", *GROUND},
}

# Only what runs in the worker, or is a command of a person at a shell, may hold a Client.
HOLDS_THE_PHONE = {
    "accounts.balance",
    "catalog.sync",
    "orders.aftersale.submit",
    "orders.placing.submit",
    "orders.following.poll",
    "orders.placing.funding",
    "panel.worker.recurring",
    "panel.upstream.client",
    "panel.worker.loop",
    "panel.management.commands.register_webhook",
    "panel.management.commands.worker",
    "panel.management.commands.sync_catalog",
}


def modules() -> Iterator[tuple[str, Path]]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def imports(path: Path) -> set[str]:
    """Every name of ours that a file imports, however deep inside it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            source = ".".join((*here, *filter(None, [node.module])))
            found |= {f"{source}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in APPS}


def floor(name: str) -> str:
    """The most exact row of MAY that a module belongs to."""
    return max((row for row in MAY if within(name, row)), key=len)


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def wrong_arrows(name: str, imported: set[str]) -> list[str]:
    """Imports that point up or sideways."""
    return [f"{name} imports {other}" for other in sorted(imported) if floor(other) not in MAY[floor(name)]]


def test_every_import_points_down() -> None:
    wrong = [arrow for name, path in modules() for arrow in wrong_arrows(name, imports(path))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("catalog.sync", "accounts.models.User"),
        ("accounts.access", "orders.models.order.Order"),
        ("panel.notpanel.client", "panel.settings"),
        ("panel.web.htmx", "accounts.access.may"),
        ("orders.models.order", "panel.site.status_bar.StatusBar"),
    ],
)
def test_a_wrong_arrow_would_be_found(name: str, imported: str) -> None:
    assert wrong_arrows(name, {imported}) == [f"{name} imports {imported}"]


def test_only_the_worker_holds_the_phone() -> None:
    holders = {
        name
        for name, path in modules()
        if not within(name, "panel.notpanel")
        and any(
            within(other, "panel.notpanel.client") or other == "panel.upstream.client.make_client"
            for other in imports(path)
        )
    }
    assert holders == HOLDS_THE_PHONE


def test_the_web_cannot_reach_the_phone() -> None:
    """Nor by a detour: nothing that a view imports leads to a module that holds one."""
    arrows = {name: {known for other in imports(path) if (known := _module(other))} for name, path in modules()}
    seen, left = (
        set[str](),
        {
            "panel.urls",
            "panel.site.views",
            "panel.site.status_bar",
            "panel.wsgi",
            "panel.site.templating",
            "panel.site.middleware",
        },
    )
    while left:
        name = left.pop()
        seen.add(name)
        left |= arrows[name] - seen
    assert not seen & HOLDS_THE_PHONE


def _module(imported: str) -> str:
    """`orders.models.Order` → `orders.models`; "" for what is no module of ours."""
    known = dict(modules())
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in known), "")


def test_the_sandbox_shares_no_code_with_the_client() -> None:
    mixed = [
        f"{name} imports {other}"
        for name, path in modules()
        if within(name, "panel.notpanel")
        for other in imports(path)
        if within(name, "panel.notpanel.sandbox") != within(other, "panel.notpanel.sandbox")
    ]
    assert not mixed, "\n".join(mixed)
