"""Marks that row after row repeats, made once as markup."""

from functools import cache, lru_cache

from django.templatetags.static import static
from django.urls import reverse
from markupsafe import Markup, escape

from orders.rules.eligibility import Refills
from orders.rules.links import authority

MOST_DOTS = 10  # beyond, a figure says it
STEP, SIZE = 12, 18  # px from dot to dot, and of the height
DOTS = {
    "used": '<circle class="u" cx="{x}" cy="9" r="4"/>',
    "pending": '<circle class="pr" cx="{x}" cy="9" r="3.75"/><circle class="p" cx="{x}" cy="9" r="1.75"/>',
    "left": '<circle class="l" cx="{x}" cy="9" r="3.25"/>',
}


def refill_meter(refills: Refills, later: bool) -> Markup:
    """Full used, ringed pending, empty left. `later`: paler, for an order that may not be refilled yet."""
    return _meter(refills.used, refills.pending is not None, refills.cap, later)


@lru_cache(maxsize=512)
def _meter(used: int, pending: bool, cap: int, later: bool) -> Markup:
    left, settled = max(0, cap - used), used - pending
    # No more of them than the cap, which may have been lowered since.
    dots = (["used"] * settled + ["pending"] * pending + ["left"] * left)[:cap]
    said = "1 pending" if pending else "" if later else f"{left} left"
    width = len(dots) * STEP + 2
    drawn = "".join(DOTS[kind].format(x=n * STEP + 5) for n, kind in enumerate(dots))
    meter = (
        f'<svg width="{width}" height="{SIZE}" viewBox="0 0 {width} {SIZE}" role="img" '
        f'aria-label="Refills: {settled} used, {pending:d} pending, {left} left">{drawn}</svg>'
        if cap <= MOST_DOTS
        else f'<span class="num">{used} / {cap}</span>'
    )
    # All of it is made of numbers and our own words.
    return Markup(f'<span class="refill{" is-later" * later}">{meter}<span class="sub nowrap">{said}</span></span>')  # noqa: S704


@lru_cache(maxsize=4_096)
def link_tag(address: str, id: str = "") -> Markup:
    """A customer's link: the true host stands out, whatever stands before an @; only http(s) can be pressed."""
    if not address.lower().startswith(("http://", "https://")):
        return Markup('<span class="host" dir="ltr" title="{0}">{0}</span>').format(address)
    bare, place = address.split("://", 1)[1], authority(address)
    host = place.rsplit("@", 1)[-1]
    before = Markup('<span class="rest">{}</span>').format(place[: len(place) - len(host)]) if place != host else ""
    named = Markup(' id="{}"').format(id) if id else ""
    return Markup(
        '<a class="host" dir="ltr" href="{0}"{1} title="{0}" rel="noreferrer noopener" target="_blank">{2}<b>{3}</b>'
        '<span class="rest">{4}</span><span class="vh"> (opens in a new tab)</span></a>'
    ).format(address, named, before, host, bare[len(place) :])


# ── Buttons ──────────────────────────────────────────────────────────────────────────────────────
@cache
def icon(name: str, cls: str = "i") -> Markup:
    """From the sprite; both words are ours."""
    use = f'<use href="{static("icons.svg")}#i-{name}"></use>'
    return Markup(f'<svg class="{cls}" viewBox="0 0 16 16" aria-hidden="true">{use}</svg>')  # noqa: S704


SMALL = "i i-s"  # an icon's classes


@cache
def orders_url() -> str:
    return reverse("orders:index")


def act_button(words: str, what: str, pk: object, letter: str, noun: str, why: str) -> Markup:
    """Something that may be asked for in a row, or that says why not: off it keeps its place and can be focused.

    It belongs to the form #act, so that rows need none; live.js swaps the row. All but `why` are our own words and ids.
    """
    name, said = f"o{pk}-{letter}", f'{words}<span class="vh"> {what} {pk}</span>'
    if why:
        return Markup(  # noqa: S704
            f'<span class="why"><button class="btn" type="button" id="{name}" aria-disabled="true" '
            f'aria-describedby="{name}-w">{said}</button>'
            f'<span class="tip" role="tooltip" id="{name}-w">{escape(why)}</span></span>'
        )
    to = f"{orders_url()}{pk}/{noun}"
    return Markup(  # noqa: S704
        f'<button class="btn" type="submit" id="{name}" form="act" formaction="{to}">{said}</button>'
    )


def check_button(pk: object) -> Markup:
    """Asks for a look with upstream's next batch; shows itself like a copy button."""
    to = f"{orders_url()}{pk}/looks/"
    return Markup(  # noqa: S704
        f'<button class="copy" type="submit" id="o{pk}-n" form="act" formaction="{to}" title="Check now">'
        f'<span class="vh">Check order {pk} now</span>{icon("again", SMALL)}</button>'
    )


def copy_button(text: object, what: object, id: str = "") -> Markup:
    """Copies `text`, which may be anybody's words."""
    text, what = escape(text), escape(what)
    named = f' id="{escape(id)}"' if id else ""
    return Markup(  # noqa: S704
        f'<button class="copy" type="button" data-copy="{text}"{named} title="Copy {what}">'
        f'<span class="vh">Copy {what}</span>{icon("copy", SMALL)}</button>'
    )
