"""The page of reports: what was ordered, spent and sold in a period, from the maintained sums alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import FIELDS, may, needs
from accounts.trail.record import record_change
from orders.models import SaleSum, SavedView, ServiceScore
from orders.reports import export as files
from orders.reports.figures import Totals, added, in_cents
from orders.reports.key_figures import key_figures, percent
from orders.reports.period import BY, COMPARED, PRESETS, SPLITS, Bucket, Period, days_words
from orders.reports.pictures import bars_of, line_of, spark_of
from orders.reports.splits import ALL_ROWS, KEY_OF, ROWS, Split, days_query, orders_query, split_of, to_orders
from orders.reports.statement import Sums, read_sums
from orders.rules.score import LEAST_ENDED, SCORE_DAYS, made_of
from orders.statistics.charge_totals import QUARTER, dollars
from orders.statistics.sales import QUARTERS
from panel.format.locale import written_for
from panel.format.money import money
from panel.format.numbers import marked
from panel.format.spreadsheet import FORMATS, spool
from panel.format.times import zone_name

SAVED_REPORTS = 20  # in the menu; all of them are on a page of their own
AMOUNTS = ("spent", "spent_before", "sold", "margin")  # of a Step


class Step(NamedTuple):
    """A day, week or month of the report: a bar, and a row of the tables behind the charts."""

    bucket: Bucket
    words: str
    query: str  # of the list of its orders
    query_before: str  # of the list of those that it is compared with
    now: Totals
    before: Totals
    spent: Decimal
    spent_before: Decimal
    sold: Decimal
    margin: Decimal


@require_safe
@needs("view")
def reports(request: HttpRequest) -> HttpResponse:
    """The report that the address names."""
    splits = splits_for(request.user)
    period, sees_money = Period.read(request.GET.dict(), splits), may(request.user, "money")
    measure = "charged" if sees_money else "orders"
    sums = read_sums(period.first, period.last, period.shift, KEY_OF.get(period.split, period.split))
    is_long, everything, steps = bool(request.GET.get("all")), added(sums.days), steps_of(sums, period)
    split = split_of(sums, period, measure, ALL_ROWS if is_long else ROWS)
    context: dict[str, Any] = {
        "period": period, "presets": PRESETS, "by": BY, "compared": COMPARED, "splits": splits,
        "steps": steps, "split": split, "measure": measure, "sees": sees_money, "is_long": is_long,
        "now": everything, "before": (earlier := added(sums.before)), "compared_with": earlier.any,
        "key_figures": key_figures(sums, period, sees_money),
        "orders_query": orders_query, "some": to_orders,
        "longest": max([1, *(max(getattr(row.now, measure), getattr(row.before, measure)) for row in split.rows)]),
        "first_sale": None if everything.any else first_sale(),
        "total": total_of(steps), "percent": percent, "query": request.GET.urlencode(),
        **pictures_of(steps, sees_money), **scores_of(split, period), **saved_of(request.user, period),
    }  # fmt: skip
    return render(request, "orders/reports/index.html", context)


def splits_for(user: Any) -> dict[str, str]:
    """The splits that this person may see: none by a fact that the table of actions hides."""
    return {name: words for name, words in SPLITS.items() if may(user, FIELDS.get(name, "view"))}


def steps_of(sums: Sums, period: Period) -> list[Step]:
    """The days, weeks or months of the report, with amounts in cents that add up to those of the period."""
    buckets, earlier = period.buckets, timedelta(days=period.shift)
    now = [added(sums.days[bucket.begin : bucket.end]) for bucket in buckets]
    before = [added(sums.before[bucket.begin : bucket.end]) for bucket in buckets]
    amounts = zip(
        in_cents([totals.charged for totals in now]), in_cents([totals.charged for totals in before]),
        in_cents([totals.sold for totals in now]), in_cents([totals.margin for totals in now]), strict=True,
    )  # fmt: skip
    rows = zip(buckets, now, before, amounts, strict=True)
    return [
        Step(bucket, days_words(bucket.first, bucket.last), days_query(bucket.first, bucket.last),
             days_query(bucket.first - earlier, bucket.last - earlier) if period.shift else "", own, was, *of_money)
        for bucket, own, was, of_money in rows
    ]  # fmt: skip


def total_of(steps: list[Step]) -> dict[str, Decimal]:
    """The sums of the amounts as they are printed."""
    return {name: sum((getattr(step, name) for step in steps), Decimal(0)) for name in AMOUNTS}


def pictures_of(steps: list[Step], sees_money: bool) -> dict[str, Any]:
    """The charts of the report."""
    compared = steps if any(step.before.any for step in steps) else []
    orders = bars_of([step.now.orders for step in steps], (), [step.before.orders for step in compared])
    late = line_of([step.now.late_share for step in steps])
    found: dict[str, Any] = {"orders_chart": orders, "late_chart": late}
    if sees_money:
        spent, margins = [step.now.charged for step in steps], [step.now.margin for step in steps]
        found["money_chart"] = bars_of(spent, margins, [step.before.charged for step in compared])
        found["tick_words"] = tick_words
    return found


@needs("export")
@require_POST  # for it records who took what
def report_export(request: HttpRequest) -> HttpResponseBase:
    """The split of the report in the address as a file, with `format=` csv or xlsx in the form."""
    period = Period.read(request.GET.dict(), splits_for(request.user))
    sees_money = may(request.user, "money")
    extension = "xlsx" if request.POST.get("format") == "xlsx" else "csv"
    with written_for(zone_name(), ""):  # days on the person's clock, but numbers for programs
        lines, _ = spool(files.lines_of(period, sees_money))
        as_file, content_type = FORMATS[extension]
        with lines:
            about = files.about(period, request.user, timezone.now())
            file = as_file("Report", about, files.heads_of(period, sees_money), lines)
    record_change("report_exported", by=request.user, form=extension.upper(),
                  filter=f"{SPLITS[period.split].lower()}, {period.words}")  # fmt: skip
    name = files.file_name(period, extension)
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)


def tick_words(millionths: int) -> str:
    """What a line of the chart of money stands for: `$100` without cents, and cents below ten dollars."""
    amount = dollars(millionths)
    return money(amount).removesuffix(f"{marked('.')}00") if amount >= 1 else money(amount)


def saved_of(user: Any, period: Period) -> dict[str, Any]:
    """The saved reports that this person sees, the one that this report began as, and whether it differs from it."""
    views = list(SavedView.objects.seen_by(user).of_reports()[:SAVED_REPORTS])
    view = next((view for view in views if view.pk == period.view), None)
    if period.view and view is None:
        view = SavedView.objects.seen_by(user).of_reports().filter(pk=period.view).first()
    return {"saved": views, "view": view, "view_changed": bool(view and view.query != period.kept),
            "may_change": bool(view and not view.why_no_change(user))}  # fmt: skip


def scores_of(split: Split, period: Period) -> dict[str, Any]:
    """The scores of the services that a split by service lists, best first, each with the line of its weeks."""
    shown = [row.key for row in split.rows if row.key is not None] if period.split == "service" else []
    rows = ServiceScore.objects.filter(pk__in=shown).select_related("service__pace") if shown else []
    scores = [(score, spark_of(score.weeks)) for score in rows]
    last = datetime.now(UTC).date()  # scores are of whole days in UTC: orders/statistics/scores.py
    return {
        "scores": scores,
        "score_days": days_query(last - timedelta(days=SCORE_DAYS - 1), last),
        "unscored": len(shown) - len(scores),
        "made_of": made_of(),
        "least_ended": LEAST_ENDED,
    }


def first_sale() -> datetime | None:
    """When the first order of the desk was placed, as the beginning of a quarter of an hour; None without one."""
    sold = SaleSum.objects.filter(level=QUARTERS.number, orders__gt=0).order_by("slot")
    slot = sold.values_list("slot", flat=True).first()
    return None if slot is None else datetime.fromtimestamp(slot * QUARTER, UTC)
