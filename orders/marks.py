"""Marks that row after row repeats, made once as markup."""

from functools import lru_cache

from markupsafe import Markup

from orders.rules import Refills

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
    bare = address.split("://", 1)[1]
    place = bare.replace("\\", "/").replace("?", "/").replace("#", "/").split("/", 1)[0]
    host = place.rsplit("@", 1)[-1]
    before = Markup('<span class="rest">{}</span>').format(place[: len(place) - len(host)]) if place != host else ""
    named = Markup(' id="{}"').format(id) if id else ""
    return Markup(
        '<a class="host" dir="ltr" href="{0}"{1} title="{0}" rel="noreferrer noopener" target="_blank">{2}<b>{3}</b>'
        '<span class="rest">{4}</span><span class="vh"> (opens in a new tab)</span></a>'
    ).format(address, named, before, host, bare[len(place) :])
