"""Mistakes in polls: which orders a call names, and what is made of upstream's report."""

from tests.mutants.mistake import Mistake

CAMPAIGN = "tests/campaign/test_campaign.py"
FOLLOWING = "orders/following/poll.py"
CLAIM = "orders/following/claim.py"
ABSORB = "orders/following/absorb.py"
SPLIT_POLLS = "orders/following/split.py"
POISONED_POLLS = "tests/orders/following/test_poisoned_polls.py"

MISTAKES = (
    Mistake(
        "a call filled up with what another worker has in its hand",
        CLAIM,
        "if row.order_id not in in_calls or row.urgency in ASKED",
        "if True",
        "tests/orders/rules/test_poll_schedule.py",
    ),
    Mistake(
        "a wish to know that came during a call is forgotten",
        FOLLOWING,
        "        if poll.urgency in ASKED:\n            order",
        "        if False:\n            order",
        "tests/orders/rules/test_poll_schedule.py",
    ),
    Mistake(
        "a look that came along in a ring's call, and counts for nothing",
        "orders/rules/poll_schedule.py",
        "            return asked_at + pause\n",
        "            pass\n",
        "tests/orders/rules/test_poll_schedule.py",
    ),
    Mistake(
        "a poll whose worker died is never made again",
        "orders/models/poll.py",
        "for call in calls if call.ends_at > now for",
        "for call in calls for",
        CAMPAIGN,
    ),
    Mistake(
        "orders of a call that failed are due again at once",
        FOLLOWING,
        "            polls.put_off(call.ends_at)\n",
        "",
        POISONED_POLLS,
    ),
    Mistake(
        "a changed figure is taken for nothing new",
        ABSORB,
        "report.start_count, report.remains)\n    troubled",
        "report.start_count, order.remains)\n    troubled",
        "tests/orders/following/test_nothing_new.py",
    ),
    Mistake(
        "an order that upstream names again stays in doubt",
        ABSORB,
        "troubled = order.left_out or order.missing_since or ",
        "troubled = order.missing_since or ",
        "tests/orders/following/test_nothing_new.py",
    ),
    Mistake(
        "a poll that changed nothing is forgotten",
        "orders/models/order.py",
        "latest(self.reported_at, poll and poll.reported_at)",
        "self.reported_at",
        "tests/orders/following/test_nothing_new.py",
    ),
    Mistake(
        "an order that upstream leaves out goes on being polled with others",
        FOLLOWING,
        "        poll.queue = queue_of(order.left_out)\n",
        "",
        "tests/orders/following/test_missing.py",
    ),
    Mistake(
        "what upstream left out once is asked after no more",
        FOLLOWING,
        "now + LONGEST_PAUSE if alone else next_poll_by_age(order.created_at, now)",
        "None",
        "tests/orders/following/test_following.py",
    ),
    Mistake(
        "the first charge is the last",
        ABSORB,
        "    if report.charge is not None:\n",
        "    if report.charge is not None and order.charge is None:\n",
        CAMPAIGN,
    ),
    Mistake(
        "an older report overwrites a newer one",
        ABSORB,
        "    if is_overtaken(order, report, now or timezone.now()):\n        return [], None\n",
        "",
        "tests/orders/following/test_following.py",
    ),
    Mistake(
        "a batch that asks for what is asked for alone",
        CLAIM,
        "due = Poll.objects.together().due(now)",
        "due = Poll.objects.due(now)",
        "tests/orders/following/test_missing.py",
    ),
    Mistake(
        "an order that upstream does not know is given up",
        "orders/following/poll.py",
        "    order.next_poll_at = now + LONGEST_PAUSE if alone else",
        "    order.next_poll_at = None if alone else",
        "tests/orders/following/test_missing.py",
    ),
    Mistake(
        "one answer, taken in twice, revives an order",
        "orders/following/anomalies.py",
        "report.asked_at <= order.checked_at",
        "report.asked_at < order.checked_at",
        "tests/orders/following/test_anomalies.py",
    ),
    Mistake(
        "one bad id silences the orders that are polled with it",
        SPLIT_POLLS,
        "            poll_apart(again, smaller_share(len(again)), now)",
        "            pass",
        POISONED_POLLS,
    ),
    Mistake(
        "polls are split while upstream answers nobody",
        SPLIT_POLLS,
        "    if Sending.answered_since(STATUS, max(order.failing_since or now for order in again)):",
        "    if True:",
        POISONED_POLLS,
    ),
    Mistake(
        "a bad id goes on being polled with others",
        SPLIT_POLLS,
        "queue=Queue.ALONE, ",
        "",
        POISONED_POLLS,
    ),
    Mistake(
        "an order that upstream answers again stays a suspect",
        FOLLOWING,
        "            order.failing_since = None\n",
        "",
        POISONED_POLLS,
    ),
    Mistake(
        "completed with something left is believed",
        "orders/following/anomalies.py",
        "facts.status == Status.COMPLETED and (facts.remains or 0) > 0",
        "False",
        "tests/orders/following/test_anomalies.py",
    ),
    Mistake(
        "a report counts as overtaken by one that lies in the future",
        ABSORB,
        "report.asked_at < known_at <= now + CLOCKS_APART",
        "report.asked_at < known_at",
        "tests/orders/following/test_following.py",
    ),
)
