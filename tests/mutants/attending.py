"""Mistakes that only those notice who do not see the page, or cannot follow what moves: focus, words and pauses."""

from tests.mutants.mistake import Mistake

DESK, LIVE, SETTINGS = "static/desk.js", "static/live.js", "accounts/desk_settings.py"
FOCUS, HEARD, PAUSED = (f"tests/browser/test_{name}.py" for name in ("kept_focus", "heard", "paused"))

MISTAKES = (
    Mistake(
        "a swap that takes the focus away", LIVE,
        "      giveBack();\n", "",
        FOCUS,
    ),
    Mistake(
        "a control that goes and hands its focus on to nothing", LIVE,
        ' ?? place.querySelector("a[href]")', "",
        FOCUS,
    ),
    Mistake(
        "a button that loses the focus once it is pressed", "templates/catalog/_sync.html",
        'type="button" aria-disabled="true"', "disabled",
        FOCUS,
    ),
    Mistake(
        "words that overwrite what was said just before", DESK,
        "if (!saying) say();", "say();",
        HEARD,
    ),
    Mistake(
        "a row that is told again though nothing of it changed", LIVE,
        "fact && fact !== before[at]", "fact",
        HEARD,
    ),
    Mistake(
        "a page that tells all of an order with each change", LIVE,
        "now.filter((sentence) => !before.includes(sentence))", "now",
        HEARD,
    ),
    Mistake(
        "a receipt that says the price and not what is wrong", "templates/orders/placing/_receipt.html",
        'data-says="{{ why }}', 'data-says="',
        HEARD,
    ),
    Mistake(
        "times that tick through a pause", DESK,
        'if ("paused" in root.dataset) return;', "",
        PAUSED,
    ),
    Mistake(
        "a page that asks through a pause", LIVE,
        "asking || since) return;", "asking) return;",
        PAUSED,
    ),
    Mistake(
        "a pause that is forgotten on the next page", "templates/base.html",
        "{%- if inside and user.paused %} data-paused{% endif %}", "",
        f"{PAUSED} tests/accounts/test_preferences.py",
    ),
    Mistake(
        "an order of a quick person that goes before the managers’ delay is over", SETTINGS,
        "max(desk_delay(), timedelta(seconds=person.undo_seconds))",
        "timedelta(seconds=person.undo_seconds) or desk_delay()",
        "tests/accounts/test_desk_settings.py",
    ),
    Mistake(
        "a script whose addresses are served as comments", "panel/site/static_files.py",
        r'rb"^[ \t]*//.*\n"', r'rb"//.*\n"',
        "tests/panel/site/test_static_files.py",
    ),
)  # fmt: skip
