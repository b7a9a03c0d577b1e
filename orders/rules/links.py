"""The link doctor: what a person pasted becomes a link worth sending, or a sentence that says why not.

Pure functions over words. Nothing is ever fetched.
"""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

MOST_CHARACTERS = 1000  # upstream's limit


class Network(NamedTuple):
    """Where a network lives, and how its addresses look."""

    name: str
    hosts: tuple[str, ...]  # each stands for its subdomains too; the first is the one we write
    profile: str  # what stands before a name in a profile's address; "" when names lead nowhere
    post: str  # a pattern that only paths of posts fit
    tracking: frozenset[str]  # parameters that only say who shared it


def _network(name: str, hosts: str, profile: str, post: str, tracking: str = "") -> Network:
    return Network(name, tuple(hosts.split()), profile, post, frozenset(tracking.split()))


# One network may be written into a service's name in several ways: the words on the left, as whole words.
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
WORDS = {"ig": "instagram", "x": "twitter", "yt": "youtube", "fb": "facebook", **{name: name for name in NETWORKS}}
NO_NAMES = {"spotify", "discord"}  # an @name has no address there
WHOLE_HOSTS_OF_POSTS = {"youtu.be", "fb.watch"}

# On any host: who shared it and from which campaign. `ref` and the like stay, for elsewhere they choose a page.
TRACKING = frozenset((
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid",
    "yclid", "twclid", "ttclid", "mc_cid", "mc_eid", "igsh", "igshid",
))  # fmt: skip
TRACKING_BEGINS = "utm_"
# What a service sells, by the first such word; the first group is delivered to a profile.
SOLD = re.compile(
    r"\b(?:(followers?|subscribers?|members?|listeners?)"
    r"|\w*(?:likes?|views?|plays?|shares?|votes?|comments?|reactions?|retweets?|impressions?|mentions?))\b",
    re.I,
)

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.I)  # but not `instagram.com:443`
BARE_HOST = re.compile(r"(?://)?[^\s/?#@:.]+(\.[^\s/?#@:.]+)+(:\d+)?([/?#].*)?", re.I)
NAME = re.compile(r"@[\w.-]{1,100}")


class Checkup(NamedTuple):
    """A link as it would be sent, what was mended, what looks odd; or why it is refused, and then no link."""

    link: str
    mended: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    refused: str = ""


def authority(link: str) -> str:
    """What stands between `://` and the path, also where `\\` is written for `/`; the host is behind its last @."""
    _, _, rest = link.partition("://")
    return rest.replace("\\", "/").replace("?", "/").replace("#", "/").split("/", 1)[0]


def network_of(category: str, name: str = "") -> Network | None:
    """The network that a service is for, by its category's words, else by its name's; None when none is named."""
    for words in (category, name):
        for word in re.findall(r"\w+", words.casefold()):
            if word in WORDS:
                return NETWORKS[WORDS[word]]
    return None


def wants_profile(category: str, name: str = "") -> bool:
    """Whether what is sold is delivered to a profile, by the words of the service."""
    sold = SOLD.search(category) or SOLD.search(name)
    return bool(sold and sold[1])


def check(typed: str, network: Network | None = None, *, profile: bool = False) -> Checkup:
    """What becomes of a pasted link, for a service of that network that may want a profile."""
    pasted = typed.strip()
    if why := unfit(pasted):
        return Checkup("", refused=why)
    link, mended = completed(pasted, network)
    if not SCHEME.match(link):
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
    if len(link) > MOST_CHARACTERS:
        return Checkup("", refused=too_long(link))
    return Checkup(link, tuple(mended), tuple(oddities(host, parts.path, network, profile=profile)))


def unfit(pasted: str) -> str:
    """Why no link can be read out of these characters; "" when one may."""
    if not pasted:
        return "Where shall it be delivered?"
    if len(pasted) > MOST_CHARACTERS:
        return too_long(pasted)
    if any(not character.isprintable() or character.isspace() for character in pasted):
        return "The link has a blank or an invisible character in it."
    if "\\" in pasted:  # a browser reads it as a slash, others do not: the host would depend on who reads
        return "The link has a backslash in it. Write / instead."
    return ""


def too_long(link: str) -> str:
    return f"Upstream takes links up to {MOST_CHARACTERS} characters; this one has {len(link)}."


def completed(pasted: str, network: Network | None) -> tuple[str, list[str]]:
    """`@name` and a bare host as a whole link, and what was done; anything else as it came."""
    if NAME.fullmatch(pasted) and network and network.name.lower() not in NO_NAMES:
        link = f"https://{network.hosts[0]}/{network.profile}{quote(pasted[1:])}"
        return link, [f"{pasted} is that name on {network.name}."]
    if BARE_HOST.fullmatch(pasted):
        return f"https://{pasted.removeprefix('//')}", ["Put https:// in front."]
    return pasted, []


def without_tracking(query: str, network: Network | None) -> tuple[str, list[str]]:
    """The query with what only tracks left out, the rest untouched byte for byte; and the names left out."""
    tracks = TRACKING | (network.tracking if network else frozenset())
    kept, trimmed = [], []
    for part in query.split("&"):
        name = unquote_plus(part.partition("=")[0])
        if name.lower() in tracks or name.lower().startswith(TRACKING_BEGINS):
            trimmed.append(name)
        else:
            kept.append(part)
    return "&".join(kept) if trimmed else query, list(dict.fromkeys(trimmed))


def oddities(host: str, path: str, network: Network | None, *, profile: bool) -> list[str]:
    """What a person should look at twice."""
    odd = []
    if not host.isascii() or "xn--" in host:
        odd.append(f"The host {host} has letters that may only look like the ones they seem to be.")
    if network is None:
        return odd
    if not any(host == own or host.endswith(f".{own}") for own in network.hosts):
        return [*odd, f"This link is on {host}, and the service is for {network.name}."]
    if profile and (host in WHOLE_HOSTS_OF_POSTS or re.match(network.post, path)):
        odd.append("This looks like a post, and the service is delivered to a profile.")
    return odd


def spellings(link: str) -> list[str]:
    """Links that lead to the same place: with and without `www.` and a last slash."""
    scheme, _, rest = link.partition("://")
    rest = rest.removeprefix("www.")
    without, with_slash = rest.rstrip("/"), rest.rstrip("/") + "/"
    return list(dict.fromkeys([link, *(f"{scheme}://{www}{tail}" for www in ("", "www.")
                                       for tail in (without, with_slash))]))  # fmt: skip


def name_of(typed: str) -> str:
    """The bare user name in `@name`, `name` or a profile's address; "" when there is none."""
    pasted = re.split(r"[?#]", typed.strip())[0].rstrip("/")
    name = pasted.rpartition("/")[2].removeprefix("@")
    return name if NAME.fullmatch(f"@{name}") else ""
