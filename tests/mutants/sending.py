"""Mistakes in what is sent: twice, lost, and refills and cancels."""

from tests.mutants.mistake import Mistake

CAMPAIGN = "tests/campaign/test_campaign.py"
CRASHES = "tests/campaign/test_failpoints.py"
OUTCOMES = "tests/orders/placing/test_outcomes.py"
CARRYING = "orders/placing/submit.py"
BATCHES = "orders/aftersale/submit.py"
ENDINGS = "orders/aftersale/settle.py"
AFTERSALE = "orders/aftersale/ask.py"
RULES = "orders/rules/eligibility.py"
REFILLS = "tests/orders/aftersale/test_refills.py"
CANCELS = "tests/orders/aftersale/test_cancels.py"
CRASH_IN_CALL = f"{CRASHES}::test_a_crash_there_loses_nothing_and_doubles_nothing[wish.answered]"
RULE_TABLE = "tests/orders/rules/test_eligibility.py"
TWO_PEOPLE = "tests/orders/aftersale/test_two_people.py"
PLACE = "orders/placing/place.py"
TASKS = "orders/models/task.py"
CLIENT = "panel/notpanel/client.py"
ERRORS = "panel/notpanel/errors.py"
PASSING = "tests/orders/placing/test_passing_no.py"
NESTED = "tests/orders/aftersale/test_nested_no.py"
TRANSPORT = "panel/notpanel/transport.py"
ONE_ANSWER = "tests/notpanel/test_client_one_answer.py"
MANGLED = "tests/orders/placing/test_mangled_answers.py"
WIRE = "tests/notpanel/test_client_connection.py"

SPLIT_TASKS = "orders/aftersale/split.py"
POISONED_BATCHES = "tests/orders/aftersale/test_poisoned_batches.py"

MISTAKES = (
    # ── Sent twice ───────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a new id on every retry", CARRYING,
        "client.place(task.order.body, request_id=str(task.order.request_id))",
        'client.place(task.order.body, request_id=f"{task.order.request_id}-{task.attempts}")',
        CAMPAIGN,
    ),
    Mistake(
        "a token in the form that nobody looks at", PLACE,
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
        "tests/orders/models/test_claims.py",
    ),
    Mistake(
        "a claim that never runs out", TASKS,
        '"due_at": now + lease,', '"due_at": now + lease * 100_000,',
        "tests/orders/models/test_claims.py",
    ),
    Mistake(
        "a client that repeats an order by itself", CLIENT,
        "if hung_up and action in READ_ACTIONS and call.seconds_left()", "if hung_up and call.seconds_left()",
        WIRE,
    ),
    Mistake(
        "a claim that is not counted as a try", TASKS,
        '"attempts": task.attempts + 1,', '"attempts": task.attempts,',
        OUTCOMES,
    ),
    # ── Swapped ──────────────────────────────────────────────────────────────────────────────────
    Mistake(
        "an interim answer is taken for the answer", TRANSPORT,
        "            if not 100 <= status < 200:\n", "            if True:\n",
        ONE_ANSWER,
    ),
    Mistake(
        "a connection is kept after an interim answer", TRANSPORT,
        '            self._call.spoiled = "an interim answer"\n', "",
        ONE_ANSWER,
    ),
    Mistake(
        "a connection is kept that had more to say", TRANSPORT,
        '            self._call.spoiled = "bytes after the answer"\n', "            pass\n",
        ONE_ANSWER,
    ),
    Mistake(
        "a connection is kept where nobody can tell where its answer ended", TRANSPORT,
        '            self._call.spoiled = "an answer without a plain end"\n', "            pass\n",
        ONE_ANSWER,
    ),
    Mistake(
        "a kept connection is not listened to before it is used", TRANSPORT,
        "return self.sock is not None and _is_silent(self.sock)", "return self.sock is not None",
        ONE_ANSWER,
    ),
    Mistake(
        "an order is sent to who speaks before it was asked", TRANSPORT,
        "        if not self._call.sent and not _is_silent(self.sock):\n", "        if False:\n",
        ONE_ANSWER,
    ),
    Mistake(
        "an order travels on any connection that is open", CLIENT,
        "0 if names_itself else hash(self._current_call.form))", "0)",
        MANGLED,
    ),
    Mistake(
        "a report on another order is taken", "panel/notpanel/shapes.py",
        '        if is_another(row.get("order"), upstream_id):\n', "        if False:\n",
        "tests/notpanel/test_client_another_order.py",
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
        "a no that passes is the end of the order", ERRORS,
        "    return Unclear if _IN_HAND.search(error) else PutOff\n",
        "    return Unclear if _IN_HAND.search(error) else Refused\n",
        PASSING,
    ),
    Mistake(
        "a limit told in words is a refusal", ERRORS,
        "    if _ABOUT_PACE.search(error) and not", "    if False and not",
        PASSING,
    ),
    Mistake(
        "what is put off counts as a try in doubt", CARRYING,
        'Rule(PutOff,                     Ending.LIMITED,      "stays",  False,',
        'Rule(PutOff,                     Ending.UNCLEAR,      "begins", True, ',
        PASSING,
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
        "order and task are written apart", PLACE,
        "        with transaction.atomic():\n            order = Order(",
        "        if True:\n            order = Order(",
        CRASHES,
    ),
    Mistake(
        "an answer and its order are written apart", CARRYING,
        "        with transaction.atomic():\n            task.end_attempt(Ending.PLACED",
        "        if True:\n            task.end_attempt(Ending.PLACED",
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
        "    mine = task.settle(Outcome.UNCLEAR, str(trouble), at=now, **failed)\n",
        "    mine = retry_later(task, now, trouble, counts=True, unclear=True)\n",
        CAMPAIGN,
    ),
    Mistake(
        "a refill whose worker died in mid-call is sent again", BATCHES,
        "    if task.was_unclear:\n        return BROKE_OFF\n", "",
        CRASH_IN_CALL,
    ),
    Mistake(
        "a refill pending upstream is ours without a doubt before it", BATCHES,
        "    if already_pending and doubted and", "    if already_pending and",
        REFILLS,
    ),
    Mistake(
        "a refill pending upstream is ours although the one before may be it", BATCHES,
        " and not earlier_refills(task, *UNCONFIRMED_ENDS).exists():", ":",
        REFILLS,
    ),
    Mistake(
        "a nested no in a batch is taken as unclear", "panel/notpanel/shapes.py",
        "    error = refusal_text(row, field)\n", "    error = error_text(row)\n",
        NESTED,
    ),
    Mistake(
        "a nested no about one is taken as unclear", CLIENT,
        "shapes.refusal_text(answer, proof) if", "shapes.error_text(answer) if",
        NESTED,
    ),
    Mistake(
        "a refill that is put off is refused", BATCHES,
        "    PutOff: (Ending.LIMITED, True),\n", "",
        NESTED,
    ),
    Mistake(
        "a refused refill keeps its place", BATCHES,
        "over_how=Settled.REFUSED, slot=None, slots=None)", "over_how=Settled.REFUSED)",
        REFILLS,
    ),
    Mistake(
        "a no to the second try refuses the first as well", BATCHES,
        "    if doubted:  # this", "    if False:  # this",
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
        "    agreed = {\"over_at\": now, \"over_how\": Settled.AGREED} if task.kind == Kind.CANCEL else {}\n"
        "    if not task.settle(Outcome.DONE, ref, at=now, known_at=now, **agreed):",
        "tests/orders/aftersale/test_cancels.py",
    ),
    Mistake(
        "a no to a repeated cancel is the end of it", BATCHES,
        "    if task.was_unclear:  # “cannot", "    if False:  # “cannot",
        CANCELS,
    ),
    Mistake(
        "every end of an order agrees to its cancel", ENDINGS,
        "        how = CANCEL_ENDS.get(Status(order.status), Settled.OTHERWISE)\n", "        how = Settled.AGREED\n",
        CANCELS,
    ),
    Mistake(
        "a cancel is sent for an order that upstream does not have", TASKS,
        "due.alias(known=UNINDEXED_UPSTREAM_ID).filter(known__isnull=False)", "due",
        CANCELS,
    ),
    Mistake(
        "an order that was never sent is sent although its cancel waits", CARRYING,
        "    if not task.was_unclear and task.cancel_waits and (asked := pending_cancel(task.order)):",
        "    if False and (asked := pending_cancel(task.order)):",
        CANCELS,
    ),
    Mistake(
        "a cancel that waits stays when its order is withdrawn", "orders/aftersale/withdraw.py",
        "    settle_needless_cancels(gone, at)\n", "",
        CANCELS,
    ),
    Mistake(
        "answers of a batch are matched by their place", "panel/notpanel/shapes.py",
        "    for upstream_id, row in _rows_by_order(answer):\n        if upstream_id in answers:",
        "    for upstream_id, row in zip(asked_ids, answer, strict=False):\n        if upstream_id in answers:",
        "tests/orders/aftersale/test_batches.py",
    ),
    Mistake(
        "an order that a batch's answer leaves out is refused", "panel/notpanel/shapes.py",
        'or Unclear("NotPanel left this order out', 'or Refused("NotPanel left this order out',
        "tests/orders/aftersale/test_batches.py",
    ),
    Mistake(
        "a claim together is no lease", TASKS,
        "                    due_at=now + lease, attempts=F(", "                    attempts=F(",
        "tests/orders/models/test_claims.py",
    ),
    Mistake(
        "a claim together does not write the doubt down", TASKS,
        'attempts=F("attempts") + 1, unclear_since=unclear_since', 'attempts=F("attempts") + 1',
        CRASH_IN_CALL,
    ),
    Mistake(
        "a call that was refused as a whole refuses each of its orders", SPLIT_TASKS,
        "        return Split(in_shares(tasks), [])", "        return Split([], tasks)",
        REFILLS,
    ),
    Mistake(
        "refills whose answer was lost are sent again with the others", SPLIT_TASKS,
        "    return isinstance(trouble, Refused) or trouble.failed", "    return True",
        POISONED_BATCHES,
    ),
    Mistake(
        "a refill is sent again hours after the call that failed", SPLIT_TASKS,
        "task.was_due_at < now - RESENT_WITHIN)", "False)",
        POISONED_BATCHES,
    ),
    Mistake(
        "one bad id keeps the cancels that travel with it from ever going", SPLIT_TASKS,
        "        return Split(in_shares(again), fresh)", "        return Split([], tasks)",
        POISONED_BATCHES,
    ),
    Mistake(
        "refills are sent again though upstream answers nobody", SPLIT_TASKS,
        "        scout, *others = shuffled(tasks)\n        return Split([(scout, 1), *in_shares(others)], [])",
        "        return Split([(task, 1) for task in tasks], [])",
        POISONED_BATCHES,
    ),
    Mistake(
        "a second id for one request_id is nobody's business", CARRYING,
        "                record_other_ids(task)\n                return True", "                return True",
        "tests/orders/placing/test_outcomes.py",
    ),
    Mistake(
        "an id that was heard before the order's own is forgotten", CARRYING,
        "            if rest.other_ids or not named:\n", "            if not named:\n",
        "tests/orders/placing/test_outcomes.py",
    ),
    Mistake(
        "failures go on counting after an answer", CARRYING,
        "            if rest.failures:\n", "            if False:\n",
        "tests/orders/placing/test_kill_switch.py",
    ),
    Mistake(
        "an answer lets none go that waits for another try", CARRYING,
        "    return rest.waiting\n", "    return False\n",
        "tests/orders/placing/test_again.py",
    ),
    Mistake(
        "a refill that is presumed settled is told as done", ENDINGS,
        "over_how=Settled.PRESUMED)", "over_how=Settled.FOLLOWED)",
        REFILLS,
    ),
    Mistake(
        "the clock settles what a person has just asked for again", ENDINGS,
        " if task.silent_since(old)}", "}",
        REFILLS,
    ),
    Mistake(
        "a press is judged by what its page showed", AFTERSALE,
        "            fresh = locked(order)\n            if why", "            fresh = order\n            if why",
        TWO_PEOPLE,
    ),
    # ── Asked again ──────────────────────────────────────────────────────────────────────────────
    Mistake(
        "a lost answer is asked for again after a quarter of a minute", "orders/rules/retry.py",
        "REPEAT_PAUSES_SECONDS = (2, 5, 15, 30,", "REPEAT_PAUSES_SECONDS = (15, 30, 60, 120,",
        "tests/orders/placing/test_pauses.py",
    ),
    Mistake(
        "one answer lets all go that wait, however often they failed", "orders/models/task.py",
        "filter(kind=TaskKind.PLACE).waiting_again(now, HURRIED_TRIES)",
        "filter(kind=TaskKind.PLACE).waiting_again(now)",
        "tests/orders/placing/test_again.py",
    ),
    Mistake(
        "others' answers start orders again that get none", "orders/placing/send_switch.py",
        "if stopped.filter(Q(trial_at=None) | Q(trial_at__lte=now - PROBE_INTERVAL)).exists()", "if stopped.exists()",
        "tests/orders/placing/test_again.py",
    ),
    Mistake(
        "a hurried task is taken from the worker that has it", "orders/models/task.py",
        "open_tasks.filter(pk__in=pks, due_at=at).update", "open_tasks.filter(pk__in=pks).update",
        "tests/orders/placing/test_again.py",
    ),
)  # fmt: skip
