"""The sentence of each kind of event: one row a kind. The timeline, the activity page and the admin show these."""

import html
import json
import re
from string import Formatter
from typing import Any, NamedTuple

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString

from accounts.trail.kinds import KINDS
from panel.format.money import sees_money, without_amounts

NOBODY = "The desk"  # the name on events that no person caused
NOUNS = ("order", "refill", "line", "service")  # of which a sentence says how many there are
SUBJECT = re.compile(r"^<b>\{who\}</b> ")
ANSWER_CHARACTERS = 500  # of upstream's words in a timeline
DUPLICATE = "duplicate"  # the kind of event, and of doubt, that upstream may have taken an order twice

# kind: tone, sentence. {who} and every other fact is escaped; names are bold. {orders} is the fact `count` with its
# noun, such as `1 order` or `1,200 orders`, and so is {refills}.
SENTENCES = {
    "placed": ("ring", "<b>{who}</b> placed this order: {quantity} at {rate}, expected {expected}."),
    "approval_asked": ("ring", "<b>{who}</b> asked for approval: a second person decides before it is sent."),
    "reminded": ("ring", "<b>{who}</b> reminded <b>{to}</b> that it waits for approval."),
    "approved": ("ring", "<b>{who}</b> approved it for {price}. It is queued."),
    "declined": ("bad", "<b>{who}</b> declined it: {reason}"),
    "expired": ("warn", "It expired: nobody decided within {span}. Nothing was sent."),
    "asked": ("", "Try {attempt}: the supplier accepted it as <code>{upstream_id}</code>."),
    "unsent": ("warn", "Try {attempt} was not sent: {trouble}"),
    "unclear": (
        "warn",
        "Try {attempt}: {trouble} The supplier may have it, so it is sent again with the same request_id.",
    ),
    "held": ("warn", "The supplier takes no orders now: {trouble}"),
    "short": ("warn", "The balance did not cover it. Nothing was ordered; it waits for {needs}."),
    "refused": ("bad", "The supplier refused it. Nothing was ordered."),
    "review": ("bad", "Needs a look: {why}"),
    "withdrawn": ("ring", "<b>{who}</b> withdrew it before it was sent. Nothing was ordered."),
    "asked_again": ("ring", "<b>{who}</b> asked for another try with the same request_id."),
    "asked_now": ("ring", "<b>{who}</b> asked for another try at once, with the same request_id."),
    "adopted": ("ring", "<b>{who}</b> found it at the supplier as <code>{upstream_id}</code>. It is checked next."),
    "closed": ("ring", "<b>{who}</b> closed it as not placed: {reason}"),
    "duplicate": ("bad", "The supplier gave its request_id more than one id: <b>{upstream_id}</b>, and also {others}."),
    "refill_asked": ("ring", "<b>{who}</b> asked for refill {slot} of {slots}."),
    "refill_again": ("ring", "<b>{who}</b> asked for the refill again, because there was no clear answer."),
    "refill_anew": ("ring", "<b>{who}</b> asked for another refill, to find out whether the pending one is done."),
    "refill_accepted": ("", "The supplier accepted refill {slot} of {slots} as <code>{ref}</code>."),
    "refill_adopted": ("", "The supplier says that a refill is pending: the one without a clear answer went through."),
    "refill_refused": ("bad", "The supplier refused the refill. It does not count."),
    "refill_doubted": ("warn", "The supplier refused a second try, and did not say whether it has the first."),
    "refill_limit": ("warn", "The supplier counts {refills} more than this desk asked for."),
    "refill_unclear": ("warn", "There was no clear answer: {trouble} The desk does not ask again by itself."),
    "refill_unsent": ("warn", "The refill did not reach the supplier: {trouble}"),
    "refill_presumed": ("warn", "No news of the refill for {hours} h: presumed done. The supplier has not said so."),
    "refill_marked": ("ring", "<b>{who}</b> marked the refill as done: {reason}"),
    "refill_followed": ("", "The supplier accepted another refill, so the one before is done."),
    "refill_reopened": ("warn", "The supplier says that the refill before is still pending."),
    "cancel_asked": ("ring", "<b>{who}</b> asked to cancel."),
    "cancel_waits": (
        "ring",
        "<b>{who}</b> asked to cancel. The request is sent when the supplier has confirmed the order.",
    ),
    "cancel_again": ("ring", "<b>{who}</b> asked to cancel again."),
    "cancel_taken": ("", "The supplier accepted the request to cancel. A later status shows whether it worked."),
    "cancel_refused": ("bad", "The supplier refused to cancel."),
    "cancel_unclear": (
        "warn",
        "There was no clear answer to the request to cancel: {trouble} The next status will show.",
    ),
    "cancel_unsent": ("warn", "The request to cancel did not reach the supplier: {trouble}"),
    "cancel_agreed": ("", "The supplier cancelled it."),
    "cancel_late": ("warn", "The request to cancel failed: the supplier says <b>{to}</b>."),
    "cancel_needless": ("", "There was nothing to cancel: the order was never placed."),
    "noted": ("ring", "<b>{who}</b> wrote a note."),
    "noted_to": ("ring", "<b>{who}</b> wrote a note to <b>{to}</b>."),
    "taken_on": ("ring", "<b>{who}</b> assigned this order to themselves."),
    "taken_over": ("ring", "<b>{who}</b> took this order over from <b>{was}</b>."),
    "given": ("ring", "<b>{who}</b> assigned this order to <b>{to}</b>."),
    "let_go": ("ring", "<b>{who}</b> gave this order up; it is assigned to nobody."),
    "taken_from": ("ring", "<b>{who}</b> took this order from <b>{was}</b>; it is assigned to nobody."),
    "dealt_with": ("ring", "<b>{who}</b> marked it as dealt with."),
    "refills_asked": ("ring", "<b>{who}</b> asked for refills of {orders} at once, job {job}."),
    "cancels_asked": ("ring", "<b>{who}</b> asked to cancel {orders} at once, job {job}."),
    "list_placed": ("ring", "<b>{who}</b> placed {orders} at once, list {job}."),
    "list_stopped": ("ring", "<b>{who}</b> stopped {orders} of list {job}, not sent yet."),
    "list_resumed": ("ring", "<b>{who}</b> let {orders} of list {job} go."),
    "list_taken_back": ("ring", "<b>{who}</b> took back {orders} of list {job}, not sent yet."),
    "exported": ("ring", "<b>{who}</b> exported {orders} as {form}: {filter}."),
    "funded": ("", "The balance covers it now, so it is sent again."),
    "sent_now": ("ring", "<b>{who}</b> asked to send it without waiting for the balance."),
    "despite_hold": ("ring", "<b>{who}</b> ordered it although the service was on hold."),
    "despite_unread": ("ring", "<b>{who}</b> ordered it although the supplier’s newest row could not be read ({why})."),
    "despite_price": ("ring", "<b>{who}</b> ordered it at {now}, after its price rose from {was}."),
    "despite_credit": ("ring", "<b>{who}</b> ordered it although the customer then owes more than their credit limit."),
    "for_customer": ("ring", "<b>{who}</b> wrote down whom this order is for: {whom}."),
    "their_reference": ("ring", "<b>{who}</b> changed what the customer calls this order by."),
    "waits_for_press": ("ring", "<b>{who}</b> chose that it is not sent by itself when the balance covers it."),
    "waits_for_money": ("ring", "<b>{who}</b> chose that it is sent by itself when the balance covers it."),
    "stopped": ("bad", "<b>{who}</b> stopped all sending: {reason}"),
    "resumed": ("ring", "<b>{who}</b> started sending again."),
    "stopped_itself": ("bad", "<b>The desk</b> stopped all sending: {reason}"),
    "resumed_itself": ("", "<b>The desk</b> started sending again: the supplier answers."),
    "released": (
        "ring",
        "<b>{who}</b> decided about the requests that were due in an old database: {sent} sent, {left} not.",
    ),
    "old_books": ("warn", "It was due when the database was last written, {at}. The supplier may have it already."),
    "refill_left": ("warn", "<b>{who}</b> did not send the refill: it may have been sent already. A person decides."),
    "cancel_left": (
        "warn",
        "<b>{who}</b> did not send the request to cancel: it may have been sent already. A person decides.",
    ),
    "set_back": (
        "warn",
        "The desk’s clock was set back by {span}. What was waiting is still sent on time.",
    ),
    "moved": ("", "{was} became <b>{to}</b>."),
    "surprised": ("warn", "{was} became <b>{to}</b>, which is unusual."),
    "puzzled": ("warn", "The supplier says <b>{to}</b>, a status the desk does not know."),
    "unreadable": ("warn", "The supplier’s answer about this order could not be read."),
    "left_out": ("warn", "The supplier’s answer did not mention this order."),
    "missing": ("bad", "Asked about this order alone, the supplier says that it does not know it."),
    "silent": (
        "bad",
        "Every call that names this order fails: {trouble} The desk checks it in calls of its own from now on.",
    ),
    "back": ("", "The supplier knows this order again."),
    "given_up": ("ring", "<b>{who}</b> stopped checking it: {reason}"),
    "doubted": ("warn", "{why}"),
    "revived": (
        "warn",
        "It was {was}, and now the supplier says <b>{to}</b>. The status changes when a second check agrees.",
    ),
    "stood": ("", "The second check does not agree: the supplier says <b>{to}</b>."),
    "text_changed": ("ring", "<b>{who}</b> changed the text for customers “{name}” ({language})."),
    "text_dropped": ("ring", "<b>{who}</b> took back the team’s text for customers “{name}” ({language})."),
    "seen": ("ring", "<b>{who}</b> reviewed the unusual values: {what}."),
}

# The same for who may see no money; of the other kinds, the facts of TEXTS are cleared of amounts.
WITHOUT_MONEY = {
    "placed": "<b>{who}</b> placed this order: {quantity}.",
    "short": "The balance did not cover it. Nothing was ordered; it waits for money.",
    "despite_price": "<b>{who}</b> ordered it after its price rose.",
    "approved": "<b>{who}</b> approved it. It is queued.",
}
TEXTS = ("why", "trouble", "filter", "said")  # facts that may hold words of upstream’s, or of a filter by charge


class Sentence(NamedTuple):
    """`tone` is one of "", ring, warn, bad; `html` is safe; `said` is upstream's words, verbatim, unescaped."""

    tone: str
    html: SafeString
    said: str

    @property
    def plain(self) -> str:
        """The sentence as text without markup, unescaped."""
        return html.unescape(strip_tags(self.html))

    @classmethod
    def of(cls, kind: str, by: object, facts: dict[str, Any], *, named: bool = True) -> "Sentence":
        """An event's sentence, with `named` as false without who did it where it begins with them.

        Facts that a sentence asks for and that are missing show as “?”, never as an error.
        """
        tone, template = SENTENCES.get(kind) or tone_and_sentence(kind)
        answer = facts.get("said", "")
        if not isinstance(answer, str):
            answer = json.dumps(answer, ensure_ascii=False)
        if not sees_money():
            template = WITHOUT_MONEY.get(kind, template)
            facts = facts | {name: without_amounts(str(facts[name])) for name in TEXTS if name in facts}
            answer = without_amounts(answer)
        if not named:
            template = SUBJECT.sub("", template)
        count = facts.get("count", "?")
        nouns = {f"{noun}s": f"{count} {noun}{'s' * (str(count) != '1')}" for noun in NOUNS}
        facts = {"kind": kind, **nouns, **facts, "who": str(by) if by else NOBODY}
        names = {name for _, name, _, _ in Formatter().parse(template) if name}
        filled = format_html(template, **{name: facts.get(name, "?") for name in names | {"who"}})
        return cls(tone, filled, answer[:ANSWER_CHARACTERS])


def tone_and_sentence(kind: str) -> tuple[str, str]:
    """What a row of SENTENCES says, for a kind of the rooms below; its bare name for one that nobody knows."""
    return KINDS[kind][1:] if kind in KINDS else ("", "{kind}")


def with_doubt(doubts: str | None, kind: str) -> str:
    """`Order.doubts` with one more kind. Adding it again changes nothing."""
    return " ".join(dict.fromkeys([*(doubts or "").split(), kind]))
