"""How an owner finds their way in the admin: five groups by what an owner does, and apart from them the internals."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

PEOPLE, ORDERS, CATALOG, MONEY, SYSTEM = "People", "Orders", "Catalog", "Money", "System"
INTERNALS = "Internals"  # what the desk keeps for itself; folded away
GROUPS = (PEOPLE, ORDERS, CATALOG, MONEY, SYSTEM, INTERNALS)

Pages = Mapping[str, Sequence[tuple[str, str]]]  # group → words and URL name of the desk's own pages about the same


def grouped(site: AdminSite, request: HttpRequest, pages: Pages, app_label: str | None = None) -> list[dict[str, Any]]:
    """The admin's lists by group, in the shape that Django's templates take; of one app alone if one is named."""
    apps: Any = site._build_app_dict(request, app_label)
    models = {entry["model"]: entry for app in apps.values() for entry in app["models"]}
    lists = []
    for name in GROUPS:
        keepers = [keeper for model, keeper in site._registry.items() if model in models and in_(keeper, name)]
        of_group = [models[keeper.model] for keeper in sorted(keepers, key=lambda keeper: not leads(keeper))]
        links = [(words, reverse(url_name)) for words, url_name in pages.get(name, ())]
        here = any(entry["admin_url"] in request.path for entry in of_group)
        if of_group:
            lists.append(
                {
                    "name": name, "app_label": name.lower(), "app_url": reverse("admin:index"), "models": of_group,
                    "has_module_perms": True, "folded": name == INTERNALS, "open": here, "pages": links,
                }
            )  # fmt: skip
    return lists


def in_(keeper: object, group: str) -> bool:
    """Whether this admin's list stands in this group; what names no group is internal."""
    return getattr(keeper, "group", INTERNALS) == group


def leads(keeper: object) -> bool:
    """Whether this admin's list stands first in its group."""
    return getattr(keeper, "leads", False)


def call_it(model: type[Model], names: tuple[str, str], field_names: Mapping[str, str]) -> None:
    """Calls a model, one and many, and its fields by words that a person knows. Only the admin shows these names.

    They are set here and not in the models, where each better word would be a migration.
    """
    model._meta.verbose_name, model._meta.verbose_name_plural = names
    for name, words in field_names.items():
        model._meta.get_field(name).verbose_name = words  # type: ignore[union-attr]


def heading(model: type[Model]) -> str:
    """What a list is headed with: `Orders`."""
    return str(capfirst(str(model._meta.verbose_name_plural)))
