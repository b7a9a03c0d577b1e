"""The palette, which leads to a place, a service or an order in a few keys, and the page that lists all keys."""

import json
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from catalog.models import Service
from catalog.service_list import service_with_id
from orders.table.listing import Listing
from panel.format.letters import folded
from panel.site.shortcuts import KEYS
from panel.web.htmx import page

FOUND_AT_MOST = 8  # services, and as many orders: people type another word rather than scroll
QUERY_CHARACTERS = 200


class Place(NamedTuple):
    """A page that the palette leads to."""

    words: str
    name: str  # of its URL
    what: str  # what a person must be allowed to do there, a key of accounts.access.ACTIONS
    keys: str = ""  # the keys that lead there


PLACES = (
    Place("Orders", "orders:index", "view", "g o"),
    Place("New order", "orders:new", "place", "g n"),
    Place("Services", "catalog:index", "view", "g s"),
    Place("Customers", "customers", "customers"),
    Place("Selling prices", "prices", "prices"),
    Place("Activity", "activity", "view", "g a"),
    Place("Team", "team", "view", "g t"),
    Place("Refills", "orders:all_refills", "view", "g r"),
    Place("Cancels", "orders:all_cancels", "view", "g c"),
    Place("Late orders", "orders:late", "view"),
    Place("Approvals: orders that wait for a second person", "orders:approvals", "view"),
    Place("Jobs", "orders:bulks", "view", "g j"),
    Place("Many orders at once: paste ids", "orders:bulk_new", "place"),
    Place("Answers to messages", "orders:all_answers", "view"),
    Place("Texts for customers", "orders:answer_texts", "view"),
    Place("Saved views", "orders:views", "view", "g v"),
    Place("Price and service changes", "catalog:changes", "view"),
    Place("Balance", "balance", "money"),
    Place("Settings of the desk", "settings", "view"),
    Place("Reports", "reports", "view"),
    Place("Charges", "charges", "money"),
    Place("Notes to me", "mentions", "view", "g m"),
    Place("Since you left: what happened, and a note to the next shift", "since", "view", "g l"),
    Place("Take next: the oldest order that needs a look", "orders:next", "note", "g x"),
    Place("Alarms", "alarms", "view"),
    Place("Alarm notifications", "alarm_choices", "view"),
    Place("Preferences", "preferences", "view", "g p"),
    Place("Keyboard shortcuts", "keys", "view", "?"),
    Place("Sign-in and security: second factor, passkeys", "factors", "view"),
    Place("Your sessions", "sessions", "view"),
    Place("Roles: who may do what", "roles", "view"),
    Place("Limits: what people and the team may spend", "limits", "people"),
    Place("Security: who came in, and who tried", "security", "people"),
    Place("Change password", "account_change_password", "view"),
    Place("Components", "styleguide", "administer"),
    Place("Admin", "admin:index", "administer"),
)


@cache
def paths_by_go_key() -> str:
    """The path that each key after g leads to, as JSON. The body of each page hands it to static/keys.js."""
    return json.dumps({place.keys.removeprefix("g "): reverse(place.name) for place in PLACES if " " in place.keys})


@require_safe
@needs("view")
def palette(request: HttpRequest) -> HttpResponse:
    """Places, orders and services for what is typed: as a list for the dialog of static/keys.js, or as a page."""
    q = request.GET.get("q", "").replace("\0", " ").strip()[:QUERY_CHARACTERS]
    return page(request, "site/palette.html", palette_context(q, request.user), fragment="site/_palette.html")


@require_safe
@needs("view")
def keys(request: HttpRequest) -> HttpResponse:
    """All keyboard shortcuts: for the dialog of static/keys.js, or as a page."""
    to_places = tuple((place.keys, place.words) for place in places_for("", request.user) if " " in place.keys)
    return page(request, "site/keys.html", {"keys": (*KEYS, ("Go to", to_places))}, fragment="site/_keys.html")


def palette_context(q: str, user: Any) -> dict[str, object]:
    """The context of `site/_palette.html`, in as many queries for one order as for eight."""
    listing = Listing(user, text=q)
    return {
        "q": q,
        "places": places_for(q, user),
        "orders": listing.page().orders[:FOUND_AT_MOST] if listing.target or listing.pasted else (),
        "services": services_found(q) if q else (),
        "search": f"{reverse('orders:index')}?{urlencode({'q': q})}" if q else "",
    }


def places_for(q: str, user: Any) -> list[Place]:
    """The places that this person may go to and whose words contain each word of the query."""
    words = folded(q).split()
    return [place for place in PLACES
            if may(user, place.what) and all(word in folded(place.words) for word in words)
            and (settings.SANDBOX or place.name != "styleguide")]  # fmt: skip


def services_found(q: str) -> list[Service]:
    """The service with this id, on sale or not, then services on sale that contain all words."""
    exact = service_with_id(q)
    others = Service.objects.active().matching(q).order_by("category", "upstream_id")[:FOUND_AT_MOST]
    return [*filter(None, [exact]), *(service for service in others if service != exact)][:FOUND_AT_MOST]
