"""Checks a pasted link: it becomes a link worth sending, or a sentence that says why not. Nothing is ever fetched."""

import re
from itertools import product
from typing import NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

LINK_CHARACTERS = 1000  # upstream's limit


class Network(NamedTuple):
    """Where a network lives, and how its addresses look."""

    name: str
    hosts: tuple[str, ...]  # each stands for its subdomains too; the first is the one we write
    profile: str  # what stands before a name in a profile's address, if anything
    post: str  # a pattern that matches only paths of posts
    tracking: frozenset[str]  # parameters that only say who shared it


def _network(name: str, hosts: str, profile: str, post: str, tracking: str = "") -> Network:
    return Network(name, tuple(hosts.split()), profile, post, frozenset(tracking.split()))


NETWORKS = {
    "instagram": _network("Instagram", "instagram.com instagr.am", "", r"/(?:[\w.]+/)?(p|reel|reels|tv|stories)/[^/]+",
                          "igsh igshid"),
    "tiktok": _network("TikTok", "tiktok.com", "@", r"/(@[^/]+/(video|photo)|v|t)/[^/]+",
                       "_r _t is_from_webapp sender_device web_id is_copy_url u_code share_app_id share_link_id"),
    "youtube": _network("YouTube", "youtube.com youtu.be", "@", r"/(watch$|shorts/|live/|post/|embed/)",
                        "si feature pp ab_channel"),
    "telegram": _network("Telegram", "t.me telegram.me telegram.dog", "", r"/(s/)?[^/+]+/\d+"),
    "twitter": _network("X", "x.com twitter.com", "", r"/[^/]+/status/\d+", "s t ref_src ref_url"),
    "facebook": _network("Facebook", "facebook.com fb.com fb.watch fb.me", "",
                         r"/(photo|video|reel|watch|permalink|story|[^/]+/(posts|videos|photos))\b",
                         "mibextid rdid share_url sfnsn __tn__ __cft__[0]"),
    "spotify": _network("Spotify", "spotify.com spotify.link", "", r"/(intl-\w+/)?(track|episode)/", "si nd"),
    "discord": _network("Discord", "discord.gg discord.com discordapp.com", "", r"/channels/\d+/\d+/\d+"),
}  # fmt: skip
# Which whole words in a service's category or name stand for which network.
NETWORK_WORDS = {"ig": "instagram", "x": "twitter", "yt": "youtube", "fb": "facebook", **{key: key for key in NETWORKS}}
NETWORKS_WITHOUT_NAMES = {"spotify", "discord"}  # an @name leads to no address there
POST_HOSTS = {"youtu.be", "fb.watch"}  # every address there is a post

# On any host: who shared it and from which campaign. `ref` and the like stay, for elsewhere they choose a page.
TRACKING_PARAMETERS = frozenset((
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid",
    "yclid", "twclid", "ttclid", "mc_cid", "mc_eid", "igsh", "igshid",
))  # fmt: skip
TRACKING_PREFIX = "utm_"
# What a service sells, by the first such word; the first group is delivered to a profile.
SOLD_PATTERN = re.compile(
    r"\b(?:(followers?|subscribers?|members?|listeners?)"
    r"|\w*(?:likes?|views?|plays?|shares?|votes?|comments?|reactions?|retweets?|impressions?|mentions?))\b",
    re.I,
)

SCHEME_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.I)  # but not `instagram.com:443`
BARE_HOST_PATTERN = re.compile(r"(?://)?[^\s/?#@:.]+(\.[^\s/?#@:.]+)+(:\d+)?([/?#].*)?", re.I)
NAME_PATTERN = re.compile(r"@[\w.-]{1,100}")


class Checkup(NamedTuple):
    """A link as it would be sent, what was mended, and what looks odd; or why it is refused, and then no link."""

    link: str
    mended: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    refused: str = ""


def check(typed: str, network: Network | None = None, *, profile: bool = False) -> Checkup:
    """What a pasted link becomes for a service of this network. `profile`: the service is delivered to a profile."""
    pasted = typed.strip()
    if why := _unfit(pasted):
        return Checkup("", refused=why)
    link, mended = complete_link(pasted, network)
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
    query, trimmed = without_tracking(parts.query, network)
    if trimmed:
        mended.append(f"Left out what only tells who shared it: {', '.join(trimmed)}.")
    link = urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, query, parts.fragment))
    if len(link) > LINK_CHARACTERS:
        return Checkup("", refused=_too_long(link))
    return Checkup(link, tuple(mended), tuple(_oddities(host, parts.path, network, profile=profile)))


def _unfit(pasted: str) -> str:
    """Why no link can be read from these characters, or ""."""
    if not pasted:
        return "Where shall it be delivered?"
    if len(pasted) > LINK_CHARACTERS:
        return _too_long(pasted)
    if any(not character.isprintable() or character.isspace() for character in pasted):
        return "The link has a blank or an invisible character in it."
    if "\\" in pasted:  # a browser reads it as a slash, others do not: the host would depend on who reads
        return "The link has a backslash in it. Write / instead."
    return ""


def _too_long(link: str) -> str:
    return f"Upstream takes links up to {LINK_CHARACTERS} characters; this one has {len(link)}."


def complete_link(pasted: str, network: Network | None) -> tuple[str, list[str]]:
    """Turns `@name` or a bare host into a whole link: the link and what was mended. Anything else stays as it came."""
    if NAME_PATTERN.fullmatch(pasted) and network and network.name.lower() not in NETWORKS_WITHOUT_NAMES:
        link = f"https://{network.hosts[0]}/{network.profile}{quote(pasted[1:])}"
        return link, [f"{pasted} is that name on {network.name}."]
    if BARE_HOST_PATTERN.fullmatch(pasted):
        return f"https://{pasted.removeprefix('//')}", ["Put https:// in front."]
    return pasted, []


def without_tracking(query: str, network: Network | None) -> tuple[str, list[str]]:
    """The query without tracking parameters, the rest untouched byte for byte; and the names of those left out."""
    tracking = TRACKING_PARAMETERS | (network.tracking if network else frozenset())
    useful, trimmed = [], []
    for part in query.split("&"):
        name = unquote_plus(part.partition("=")[0])
        if name.lower() in tracking or name.lower().startswith(TRACKING_PREFIX):
            trimmed.append(name)
        else:
            useful.append(part)
    return "&".join(useful) if trimmed else query, list(dict.fromkeys(trimmed))


def _oddities(host: str, path: str, network: Network | None, *, profile: bool) -> list[str]:
    """What a person should check before ordering, as sentences."""
    odd = []
    if not host.isascii() or "xn--" in host:
        odd.append(f"The host {host} has letters that may only look like the ones they seem to be.")
    if network is None:
        return odd
    if not any(host == own or host.endswith(f".{own}") for own in network.hosts):
        return [*odd, f"This link is on {host}, and the service is for {network.name}."]
    if profile and (host in POST_HOSTS or re.match(network.post, path)):
        odd.append("This looks like a post, and the service is delivered to a profile.")
    return odd


def network_of(category: str, name: str = "") -> Network | None:
    """The network that a service is for: the first that its category names, else its name; None when neither does."""
    words = re.findall(r"\w+", f"{category} {name}".casefold())
    return next((NETWORKS[NETWORK_WORDS[word]] for word in words if word in NETWORK_WORDS), None)


def wants_profile(category: str, name: str = "") -> bool:
    """Whether the service is delivered to a profile, by the words of its category, else of its name."""
    sold = SOLD_PATTERN.search(category) or SOLD_PATTERN.search(name)
    return bool(sold and sold[1])


def authority(link: str) -> str:
    """What stands between `://` and the path, also where `\\` is written for `/`; the host is behind its last @."""
    _, _, rest = link.partition("://")
    return re.split(r"[\\/?#]", rest, maxsplit=1)[0]


def spellings(link: str) -> list[str]:
    """Links that lead to the same place, this link first: with http, `www.` or `m.`, and a last slash, and without."""
    scheme, _, rest = link.partition("://")
    bare = rest.removeprefix("www.").removeprefix("m.").rstrip("/")
    schemes = ("https", "http") if scheme in ("https", "http") else (scheme,)
    others = ("".join(parts) for parts in product(schemes, ["://"], ["", "www.", "m."], [bare], ["", "/"]))
    return list(dict.fromkeys([link, *others]))


def name_of(typed: str) -> str:
    """The bare user name in `@name`, `name` or a profile's address; "" when there is none."""
    pasted = re.split(r"[?#]", typed.strip())[0].rstrip("/")
    name = pasted.rpartition("/")[2].removeprefix("@")
    return name if NAME_PATTERN.fullmatch(f"@{name}") else ""
