"""Mistakes in limits of what is spent, and in what a second person approves."""

from tests.mutants.mistake import Mistake

CHECK, SPENT, DECIDE = "orders/limits/check.py", "orders/limits/spent.py", "orders/approvals/decide.py"
WAYS = "tests/orders/approvals/test_ways_to_send.py"
LIMITS, APPROVALS = "tests/orders/limits/test_limits.py", "tests/orders/approvals/test_approvals.py"

MISTAKES = (
    Mistake(
        "a limit that is looked at before the order counts", "orders/placing/place.py",
        'order.save(force_insert=True)\n            fp("order.half")\n            '
        "above = over_with(order, limits_of(by), at=order.created_at)",
        "above = over_with(order, limits_of(by), at=order.created_at)\n            order.save(force_insert=True)\n"
        "            fp(\"order.half\")",
        LIMITS,
    ),
    Mistake(
        "what waits for approval counts against no limit", SPENT,
        "return self.spent + self.waiting", "return self.spent", APPROVALS,
    ),
    Mistake(
        "a rejected order that goes on counting", SPENT,
        "IN ('{Status.APPROVAL}', '{Status.REJECTED}') THEN 0", "IN ('{Status.APPROVAL}') THEN 0", LIMITS,
    ),
    Mistake(
        "a person's own limit that the role's goes before", CHECK,
        "**{**usual, **own},", "**{**own, **usual},", LIMITS,
    ),
    Mistake(
        "the team's limit that a second person lifts", CHECK,
        'more than the team has left today.", RAISE)', 'more than the team has left today.", ASK)', LIMITS,
    ),
    Mistake(
        "sums in a sentence for a person who sees no money", CHECK,
        'words.with_sums if may(reader, "money") else words.without', "words.with_sums", LIMITS,
    ),
    Mistake(
        "a day that begins in another zone than owners set", "orders/limits/day.py",
        "return zone_named(current().day_zone) or UTC", "return UTC", LIMITS,
    ),
    Mistake(
        "who asked decides", DECIDE,
        'return OWN_ORDER if order.placed_by_id == by.pk else ""', 'return ""', APPROVALS,
    ),
    Mistake(
        "a yes to one price counts for the next one", DECIDE,
        "if seen != terms.mark:", "if not seen:", APPROVALS,
    ),
    Mistake(
        "an approval that goes beyond the team's limit", DECIDE,
        "if above := over_with(order, desk_limits(), at=now):", "if above := None:", APPROVALS,
    ),
    Mistake(
        "a second decision about the same order", DECIDE,
        "Approval.objects.filter(order=order, decided_at=None)", "Approval.objects.filter(order=order)", APPROVALS,
    ),
    Mistake(
        "an order that is declined and stays as it was", "orders/aftersale/withdraw.py",
        "orders.change(status=Status.REJECTED)\n    Task", "Task", APPROVALS,
    ),
    Mistake(
        "a right to approve that is not asked for on the address", "orders/approvals/views.py",
        '@needs("approve")\n@require_POST\ndef approval', '@needs("view")\n@require_POST\ndef approval',
        APPROVALS,
    ),
    Mistake(
        "who asked sends it after old books ended the waiting", "orders/placing/review.py",
        "    if why := approvals.why_not_send(order, by):\n        raise Refusal(why)\n", "", WAYS,
    ),
    Mistake(
        "an order sent after old books that nobody has approved", "orders/placing/review.py",
        "        approvals.approve_late(order, by=by, at=now)\n", "", WAYS,
    ),
    Mistake(
        "an invited person without the limits of the invitation", "accounts/invitations/forms.py",
        "create_user(**facts, limits=self.limits)", "create_user(**facts)", "tests/accounts/invitations/test_links.py",
    ),
    Mistake(
        "a reminder with every press", "orders/approvals/remind.py",
        "if last and now - last < REMINDED_EVERY:", "if False:", "tests/orders/approvals/test_reminders.py",
    ),
    Mistake(
        "somebody else reminds in the asker's name", "orders/approvals/remind.py",
        "if order.placed_by_id != by.pk:", "if False:", "tests/orders/approvals/test_reminders.py",
    ),
)  # fmt: skip
