"""The desk's day, in the one time zone that owners set: against its limits an order counts."""

from datetime import UTC, date, datetime, timedelta, tzinfo

from accounts.desk_settings import current
from panel.format.times import zone_named


def desk_zone() -> tzinfo:
    """The time zone of the desk's day: UTC until owners choose another."""
    return zone_named(current().day_zone) or UTC


def desk_day(at: datetime) -> date:
    """The day that the desk's calendar shows at that moment."""
    return at.astimezone(desk_zone()).date()


def next_day(at: datetime) -> datetime:
    """When the desk's next day begins, and with it what may be spent."""
    zone = desk_zone()
    tomorrow = desk_day(at) + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC)
