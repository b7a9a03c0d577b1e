"""Pieces of HTML that rows repeat: refill meters, links, icons and buttons, cached where many rows share them."""

from functools import cache, lru_cache

from django.templatetags.static import static
from django.urls import reverse
from markupsafe import Markup, escape

from catalog.networks import authority
from orders.rules.eligibility import Refills

MOST_DOTS = 10  # refills; with more the meter is a figure
STEP_PX = 12  # from dot to dot
HEIGHT_PX = 18
SMALL_ICON = "i i-s"  # CSS classes
DOTS = {
    "used": '<circle class="u" cx="{x}" cy="9" r="4"/>',
    "pending": '<circle class="pr" cx="{x}" cy="9" r="3.75"/><circle class="p" cx="{x}" cy="9" r="1.75"/>',
    "left": '<circle class="l" cx="{x}" cy="9" r="3.25"/>',
}


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
    words = "1 pending" if pending else "" if later else f"{left} left"
    width = len(dots) * STEP_PX + 2
    circles = "".join(DOTS[kind].format(x=n * STEP_PX + 5) for n, kind in enumerate(dots))
    meter = (
        f'<svg width="{width}" height="{HEIGHT_PX}" viewBox="0 0 {width} {HEIGHT_PX}" role="img" '
        f'aria-label="Refills: {settled} used, {pending:d} pending, {left} left">{circles}</svg>'
        if cap <= MOST_DOTS
        else f'<span class="num">{used} / {cap}</span>'
    )
    # Safe: made of numbers and our own words.
    return Markup(f'<span class="refill{" is-later" * later}">{meter}<span class="sub nowrap">{words}</span></span>')  # noqa: S704


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
        '<a class="host" dir="ltr" href="{0}"{1} title="{0}" rel="noreferrer noopener" target="_blank">{2}<b>{3}</b>'
        '<span class="rest">{4}</span><span class="vh"> (opens in a new tab)</span></a>'
    ).format(address, id_attribute, before, host, bare[len(place) :])


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


def act_button(words: str, what: str, pk: object, letter: str, noun: str, why: str) -> Markup:
    """A button that posts to `noun` of an order; with `why`, a disabled button that says why when it has the focus.

    It belongs to the form #act, so that rows need no form; live.js swaps the row. All but `why` are our own words and
    ids, and are not escaped.
    """
    name, content = f"o{pk}-{letter}", f'{words}<span class="vh"> {what} {pk}</span>'
    if why:
        return Markup(  # noqa: S704
            f'<span class="why"><button class="btn" type="button" id="{name}" aria-disabled="true" '
            f'aria-describedby="{name}-w">{content}</button>'
            f'<span class="tip" role="tooltip" id="{name}-w">{escape(why)}</span></span>'
        )
    to = f"{orders_url()}{pk}/{noun}"
    return Markup(f'<button class="btn" type="submit" id="{name}" form="act" formaction="{to}">{content}</button>')  # noqa: S704


def check_button(pk: object) -> Markup:
    """A button that has an order polled with the next batch; it looks like a copy button."""
    to = f"{orders_url()}{pk}/looks/"
    return Markup(  # noqa: S704
        f'<button class="copy" type="submit" id="o{pk}-n" form="act" formaction="{to}" title="Check now">'
        f'<span class="vh">Check order {pk} now</span>{icon("again", SMALL_ICON)}</button>'
    )


def again_button(pk: object) -> Markup:
    """A button that has an order asked for again without waiting for its next try."""
    to = f"{orders_url()}{pk}/tries/"
    return Markup(  # noqa: S704
        f'<button class="copy" type="submit" id="o{pk}-a" form="act" formaction="{to}" title="Ask again now">'
        f'<span class="vh">Ask for order {pk} again now</span>{icon("again", SMALL_ICON)}</button>'
    )


def copy_button(text: object, what: object, id: str = "") -> Markup:
    """A button that copies `text`, which is escaped; `what` names it."""
    text, what = escape(text), escape(what)
    id_attribute = f' id="{escape(id)}"' if id else ""
    return Markup(  # noqa: S704
        f'<button class="copy" type="button" data-copy="{text}"{id_attribute} title="Copy {what}">'
        f'<span class="vh">Copy {what}</span>{icon("copy", SMALL_ICON)}</button>'
    )
