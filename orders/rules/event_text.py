"""The sentence of each kind of event: one row a kind. The timeline, the activity page and the admin show these."""

import html
import json
from string import Formatter
from typing import Any, NamedTuple

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString

NOBODY = "The clock"  # the name on events that no person caused
ANSWER_CHARACTERS = 500  # of upstream's words in a timeline

# kind: tone, sentence. {who} and every other fact is escaped; names are bold. {orders} is the fact `count` with its
# noun, such as `1 order` or `1,200 orders`, and so is {refills}.
SENTENCES = {
    "placed": ("ring", "<b>{who}</b> placed this order: {quantity} at {rate}, expected {expected}."),
    "asked": ("", "Try {attempt}: upstream answered with <code>{upstream_id}</code>. One order."),
    "unsent": ("warn", "Try {attempt} did not leave the house: {trouble}"),
    "unclear": ("warn", "Try {attempt}: {trouble} Upstream may have it, so the same request_id is asked again."),
    "held": ("warn", "Upstream does not take orders now: {trouble}"),
    "short": ("warn", "Upstream’s balance did not cover it. Nothing was ordered; it waits for {needs}."),
    "refused": ("bad", "Upstream said no. Nothing was ordered."),
    "review": ("bad", "A person must look: {why}"),
    "withdrawn": ("ring", "<b>{who}</b> withdrew it before it was sent. Nothing was ordered."),
    "asked_again": ("ring", "<b>{who}</b> had it asked for again, with the same request_id."),
    "asked_now": ("ring", "<b>{who}</b> had it asked for again without waiting, with the same request_id."),
    "adopted": ("ring", "<b>{who}</b> found it upstream as <code>{upstream_id}</code>. The next look tells."),
    "closed": ("ring", "<b>{who}</b> closed it as not placed: {reason}"),
    "duplicate": ("bad", "Upstream gave its request_id more than one id: <b>{upstream_id}</b>, and also {others}."),
    "refill_asked": ("ring", "<b>{who}</b> asked for refill {slot} of {slots}."),
    "refill_again": ("ring", "<b>{who}</b> had the refill asked for again, because no clear answer had come."),
    "refill_anew": ("ring", "<b>{who}</b> asked for another, to learn whether the pending refill is settled."),
    "refill_accepted": ("", "Upstream accepted refill {slot} of {slots} as <code>{ref}</code>."),
    "refill_adopted": ("", "Upstream says that a refill is pending: the one that got no clear answer went through."),
    "refill_refused": ("bad", "Upstream refused the refill. It counts for nothing."),
    "refill_doubted": ("warn", "Upstream took no second try, and did not say whether it has the first."),
    "refill_limit": ("warn", "Upstream counts {refills} more than this desk asked for."),
    "refill_unclear": ("warn", "It was sent once, and no clear answer came: {trouble} Only a person asks again."),
    "refill_unsent": ("warn", "The refill did not reach upstream: {trouble}"),
    "refill_presumed": ("warn", "No word of the refill for {hours} h: presumed settled. Upstream has not said so."),
    "refill_marked": ("ring", "<b>{who}</b> marked the refill as settled: {reason}"),
    "refill_followed": ("", "Upstream let another refill pass, so the one before is settled."),
    "refill_reopened": ("warn", "Upstream says that the refill before is still pending."),
    "cancel_asked": ("ring", "<b>{who}</b> asked for a cancel."),
    "cancel_waits": ("ring", "<b>{who}</b> asked for a cancel. It is sent when upstream has confirmed the order."),
    "cancel_again": ("ring", "<b>{who}</b> had the cancel asked for again."),
    "cancel_taken": ("", "Upstream took the cancel request. Only a later status tells whether it holds."),
    "cancel_refused": ("bad", "Upstream refused to cancel."),
    "cancel_unclear": ("warn", "It was sent, and no clear answer came: {trouble} The order’s status will tell."),
    "cancel_unsent": ("warn", "The cancel did not reach upstream: {trouble}"),
    "cancel_agreed": ("", "Upstream agreed to the cancel."),
    "cancel_late": ("warn", "The cancel came to nothing: upstream says <b>{to}</b>."),
    "cancel_needless": ("", "There was nothing to cancel: the order was never placed."),
    "noted": ("ring", "<b>{who}</b> wrote a note."),
    "noted_to": ("ring", "<b>{who}</b> wrote a note to <b>{to}</b>."),
    "taken_on": ("ring", "<b>{who}</b> took this order on."),
    "taken_over": ("ring", "<b>{who}</b> took this order over from <b>{was}</b>."),
    "given": ("ring", "<b>{who}</b> gave this order to <b>{to}</b>."),
    "let_go": ("ring", "<b>{who}</b> let this order go; it is assigned to nobody."),
    "taken_from": ("ring", "<b>{who}</b> took this order from <b>{was}</b>; it is assigned to nobody."),
    "refills_asked": ("ring", "<b>{who}</b> asked for refills of {orders} at once, job {job}."),
    "cancels_asked": ("ring", "<b>{who}</b> asked to cancel {orders} at once, job {job}."),
    "exported": ("ring", "<b>{who}</b> exported {orders} as {form}: {filter}."),
    "funded": ("", "The balance covers it now, so it goes again."),
    "sent_now": ("ring", "<b>{who}</b> had it sent without waiting for the balance."),
    "despite_hold": ("ring", "<b>{who}</b> ordered it although the service was on hold."),
    "despite_unread": ("ring", "<b>{who}</b> ordered it although upstream’s newest row could not be read ({why})."),
    "despite_price": (
        "ring",
        "<b>{who}</b> ordered it at {now}, after its price rose from {was}.",
    ),
    "waits_for_press": ("ring", "<b>{who}</b> chose that it waits for a press when the money is there."),
    "waits_for_money": ("ring", "<b>{who}</b> chose that it goes by itself when the money is there."),
    "stopped": ("bad", "<b>{who}</b> stopped all sending: {reason}"),
    "resumed": ("ring", "<b>{who}</b> let orders go out again."),
    "stopped_itself": ("bad", "<b>The desk</b> stopped all sending: {reason}"),
    "resumed_itself": ("", "<b>The desk</b> lets orders go out again: upstream answers well."),
    "released": ("ring", "<b>{who}</b> released what was due in old books: {sent} to be sent, {left} not."),
    "old_books": ("warn", "It was due when the desk’s books were last written, {at}. Upstream may have it since."),
    "refill_left": ("warn", "<b>{who}</b> left the refill to a person: it may have been asked since. Nothing is sent."),
    "cancel_left": ("warn", "<b>{who}</b> left the cancel to a person: it may have been asked since. Nothing is sent."),
    "set_back": (
        "warn",
        "The desk’s clock was set back by {span}. What waited by the old time goes in time all the same.",
    ),
    "moved": ("", "{was} became <b>{to}</b>."),
    "surprised": ("warn", "{was} became <b>{to}</b>, which we did not expect."),
    "puzzled": ("warn", "Upstream says <b>{to}</b>, a word we do not know."),
    "unreadable": ("warn", "Upstream’s answer about this order could not be read."),
    "left_out": ("warn", "Upstream’s answer left this order out."),
    "missing": ("bad", "Asked for this order alone, upstream says that it knows no such order."),
    "silent": ("bad", "Calls fail whenever they name this order: {trouble} It is asked about by itself from now on."),
    "back": ("", "Upstream knows this order again."),
    "given_up": ("ring", "<b>{who}</b> ended the asking after it: {reason}"),
    "doubted": ("warn", "{why}"),
    "revived": (
        "warn",
        "It was {was}, and now upstream says <b>{to}</b>. It waits for a second look that agrees.",
    ),
    "stood": ("", "The second look does not agree: upstream says <b>{to}</b>."),
    "text_changed": ("ring", "<b>{who}</b> changed the text for customers “{name}” ({language})."),
    "text_dropped": ("ring", "<b>{who}</b> took back the team’s text for customers “{name}” ({language})."),
    "seen": ("ring", "<b>{who}</b> has seen what surprised: {what}."),
}


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
    def of(cls, kind: str, by: object, facts: dict[str, Any]) -> "Sentence":
        """An event's sentence. Facts that a sentence asks for and that are missing show as “?”, never as an error."""
        tone, template = SENTENCES.get(kind, ("", "{kind}"))
        answer = facts.get("said", "")
        if not isinstance(answer, str):
            answer = json.dumps(answer, ensure_ascii=False)
        count = facts.get("count", "?")
        nouns = {f"{noun}s": f"{count} {noun}{'s' * (str(count) != '1')}" for noun in ("order", "refill")}
        facts = {"kind": kind, **nouns, **facts, "who": str(by) if by else NOBODY}
        names = {name for _, name, _, _ in Formatter().parse(template) if name}
        filled = format_html(template, **{name: facts.get(name, "?") for name in names | {"who"}})
        return cls(tone, filled, answer[:ANSWER_CHARACTERS])
