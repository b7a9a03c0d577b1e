"""The mistakes: each a small change that a hurried person could make, and the tests that must fail with it."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """`old` stands exactly once in `file` and becomes `new`; `tests` are what must notice, each way alone."""

    name: str
    file: str
    old: str
    new: str
    tests: str  # one argument for pytest, with blanks between several


CAMPAIGN = "tests/campaign/test_campaign.py"
CRASHES = "tests/campaign/test_failpoints.py"
OUTCOMES = "tests/orders/test_outcomes.py"
CARRYING, FOLLOWING = "orders/carrying.py", "orders/following.py"
BATCHES, ENDINGS, AFTERSALE, RULES = "orders/batches.py", "orders/endings.py", "orders/aftersale.py", "orders/rules.py"
REFILLS, CANCELS = "tests/orders/test_refills.py", "tests/orders/test_cancels.py"
CRASH_IN_CALL = f"{CRASHES}::test_a_crash_there_loses_nothing_and_doubles_nothing[wish.answered]"
RULE_TABLE, TWO_PEOPLE = "tests/orders/test_rule_table.py", "tests/orders/test_two_people.py"
BUDGET, TEST_BUDGET = "panel/notpanel/budget.py", "tests/notpanel/test_budget.py"
MODELS, SETS, TASKS = "orders/models.py", "orders/sets.py", "orders/tasks.py"
LISTING = "tests/orders/test_listing.py"
LATE = "tests/orders/test_late.py"
DELIVERIES = "tests/notpanel/test_sandbox_deliveries.py"
CLIENT, WIRE = "panel/notpanel/client.py", "tests/notpanel/test_client_wire.py"

MISTAKES = (
    # ── Sent twice ───────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a new id on every retry", CARRYING,
        "client.place(task.order.body, request_id=str(task.order.request_id))",
        'client.place(task.order.body, request_id=f"{task.order.request_id}-{task.attempts}")',
        CAMPAIGN,
    ),
    Mistake(
        "a token in the form that nobody looks at", SETS,
        "form_token=token, placed_by=by,", "form_token=None, placed_by=by,",
        CAMPAIGN,
    ),
    Mistake(
        "a repeat that goes on for ever, beyond what upstream remembers", TASKS,
        "now < self.unclear_since + window", "now < now + window",
        OUTCOMES,
    ),
    Mistake(
        "a claim that does not look whether it is first", TASKS,
        "mine = self.filter(pk=task.pk, due_at=task.due_at, settled_at=None)", "mine = self.filter(pk=task.pk)",
        "tests/orders/test_claims.py",
    ),
    Mistake(
        "a claim that never runs out", TASKS,
        '"due_at": now + lease,', '"due_at": now + lease * 100_000,',
        "tests/orders/test_claims.py",
    ),
    Mistake(
        "a client that repeats an order by itself", CLIENT,
        "if hung_up and action in READS and line.left()", "if hung_up and line.left()",
        WIRE,
    ),
    Mistake(
        "a claim that is not counted as a try", TASKS,
        '"attempts": task.attempts + 1,', '"attempts": task.attempts,',
        OUTCOMES,
    ),
    # ── Lost ─────────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a timeout means failed", CARRYING,
        "    Rule(Unclear,", '    Rule(Unclear, Ending.REFUSED, "stays", True, "over"),\n    Rule(Unclear,',
        CAMPAIGN,
    ),
    Mistake(
        "a refusal after a lost answer means rejected", CARRYING,
        '    if rule.then in ("over", "money") and task.was_unclear:', "    if False:",
        OUTCOMES,
    ),
    Mistake(
        "every lost answer is left to a person", CARRYING,
        "    elif in_doubt and not task.trusted(now):", "    elif in_doubt:",
        CAMPAIGN,
    ),
    Mistake(
        "the doubt is not written down before a byte is sent", TASKS,
        '"unclear_since": task.unclear_since or now,', '"unclear_since": task.unclear_since,',
        CRASHES,
    ),
    Mistake(
        "the outcome is written before the answer", CARRYING,
        '        fp("add.send")\n',
        '        Task.objects.filter(pk=task.pk).update(outcome="done", settled_at=started_at, due_at=None)\n'
        '        fp("add.send")\n',
        CRASHES,
    ),
    Mistake(
        "order and task are written apart", SETS,
        "            with transaction.atomic():\n                order = self.create(",
        "            if True:\n                order = self.create(",
        CRASHES,
    ),
    Mistake(
        "an answer and its order are written apart", CARRYING,
        "        with transaction.atomic():\n            end(task, Ending.PLACED",
        "        if True:\n            end(task, Ending.PLACED",
        CRASHES,
    ),
    Mistake(
        "a late writer wins", TASKS,
        "mine = Task.objects.filter(pk=self.pk, attempts=self.attempts, due_at=self.claimed_until, settled_at=None)",
        "mine = Task.objects.filter(pk=self.pk)",
        OUTCOMES,
    ),
    Mistake(
        "a mistake of our own is repeated", CARRYING,
        "to_review(task, \"a mistake of the desk’s own", "log.info(\"a mistake of the desk’s own",
        OUTCOMES,
    ),
    Mistake(
        "a database that is away turns a yes into a question", CARRYING,
        "    except DatabaseError:\n        raise ", "    except ZeroDivisionError:\n        raise ",
        OUTCOMES,
    ),
    Mistake(
        "one upstream id for two orders goes unseen", CARRYING,
        "    except IntegrityError:\n        other", "    except ZeroDivisionError:\n        other",
        OUTCOMES,
    ),
    Mistake(
        "less than a full fsync", "panel/settings.py",
        "synchronous=FULL", "synchronous=NORMAL",
        "tests/campaign/test_power_loss.py",
    ),
    # ── Refills and cancels ──────────────────────────────────────────────────────────────────────
    Mistake(
        "a refill in doubt is repeated by the machine", BATCHES,
        "    mine = task.settle(Outcome.UNCLEAR, str(trouble), at=now)\n",
        "    mine = give_back(task, now, trouble, counts=True, unclear=True)\n",
        CAMPAIGN,
    ),
    Mistake(
        "a refill whose worker died in mid-call is sent again", BATCHES,
        "    if broken := [task for task in tasks if task.was_unclear]:\n"
        "        take_in(broken, dict.fromkeys(ids_of(broken), Unclear(BROKE_OFF)))\n"
        "    send(client, Kind.REFILL, [task for task in tasks if not task.was_unclear])",
        "    send(client, Kind.REFILL, tasks)",
        CRASH_IN_CALL,
    ),
    Mistake(
        "a refill pending upstream is ours without a doubt before it", BATCHES,
        "    if ALREADY_PENDING in said and doubted and", "    if ALREADY_PENDING in said and",
        REFILLS,
    ),
    Mistake(
        "a refill pending upstream is ours although the one before may be it", BATCHES,
        " and not earlier(task, *NOT_KNOWN_TO_BE_OVER).exists():", ":",
        REFILLS,
    ),
    Mistake(
        "a refused refill keeps its place", BATCHES,
        "over_how=Over.REFUSED, slot=None, slots=None)", "over_how=Over.REFUSED)",
        REFILLS,
    ),
    Mistake(
        "a no to the second try refuses the first as well", BATCHES,
        "    if doubted:  # of", "    if False:  # of",
        REFILLS,
    ),
    Mistake(
        "the cap of refills is not looked at", RULES,
        "    if not refills.left:\n", "    if False:\n",
        RULE_TABLE,
    ),
    Mistake(
        "a refill may be asked for while one is pending", RULES,
        "    if refills.pending:\n", "    if False:\n",
        RULE_TABLE,
    ),
    Mistake(
        "the service's flag for cancels is not looked at", RULES,
        'return "" if order.service.cancel else', 'return "" if order.service else',
        RULE_TABLE,
    ),
    Mistake(
        "a cancel is agreed to when upstream takes the request", BATCHES,
        "    if not task.settle(Outcome.DONE, ref, at=now, known_at=now):",
        "    agreed = {\"over_at\": now, \"over_how\": Over.AGREED} if task.kind == Kind.CANCEL else {}\n"
        "    if not task.settle(Outcome.DONE, ref, at=now, known_at=now, **agreed):",
        "tests/orders/test_cancels.py",
    ),
    Mistake(
        "a no to a repeated cancel is the end of it", BATCHES,
        "    if task.was_unclear:  # “cannot", "    if False:  # “cannot",
        CANCELS,
    ),
    Mistake(
        "every end of an order agrees to its cancel", ENDINGS,
        "        how = ENDS.get(Status(order.status), Over.OTHERWISE)\n", "        how = Over.AGREED\n",
        CANCELS,
    ),
    Mistake(
        "a cancel is sent for an order that upstream does not have", TASKS,
        "due if kind == Task.Kind.PLACE else due.filter(order__upstream_id__isnull=False)", "due",
        CANCELS,
    ),
    Mistake(
        "an order that was never sent is sent although its cancel waits", CARRYING,
        "    if not task.was_unclear and (asked := cancel_of(task.order)):",
        "    if False and (asked := cancel_of(task.order)):",
        CANCELS,
    ),
    Mistake(
        "a cancel that waits stays when its order is withdrawn", "orders/deciding.py",
        "    cancels_are_needless(gone, at)\n", "",
        CANCELS,
    ),
    Mistake(
        "answers of a batch are matched by their place", "panel/notpanel/shapes.py",
        "    for upstream_id, row in _by_order(answer):\n        if upstream_id in found:",
        "    for upstream_id, row in zip(asked, answer, strict=False):\n        if upstream_id in found:",
        "tests/orders/test_batches.py",
    ),
    Mistake(
        "an order that a batch's answer leaves out is refused", "panel/notpanel/shapes.py",
        'or Unclear("NotPanel left this order out', 'or Refused("NotPanel left this order out',
        "tests/orders/test_batches.py",
    ),
    Mistake(
        "a claim together is no lease", TASKS,
        "                    due_at=now + lease, attempts=F(", "                    attempts=F(",
        "tests/orders/test_claims.py",
    ),
    Mistake(
        "a claim together does not write the doubt down", TASKS,
        'attempts=F("attempts") + 1, unclear_since=unclear_since', 'attempts=F("attempts") + 1',
        CRASH_IN_CALL,
    ),
    Mistake(
        "a call that was refused as a whole refuses each of its orders", BATCHES,
        "        if isinstance(trouble, Refused) and len(tasks) > 1:", "        if False:",
        REFILLS,
    ),
    Mistake(
        "a refill that is presumed settled is told as done", ENDINGS,
        "over_how=Over.PRESUMED):", "over_how=Over.FOLLOWED):",
        REFILLS,
    ),
    Mistake(
        "the clock settles what a person has just asked for again", ENDINGS,
        "            if silent.filter(order=order).update(", "            if Task.objects.filter(order=order).update(",
        REFILLS,
    ),
    Mistake(
        "a press is judged by what its page showed", AFTERSALE,
        "            fresh = locked(order)\n            if why", "            fresh = order\n            if why",
        TWO_PEOPLE,
    ),
    # ── Misread ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a 5xx is a definite no", CLIENT,
        'raise trouble(Unclear, f"NotPanel answered with HTTP {status}.")',
        'raise trouble(Refused, f"NotPanel answered with HTTP {status}.")',
        CAMPAIGN,
    ),
    Mistake(
        "a page that cannot be read is a definite no", CLIENT,
        'raise trouble(Unclear, f"NotPanel\'s answer', 'raise trouble(Refused, f"NotPanel\'s answer',
        CAMPAIGN,
    ),
    Mistake(
        "a limit counts as a try in doubt", CARRYING,
        "    Rule(Throttled,", '    Rule(Throttled, Ending.UNCLEAR, "begins", True, "again"),\n    Rule(Throttled,',
        OUTCOMES,
    ),
    Mistake(
        "a suspended account rejects its orders", CARRYING,
        "    Rule(Suspended,", '    Rule(Suspended, Ending.REFUSED, "stays", True, "over"),\n    Rule(Suspended,',
        OUTCOMES,
    ),
    Mistake(
        "the worker calls on while it was told to wait", "panel/worker.py",
        "waits = did and upstream.paused_until(timezone.now()) is not None", "waits = False",
        "tests/panel/test_worker.py",
    ),
    # ── The budget ───────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a call that is granted and not counted", BUDGET,
        '"key_left": window.key_left - by', '"key_left": window.key_left',
        TEST_BUDGET,
    ),
    Mistake(
        "calls under way when the minute turns count in neither", BUDGET,
        "ends_at, key, key - flying,", "ends_at, key, key,",
        TEST_BUDGET,
    ),
    Mistake(
        "looks that leave nothing to people", BUDGET,
        "held[Purpose.PLACE] = _part(window, RESERVE, now)", "held[Purpose.PLACE] = 0",
        TEST_BUDGET,
    ),
    Mistake(
        "orders that starve the looks", BUDGET,
        "    calls = min(window.left, max(free, share(window, purpose, now)))", "    calls = free",
        TEST_BUDGET,
    ),
    Mistake(
        "two processes grant one call", "panel/spending.py",
        "filter(number=window.number, version=version)", "filter(number=window.number)",
        "tests/panel/test_spending.py",
    ),
    Mistake(
        "leave that nobody needed is not given back", "panel/worker.py",
        "        meter.give_back()", "        pass",
        "tests/panel/test_spending.py",
    ),
    Mistake(
        "a call filled up with what another worker has in its hand", FOLLOWING,
        "filter(~in_calls, hurry=None)", "filter(hurry=None)",
        "tests/orders/test_rhythm.py",
    ),
    Mistake(
        "a wish to know that came during a call is forgotten", FOLLOWING,
        "            if order.hurry is not None:", "            if False:",
        "tests/orders/test_rhythm.py",
    ),
    # ── Forgotten ────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "an order that upstream has taken is never asked after", CARRYING,
        "next_look_at=asked_at", "next_look_at=None",
        CAMPAIGN,
    ),
    Mistake(
        "a look without a lease", FOLLOWING,
        "for pk, *_ in taken]).update(next_look_at=now + LEASE,", "for pk, *_ in taken]).update(next_look_at=None,",
        CAMPAIGN,
    ),
    Mistake(
        "what upstream left out once is asked after no more", FOLLOWING,
        "now + SELDOM if alone else next_look(order.created_at, now)", "None",
        "tests/orders/test_following.py",
    ),
    Mistake(
        "the first charge is the last", MODELS,
        "        if report.charge is not None:\n", "        if report.charge is not None and self.charge is None:\n",
        CAMPAIGN,
    ),
    Mistake(
        "an older report overwrites a newer one", MODELS,
        "        if self.reported_at and report.asked_at < self.reported_at:\n            return []\n", "",
        "tests/orders/test_following.py",
    ),
    Mistake(
        "money as a float", "panel/notpanel/shapes.py",
        "    amount = Decimal(text)\n", "    amount = Decimal(float(text))\n",
        "tests/notpanel/test_shapes_values.py",
    ),
    # ── Told wrongly, by the supplier that we rehearse with ──────────────────────────────────────
    Mistake(
        "an end told at every look", "panel/notpanel/sandbox/events.py",
        "        store.tell_ends(ended)\n", "",
        DELIVERIES,
    ),
    Mistake(
        "a webhook to where a name points", "panel/notpanel/sandbox/addresses.py",
        " if may(ipaddress.ip_address(str(at[0])))", "",
        "tests/notpanel/test_sandbox_local_webhooks.py",
    ),
    # ── Found wrongly ────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a page that forgets the rest of the filter", "orders/walking.py",
        "    return [pk for pk in pks if pk in fit]\n", "    return pks\n",
        LISTING,
    ),
    Mistake(
        "a search that ends without a word where it stops looking", "orders/walking.py",
        "    return found, True, stretch.behind\n", "    return found, False, None\n",
        LISTING,
    ),
    Mistake(
        "a day that ends when it begins", "orders/facets.py",
        "    return starts(day + timedelta(days=1))\n", "    return starts(day)\n",
        "tests/orders/test_facets.py",
    ),
    Mistake(
        "a status that leaves without being counted off", "orders/upkeep.py",
        "VALUES (OLD.status, -1), (NEW.status, 1); END", "VALUES (NEW.status, 1); END",
        "tests/orders/test_upkeep.py",
    ),
    Mistake(
        "a private view that the team sees", "orders/saved.py",
        "return self.filter(mine) if", "return self.all() if",
        "tests/orders/test_saved_views.py",
    ),
    Mistake(
        "a row that forgets how its own sending stands", "orders/rows.py",
        '        some |= Q(In(F("order_id") + 0, unheard))\n', "        pass\n",
        "tests/orders/test_stopped_rows.py tests/orders/test_table_page.py",
    ),
    Mistake(
        "a batch that asks for what is asked for alone", "orders/following.py",
        "due(now).filter(left_out__lt=ALONE_FROM)", "due(now)",
        "tests/orders/test_missing.py",
    ),
    Mistake(
        "an order that upstream does not know is given up", "orders/following.py",
        "    order.next_look_at = now + SELDOM if alone else", "    order.next_look_at = None if alone else",
        "tests/orders/test_missing.py",
    ),
    Mistake(
        "a pace that counts what an order waited for before upstream had it", CARRYING,
        "next_look_at=asked_at, taken_at=now)", "next_look_at=asked_at, taken_at=order.created_at)",
        LATE,
    ),
    Mistake(
        "a pace that forgets those that ended at one moment", "orders/measuring.py",
        "ends.filter(ended_at__lte=until).values_list", "ends.filter(ended_at__lt=until).values_list",
        "tests/orders/test_pace.py",
    ),
    Mistake(
        "a pace that moves and leaves its live orders where they were", "orders/measuring.py",
        "            move_live(pace.pk, after)\n", "            pass\n",
        LATE,
    ),
    Mistake(
        "one answer, taken in twice, revives an order", "orders/doubts.py",
        "report.asked_at <= order.reported_at", "report.asked_at < order.reported_at",
        "tests/orders/test_doubts.py",
    ),
    Mistake(
        "seen is seen, whatever came since the page was loaded", "orders/deciding.py",
        "Order.objects.filter(pk=order.pk, doubts=doubts).change(doubts=None)",
        "Order.objects.filter(pk=order.pk).change(doubts=None)",
        "tests/orders/test_doubts.py",
    ),
    Mistake(
        "a charge that moves is added once more", "orders/sums.py",
        'BEGIN {line("sqlite", "OLD", "-")}; {line', "BEGIN {line",
        "tests/orders/test_charges.py",
    ),
    Mistake(
        "a message that is marked as sent before it is", "panel/alarms/telling.py",
        '    fp("tell.send")\n    try:\n',
        '    notice.settle(due_at=None, sent_at=now)\n    fp("tell.send")\n    try:\n',
        "tests/panel/test_alarm_crashes.py",
    ),
    Mistake(
        "an alarm that is raised apart from its messages", "panel/alarms/watching.py",
        '            write(alarm, Recipient.objects.who_want(kind), now)\n            fp("raise.commit")\n'
        '    except IntegrityError:\n        return False\n    fp("raise.committed")\n',
        '            fp("raise.commit")\n    except IntegrityError:\n        return False\n'
        '    fp("raise.committed")\n    write(alarm, Recipient.objects.who_want(kind), now)\n',
        "tests/panel/test_alarm_crashes.py",
    ),
    Mistake(
        "an alarm that ends as soon as it wavers", "panel/alarms/judging.py",
        "(low * ENOUGH if moment.open else low)", "low",
        "tests/panel/test_alarms.py",
    ),
    Mistake(
        "a message that does not look whether it is night", "panel/alarms/telling.py",
        "    return notice.to.quiet(notice.alarm.kind, now)\n", "    return None\n",
        "tests/panel/test_alarm_telling.py",
    ),
    Mistake(
        "tasks of the last order left out", "orders/rows.py",
        'f"{field}__lte": last}', 'f"{field}__lt": last}',
        LISTING + " tests/orders/test_rule_on_pages.py",
    ),
    # ── Webhooks ─────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a webhook that is told as taken before it is on the disk", "orders/inbox.py",
        "if not waiting.kept(PATIENCE_SECONDS):", "if False:",
        "tests/orders/test_inbox.py",
    ),
    Mistake(
        "a webhook's signature compared by ==", "panel/notpanel/signing.py",
        "hmac.compare_digest(right.encode(), signature.encode(errors=\"replace\"))", "right == signature",
        "tests/notpanel/test_signing.py",
    ),
    Mistake(
        "a webhook that may be played again for ever", "panel/notpanel/signing.py",
        "if int(seconds) < now - WINDOW_SECONDS:", "if int(seconds) < 0:",
        "tests/notpanel/test_signing.py",
    ),
    Mistake(
        "a webhook whose ring is lost to a look under way", "orders/ringing.py",
        "if order.reported_at and order.reported_at >= delivery.received_at:", "if order.reported_at:",
        "tests/orders/test_ringing.py",
    ),
    Mistake(
        "a webhook told by a header that nobody signed", "orders/deliveries.py",
        "ON CONFLICT DO NOTHING", "ON CONFLICT (digest) DO UPDATE SET key = excluded.key",
        "tests/orders/test_webhook_door.py",
    ),
)  # fmt: skip
