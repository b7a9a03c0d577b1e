"""The catalog: about 300 believable services on eight networks, the same on every machine."""

import hashlib
from typing import NamedTuple

from panel.notpanel.sandbox.world.store import Service

ACROSS, DOT = " › ", " | "
FIRST_ID, ID_STEP = 101, 3  # gaps, as in a catalog that is years old


class _Kind(NamedTuple):
    """One thing that a network sells: its base rate (USD per 1000, or per package) and bounds."""

    network: str
    what: str
    type: str
    rate: float
    minimum: int
    maximum: int


class _Grade(NamedTuple):
    """One quality at which a kind is sold. `mark` is what the trade writes into the name."""

    words: str
    mark: str
    price: float
    refill: bool
    cancel: bool
    dripfeed: bool


_KINDS = [
    _Kind(*row)
    for row in [
        ("Instagram", "Followers", "Default", 1.10, 50, 500_000),
        ("Instagram", "Likes", "Default", 0.22, 20, 300_000),
        ("Instagram", "Reels Views", "Default", 0.012, 100, 10_000_000),
        ("Instagram", "Story Views", "Default", 0.09, 100, 80_000),
        ("Instagram", "Comments", "Custom Comments", 6.40, 5, 5_000),
        ("Instagram", "Mentions", "Mentions", 2.80, 100, 50_000),
        ("Instagram", "Auto Likes", "Subscriptions", 0.40, 50, 20_000),
        ("TikTok", "Followers", "Default", 1.95, 50, 250_000),
        ("TikTok", "Likes", "Default", 0.48, 20, 500_000),
        ("TikTok", "Views", "Default", 0.0085, 100, 100_000_000),
        ("TikTok", "Shares", "Default", 0.16, 50, 1_000_000),
        ("TikTok", "Comments", "Custom Comments", 9.20, 5, 2_000),
        ("TikTok", "Auto Views", "Subscriptions", 0.05, 500, 500_000),
        ("YouTube", "Subscribers", "Default", 14.80, 50, 50_000),
        ("YouTube", "Views", "Default", 1.62, 500, 5_000_000),
        ("YouTube", "Likes", "Default", 0.92, 20, 200_000),
        ("YouTube", "Watch Hours", "Default", 11.50, 100, 4_000),
        ("YouTube", "Comments", "Custom Comments", 16.00, 5, 1_000),
        ("YouTube", "Community Poll Votes", "Poll", 3.10, 50, 20_000),
        ("YouTube", "Auto Likes", "Subscriptions", 1.10, 20, 10_000),
        ("Telegram", "Channel Members", "Default", 0.74, 100, 200_000),
        ("Telegram", "Post Views", "Default", 0.018, 50, 1_000_000),
        ("Telegram", "Reactions", "Default", 0.11, 10, 100_000),
        ("Telegram", "Poll Votes", "Poll", 0.65, 20, 50_000),
        ("Telegram", "Premium Boost Package", "Package", 7.90, 1, 1),
        ("Telegram", "Auto Post Views", "Subscriptions", 0.06, 50, 100_000),
        ("X (Twitter)", "Followers", "Default", 3.40, 50, 100_000),
        ("X (Twitter)", "Likes", "Default", 1.70, 20, 50_000),
        ("X (Twitter)", "Retweets", "Default", 1.95, 20, 50_000),
        ("X (Twitter)", "Impressions", "Default", 0.03, 500, 10_000_000),
        ("X (Twitter)", "Poll Votes", "Poll", 1.20, 50, 25_000),
        ("X (Twitter)", "Mentions", "Mentions", 4.10, 50, 20_000),
        ("Facebook", "Page Followers", "Default", 0.95, 100, 300_000),
        ("Facebook", "Post Likes", "Default", 0.55, 50, 100_000),
        ("Facebook", "Video Views", "Default", 0.14, 500, 5_000_000),
        ("Facebook", "Comments", "Custom Comments", 12.50, 5, 1_000),
        ("Facebook", "Group Members", "Default", 1.80, 100, 100_000),
        ("Spotify", "Plays", "Default", 0.28, 1_000, 10_000_000),
        ("Spotify", "Monthly Listeners", "Default", 1.05, 500, 1_000_000),
        ("Spotify", "Followers", "Default", 0.62, 50, 500_000),
        ("Spotify", "Editorial Push Package", "Package", 24.50, 1, 1),
        ("Discord", "Server Members", "Default", 4.60, 50, 20_000),
        ("Discord", "Online Members", "Default", 8.20, 50, 5_000),
        ("Discord", "Boost Package, 14 Boosts, 3 Months", "Package", 38.00, 1, 1),
    ]
]

_GRADES = [
    #      words                                       mark                price  refill cancel drip
    _Grade("Cheapest, No Refill",                      "[NR]",             0.55, False, True,  False),
    _Grade("High Quality",                             "[R30] ♻️",          1.00, True,  True,  True),
    _Grade("Real & Active",                            "★ [R60] ♻️",        1.65, True,  False, True),
    _Grade("Old Accounts With Posts",                  "★ [R365]",         2.40, True,  True,  False),
    _Grade("Instant, Slow After First 10K",            "⚡ [R30]",          1.25, True,  False, False),
    _Grade("Brazil 🇧🇷 Reais e Ativos",                  "[Reposição 30D]",  2.10, True,  True,  True),
    _Grade("Живые, Россия и СНГ",                      "[Гарантия 30 дней]", 1.80, True, True,  True),
    _Grade("حقيقي عربي، الخليج",                         "[R30]",            2.90, True,  False, False),
    _Grade("日本人アカウント・高品質",                     "★",                4.60, False, False, True),
    _Grade("India 🇮🇳 भारतीय", "[R15]",                                      0.95, True,  True,  False),
]  # fmt: skip
_GRADES_PER_KIND = 7  # 44 kinds × 7 = 308 services

_LONG_WORDS = (
    "Best Seller Of The Week, Non-Drop Since 2021, Start 0-5 Minutes, Speed Up To 50K Per Day, Lifetime Button "
    "On Request, No Password Needed, Profile Must Be Public Until The Order Is Complete"
)


def catalog() -> list[Service]:
    """Every service: each kind at some of the grades, the next kind beginning with the next grade."""
    offers = [
        (kind, _GRADES[(number + step) % len(_GRADES)])
        for number, kind in enumerate(_KINDS)
        for step in range(_GRADES_PER_KIND)
    ]
    return [_service(FIRST_ID + number * ID_STEP, kind, grade) for number, (kind, grade) in enumerate(offers)]


def _service(id: int, kind: _Kind, grade: _Grade) -> Service:
    draw = hashlib.blake2b(str(id).encode(), digest_size=2).digest()
    package, lasting = kind.type == "Package", kind.type == "Subscriptions"
    rate = kind.rate * grade.price * (0.92 + draw[0] / 255 * 0.16)
    maximum = kind.maximum if package else max(kind.minimum, kind.maximum >> (draw[1] % 4))
    words = [f"{kind.network} {kind.what}", grade.words]
    if not package:
        words.append(f"Max {_short(maximum)}")
    if draw[0] % 31 == 0:
        words.append(_LONG_WORDS)
    return Service(
        id=id,
        name=f"{DOT.join(words)} {grade.mark}",
        type=kind.type,
        category=f"{kind.network}{ACROSS}{kind.what}",
        rate=f"{rate:.4f}" if rate < 0.1 else f"{rate:.2f}",
        minimum=kind.minimum,
        maximum=maximum,
        refill=int(grade.refill and not lasting),
        cancel=int(grade.cancel),
        dripfeed=int(grade.dripfeed and kind.type == "Default"),
    )


def _short(number: int) -> str:
    """500000 as 500K, 12500000 as 12.5M."""
    for size, letter in ((1_000_000, "M"), (1_000, "K")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return str(number)
