"""Mistakes in the trail: lines that are not sealed, not chained, not written, or shown to the wrong people."""

from tests.mutants.mistake import Mistake

TAMPERING = "tests/accounts/trail/test_tampering.py::test_every_tampering_is_found"
CHAIN = "tests/accounts/trail/test_chain.py"
POSTS = "tests/panel/test_trail_of_every_post.py"
ACTIVITY = "tests/orders/activity/test_activity.py"

MISTAKES = (
    Mistake(
        "a line of the trail can be changed", "accounts/models/trail.py",
        '        if not self._state.adding:\n            raise TypeError("A line of the trail is written once',
        '        if False:\n            raise TypeError("A line of the trail is written once',
        CHAIN,
    ),
    Mistake(
        "a seal leaves out from where something was done", "accounts/trail/seal.py",
        '"facts", "address", "device")', '"facts", "device")',
        TAMPERING,
    ),
    Mistake(
        "a link does not say which lines are missing", "accounts/trail/verify.py",
        "    for pk in sorted(expected - there):", "    for pk in ():",
        CHAIN,
    ),
    Mistake(
        "the worker goes on behind an end that was changed", "accounts/trail/chain.py",
        "if head is None or not is_whole(head):", "if head is None:",
        CHAIN,
    ),
    Mistake(
        "a line without a seal is taken for an old one", "accounts/trail/verify.py",
        "if line.pk > unsealed_until:", "if False:",
        "tests/accounts/trail/test_tampering.py::test_a_line_without_a_seal_was_not_written_by_the_desk",
    ),
    Mistake(
        "a secret is kept in what changed", "accounts/trail/complete.py",
        "cleaned(line.before), cleaned(line.after)", "line.before, line.after",
        CHAIN,
    ),
    Mistake(
        "an alarm about the trail that nobody hears", "panel/alarms/conditions.py",
        "    if not evaluation.breaks:\n", "    if evaluation.breaks:\n",
        CHAIN,
    ),
    Mistake(
        "a hold that leaves no line", "catalog/changes.py",
        '        record_hold("service_held", change, ON_SALE, HELD, by=by, at=at)\n', "",
        POSTS,
    ),
    Mistake(
        "a view that is removed without a line", "orders/table/saved_views.py",
        '        record_view("view_removed", view, request.user, before=described(view))\n', "",
        POSTS,
    ),
    Mistake(
        "everybody sees from where things are done", "orders/activity/filters.py",
        'return may(user, "people")', "return True",
        ACTIVITY,
    ),
    Mistake(
        "activity looks through the whole trail", "orders/activity/search.py",
        "for size in (min(window, FEW * rows), window):", "for size in (min(window, FEW * rows), 10**6):",
        ACTIVITY,
    ),
    Mistake(
        "of several kinds only the first is found", "orders/activity/filters.py",
        "found.append([equal(group=group) for group in self.groups])",
        "found.append([equal(group=group) for group in self.groups[:1]])",
        ACTIVITY,
    ),
    Mistake(
        "verifying at a press leaves no line", "accounts/trail/watch.py",
        "        if by is not None:\n", "        if False:\n",
        ACTIVITY,
    ),
)  # fmt: skip
