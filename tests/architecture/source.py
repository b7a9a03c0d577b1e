"""The product's source as the layout tests read it: each module with its imports, wherever in the file they stand."""

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests import ROOT
from tests.architecture.rooms import DOORS, ROOMS

PACKAGES = ("accounts", "catalog", "orders", "panel")


class Module(NamedTuple):
    """One Python file of the product."""

    name: str  # orders.placing.submit; a package's __init__.py has the package's name
    path: str  # below the repository, with slashes
    text: str

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")

    @property
    def is_migration(self) -> bool:
        return ".migrations." in self.name

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imported(self) -> Iterator[str]:
        """Every name that it imports, such as `orders.models.Order`, also inside functions and `if TYPE_CHECKING`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = Path(self.path).parts[: -node.level] if node.level else ()
                source = ".".join((*above, *filter(None, [node.module])))
                yield from (f"{source}.{alias.name}" for alias in node.names)


class Source:
    """All modules of the product, or of the product with some files planted in it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts`: path below the repository → what stands in the file."""
        self.texts = texts
        self.modules = {name: Module(name, path, text) for path, text in texts.items() if (name := module_name(path))}

    @classmethod
    def of_the_product(cls) -> "Source":
        """As it stands on the disk."""
        paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
        return cls({path.relative_to(ROOT).as_posix(): path.read_text() for path in paths})

    def planted(self, path: str, text: str) -> "Source":
        """The same with one more file, or with this text appended to a file that there is."""
        return Source({**self.texts, path: self.texts.get(path, "") + text})

    @cached_property
    def arrows(self) -> dict[str, set[str]]:
        """Module → the modules of ours that it imports."""
        return {
            module.name: {known for name in module.imported() if (known := self.module_of(name))} - {module.name}
            for module in self.modules.values()
        }

    def named_in_texts(self, name: str) -> set[str]:
        """The modules that a module names in strings, as settings and `include` do."""
        texts = [node.value for node in ast.walk(self.modules[name].tree) if isinstance(node, ast.Constant)]
        return {known for text in texts if isinstance(text, str) and (known := self.module_of(text))}

    def module_of(self, imported: str) -> str:
        """`orders.models.Order` → `orders.models`; "" for what is none of ours."""
        return next((name for name in (imported, imported.rpartition(".")[0]) if name in self.modules), "")

    def in_room(self, room: str) -> list[Module]:
        """The modules of a room but for its `__init__.py`."""
        return [module for module in self.modules.values() if not module.is_package and room_of(module.name) == room]


def module_name(path: str) -> str:
    """`orders/placing/__init__.py` → `orders.placing`."""
    return ".".join(part for part in path.removesuffix(".py").split("/") if part != "__init__")


def room_of(name: str) -> str:
    """The room or Django's door that a module belongs to; "" for a module that stands beside them."""
    places = [place for place in (*ROOMS, *DOORS) if name == place or name.startswith(f"{place}.")]
    return max(places, key=len, default="")
