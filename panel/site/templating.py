"""The templates' environment: the functions that every page may call."""

from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from accounts.access import may, why_not
from accounts.factors.rule import is_shut_out
from catalog.service_names import short_name
from orders.following.anomalies import unseen_anomalies
from orders.limits.people import spent_today
from orders.rules.eligibility import cancel_question, refill_question, withdrawal_question
from orders.rules.statuses import label
from orders.selling.below import sold_below
from orders.table.filters import tab_label
from orders.table.markup import (
    act_button,
    again_button,
    check_button,
    copy_button,
    icon,
    link_tag,
    refill_meter,
    row_link,
)
from orders.table.rows import row_version
from orders.teamwork.acts import acts_of
from orders.teamwork.mentions import note_html
from panel.format import languages, money, numbers, times
from panel.site.palette import paths_by_go_key


class DeskEnvironment(Environment):
    """Jinja's environment, in which no template has globals of its own: to tell them apart takes a page 1 ms."""

    def make_globals(self, own: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The names that every template knows."""
        return {**self.globals, **own} if own else self.globals


def environment(**options: Any) -> Environment:
    """Jinja's environment. A name that is missing is an error instead of an empty text."""
    env = DeskEnvironment(**{**options, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    env.globals.update(
        url=url, static=lru_cache(static), may=may, why_not=why_not, is_shut_out=is_shut_out, label=label,
        now=timezone.now, htmx_script=htmx_script,
        row_version=row_version, unseen_anomalies=unseen_anomalies, refill_meter=refill_meter, link_tag=link_tag,
        row_link=row_link, short_name=short_name, tab_label=tab_label,
        refill_question=refill_question, cancel_question=cancel_question, withdrawal_question=withdrawal_question,
        note_html=note_html, acts_of=acts_of, spent_today=spent_today, sold_below=sold_below,
        act_button=act_button, again_button=again_button,
        check_button=check_button, copy_button=copy_button, drawn=icon,
        money=money.money, sees_money=money.sees_money, without_amounts=money.without_amounts,
        is_dollars=money.is_dollars, cent=money.CENT, number=numbers.number, decimal=numbers.decimal,
        ago_words=times.ago_words, time_tag=times.time_tag, span_tag=times.span_tag,
        due_tag=times.due_tag, machine=times.machine, exact=times.exact, clock_words=times.clock, local=times.local,
        day_of=times.day, zone_at=times.zone_at, zone_name=times.zone_name, took=times.took,
        paths_by_go_key=paths_by_go_key, apart=languages.apart, lang_attribute=languages.lang_attribute,
    )  # fmt: skip
    return env


def csrf_once(request: HttpRequest) -> dict[str, Any]:
    """The context processor of the forms' token, which Django would mask anew for each form of a page."""
    token = SimpleLazyObject(lambda: get_token(request))
    field = Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">')
    return {"csrf_token": token, "csrf_input": SimpleLazyObject(lambda: field.format(token))}


@lru_cache(maxsize=1_000)  # a page has fifty of them, most of them again and again
def url(name: str, *args: object, **kwargs: object) -> str:
    """The path of the page with this URL name."""
    return reverse(name, args=args, kwargs=kwargs)
