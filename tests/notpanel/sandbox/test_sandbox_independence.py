"""The sandbox stands alone: it shares nothing with the client, and needs nothing but Python."""

import ast
import sys

from tests import ROOT

FOLDER = ROOT / "panel" / "notpanel" / "sandbox"


def test_it_imports_nothing_but_the_standard_library_and_itself() -> None:
    wrong = []
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                # One dot is the sandbox itself; two would be the client's floor.
                names = [] if node.level == 1 else ["." * node.level + (node.module or "")]
            else:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            wrong += [f"{file.name}: {name}" for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    assert wrong == []


def test_no_file_of_it_asks_to_be_split() -> None:
    assert [file.name for file in FOLDER.glob("*.py") if len(file.read_text().splitlines()) > 400] == []
