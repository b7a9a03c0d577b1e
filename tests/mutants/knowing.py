"""Mistakes in what is known: misread, asked too often, forgotten, found wrongly, webhooks."""

from tests.mutants.mistake import Mistake

CAMPAIGN = "tests/campaign/test_campaign.py"
OUTCOMES = "tests/orders/placing/test_outcomes.py"
CARRYING = "orders/placing/submit.py"
BUDGET = "panel/notpanel/budget.py"
TEST_BUDGET = "tests/notpanel/test_budget.py"
STATEMENTS = "tests/panel/worker/test_statements.py"
LISTING = "tests/orders/table/test_listing.py"
LATE = "tests/orders/reports/test_late.py"
MOVED = "tests/orders/statistics/test_usual_times_change.py"
DELIVERIES = "tests/notpanel/sandbox/test_sandbox_deliveries.py"
CLIENT = "panel/notpanel/client.py"
CLOCK = "tests/panel/worker/test_clock.py"

MISTAKES = (
    # ── Misread ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a 5xx is a definite no", CLIENT,
        'raise Unclear(f"NotPanel answered with HTTP {status}."',
        'raise Refused(f"NotPanel answered with HTTP {status}."',
        CAMPAIGN,
    ),
    Mistake(
        "a page that cannot be read is a definite no", CLIENT,
        'raise Unclear(f"NotPanel\'s answer', 'raise Refused(f"NotPanel\'s answer',
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
        "the worker calls on while it was told to wait", "panel/worker/loop.py",
        "if purpose != DESK and called and upstream.paused_until(timezone.now()) is not None:", "if False:",
        "tests/panel/worker/test_worker.py",
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
        "held[Purpose.PLACE] = _part_of_limit(window, RESERVE, now)", "held[Purpose.PLACE] = 0",
        TEST_BUDGET,
    ),
    Mistake(
        "orders that starve the looks", BUDGET,
        "    calls = min(window.left, max(free, share(window, purpose, now)))", "    calls = free",
        TEST_BUDGET,
    ),
    Mistake(
        "two processes grant one call", "panel/upstream/call_budget.py",
        "filter(number=decided.number, version=stored.version)", "filter(number=decided.number)",
        "tests/panel/upstream/test_call_budget.py",
    ),
    Mistake(
        "a call that ends in the next minute counts in the one before", "panel/upstream/call_budget.py",
        "current(now) if known is None or budget.is_over(known.window, now) else known", "known or current(now)",
        "tests/panel/upstream/test_call_budget.py",
    ),
    Mistake(
        "an answer is lost when its call cannot be counted", "panel/upstream/call_budget.py",
        "        except Error:\n", "        except ZeroDivisionError:\n",
        "tests/panel/upstream/test_call_budget.py",
    ),
    Mistake(
        "what is written down about a call is committed bit by bit", "panel/upstream/call_budget.py",
        "            with transaction.atomic():\n                began", "            if True:\n                began",
        STATEMENTS,
    ),
    Mistake(
        "upstream’s only row is made before each change", "panel/upstream/client.py",
        "    if trouble is None and Upstream", "    if False and Upstream",
        STATEMENTS,
    ),
    Mistake(
        "each step of a round asks by itself whether it is due", "panel/worker/loop.py",
        "    paused, *found = question.ask(now=now)\n",
        "    rows = [upstream.pauses(now), *(row for s in STEPS if s.role in roles for _, row in s.due(now))]\n"
        "    paused, *found = [each.exists() for each in rows]\n",
        STATEMENTS,
    ),
    Mistake(
        "leave that nobody needed is not given back", "panel/worker/loop.py",
        "        meter.give_back()", "        pass",
        "tests/panel/upstream/test_call_budget.py",
    ),
    # ── Forgotten ────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "an order that upstream has taken is never asked after", CARRYING,
        "            Poll.objects.bulk_create([Poll(order=order, next_poll_at=asked_at)], ignore_conflicts=True)\n", "",
        CAMPAIGN,
    ),
    Mistake(
        "money as a float", "panel/notpanel/shapes.py",
        "    amount = Decimal(text)\n", "    amount = Decimal(float(text))\n",
        "tests/notpanel/test_shapes_values.py",
    ),
    Mistake(
        "a noisy number is nonsense", "panel/notpanel/shapes.py",
        "\nFRACTION_DIGITS = 36\n", "\nFRACTION_DIGITS = 12\n",
        "tests/orders/following/test_float_noise.py",
    ),
    Mistake(
        "a tiny rate is a free one", "panel/notpanel/shapes.py",
        " or max(amount, Decimal(0))", "",
        "tests/notpanel/test_shapes_values.py",
    ),
    Mistake(
        "noise is a new price", "panel/notpanel/shapes.py",
        "    if exponent < -EXACT_FRACTION_DIGITS:\n", "    if False:\n",
        "tests/notpanel/test_shapes_values.py",
    ),
    # ── Told wrongly, by the supplier that we rehearse with ──────────────────────────────────────
    Mistake(
        "an end told at every look", "panel/notpanel/sandbox/world/events.py",
        "        store.note_announced(ended)\n", "",
        DELIVERIES,
    ),
    Mistake(
        "a webhook to where a name points", "panel/notpanel/sandbox/webhooks/addresses.py",
        " if may(ipaddress.ip_address(str(at[0])))", "",
        "tests/notpanel/sandbox/test_sandbox_local_webhooks.py",
    ),
    # ── Found wrongly ────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a page that forgets the rest of the filter", "orders/table/paging.py",
        "    return [pk for pk in pks if pk in matching_ids]\n", "    return pks\n",
        LISTING,
    ),
    Mistake(
        "a search that ends without a word where it stops looking", "orders/table/paging.py",
        "    return pks, True, page_range.after_key\n", "    return pks, False, None\n",
        LISTING,
    ),
    Mistake(
        "a day that ends when it begins", "panel/format/times.py",
        "    return starts(day + timedelta(days=1))\n", "    return starts(day)\n",
        "tests/orders/table/test_filters.py",
    ),
    Mistake(
        "a status that leaves without being counted off", "orders/statistics/status_counts.py",
        "VALUES (OLD.status, -1), (NEW.status, 1); END", "VALUES (NEW.status, 1); END",
        "tests/orders/statistics/test_counts_and_search_index.py",
    ),
    Mistake(
        "a private view that the team sees", "orders/models/saved_view.py",
        "return self.filter(mine) if", "return self.all() if",
        "tests/orders/table/test_saved_views.py",
    ),
    Mistake(
        "a row that forgets how its own sending stands", "orders/table/rows.py",
        "not_taken = [row.pk for row in rows if not row.upstream_id or row.status == Status.REJECTED]",
        "not_taken: list[int] = []",
        "tests/orders/table/test_stopped_rows.py tests/orders/table/test_table_page.py",
    ),
    Mistake(
        "a pace that counts what an order waited for before upstream had it", CARRYING,
        "status=Status.QUEUED, taken_at=now)", "status=Status.QUEUED, taken_at=order.created_at)",
        LATE,
    ),
    Mistake(
        "a pace that forgets those that ended at one moment", "orders/statistics/delivery_times.py",
        "ends.filter(ended_at__lte=until).values_list", "ends.filter(ended_at__lt=until).values_list",
        "tests/orders/statistics/test_delivery_times.py",
    ),
    Mistake(
        "a pace that moves and leaves its live orders where they were", "orders/statistics/delivery_times.py",
        "if late_limits(pace.usual) != late_limits(before.get(pace.pk))]", "if pace.pk not in before and False]",
        MOVED,
    ),
    Mistake(
        "a pace that moves while an answer is saved, and leaves that order where it was",
        "orders/statistics/delivery_times.py",
        "for pace in changed:  # and once more", "for pace in ():  # and once more",
        MOVED,
    ),
    Mistake(
        "usual times that are read before the orders are locked", "orders/following/poll.py",
        "        news = lock_news(", "        usual_times({0})\n        news = lock_news(",
        MOVED,
    ),
    Mistake(
        "seen is seen, whatever came since the page was loaded", "orders/following/triage.py",
        "Order.objects.filter(pk=order.pk, doubts=kinds).change(doubts=None)",
        "Order.objects.filter(pk=order.pk).change(doubts=None)",
        "tests/orders/following/test_anomalies.py",
    ),
    Mistake(
        "a charge that moves is added once more", "orders/statistics/charge_totals.py",
        'BEGIN {insert_line("sqlite", "OLD", "-")}; {insert_line', "BEGIN {insert_line",
        "tests/orders/reports/test_charges.py",
    ),
    Mistake(
        "a message that is marked as sent before it is", "panel/alarms/notify.py",
        '    fp("tell.send")\n    try:\n',
        '    notice.settle(due_at=None, sent_at=now)\n    fp("tell.send")\n    try:\n',
        "tests/panel/alarms/test_alarm_crashes.py",
    ),
    Mistake(
        "an alarm that is raised apart from its messages", "panel/alarms/evaluate.py",
        '            create_notices(alarm, Recipient.objects.who_want(kind), now)\n            fp("raise.commit")\n'
        '    except IntegrityError:\n        return False\n    fp("raise.committed")\n',
        '            fp("raise.commit")\n    except IntegrityError:\n        return False\n'
        '    fp("raise.committed")\n    create_notices(alarm, Recipient.objects.who_want(kind), now)\n',
        "tests/panel/alarms/test_alarm_crashes.py",
    ),
    Mistake(
        "an alarm that ends as soon as it wavers", "panel/alarms/conditions.py",
        "(low * OVER_FROM_SHARE if evaluation.open_alarms else low)", "low",
        "tests/panel/alarms/test_alarms.py",
    ),
    Mistake(
        "a message that does not look whether it is night", "panel/alarms/notify.py",
        "    return notice.to.quiet_until_for(notice.alarm.kind, now)\n", "    return None\n",
        "tests/panel/alarms/test_alarm_notices.py",
    ),
    Mistake(
        "tasks of the last order left out", "orders/table/rows.py",
        'f"{field}__lte": last}', 'f"{field}__lt": last}',
        LISTING + " tests/orders/aftersale/test_rule_on_pages.py",
    ),
    # ── Read wrongly, of what people write ───────────────────────────────────────────────────────
    Mistake(
        "a number in prose is picked", "orders/table/pasted_ids.py",
        '["apart" if kind == "number" and doubt else kind for', '[kind for',
        "tests/orders/table/test_pasted_numbers.py",
    ),
    Mistake(
        "a unit behind a number says nothing", "panel/format/prose.py",
        "    return bool(UNIT.match(behind))\n", "    return False\n",
        "tests/orders/table/test_pasted_numbers.py",
    ),
    Mistake(
        "an unticked order is asked all the same", "orders/bulk/views.py",
        'if "ticks" in request.POST:', "if False:",
        "tests/orders/bulk/test_bulk_pages.py",
    ),
    Mistake(
        "a tick reaches an order that the dry run did not show", "orders/bulk/selection.py",
        "self.shown & {*pks}", "{*pks}",
        "tests/orders/bulk/test_bulk_pages.py",
    ),
    Mistake(
        "an ambiguous amount is guessed", "orders/table/filters.py",
        "return amounts[0] if len(amounts) == 1 else None", "return amounts[0] if amounts else None",
        "tests/orders/table/test_filters.py",
    ),
    Mistake(
        "a search stands in its address", "orders/table/listing.py",
        'texts |= {"s": self.key} if self.key else {"q": self.text}', 'texts |= {"q": self.text}',
        "tests/orders/table/test_search.py",
    ),
    Mistake(
        "a search that is forgotten finds everything", "orders/table/listing.py",
        "        if self.is_forgotten:\n", "        if False:\n",
        "tests/orders/table/test_search.py",
    ),
    Mistake(
        "an id in capitals is found although it may be two", "orders/table/pasted_ids.py",
        "        if len(fitting) == 1:\n", "        if fitting:\n",
        "tests/orders/table/test_pasted_numbers.py",
    ),
    # ── Webhooks ─────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a webhook that is told as taken before it is on the disk", "orders/webhooks/inbox.py",
        "answer.get(timeout=PATIENCE_SECONDS)", "True",
        "tests/orders/webhooks/test_inbox.py",
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
        "a webhook whose ring is lost to a look under way", "orders/models/webhook.py",
        "reported_at is not None and reported_at >= self.received_at", "reported_at is not None",
        "tests/orders/webhooks/test_dispatch.py",
    ),
    Mistake(
        "a webhook told by a header that nobody signed", "orders/models/webhook.py",
        "ON CONFLICT DO NOTHING", "ON CONFLICT (digest) DO UPDATE SET key = excluded.key",
        "tests/orders/webhooks/test_endpoint.py",
    ),
    # ── Said wrongly ─────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a webhook's order id is taken for the delivery's", "panel/notpanel/signing.py",
        "(id for id in map(str, _values(content, ID_PATHS)) if id != order)", "map(str, _values(content, ID_PATHS))",
        "tests/orders/webhooks/test_repeats.py tests/notpanel/test_named_orders.py",
    ),
    Mistake(
        "a webhook that says the same later is a repeat for ever", "orders/models/webhook.py",
        "        self._free_old_bodies(arrivals)\n", "",
        "tests/orders/webhooks/test_repeats.py",
    ),
    Mistake(
        "an alarm counts a new order and names an old one", "panel/alarms/conditions.py",
        "**describe(named)", "**describe(list(told))",
        "tests/panel/alarms/test_piles.py",
    ),
    Mistake(
        "an alarm that a newer one follows is called over", "panel/alarms/views.py",
        "Alarm.objects.for_page().over()", "Alarm.objects.for_page().filter(ended_at__isnull=False)",
        "tests/panel/alarms/test_piles.py",
    ),
    Mistake(
        "a refill is offered again after a refusal for good", "orders/rules/eligibility.py",
        "    return ruled_out(order, TaskKind.REFILL)", '    return ""',
        "tests/orders/rules/test_refused_for_good.py",
    ),
    Mistake(
        "a refill that may go later is refused for good", "orders/rules/eligibility.py",
        "bool(NEVER[kind].search(words)) and not NOT_YET.search(words)", "bool(NEVER[kind].search(words))",
        "tests/orders/rules/test_refused_for_good.py",
    ),
    Mistake(
        "the header tells of a queue that is gone", "panel/site/status_bar.py",
        "newer = row.balance_at is not None and row.balance_at > row.paced_at", "newer = False",
        "tests/orders/statistics/test_runway.py",
    ),
    Mistake(
        "a sentence is put together from parts that do not fit", "orders/placing/form_fields.py",
        'Asked("the number of the answer", "Which answer? Write its number; 1 is the first.")',
        'Asked("the answer as its number, and", "How many answer as its number, and?")',
        "tests/test_sentences.py",
    ),
    # ── One bad id, facts that contradict each other, the clock ──────────────────────────────────
    Mistake(
        "a part of a small price is taken for all of it", "orders/rules/margin.py",
        "min(tolerance(expected), expected * FULL_SHARE)", "tolerance(expected)",
        "tests/orders/following/test_anomalies.py",
    ),
    Mistake(
        "a stored limit holds for as long as it says", "panel/upstream/client.py",
        "filter(pk=ONLY_ROW, paused_until__gt=now, paused_until__lte=now + LONGEST_PAUSE)",
        "filter(pk=ONLY_ROW, paused_until__gt=now)",
        CLOCK,
    ),
    Mistake(
        "waits of a clock that was set back stay as they are", "panel/worker/clock.py",
        "        return wait.rows.filter(pk__in=keys).update(**{wait.column: now})", "        return len(keys)",
        CLOCK,
    ),
    Mistake(
        "a worker stops beating when its clock is set back", "panel/worker/heartbeat.py",
        "not timedelta() <= now - self.last_at < HEARTBEAT_EVERY", "now - self.last_at >= HEARTBEAT_EVERY",
        CLOCK,
    ),
)  # fmt: skip
