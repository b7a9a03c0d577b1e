"""Finds every failpoint of the desk by reading its code, so that no list can forget one."""

import ast
from collections.abc import Iterator
from functools import cache

from tests import ROOT

# The modules that send orders and wishes and follow them: each commit and each call upstream has its failpoints.
STEPS = (
    "orders/placing/place.py", "orders/models/task.py", "orders/placing/submit.py", "orders/aftersale/submit.py",
    "orders/following/claim.py", "orders/following/poll.py", "orders/following/split.py", "orders/aftersale/ask.py",
    "orders/aftersale/settle.py", "orders/approvals/decide.py",
    "orders/mass/place.py", "orders/plans/plan.py", "orders/plans/due.py", "orders/webhooks/dispatch.py",
    "accounts/trail/chain.py",
)  # fmt: skip


@cache
def discovered() -> tuple[str, ...]:
    """The name of every `fp("…")` in the desk's own code, sorted. TypeError for a name that is no literal."""
    names = set()
    for room in ("orders", "catalog", "accounts", "panel"):
        for path in ROOT.glob(f"{room}/**/*.py"):
            if "fp(" in (text := path.read_text()):
                names |= {_name(call) for call in _calls(ast.parse(text)) if _callee(call) == "fp"}
    return tuple(sorted(names))


def unguarded(path: str) -> list[str]:
    """Commits without a failpoint before them, and calls to upstream without one before and one after."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef) and any("atomic" in ast.unparse(mark) for mark in node.decorator_list):
            found += [] if _stops(node) else [f"{path}:{node.lineno}: a commit without a failpoint"]
        for block in _blocks(node):
            for at, step in enumerate(block):
                if _opens_transaction(step) and not _stops(step):
                    found.append(f"{path}:{step.lineno}: a commit without a failpoint")
                if isinstance(step, ast.Assign | ast.Expr) and any(_phones(call) for call in _calls(step)):
                    around = block[max(0, at - 1) : at] + block[at + 1 : at + 2]
                    if len(around) < 2 or not all(_is_fp(other) for other in around):
                        found.append(f"{path}:{step.lineno}: a call to upstream without failpoints around it")
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _stops(tree: ast.AST) -> bool:
    return any(_callee(call) == "fp" for call in _calls(tree))


def _callee(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)


def _name(call: ast.Call) -> str:
    (name,) = call.args
    if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
        raise TypeError(f"line {call.lineno}: a failpoint's name is written out")
    return name.value


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block


def _opens_transaction(step: ast.stmt) -> bool:
    return isinstance(step, ast.With) and any("atomic" in ast.unparse(item.context_expr) for item in step.items)


def _phones(call: ast.Call) -> bool:
    return _callee(call).startswith("client.")


def _is_fp(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Call) and _callee(step.value) == "fp"
