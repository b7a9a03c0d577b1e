"""Mistakes for those who see little or use no mouse: focus out of sight, cells under wrong heads, faint bars."""

from tests.mutants.mistake import Mistake

DESK, LISTS, ROWS = "static/css/desk.css", "static/css/lists.css", "static/pick.js"
STOPS, HEADS, SEEN = (f"tests/browser/test_{name}.py" for name in ("tab_stops", "table_heads", "seen_by_all"))
WALK = f"{STOPS}::test_no_tab_stop_of_any_page_is_hidden_and_each_page_has_one_name"
WAY = f"{STOPS}::test_the_way_to_the_first_order_and_from_the_ticks_to_what_is_done_with_them"
DRAWN = f"{SEEN}::test_what_is_drawn_stands_out_also_in_a_persons_own_colours"

MISTAKES = (
    Mistake(
        "lines that lie over each other where letters are larger", DESK,
        "html { -webkit-text-size-adjust: 100%;", "body { line-height: 20px !important; } html {",
        "tests/browser/test_large_text.py",
    ),
    Mistake(
        "a width that does not grow with its letters", "static/css/order.css",
        ".p-new { padding-block-end: 15rem; }", ".p-new { padding-block-end: 15rem; min-width: 3000px; }",
        "tests/browser/test_large_text.py",
    ),
    Mistake(
        "what has the focus lies under a phone's bars", DESK,
        "html { scroll-padding-block: 7rem 4.75rem; }", "html { scroll-padding-block: 0; }",
        WALK,
    ),
    Mistake(
        "bars that keep most of a low screen", DESK,
        ".bar, .page :is(.side, .grid th, .picked, .fresh-slot, .bar-b) { position: static; }", "",
        WALK,
    ),
    Mistake(
        "a phone's table head whose stops nobody sees", LISTS,
        "background: var(--sunk); clip-path: none; }", "background: var(--sunk); }",
        WALK,
    ),
    Mistake(
        "a page whose heading does not name it", "templates/orders/reports/balance.html",
        '<span class="vh">: Balance</span>', "",
        WALK,
    ),
    Mistake(
        "a menu that stays open over what has the focus", "static/desk.js",
        'for (const kind of ["click", "focusin"]) {', 'for (const kind of ["click"]) {',
        f"{STOPS}::test_a_menu_closes_when_the_focus_leaves_it",
    ),
    Mistake(
        "a menu that closes when its own ground is pressed", "static/desk.js",
        '&& (kind === "click" || !target.contains(menu))', "",
        f"{STOPS}::test_a_menu_closes_when_the_focus_leaves_it",
    ),
    Mistake(
        "a reason that goes when a pointer comes", DESK,
        '.tip::before { content: "";', '.tip::before { content: none;',
        f"{STOPS}::test_a_reason_can_be_pointed_at_and_goes_on_escape",
    ),
    Mistake(
        "rows whose every button is a stop of Tab", ROWS,
        "stops(part).at(shiftKey ? 0 : -1).focus({ preventScroll: true });", "",
        WAY,
    ),
    Mistake(
        "rows that forget where one was", ROWS,
        "(document.getElementById(at) ?? rows.querySelector(\".id\"))", "rows.querySelector(\".id\")",
        WAY,
    ),
    Mistake(
        "a cell under the head of another", LISTS,
        "thead .c-link { position: absolute; clip-path: inset(50%); }", "thead .c-link { display: none; }",
        HEADS,
    ),
    Mistake(
        "rows without a header", "templates/orders/table/cells/id.html",
        'role="rowheader"', 'role="cell"',
        HEADS,
    ),
    Mistake(
        "bars whose end nobody sees", DESK,
        "border-block-end: 1px solid var(--field);", "border-block-end: 1px solid var(--line);",
        DRAWN,
    ),
    Mistake(
        "links too close for an unsteady hand", LISTS,
        "  .grid-o:not(.own) :is(.name, .to, .to-p, .to-h) { line-height: 1.5rem; }",
        "  .grid-o:not(.own) :is(.name, .to, .to-p, .to-h) { line-height: 1rem; }",
        f"{SEEN}::test_no_aim_is_too_small_on_screens_between",
    ),
    Mistake(
        "a sign-in that says what is wrong where nobody is", "templates/components.html",
        '<div role="alert" tabindex="-1" autofocus>', '<div role="alert">',
        f"{SEEN}::test_a_wrong_sign_in_leads_to_what_is_wrong",
    ),
    Mistake(
        "a name that is read aloud in the language of one of its words", "panel/format/languages.py",
        "if 2 * count > letters", "if count",
        "tests/panel/format/test_languages.py",
    ),
)  # fmt: skip
