"""Checks a pasted link: it becomes a link worth sending, or a sentence that says why not. Nothing is ever fetched.

Also what an order is found by, written down when it is placed: later names and categories do not move old orders.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from accounts.models import User
from catalog.models import Service
from catalog.networks import (
    NETWORK_PATTERN,
    NETWORKS,
    WITH_SCHEME,
    Kind,
    Network,
    Place,
    authority,
    owner_of,
    place_of,
    profile_link,
    target_of,
    without_tracking,
)
from panel.format.letters import folded

LINK_CHARACTERS = 1000  # upstream's limit
HOST_CHARACTERS = 100
SEARCH_TEXT_CHARACTERS = 2_000  # a link has at most 1,000, a service's name 500

# What a service sells, by the first such word: the first group is delivered to a profile, the second to a post.
SOLD_PATTERN = re.compile(
    r"\b(?:(followers?|subscribers?|members?|listeners?)"
    r"|(\w*(?:likes?|views?|plays?|shares?|reactions?|retweets?|reposts?|impressions?|saves?))"
    r"|\w*(?:votes?|comments?|mentions?))\b"
)
# Where likes or views may be sold for more than one post: page likes, live stream views, views on the last 10 posts.
SOLD_FOR_ALL_PATTERN = re.compile(
    r"\b(?:page|profile|channel|group|server|account|stor(?:y|ies)|highlights?|live|livestream|stream|auto(?:matic)?"
    r"|playlist|album|podcast|show|artist)\W+(?:\w+\W+)?\w*(?:likes?|views?|plays?|shares?|reactions?|impressions?)\b"
    r"|\b(?:\d+|last|next|latest|recent|future|all|each|every)\W+(?:\w+\W+)?posts?\b"
)

SCHEME_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.I)  # but not `instagram.com:443`
BARE_HOST_PATTERN = re.compile(r"(?://)?[^\s/?#@:.]+(\.[^\s/?#@:.]+)+(:\d+)?([/?#].*)?", re.I)
NAME_PATTERN = re.compile(r"@[\w.-]{1,100}")

# ── What goes around a link by mistake ───────────────────────────────────────────────────────────
# Characters that show nothing, though Python calls them printable: variants of emoji, letters without a shape.
BLANK_LETTERS = "\u034f\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f"
MARKS_BEFORE = "<([{\"'“”„‘’«»*"
MARKS_AFTER = ".,;:!?>)]}\"'“”‘’«»*"
PAIRS = {")": "(", "]": "["}  # a link may end in one that it opened itself
CUT_OFF_PATTERN = re.compile(r"…|%E2%80%A6|\.{3}|\.{2}$", re.I)
SCHEME_TWICE_PATTERN = re.compile(r"(?:https?:/*)+(?=https?:?//)", re.I)
BETWEEN_LINKS_PATTERN = re.compile(r"[\s,;|]+")
INNER_LINK_PATTERN = re.compile(r"(?<!^)(?<!=)https?:/", re.I)
# Not the short hosts: `x.com` may be the end of a name.
LONG_HOSTS = [re.escape(host) for network in NETWORKS.values() for host in network.hosts if len(host) > len("fb.watch")]
INNER_HOST_PATTERN = re.compile(rf"(?:{'|'.join(LONG_HOSTS)})/", re.I)
NEVER_IN_A_PATH_PATTERN = re.compile(r"[\s,;:|<>\"“”^`{}*\[\]]")  # of a network
# Short addresses, which tell nothing of where they lead.
SHORTENERS = frozenset((
    "bit.ly", "bitly.com", "j.mp", "tinyurl.com", "t.co", "goo.gl", "cutt.ly", "is.gd", "v.gd", "rb.gy", "ow.ly",
    "buff.ly", "shorturl.at", "t.ly", "s.id", "lnkd.in", "rebrand.ly", "tiny.cc", "surl.li", "clck.ru", "vk.cc",
    "dub.sh", "spoti.fi", "dlvr.it", "trib.al", "u.to", "tr.ee", "adf.ly", "short.gy", "bl.ink",
))  # fmt: skip


class Checkup(NamedTuple):
    """A link as it would be sent, what was mended, and what looks odd; or why it is refused, and then no link."""

    link: str
    mended: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    refused: str = ""

    @property
    def doubt(self) -> str:
        """What a person's tick agrees to: this link, with all that looks odd about it; "" when nothing does."""
        return " ".join((self.link, *self.odd)) if self.odd else ""


def check(typed: str, network: Network | None = None, *, profile: bool = False, post: bool = False) -> Checkup:
    """What a pasted link becomes for a service of this network.

    `profile`: the service is delivered to a profile; `post`: to a single post.
    """
    pasted, mended = without_marks(typed.strip())
    if why := _unfit(pasted):
        return Checkup("", refused=why)
    link, completed = complete_link(pasted, network)
    if not SCHEME_PATTERN.match(link):
        return Checkup("", refused="Write the whole link, beginning with https://.")
    try:
        parts = urlsplit(link)
        host, user, _ = parts.hostname or "", parts.username is not None or parts.password is not None, parts.port
    except ValueError:
        return Checkup("", refused="This is not a link that a browser would open.")
    if parts.scheme.lower() not in ("http", "https") or not host.strip("."):
        return Checkup("", refused="Only links that begin with https:// or http:// can be ordered for.")
    if user:
        return Checkup("", refused="The link holds a user name or password. Leave that part out.")
    place = place_of(link)
    if why := _leads_nowhere(place, parts.path):
        return Checkup("", refused=why)
    query, trimmed = without_tracking(parts.query, network)
    mended += completed
    if trimmed:
        mended.append(f"Left out what only tells who shared it: {', '.join(trimmed)}.")
    link = urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, query, parts.fragment))
    if len(link) > LINK_CHARACTERS:
        return Checkup("", refused=_too_long(link))
    return Checkup(link, tuple(mended), tuple(_oddities(host, place, network, profile=profile, post=post)))


def without_marks(pasted: str) -> tuple[str, list[str]]:
    """The text without invisible and punctuation marks around it, and what was taken off, as sentences."""
    mended = []
    link = _strip_unseen(pasted)
    if link != pasted:
        where = "at the end" if pasted.startswith(link) else "in front" if pasted.endswith(link) else "on both sides"
        mended.append(f"Took off an invisible mark {where}.")
    if (bare := link.lstrip(MARKS_BEFORE)) != link:
        mended.append(f"Took off the {link[: len(link) - len(bare)]} in front.")
    end = len(bare)
    while end and bare[end - 1] in MARKS_AFTER and not CUT_OFF_PATTERN.search(bare):
        opened = PAIRS.get(bare[end - 1])
        if opened and bare[:end].count(opened) >= bare[:end].count(bare[end - 1]):
            break
        end -= 1
    if end < len(bare):
        mended.append(f"Took off the {bare[end:]} at the end.")
    link = bare[:end]
    if twice := SCHEME_TWICE_PATTERN.match(link):
        mended.append(f"Took off {twice[0]} in front, which stood there twice.")
        link = link[twice.end() :]
    return link, mended


def _strip_unseen(text: str) -> str:
    def seen(character: str) -> bool:
        return unicodedata.category(character) != "Cf" and character not in BLANK_LETTERS and not character.isspace()

    first = next((n for n, character in enumerate(text) if seen(character)), len(text))
    last = next((n for n, character in enumerate(reversed(text)) if seen(character)), 0)
    return text[first : len(text) - last]


def _unfit(pasted: str) -> str:
    """Why no link can be read from these characters, or ""."""
    if not pasted:
        return "Where shall it be delivered?"
    if len(pasted) > LINK_CHARACTERS:
        return _too_long(pasted)
    if _holds_two(pasted):
        return "These are two links. Write one; the other is an order of its own."
    if "|" in pasted:
        return "Write the link alone, without the | and what stands beside it."
    if any(not character.isprintable() or character.isspace() or character in BLANK_LETTERS for character in pasted):
        return "The link has a blank or an invisible character in it."
    if "\\" in pasted:  # a browser reads it as a slash, others do not: the host would depend on who reads
        return "The link has a backslash in it. Write / instead."
    if CUT_OFF_PATTERN.search(pasted):
        return "The link is cut off where the dots stand. Copy the whole link."
    return ""


def _holds_two(pasted: str) -> bool:
    """Whether two links or names stand in the text, with something between them or glued together."""
    pieces = [piece for piece in BETWEEN_LINKS_PATTERN.split(pasted) if piece]
    if len(pieces) > 1 and all(piece.startswith("@") for piece in pieces):
        return True
    if sum(bool(re.match(r"https?:/|www\.", p, re.I) or ("." in p and place_of(p).network)) for p in pieces) > 1:
        return True
    return any(map(_is_glued, pieces))


def _is_glued(piece: str) -> bool:
    """Whether one link follows another with nothing between them. Outside the networks a path may hold a link."""
    network = place_of(piece).network
    if any(network or piece[match.start() - 1] != "/" for match in INNER_LINK_PATTERN.finditer(piece)):
        return True
    path = WITH_SCHEME.sub("", piece).removeprefix("//").partition("?")[0].partition("/")[2]
    return bool(network and INNER_HOST_PATTERN.search(f"{path}/"))


def _too_long(link: str) -> str:
    return f"The supplier takes links up to {LINK_CHARACTERS} characters; this one has {len(link)}."


def _leads_nowhere(place: Place, path: str) -> str:
    """Why nothing can be delivered at this place, or ""."""
    name = NETWORKS[place.network].name if place.network else "the network"
    instead = f" Write the link behind it: {place.behind}" if place.behind else " Open it, and copy the address there."
    if place.kind == Kind.FRONT:
        return f"This is the front page of {name}. Write the link of the profile or the post."
    if place.kind == Kind.SIGN_IN:
        return f"This is the sign-in page of {name}, which shows no profile and no post.{instead}"
    if place.kind == Kind.DETOUR:
        return f"This link only forwards to another.{instead}"
    if place.network and (wrong := NEVER_IN_A_PATH_PATTERN.search(unquote(path))):
        return f"The link has a {wrong[0].strip() or 'blank'} in it, as no link of {name} has. Write the link alone."
    return ""


def complete_link(pasted: str, network: Network | None) -> tuple[str, list[str]]:
    """Turns `@name` or a bare host into a whole link: the link and what was mended. Anything else stays as it came."""
    if NAME_PATTERN.fullmatch(pasted) and network and (link := profile_link(pasted, network)):
        return link, [f"{pasted} is that name on {network.name}."]
    if BARE_HOST_PATTERN.fullmatch(pasted):
        return f"https://{pasted.removeprefix('//')}", ["Put https:// in front."]
    return pasted, []


def _oddities(host: str, place: Place, network: Network | None, *, profile: bool, post: bool) -> list[str]:
    """What a person should check before ordering, as sentences."""
    odd = []
    if not host.isascii() or "xn--" in host:
        odd.append(f"The host {host} has letters that may only look like the ones they seem to be.")
    if host.removeprefix("www.") in SHORTENERS:
        odd.append(f"{host} forwards to another address, and nobody here can tell to which.")
    if network is None:
        return odd
    if NETWORKS.get(owner_of(host.rstrip("."))[0]) is not network:
        return [*odd, f"This link is on {host}, and the service is for {network.name}."]
    if profile and place.kind == Kind.POST:
        odd.append("This looks like a post, and the service is delivered to a profile.")
    if post and place.kind == Kind.PROFILE:
        odd.append("This looks like a profile, and the service is delivered to a post.")
    if place.kind == Kind.SECTION:
        odd.append(f"This looks like a page of {network.name} itself, neither a profile nor a post.")
    return odd


# ── What a service is for ────────────────────────────────────────────────────────────────────────
def network_of(category: str, name: str = "") -> Network | None:
    """The network that a service is for: the first that its category names, else its name; None when neither does."""
    named = NETWORK_PATTERN.search(folded(category)) or NETWORK_PATTERN.search(folded(name))
    return NETWORKS[str(named.lastgroup)] if named else None


def wants_profile(category: str, name: str = "") -> bool:
    """Whether the service is delivered to a profile, by the words of its category, else of its name."""
    sold = _sold(category, name)
    return bool(sold and sold[1])


def wants_post(category: str, name: str = "") -> bool:
    """Whether the service is delivered to a single post: it sells likes or views, and not for a page or many posts."""
    sold = _sold(category, name)
    return bool(sold and sold[2] and not SOLD_FOR_ALL_PATTERN.search(folded(f"{category} | {name}")))


def _sold(category: str, name: str) -> re.Match[str] | None:
    return SOLD_PATTERN.search(folded(category)) or SOLD_PATTERN.search(folded(name))


# ── A name where a name is wanted ────────────────────────────────────────────────────────────────
def name_of(typed: str, network: Network | None = None) -> str:
    """The bare user name in `@name`, `name`, or a link that names a profile of this network; "" when there is none.

    Without a network, in a link of any network.
    """
    pasted, _ = without_marks(typed.strip())
    place = place_of(pasted)
    own = NETWORKS.get(place.network)
    if WITH_SCHEME.match(pasted) or (own and not pasted.startswith("@")):
        name = place.name if own is (network or own) and place.kind in (Kind.PROFILE, Kind.POST) else ""
    else:
        name = re.split(r"[?#]", pasted)[0].strip("/").removeprefix("@")
    return name if NAME_PATTERN.fullmatch(f"@{name}") and not CUT_OFF_PATTERN.search(name) else ""


# ── What an order is found by ────────────────────────────────────────────────────────────────────
class SearchFields(NamedTuple):
    """The columns of an order that lists and searches use."""

    network: str
    category: str
    host: str
    haystack: str
    target: str


def search_fields(service: Service, link: str, body: Mapping[str, str], person: User) -> SearchFields:
    """The search fields of an order for this link, with this body, by this person."""
    network = network_of(service.category, service.name)
    names = (service.upstream_id, service.name, service.category, person.name, person.username)
    search_text = folded(" ".join(map(str, (without_scheme(link), body.get("username", ""), *names))))
    return SearchFields(
        network.name.lower() if network else "", service.category, host_of(link), search_text[:SEARCH_TEXT_CHARACTERS],
        target_of(link, network),
    )  # fmt: skip


def without_scheme(link: str) -> str:
    """`instagram.com/p/1` for `https://www.instagram.com/p/1`."""
    scheme, separator, rest = link.partition("://")
    return (rest if separator and scheme.isalpha() else link).removeprefix("www.")


def host_of(link: str) -> str:
    """The host that a link truly leads to, whatever stands before an @, without `www.`; "" if it is no address."""
    host = authority(link).rsplit("@", 1)[-1]
    host = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return host.casefold().removeprefix("www.")[:HOST_CHARACTERS]


def with_reference(search_text: str, was: str, now: str) -> str:
    """A search text in which another reference of the customer's stands in front. "" is none."""
    rest = search_text.removeprefix(f"{folded(was)} ") if was else search_text
    return f"{folded(now)} {rest}".lstrip()[:SEARCH_TEXT_CHARACTERS]
