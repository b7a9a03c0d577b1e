"""The templates' environment: what every page may use."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined

from accounts.access import may
from orders.following.anomalies import unseen_anomalies
from orders.rules.statuses import label, stage
from orders.table.markup import act_button, check_button, copy_button, icon, link_tag, refill_meter
from orders.table.rows import row_version
from orders.teamwork.mentions import note_html
from panel.format.money import CENT, is_dollars, money
from panel.format.numbers import decimal, number
from panel.format.times import (
    ago_words,
    clock,
    day,
    exact,
    local,
    machine,
    span_tag,
    time_tag,
    took,
    zone_at,
    zone_name,
)


def environment(**options: Any) -> Environment:
    """Strict: a name that is missing is an error in a test, not a hole in a page."""
    env = Environment(**{**options, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})  # noqa: S701
    env.globals.update(
        url=url, static=static, may=may, stage=stage, label=label, now=now, htmx_script=htmx_script,
        row_version=row_version, unseen_anomalies=unseen_anomalies, refill_meter=refill_meter, link_tag=link_tag,
        note_html=note_html, act_button=act_button, check_button=check_button, copy_button=copy_button, drawn=icon,
        money=money, is_dollars=is_dollars, cent=CENT, number=number, decimal=decimal, ago_words=ago_words,
        time_tag=time_tag, machine=machine, exact=exact, clock_words=clock, local=local, day_of=day, zone_at=zone_at,
        zone_name=zone_name, span_tag=span_tag, took=took,
    )  # fmt: skip
    return env


@lru_cache(maxsize=1_000)  # a page says fifty of them, and most again and again
def url(name: str, *args: object, **kwargs: object) -> str:
    return reverse(name, args=args, kwargs=kwargs)


def now() -> datetime:
    return datetime.now(UTC)
