"""Pieces of HTML that rows repeat: refill meters, links, icons and buttons, cached where many rows share them."""

from functools import cache, lru_cache

from django.templatetags.static import static
from django.urls import reverse
from markupsafe import Markup, escape

from catalog.networks import NETWORKS, authority, link_parts
from orders.rules.eligibility import Question, Refills

UNDO = "Undo"  # the words on the button of an order that waits its few seconds before it is sent
MOST_DOTS = 10  # refills; with more the meter is a figure
HOST_LINE_CHARACTERS = 22  # of a host that a row has room for in one line
HOST_CHARACTERS = 48  # in two
STEP_PX = 12  # from dot to dot
HEIGHT_PX = 18
# Radius and CSS class of a dot of each kind. A pending one is a ring with a dot in it.
DOTS = {"used": ((4, "u"),), "pending": ((3.75, "pr"), (1.75, "p")), "left": ((3.25, "l"),)}


def refill_meter(refills: Refills, later: bool) -> Markup:
    """A dot for each refill: full when used, ringed when pending, empty when left.

    `later` makes it paler, for an order that may not be refilled yet.
    """
    return _meter(refills.used, refills.pending is not None, refills.cap, later)


@lru_cache(maxsize=512)
def _meter(used: int, pending: bool, cap: int, later: bool) -> Markup:
    left, settled = max(0, cap - used), used - pending
    # Cut to the cap, which may have been lowered after refills were used.
    dots = (["used"] * settled + ["pending"] * pending + ["left"] * left)[:cap]
    drawn: dict[str, str] = {}  # one path for all dots of a kind: fewer parts to lay out, fifty times
    for position, kind in enumerate(dots):
        for radius, name in DOTS[kind]:
            drawn[name] = drawn.get(name, "") + _circle(position * STEP_PX + 5, HEIGHT_PX // 2, radius)
    words = "1 pending" if pending else "" if later else f"{left} left"
    width = len(dots) * STEP_PX + 2
    circles = "".join(f'<path class="{name}" d="{path}"/>' for name, path in drawn.items())
    meter = (
        f'<svg width="{width}" height="{HEIGHT_PX}" viewBox="0 0 {width} {HEIGHT_PX}" role="img" '
        f'aria-label="Refills: {settled} used, {pending:d} pending, {left} left">{circles}</svg>'
        if cap <= MOST_DOTS
        else f'<span class="num">{used} / {cap}</span>'
    )
    # Safe: made of numbers and our own words.
    told = words and f'<span class="sub nowrap">{words}</span>'
    return Markup(f'<span class="refill{" is-later" * later}">{meter}{told}</span>')  # noqa: S704


def _circle(x: int, y: int, radius: float) -> str:
    """A circle as a part of a path."""
    return f"M{x - radius:g} {y}a{radius} {radius} 0 1 0 {2 * radius:g} 0a{radius} {radius} 0 1 0 {-2 * radius:g} 0"


@lru_cache(maxsize=4_096)
def link_tag(address: str, id: str = "") -> Markup:
    """A customer's link with its true host in bold, whatever stands before an @. Only http(s) becomes a link."""
    if not address.lower().startswith(("http://", "https://")):
        return Markup('<span class="host" dir="ltr" title="{0}">{0}</span>').format(address)
    bare, place = address.split("://", 1)[1], authority(address)
    host = place.rsplit("@", 1)[-1]
    before = Markup('<span class="rest">{}</span>').format(place.removesuffix(host)) if place != host else ""
    id_attribute = Markup(' id="{}"').format(id) if id else ""
    return Markup(
        '<a class="host" dir="ltr" href="{0}"{1} title="{0}" rel="noreferrer noopener" target="_blank" '
        'aria-describedby="new-tab">{2}<b>{3}</b><span class="rest">{4}</span></a>'
    ).format(address, id_attribute, before, host, bare[len(place) :])


@lru_cache(maxsize=4_096)
def row_link(address: str, id: str) -> Markup:
    """A customer's link in a row: the network's sign, account or post whole, and the rest of the path under it.

    The sign stands only for a host of the network's own. Any other host gets a globe, and is told whole: of one that
    takes more than two lines the beginning is left out, because its end says whose it is. Only http(s) becomes a link.
    """
    if not address.lower().startswith(("http://", "https://")):
        return Markup('<span class="to net-none" dir="ltr" title="{0}"><span class="to-h">{0}</span></span>').format(
            address
        )
    network, before, main, path = link_parts(address)
    user = Markup('<span class="to-r">{}</span>').format(before) if before else ""
    if network:
        name = NETWORKS[network].name
        lines = Markup(
            '<span class="vh">{} </span><span class="to-a">{}</span><span class="sub to-p">{}</span>'
        ).format(name, main, path)
    elif len(before + main) <= HOST_LINE_CHARACTERS:
        lines = Markup('<span class="to-a">{}<b>{}</b></span><span class="sub to-p">{}</span>').format(user, main, path)
    else:
        end = main if len(main) <= HOST_CHARACTERS else f"…{main[-HOST_CHARACTERS:]}"
        lines = Markup('<span class="to-h"><b>{}</b></span>').format(end)
    return Markup(
        '<a class="to net-{}" dir="ltr" id="{}" href="{}" title="{}" rel="noreferrer noopener" target="_blank" '
        'aria-describedby="new-tab">{}</a>'
    ).format(network or "none", id, address, address, lines)


# ── Buttons ──────────────────────────────────────────────────────────────────────────────────────
@cache
def icon(name: str, cls: str = "i") -> Markup:
    """An icon of the sprite. `name` and the CSS classes `cls` are not escaped, so they must be our own words."""
    use = f'<use href="{static("icons.svg")}#i-{name}"></use>'
    return Markup(f'<svg class="{cls}" viewBox="0 0 16 16" aria-hidden="true">{use}</svg>')  # noqa: S704


@cache
def orders_url() -> str:
    """The path of the orders page, resolved once."""
    return reverse("orders:index")


def act_button(words: str, pk: object, letter: str, noun: str, why: str, question: Question | None = None) -> Markup:
    """A button of an order's row; with `why`, a disabled button that says why when it has the focus.

    It leads to the page with the `question`, which ask.js opens in its place instead. Where the words are “Undo” it
    posts at once, and only its key asks first. It belongs to a form of the page, so that rows need none. All but `why`
    and the question are our own words and ids, and are not escaped.
    """
    key = "r" if letter == "r" else "c"
    name, label = f"o{pk}-{letter}", f'aria-label="{words} order {pk}" data-key="{key}"'
    if why or not question:
        return Markup(  # noqa: S704
            f'<span class="why"><button class="btn" type="button" id="{name}" {label} aria-disabled="true" '
            f'aria-describedby="{name}-w">{words}</button>'
            f'<span class="tip" role="tooltip" id="{name}-w">{escape(why)}</span></span>'
        )
    to = f"{orders_url()}{pk}/{noun}"
    form = f'form="act" formaction="{to}"' if words == UNDO else f'form="ask" formaction="{to}question/"'
    asks = f'data-ask="{escape(question.sentence)}" data-yes="{escape(question.yes)}"'
    return Markup(f'<button class="btn" type="submit" id="{name}" {label} {form} {asks}>{words}</button>')  # noqa: S704


def check_button(pk: object) -> Markup:
    """A button that has an order polled with the next batch; it looks like a copy button."""
    return _small_button(f"o{pk}-n", f"{pk}/looks/", "Check now", f"Check order {pk} now")


def again_button(pk: object) -> Markup:
    """A button that has an order asked for again without waiting for its next try."""
    return _small_button(f"o{pk}-a", f"{pk}/tries/", "Ask again now", f"Ask for order {pk} again now")


def _small_button(id: str, to: str, title: str, label: str) -> Markup:
    return Markup(  # noqa: S704
        f'<button class="copy again" type="submit" id="{id}" form="act" formaction="{orders_url()}{to}" '
        f'title="{title}" aria-label="{label}"></button>'
    )


def copy_button(text: object, what: object, id: str = "") -> Markup:
    """A button that copies `text`, which is escaped; `what` names it. Its icon is the stylesheet's."""
    more = f' id="{escape(id)}"' if id else ""
    more += f' title="Copy {escape(what)}"'
    return Markup(f'<button class="copy" type="button" data-copy="{escape(text)}"{more}></button>')  # noqa: S704
