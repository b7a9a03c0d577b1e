"""Mistakes between colleagues: a night that is told wrongly, work that two people do, and a press that asks nobody."""

from tests.mutants.mistake import Mistake

SECTIONS, EVENTS, SHIFT = (f"orders/handover/{name}.py" for name in ("sections", "events", "shift_notes"))
MANY, NEXT, REPLIES = "orders/teamwork/assign_many.py", "orders/teamwork/take_next.py", "orders/table/replies.py"
PEOPLE, BAR = "accounts/models/people.py", "panel/site/status_bar.py"
PAGE, RECOUNT = "tests/orders/handover/test_page.py", "tests/orders/handover/test_recount.py"
TOGETHER, SHARING = "tests/orders/teamwork/test_together.py", "tests/orders/teamwork/test_sharing.py"

MISTAKES = (
    Mistake(
        "what a colleague dealt with still counts as open", SECTIONS,
        "    if deal:\n", "    if deal and deal.by is None:\n",
        PAGE,
    ),
    Mistake(
        "what somebody did before it ended badly counts as dealt with", SECTIONS,
        "act.at >= thing.at or ", "True or ",
        RECOUNT,
    ),
    Mistake(
        "an order that the team had cancelled counts as a bad end", SECTIONS,
        "    if any(task.asked_at <= thing.at for task in cancels):\n", "    if False:\n",
        PAGE,
    ),
    Mistake(
        "events that were written late are not found", EVENTS,
        "    return min(after or 0, before or 0)\n", "    return after or 0\n",
        PAGE,
    ),
    Mistake(
        "a reload in the morning moves the end of the last day", PEOPLE,
        "When(seen_at__lte=now - DAY_PAUSE, then", "When(seen_at__lte=now - SEEN_EVERY, then",
        PAGE,
    ),
    Mistake(
        "a form that wrote a note says yes to another text", SHIFT,
        "    if (note.by_id, note.text) != (by.pk, text):\n", "    if note.by_id != by.pk:\n",
        PAGE,
    ),
    Mistake(
        "assigning many takes orders from who took them meanwhile", MANY,
        "if whose == saw[pk] and whose != wanted]", "if whose != wanted]",
        SHARING,
    ),
    Mistake(
        "two people take the same next order", NEXT,
        "Order.objects.filter(still, pk=pk, assigned_to=None)", "Order.objects.filter(pk=pk)",
        SHARING,
    ),
    Mistake(
        "a press beside a colleague who decides is done at once", REPLIES,
        "        if {str(one.pk) for one in deciding} <= ", "        if True or set() <= ",
        TOGETHER,
    ),
    Mistake(
        "one yes holds for everybody who may come", REPLIES,
        'request.POST.getlist("despite")}:', 'request.POST.getlist("despite")} or "despite" in request.POST:',
        TOGETHER,
    ),
    Mistake(
        "who has gone is still at the order", BAR,
        "PRESENT: adapt(timezone.now() - STILL_THERE)", "PRESENT: adapt(timezone.now() - 9999 * STILL_THERE)",
        TOGETHER,
    ),
)  # fmt: skip
