"""Mistakes in asking first, and in what an order's page claims: what one stray key or an old fact must not do."""

from tests.mutants.mistake import Mistake

ASK, KEYS = "static/ask.js", "static/keys.js"
ASKING, QUESTIONS = "tests/browser/test_asking_first.py", "tests/orders/aftersale/test_question_page.py"
ON_THE_PAGE = "tests/orders/detail/test_order_page.py"

MISTAKES = (
    Mistake(
        "a cancel that goes at one press", "orders/table/markup.py",
        'if words == UNDO else f', 'if letter != "r" else f',
        QUESTIONS,
    ),
    Mistake(
        "a yes that leads to another host", "orders/table/replies.py",
        'safe = path != "/" and url_has_allowed_host_and_scheme(path, allowed_hosts=None)', 'safe = path != "/"',
        QUESTIONS,
    ),
    Mistake(
        "a question that takes the second half of a double click", ASK,
        "performance.now() - asked.at > DEAF", "performance.now() > 0",
        ASKING,
    ),
    Mistake(
        "a question that a blank in a text answers", ASK,
        '(key === " " && asked.letter) || ', "",
        ASKING,
    ),
    Mistake(
        "a question about what is no longer offered", ASK,
        "button?.dataset.ask && address(button) === to", "true",
        ASKING,
    ),
    Mistake(
        "a letter that leads away from a form", KEYS,
        "!does || rests(key) || ", "!does || ",
        ASKING,
    ),
    Mistake(
        "a proof that calls one order what is in doubt", "templates/orders/detail/_proof.html",
        'task.outcome == "done" and is_known -%}', 'task.outcome == "done" -%}',
        ON_THE_PAGE,
    ),
    Mistake(
        "an open page that never hears of the balance after the tries", "orders/detail/evidence.py",
        "return BALANCE_MARK if", 'return "" if',
        ON_THE_PAGE,
    ),
    Mistake(
        "a trouble with two banners", "templates/site/_trouble.html",
        "{% if bar.trouble and not (bar.stopped_at and not bar.stopped_by and not bar.old_since) %}",
        "{% if bar.trouble %}",
        ON_THE_PAGE,
    ),
    Mistake(
        "a raw answer that a poll folds again", "templates/components.html",
        'id="{{ id }}" hx-preserve{% endif %}{% if open %}', 'id="{{ id }}"{% endif %}{% if open %}',
        "tests/browser/test_one_order.py",
    ),
)  # fmt: skip
