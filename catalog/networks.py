"""The networks that services are for: the words that name them, and where a link leads, in one spelling for each place.

Nothing is fetched, and nothing here is ever sent: an order goes with the link as it was written.
"""

import hashlib
import re
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urljoin

TARGET_CHARACTERS = 200  # fits into a page of any database's index; a longer target ends in its digest


class Kind(StrEnum):
    """What a link leads to, as far as its address tells."""

    PROFILE = "profile"  # or a channel, a group of its own, a server
    POST = "post"
    OTHER = "other"  # a playlist, a group, a short link
    FRONT = "front page"
    SECTION = "section"  # of the network itself, such as its settings
    SIGN_IN = "sign-in page"
    DETOUR = "detour"  # an address that only forwards to another


class Network(NamedTuple):
    """Where a network lives, and how its addresses look."""

    name: str
    hosts: tuple[str, ...]  # each stands for its subdomains too; the first is the one we write
    profile: str  # what stands before a name in a profile's address, if anything
    tracking: frozenset[str]  # parameters that only say who shared it
    params: frozenset[str]  # parameters that choose what the address leads to; no others do
    sections: frozenset[str]  # first parts of paths that are no names
    places: tuple[tuple[Kind, re.Pattern[str], str], ...]


class Place(NamedTuple):
    """Where a link leads. `target` is the same for all links that lead there."""

    target: str
    network: str = ""  # key of NETWORKS
    kind: Kind = Kind.OTHER
    name: str = ""  # of the profile that the address names, as it is written there
    behind: str = ""  # the whole link that a detour or a sign-in page leads on to, if the address tells


def _network(
    name: str, hosts: str, places: list[tuple[Kind, str, str]], *, profile: str = "", tracking: str = "",
    params: str = "", sections: str = "",
) -> Network:  # fmt: skip
    """The words of each text become a set. A place's pattern is matched where the path begins."""
    rows = tuple((kind, re.compile(pattern, re.I), form) for kind, pattern, form in places)
    trackers, choosers, parts = (frozenset(words.split()) for words in (tracking, params, sections))
    return Network(name, tuple(hosts.split()), profile, trackers, choosers, parts, rows)


PROFILE, POST, OTHER = Kind.PROFILE, Kind.POST, Kind.OTHER
# The first place whose pattern fits counts. A pattern reads the path without its last slash, and then the parameters
# among `params`, in the order of their names. `code` keeps its capitals, `name` has none. Each pattern takes an end of
# the path as it comes, for a tab of a profile or the comments of a post are still that profile or post.
NETWORKS = {
    "instagram": _network("Instagram", "instagram.com instagr.am", [
        (POST, r"/share/(?:(?:p|reels?|tv|s)/)?(?P<code>[\w-]+)", "share/{code}"),
        (OTHER, r"/reels/audio/(?P<code>\d+)", "audio/{code}"),
        (POST, r"/stories/highlights/(?P<code>\d+)", "highlights/{code}"),
        (POST, r"/stories/(?P<name>[\w.]+)/(?P<code>\d+)", "stories/{code}"),
        (POST, r"/stories/(?P<name>[\w.]+)", "stories/{name}"),
        (POST, r"/(?:p|reels?|tv)/(?P<code>[\w-]+)", "p/{code}"),
        (POST, r"/(?P<name>[\w.]+)/(?:p|reels?|tv)/(?P<code>[\w-]+)", "p/{code}"),
        (PROFILE, r"/(?:_u/)?@?(?P<name>[\w.]+)", "{name}"),
    ], tracking="igsh igshid",
       sections="explore direct reels reel p tv stories share about legal developer web s"),
    "tiktok": _network("TikTok", "tiktok.com", [
        (POST, r"/@(?P<name>[\w.-]*)/(?:video|photo)/(?P<code>\w+)", "video/{code}"),
        (POST, r"/(?:v|embed(?:/v2)?|player/v1|share/(?:video|item))/(?P<code>\w+)", "video/{code}"),
        (POST, r"/t/(?P<code>\w+)", "t/{code}"),
        (OTHER, r"/vm/(?P<code>\w+)", "t/{code}"),
        (PROFILE, r"/@(?P<name>[\w.-]+)", "@{name}"),
    ], profile="@", sections="foryou following explore live discover tag music search upload messages t v embed share",
       tracking="_r _t is_from_webapp sender_device web_id is_copy_url u_code share_app_id share_link_id"),
    "youtube": _network("YouTube", "youtube.com youtu.be youtube-nocookie.com", [
        (POST, r"/[^?]*\?.*\blb=(?P<code>[\w-]+)", "post/{code}"),
        (POST, r"/watch[^?]*\?.*\bv=(?P<code>[\w-]+)", "watch?v={code}"),
        (POST, r"/(?:v|shorts|live|embed|e|watch)/(?P<code>[\w-]+)", "watch?v={code}"),
        (POST, r"/(?P<what>post|clip)/(?P<code>[\w-]+)", "{what}/{code}"),
        (OTHER, r"/playlist[^?]*\?.*\blist=(?P<code>[\w-]+)", "playlist?list={code}"),
        (PROFILE, r"/channel/(?P<code>[\w-]+)", "channel/{code}"),
        (PROFILE, r"/(?P<what>c|user)/(?P<name>[^/?]+)", "{what}/{name}"),
        (PROFILE, r"/@?(?P<name>[^/?]+)", "@{name}"),
    ], profile="@", tracking="si feature pp ab_channel", params="v list lb",
       sections="watch results feed playlist shorts live post embed gaming premium c user channel redirect hashtag v"),
    "telegram": _network("Telegram", "t.me telegram.me telegram.dog", [
        (PROFILE, r"/(?:\+|joinchat/)(?P<code>[\w-]+)", "+{code}"),
        (POST, r"/c/(?P<chat>\d+)/(?:\d+/)?(?P<code>\d+)", "c/{chat}/{code}"),
        (PROFILE, r"/c/(?P<chat>\d+)", "c/{chat}"),
        (POST, r"/(?P<name>\w{2,})/s/(?P<code>\d+)", "{name}/s/{code}"),
        (POST, r"/(?:s/)?@?(?P<name>\w+)/(?:\d+/)?\d+\?comment=(?P<code>\d+)", "{name}?comment={code}"),
        (POST, r"/(?:s/)?@?(?P<name>\w+)/(?:\d+/)?(?P<code>\d+)", "{name}/{code}"),
        (PROFILE, r"/@?(?P<name>\w+)\?(?P<code>start=.+)", "{name}?{code}"),
        (PROFILE, r"/(?:s/|boost/)?@?(?P<name>\w+)", "{name}"),
    ], params="comment start", sections="joinchat share iv addstickers addemoji addtheme proxy socks bg invoice"),
    "twitter": _network("X", "x.com twitter.com", [
        (POST, r"/(?:i/(?:web/)?)?status(?:es)?/(?P<code>\d+)", "i/status/{code}"),
        (POST, r"/@?(?P<name>\w+)/status(?:es)?/(?P<code>\d+)", "i/status/{code}"),
        (OTHER, r"/i/(?P<what>spaces|broadcasts|communities|lists|events)/(?P<code>\w+)", "i/{what}/{code}"),
        (PROFILE, r"/i/user/(?P<code>\d+)", "i/user/{code}"),
        (PROFILE, r"/intent/(?:user|follow)\?.*\bscreen_name=(?P<name>\w+)", "{name}"),
        (PROFILE, r"/@?(?P<name>\w+)", "{name}"),
    ], tracking="s t ref_src ref_url", params="screen_name",
       sections="i home explore search hashtag intent share notifications messages settings compose tos privacy jobs"),
    "facebook": _network("Facebook", "facebook.com fb.com fb.watch fb.me", [
        (PROFILE, r"/fb\.me/(?P<name>(?-i:[a-z.]+))(?=$|[/?])", "{name}"),
        (OTHER, r"/fb\.me/(?P<code>[^?]+)", "fb.me/{code}"),
        (POST, r"/fb\.watch/(?P<code>[\w-]+)", "fb.watch/{code}"),
        (OTHER, r"/share/g/(?P<code>[\w-]+)", "share/{code}"),
        (POST, r"/share/(?:[pvr]/)?(?P<code>[\w-]+)", "share/{code}"),
        (POST, r"/groups/[^/?]+/(?:posts|permalink)/(?P<code>\w+)", "post/{code}"),
        (POST, r"/groups/[^/?]+\?.*\bmulti_permalinks=(?P<code>\w+)", "post/{code}"),
        (OTHER, r"/groups/(?P<name>[^/?]+)", "groups/{name}"),
        (POST, r"/(?:watch|video)[^?]*\?.*\bv=(?P<code>\d+)", "video/{code}"),
        (POST, r"/(?:reel|(?P<name>[\w.-]+)/(?:videos|reels))/(?:[^/?]+/)?(?P<code>\d+)", "video/{code}"),
        (POST, r"/[^?]*\bphoto[^?]*\?.*\bfbid=(?P<code>\d+)", "photo/{code}"),
        (POST, r"/(?P<name>[\w.-]+)/photos/(?:[^/?]+/)?(?P<code>\d+)", "photo/{code}"),
        (POST, r"/(?:story|permalink)\.php\?.*\bstory_fbid=(?P<code>\w+)", "post/{code}"),
        (POST, r"/(?P<name>[\w.-]+)/posts/(?:[^/?]+/)?(?P<code>[\w.-]+)", "post/{code}"),
        (POST, r"/media/set[^?]*\?.*\bset=(?P<code>[\w.]+)", "media/{code}"),
        (OTHER, r"/events/(?P<code>\d+)", "events/{code}"),
        (PROFILE, r"/profile\.php\?.*\bid=(?P<code>\d+)", "{code}"),
        (PROFILE, r"/(?:people|pages)/(?:[^/?]+/)*?(?P<code>\d+)(?=$|[/?])", "{code}"),
        (PROFILE, r"/p/[^/?]*?(?P<code>\d{5,})(?=$|[/?])", "{code}"),
        (PROFILE, r"/(?:pg/)?(?P<name>[\w.-]+)", "{name}"),
    ], tracking="mibextid rdid share_url sfnsn __tn__ __cft__[0]", params="v id fbid story_fbid set multi_permalinks",
       sections="home.php watch marketplace gaming share sharer sharer.php dialog plugins hashtag search events help "
                "policies photo photo.php story.php profile.php permalink.php video.php groups pages people messages "
                "notifications friends business legal privacy stories reel media settings r.php reg l.php p"),
    "spotify": _network("Spotify", "spotify.com spotify.link", [
        (POST, r"/(?:intl-\w+/)?(?:embed/)?(?P<what>track|episode)/(?P<code>\w+)", "{what}/{code}"),
        (OTHER, r"/(?:intl-\w+/)?(?:embed/)?(?P<what>album|playlist|show)/(?P<code>\w+)", "{what}/{code}"),
        (PROFILE, r"/(?:intl-\w+/)?(?:embed/)?artist/(?P<code>\w+)", "artist/{code}"),
        (PROFILE, r"/(?:intl-\w+/)?user/(?P<name>[^/?]+)", "user/{name}"),
        (OTHER, r"/spotify\.link/(?P<code>\w+)", "link/{code}"),
    ], tracking="si nd", sections="search collection download premium"),
    "discord": _network("Discord", "discord.gg discord.com discordapp.com", [
        (PROFILE, r"/invite/(?P<code>[\w-]+)", "invite/{code}"),
        (POST, r"/channels/(?P<code>\d+/\d+/\d+)", "channels/{code}"),
    ], sections="app download nitro discover safety blog"),
}  # fmt: skip
NETWORKS_WITHOUT_NAMES = {"spotify", "discord"}  # an @name leads to no address there
NAMES_WITHOUT_DOTS = {"facebook"}  # john.smith and johnsmith are one page there

OWNERS = {host: key for key, network in NETWORKS.items() for host in network.hosts}
# Hosts whose paths are short for other ones, and how those begin in the patterns above.
SHORT_HOSTS = {
    "youtu.be": "/v", "discord.gg": "/invite", "fb.me": "/fb.me", "fb.watch": "/fb.watch",
    "vm.tiktok.com": "/vm", "vt.tiktok.com": "/vm", "spotify.link": "/spotify.link",
}  # fmt: skip
OWNERS |= {host: OWNERS.get(host) or OWNERS[host.partition(".")[2]] for host in SHORT_HOSTS}
# First parts of hosts that show the same pages for another screen or in another language.
SAME_PAGES = re.compile(r"(?:www\d?|m|mobile|mbasic|touch|web|free|open|music|[a-z]{2}-[a-z]{2}|[a-z]{2})\.")
SAME_PAGES_ANYWHERE = re.compile(r"^(?:(?:www|m|mobile)\.)+")
WITH_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.I)
LANGUAGE_PARAMETERS = frozenset(("hl", "lang", "locale", "language", "gl"))  # of networks; elsewhere a page of its own
# On any host: who shared it and from which campaign. `ref` and the like stay, for elsewhere they choose a page.
TRACKING_PARAMETERS = frozenset((
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid",
    "yclid", "twclid", "ttclid", "mc_cid", "mc_eid", "igsh", "igshid",
))  # fmt: skip
TRACKING_PREFIX = "utm_"
SIGN_IN_HOSTS = {"accounts.google.com", "accounts.spotify.com", "consent.youtube.com", "consent.google.com"}
SIGN_IN_PATH = re.compile(
    r"/(?:accounts/(?:login|signup|emailsignup)|login(?:\.php)?|sign-?in|sign-?up|servicelogin|challenge"
    r"|checkpoint|recover|i/flow/(?:login|signup))(?=$|/)",
    re.I,
)
# Hosts and paths that only forward: to what a parameter of theirs says.
DETOURS = re.compile(
    r"(?:l|lm)\.(?:instagram|facebook|messenger|threads)\.(?:com|net)/|out\.reddit\.com/"
    r"|[\w.-]*google\.[a-z.]{2,6}/url\b|(?:[\w-]+\.)*facebook\.com/(?:l\.php|flx/warn|sharer(?:\.php)?|dialog)/"
    r"|(?:[\w-]+\.)*youtube\.com/(?:redirect|attribution_link)\b|(?:[\w-]+\.)*tiktok\.com/link/"
    r"|(?:[\w-]+\.)*(?:x|twitter)\.com/(?:intent/(?:tweet|post)|share|i/redirect)\b"
    r"|(?:t|telegram)\.me/(?:share|iv)\b|vk\.com/away|href\.li/|[\w.-]+\.safelinks\.protection\.outlook\.com/",
    re.I,
)


# Which words in a service's category or name, folded, stand for which network.
NETWORK_WORDS = {
    "instagram": r"instagram|insta|igtv|ig", "tiktok": r"tik[ -]?tok", "youtube": r"you[ -]?tube|yt",
    "telegram": r"telegram|tg", "facebook": r"face[ -]?book|fb", "spotify": r"spotify", "discord": r"discord",
    # A lone x is a network's name only where a name or a part of one begins: “Likes x Views” and “2 x 500” name none.
    "twitter": r"twitter|(?:(?<=^)|(?<=[^\w\s])|(?<=[^\w\s]\s)|(?<=\s-\s))(?<!\w-)x(?!-\w|\s*\d)",
}  # fmt: skip
NETWORK_PATTERN = re.compile(
    r"(?<![^\W_])(?:" + "|".join(f"(?P<{key}>{words})" for key, words in NETWORK_WORDS.items()) + r")(?![^\W_])"
)


# ── What an address says ─────────────────────────────────────────────────────────────────────────
def authority(link: str) -> str:
    """What stands between `://` and the path, also where `\\` is written for `/`; the host is behind its last @."""
    _, _, rest = link.partition("://")
    return re.split(r"[\\/?#]", rest, maxsplit=1)[0]


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


@lru_cache(maxsize=1024)
def owner_of(host: str) -> tuple[str, str]:
    """The network that a host belongs to (key of NETWORKS, "" for none), and the host of it that shows the same pages.

    That host is "" for a subdomain with pages of its own, such as help.instagram.com.
    """
    labels = host.split(".")
    key = next((OWNERS[own] for n in range(len(labels)) if (own := ".".join(labels[n:])) in OWNERS), "")
    while key and host not in OWNERS and (first := SAME_PAGES.match(host)):
        host = host[first.end() :]
    return key, host if host in OWNERS else ""


def place_of(link: str) -> Place:
    """Where a link leads, also one without `https://` in front. It reads any text, and raises for none."""
    whole = link.strip() if WITH_SCHEME.match(link.strip()) else f"https://{link.strip().removeprefix('//')}"
    netloc = authority(whole)
    host = netloc.rsplit("@", 1)[-1].casefold()
    host = (host if host.endswith("]") else host.split(":", 1)[0]).rstrip(".")
    rest, _, fragment = whole.partition("://")[2][len(netloc) :].partition("#")
    path, _, query = rest.replace("\\", "/").partition("?")
    path = re.sub("//+", "/", f"/{unquote(path)}").rstrip("/") or fragment.removeprefix("!").rstrip("/") * (
        fragment.startswith("!/")  # twitter.com/#!/lumen
    )
    key, own = owner_of(host)
    if key == "telegram" and not own:  # lumen.t.me
        own, path = "t.me", f"/{host.split('.')[0]}{path}"
    network = NETWORKS.get(key)
    for kind, fits in (
        (Kind.SIGN_IN, host in SIGN_IN_HOSTS or (own and SIGN_IN_PATH.match(path))),
        (Kind.DETOUR, DETOURS.match(f"{host}{path}/")),
    ):
        if fits:
            return Place(_elsewhere(host, path, query, fragment, network), key, kind, behind=_behind(whole, query))
    if network and own:
        return _place_on(network, key, own, path, query)
    return Place(_elsewhere(host, path, query, fragment, network), key, Kind.SECTION if key else Kind.OTHER)


def _place_on(network: Network, key: str, host: str, path: str, query: str) -> Place:
    """Where a path and a query of this network lead."""
    chosen = sorted((name, value) for name, value in parse_qsl(query) if name in network.params)
    text = "&".join(f"{name}={value}" for name, value in chosen)
    whole_path = SHORT_HOSTS.get(host, "") + path if path else ""
    address = f"{whole_path}?{text}" if text else whole_path
    if not address:
        return Place(network.hosts[0], key, Kind.FRONT)
    first_part = f"{whole_path}/".split("/")[1].casefold()
    is_section = first_part in network.sections
    for kind, pattern, form in network.places:
        if match := pattern.match(address):
            parts = match.groupdict(default="")
            name = parts.get("name", "").rstrip(".")
            if is_section and name.casefold() == first_part:
                continue
            plain = name.replace(".", "") if key in NAMES_WITHOUT_DOTS else name
            parts |= {"name": plain.casefold()}
            return Place(f"{network.hosts[0]}/{form.format(**parts)}", key, kind, name)
    kind = Kind.SECTION if is_section else Kind.OTHER
    return Place(_elsewhere(network.hosts[0], path, query, "", network), key, kind)


def _elsewhere(host: str, path: str, query: str, fragment: str, network: Network | None) -> str:
    """The one spelling of an address of which nobody here knows how it is made up: only what is sure is left out."""
    useful = sorted(filter(None, without_tracking(query, network)[0].split("&")))
    if network:
        useful = [part for part in useful if part.partition("=")[0] not in LANGUAGE_PARAMETERS]
    # Only such a fragment chooses a page; others choose a place on it.
    route = f"#{fragment}" if fragment.startswith(("/", "!")) else ""
    return f"{SAME_PAGES_ANYWHERE.sub('', host)}{path}{'?' if useful else ''}{'&'.join(useful)}{route}"


def _behind(link: str, query: str) -> str:
    """The whole link that a parameter of this one holds, or ""."""
    for _, value in parse_qsl(query):
        if re.match(r"(?:https?:/)?/[^/]", value, re.I):
            with suppress(ValueError):
                return urljoin(link, quote(value, safe="%/:=&?~#+!$,;'@()*[]", errors="replace"))
    return ""


# ── What a reader looks for ──
class LinkParts(NamedTuple):
    """A link as a row of a list shows it."""

    network: str  # key of NETWORKS; "" where the host is none of a network's own
    before: str  # what stands before an @ in front of the host: never the host, whatever it looks like
    main: str  # the account or the post; the whole host where the network is not known
    path: str  # what else the address says


def link_parts(link: str) -> LinkParts:
    """What a reader looks for in an http(s) link. Only a network's own host counts as that network."""
    netloc = authority(link)
    host = netloc.rsplit("@", 1)[-1]
    rest = link.partition("://")[2][len(netloc) :]
    key, own = owner_of(host.casefold())
    if netloc != host or not own:
        return LinkParts("", netloc.removesuffix(host), host, rest)
    place = place_of(link)
    code = re.split(r"[/=]", place.target)[-1]
    first = rest.strip("/").split("/")[0].partition("?")[0].partition("#")[0]
    for main in (place.name, code, first) if place.kind != Kind.FRONT else ():
        if main and (match := re.search(rf"(?<=[/=])(@?{re.escape(main)})(?=$|[/?&#])", rest)):
            before, question, _ = rest[: match.start()].partition("?")
            after = rest[match.end() :]
            after = f"?{after[1:]}" if question and after.startswith("&") else after
            path = before.rstrip("/") + after
            return LinkParts(key, "", match[1], path if path.strip("/") else rest if main != code else host)
    return LinkParts(key, "", host, rest)


# ── One spelling ─────────────────────────────────────────────────────────────────────────────────
def target_of(link: str, network: Network | None = None) -> str:
    """One text for all links that lead to the same profile or post; "" for no link.

    `@name` is a profile's if the network is given and has names.
    """
    if link.startswith("@"):
        whole = profile_link(link, network)
        target = place_of(whole).target if whole else link.casefold()
    elif link.strip():
        place = place_of(link)
        target = place_of(place.behind).target if place.behind else place.target
    else:
        target = ""
    target = target.replace("\0", "")  # from %00; PostgreSQL takes none
    if len(target) <= TARGET_CHARACTERS:
        return target
    digest = hashlib.sha256(target.encode(errors="replace")).hexdigest()
    return f"{target[: TARGET_CHARACTERS - len(digest)]}{digest}"


def profile_link(name: str, network: Network | None) -> str:
    """The address of the profile of this `@name`, or "" where an @name leads to none."""
    if network is None or network.name.lower() in NETWORKS_WITHOUT_NAMES:
        return ""
    return f"https://{network.hosts[0]}/{network.profile}{quote(name.removeprefix('@'))}"
