"""The layout holds: each rule finds nothing wrong in the product, and finds the mistakes that are planted here."""

import ast
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from tests import ROOT
from tests.architecture.rooms import (
    DOORS,
    FEWEST_MODULES,
    HOLDS_A_CLIENT,
    MOST_LINES,
    MOST_MODULES,
    OLD_NAMES,
    ROOMS,
    SHELLS,
    WEB_ENTRANCES,
    WRITES_STATUS,
)
from tests.architecture.source import Source, room_of

PRODUCT = Source.of_the_product()
Rule = Callable[[Source], Iterator[str]]


# ── The rules: each yields a sentence for everything that is wrong ───────────────────────────────
def imports_point_down(source: Source) -> Iterator[str]:
    for name, others in source.arrows.items():
        room = room_of(name)
        allowed = {room, *ROOMS.get(room, DOORS.get(room, set()))}
        yield from (f"{name} imports {other}" for other in sorted(others) if room and room_of(other) not in allowed)


def no_circles(source: Source) -> Iterator[str]:
    try:
        TopologicalSorter(source.arrows).prepare()
    except CycleError as circle:
        names = list(reversed(circle.args[1][1:]))
        first = names.index(min(names))
        yield " → ".join([*names[first:], *names[:first], names[first]])


def nothing_beside_the_rooms(source: Source) -> Iterator[str]:
    for module in source.modules.values():
        package = (module.is_package and module.name.count(".") == 0) or module.name.endswith(".migrations")
        if not (room_of(module.name) or package or module.is_migration):
            yield f"{module.path} stands beside the rooms"


def rooms_have_a_size(source: Source) -> Iterator[str]:
    for room in ROOMS.keys() - SHELLS:
        count = sum(not module.is_migration for module in source.in_room(room))
        if not FEWEST_MODULES <= count <= MOST_MODULES:
            yield f"{room} has {count} modules"


def rooms_say_what_they_are(source: Source) -> Iterator[str]:
    for room in ROOMS:
        tree = source.modules[room].tree
        lines = (ast.get_docstring(tree) or "").splitlines()
        if not 1 <= len(lines) <= 5:
            yield f"{room} has a docstring of {len(lines)} lines"
        if len(tree.body) > 1 and not room.endswith(".models"):
            yield f"{room} holds code in its __init__.py"


def files_are_short(source: Source) -> Iterator[str]:
    for module in source.modules.values():
        if not module.is_migration and (lines := len(module.text.splitlines())) > MOST_LINES:
            yield f"{module.path} has {lines} lines"


def no_old_name_comes_back(source: Source) -> Iterator[str]:
    for name in source.modules:
        app, last = name.partition(".")[0], name.rpartition(".")[2]
        if last in OLD_NAMES.get(app, ()):
            yield f"{name} has a name from before the rooms"


def migrations_stand_alone(source: Source) -> Iterator[str]:
    for module in source.modules.values():
        if module.is_migration:
            yield from (f"{module.name} imports {other}" for other in sorted(source.arrows[module.name]))


def imports_can_be_seen(source: Source) -> Iterator[str]:
    """No import by a string, which the other rules could not see."""
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute) and not module.is_migration:
                word = node.id if isinstance(node, ast.Name) else node.attr
                if word in ("import_module", "import_string", "__import__"):
                    yield f"{module.path}:{node.lineno} imports by a string"


def few_write_status(source: Source) -> Iterator[str]:
    """Outside the sandbox, whose orders have a status of their own."""
    for name, module in source.modules.items():
        if name not in WRITES_STATUS and not name.startswith("panel.notpanel.") and not module.is_migration:
            yield from (f"{module.path}:{line} writes a status" for line in lines_that_write_status(module.tree))


def lines_that_write_status(tree: ast.Module) -> Iterator[int]:
    """`order.status = …`, `setattr(order, "status", …)`, `….change(status=…)` and its likes, and `Order(status=…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store):
            yield node.lineno
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            by_keyword = name in ("change", "update", "create", "apply_decision", "Order")
            by_name = name in ("setattr", "bulk_update")
            words = [word.value for word in ast.walk(node) if isinstance(word, ast.Constant)]
            if (by_keyword and any(keyword.arg == "status" for keyword in node.keywords)) or (
                by_name and "status" in words
            ):
                yield node.lineno


def few_hold_a_client(source: Source) -> Iterator[str]:
    for name in sorted(client_holders(source) - HOLDS_A_CLIENT):
        yield f"{name} holds a Client"


def client_holders(source: Source) -> set[str]:
    """Modules outside the client's own room that import it, or the function that makes one."""
    ways = ("panel.notpanel.client", "panel.upstream.client.make_client")
    return {
        module.name
        for module in source.modules.values()
        if not module.name.startswith("panel.notpanel.")
        and any(f"{name}.".startswith(f"{way}.") for name in module.imported() for way in ways)
    }


def the_web_reaches_no_client(source: Source) -> Iterator[str]:
    """Nor by a detour: nothing that the web's entrances import leads to a module that holds one."""
    seen, left = set[str](), set(WEB_ENTRANCES)
    while left:
        seen.add(name := left.pop())
        left |= (source.arrows[name] | source.named_in_texts(name)) - seen
    yield from (f"{name} is reached from the web" for name in sorted(seen & HOLDS_A_CLIENT))


RULES: list[Rule] = [
    imports_point_down, no_circles, nothing_beside_the_rooms, rooms_have_a_size, rooms_say_what_they_are,
    files_are_short, no_old_name_comes_back, migrations_stand_alone, imports_can_be_seen, few_write_status,
    few_hold_a_client, the_web_reaches_no_client,
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_product_keeps(rule: Rule) -> None:
    assert not list(rule(PRODUCT)), "\n".join(rule(PRODUCT))


def test_the_lists_name_nobody_who_does_not_do_it() -> None:
    assert client_holders(PRODUCT) == HOLDS_A_CLIENT
    assert {name for name in WRITES_STATUS if any(lines_that_write_status(PRODUCT.modules[name].tree))} == WRITES_STATUS
    assert all(place in PRODUCT.modules for place in (*ROOMS, *DOORS))


def test_the_tests_mirror_the_rooms_of_the_orders() -> None:
    rooms = {room.removeprefix("orders.") for room in ROOMS if room.startswith("orders.")}
    with_tests = {path.parent.name for path in (ROOT / "tests/orders").glob("*/test_*.py")}
    assert with_tests == rooms


# ── Planted: each mistake is found by its rule ───────────────────────────────────────────────────
ONE_TOO_MANY = "\n".join(f"# line {number}" for number in range(MOST_LINES + 1))
PLANTED: list[tuple[Rule, str, str, str]] = [
    #  rule, file, what is appended to it, what is said
    (imports_point_down, "catalog/sync.py", "from accounts.models import User", "catalog.sync imports accounts.models"),
    (imports_point_down, "accounts/access.py", "def f():\n    from orders.models import Order",
     "accounts.access imports orders.models"),
    (imports_point_down, "panel/notpanel/client.py", "import panel.settings",
     "panel.notpanel.client imports panel.settings"),
    (imports_point_down, "panel/notpanel/client.py", "from panel.notpanel.sandbox.world import supplier",
     "panel.notpanel.client imports panel.notpanel.sandbox.world.supplier"),
    (imports_point_down, "panel/web/htmx.py", "from accounts.access import may",
     "panel.web.htmx imports accounts.access"),
    (imports_point_down, "orders/models/note.py", "if TYPE_CHECKING:\n    from orders.table import rows",
     "orders.models.note imports orders.table.rows"),
    (imports_point_down, "orders/models/note.py", "from ..placing import submit",
     "orders.models.note imports orders.placing.submit"),
    (imports_point_down, "orders/rules/refusal.py", "from orders.models import Order",
     "orders.rules.refusal imports orders.models"),
    (imports_point_down, "orders/table/rows.py", "from orders.placing.place import place",
     "orders.table.rows imports orders.placing.place"),
    (no_circles, "orders/rules/statuses.py", "from orders.rules import eligibility",
     "orders.rules.eligibility → orders.rules.statuses → orders.rules.eligibility"),
    (nothing_beside_the_rooms, "orders/helpers.py", "", "orders/helpers.py stands beside the rooms"),
    (nothing_beside_the_rooms, "panel/utils/texts.py", "", "panel/utils/texts.py stands beside the rooms"),
    (rooms_have_a_size, "orders/table/zoom.py", "", "orders.table has 12 modules"),
    (rooms_say_what_they_are, "orders/bulk/__init__.py", "from orders.bulk import job",
     "orders.bulk holds code in its __init__.py"),
    (files_are_short, "orders/bulk/more.py", ONE_TOO_MANY, "orders/bulk/more.py has 401 lines"),
    (no_old_name_comes_back, "orders/bulk/wishes.py", "", "orders.bulk.wishes has a name from before the rooms"),
    (migrations_stand_alone, "orders/migrations/0099_x.py", "from orders.rules import links",
     "orders.migrations.0099_x imports orders.rules.links"),
    (imports_can_be_seen, "orders/bulk/more.py", "importlib.import_module('orders.placing')",
     "orders/bulk/more.py:1 imports by a string"),
    (few_write_status, "orders/bulk/more.py", "order.status = 'completed'", "orders/bulk/more.py:1 writes a status"),
    (few_write_status, "orders/bulk/more.py", "orders.update(status='completed')",
     "orders/bulk/more.py:1 writes a status"),
    (few_write_status, "orders/bulk/more.py", "setattr(order, 'status', 'x')", "orders/bulk/more.py:1 writes a status"),
    (few_hold_a_client, "orders/bulk/more.py", "from panel.upstream.client import make_client",
     "orders.bulk.more holds a Client"),
    (few_hold_a_client, "orders/bulk/more.py", "from panel.notpanel import client", "orders.bulk.more holds a Client"),
    (the_web_reaches_no_client, "orders/bulk/views.py", "from orders.placing import submit",
     "orders.placing.submit is reached from the web"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "path", "text", "sentence"), PLANTED)
def test_a_planted_mistake_is_found(rule: Rule, path: str, text: str, sentence: str) -> None:
    found = list(rule(PRODUCT.planted(path, f"\n{text}" if path in PRODUCT.texts else text)))
    assert any(sentence in line for line in found), found


def test_planting_changes_nothing_but_what_it_says() -> None:
    assert not list(imports_point_down(PRODUCT.planted("orders/table/rows.py", "\nfrom orders.rules import links")))
    assert not list(few_write_status(PRODUCT.planted("orders/table/rows.py", "\norders.filter(status='completed')")))
