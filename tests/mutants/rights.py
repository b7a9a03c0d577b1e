"""Mistakes about who may do what, who sees money, and who stays in charge."""

from tests.mutants.mistake import Mistake

ACCESS = "accounts/access.py"
SWITCHES = "tests/accounts/roles/test_switches.py"
MONEY = "tests/panel/test_no_money.py"
WALK = "tests/panel/test_every_right.py"
PEOPLE = "tests/accounts/team/test_people.py"

MISTAKES = (
    Mistake(
        "a switch takes an owner’s right", ACCESS,
        "    if cell in (ON, OFF) and (kept := chosen.get(", "    if (kept := chosen.get(",
        SWITCHES,
    ),
    Mistake(
        "an action without what it wants", ACCESS,
        "return cell in (ALWAYS, ON) and all(is_on(role, wanted, chosen) for wanted in row.wants)",
        "return cell in (ALWAYS, ON)",
        SWITCHES,
    ),
    Mistake(
        "what was switched holds on no page", "accounts/desk_settings.py",
        "        with switches_held(chosen):\n", "        with switches_held({}):\n",
        SWITCHES,
    ),
    Mistake(
        "a form that came back in part switches all off", "accounts/roles/switches.py",
        "sent[SAW + name] for name in SWITCHES if sent.get(SAW + name) in (ON, OFF)}",
        "sent.get(SAW + name, ON) for name in SWITCHES}",
        SWITCHES,
    ),
    Mistake(
        "an old page of the roles overwrites a colleague", "accounts/roles/switches.py",
        "return desk_settings.change(typed, seen, by=by, at=at)",
        "return desk_settings.change(wanted, seen, by=by, at=at)",
        SWITCHES,
    ),
    Mistake(
        "managers switch roles", "accounts/roles/switches.py",
        'if why := why_not(by, "people"):', 'if why := why_not(by, "settings"):',
        SWITCHES,
    ),
    Mistake(
        "everybody sees money", "accounts/preferences.py",
        'money_seen(may(person, "money"))', "money_seen(True)",
        MONEY,
    ),
    Mistake(
        "a file has the charges", "orders/table/export.py",
        "return {head: column for head, column in COLUMNS.items() if may_see(user, column.field)}",
        "return {**COLUMNS}",
        f"{MONEY}::test_a_file_leaves_the_columns_out",
    ),
    Mistake(
        "a list tells the charges by its order", "orders/table/listing.py",
        "        fields.append(SORTS[sorting].tells)\n", "        pass\n",
        f"{MONEY}::test_a_list_does_not_tell_by_its_order_or_its_filter",
    ),
    Mistake(
        "a job is picked by charge", "orders/bulk/views.py",
        "        refuse_to_tell(request.user, QueryDict(match))\n", "",
        f"{MONEY}::test_a_job_is_not_picked_by_charge",
    ),
    Mistake(
        "upstream’s words tell the amounts", "panel/format/money.py",
        "return AMOUNT.sub(HIDDEN, MONEY_FIELD.sub(rf\"\\g<1>{HIDDEN}\", text))", "return text",
        MONEY,
    ),
    Mistake(
        "the order form carries the rate", "catalog/models.py",
        "return plain if sees_money() else", "return plain if plain else",
        f"{MONEY}::test_an_order_is_placed_by_who_sees_no_price_and_its_price_is_locked_all_the_same",
    ),
    Mistake(
        "the record keeps no amount of who may not see it", "panel/format/locale.py",
        'with written_for("", ""), money_seen(True):', 'with written_for("", ""):',
        f"{MONEY}::test_an_order_is_placed_by_who_sees_no_price_and_its_price_is_locked_all_the_same",
    ),
    Mistake(
        "who may refill may cancel", "orders/urls.py",
        'refill, cancel = needs("refill"), needs("cancel")', 'refill, cancel = needs("refill"), needs("refill")',
        f"{WALK}::test_every_address_asks_for_its_own_action",
    ),
    Mistake(
        "an alarm leads to the balance those who may not see it", "templates/alarms/_alarm.html",
        " and may(user, kind.needs) -%}", " -%}",
        WALK,
    ),
    Mistake(
        "the last owner demotes themselves", "accounts/team/change.py",
        "        raise Refused(last)\n", "        pass\n",
        PEOPLE,
    ),
    Mistake(
        "an owner who was demoted a moment ago changes a role", "accounts/team/change.py",
        'if why := why_not(User.objects.get(pk=by.pk), "people"):', 'if why := why_not(by, "people"):',
        PEOPLE,
    ),
    Mistake(
        "an old page overwrites a role", "accounts/team/change.py",
        "        if fresh.role != saw:\n", "        if not saw:\n",
        PEOPLE,
    ),
)  # fmt: skip
