"""Quiet hours are what stands on somebody's own clock: over midnight, and in the nights when clocks are changed."""

from datetime import UTC, datetime, time

import pytest

from panel.alarms.quiet_hours import quiet_until
from panel.format.times import zone_named

#  begins  ends   zone                 now, UTC            quiet until, UTC; "" when it is not quiet
TABLE = """
22:00 07:00 UTC              | 2026-11-02 21:59:59 |
22:00 07:00 UTC              | 2026-11-02 22:00:00 | 2026-11-03 07:00
22:00 07:00 UTC              | 2026-11-03 00:00:00 | 2026-11-03 07:00
22:00 07:00 UTC              | 2026-11-03 06:59:59 | 2026-11-03 07:00
22:00 07:00 UTC              | 2026-11-03 07:00:00 |
13:00 14:30 UTC              | 2026-11-03 13:30:00 | 2026-11-03 14:30
13:00 14:30 UTC              | 2026-11-03 14:30:00 |
13:00 14:30 UTC              | 2026-11-03 12:59:00 |
00:00 23:59 UTC              | 2026-11-03 00:00:00 | 2026-11-03 23:59
22:00 22:00 UTC              | 2026-11-02 22:00:00 |
22:00 07:00 Europe/Berlin    | 2026-01-10 20:59:00 |
22:00 07:00 Europe/Berlin    | 2026-01-10 21:00:00 | 2026-01-11 06:00
22:00 07:00 Europe/Berlin    | 2026-07-10 20:00:00 | 2026-07-11 05:00
22:00 07:00 Asia/Kathmandu   | 2026-07-10 16:15:00 | 2026-07-11 01:15
22:00 07:00 America/New_York | 2026-07-11 02:00:00 | 2026-07-11 11:00
22:00 07:00 Nowhere/Else     | 2026-11-02 23:00:00 | 2026-11-03 07:00
# The night of 29 March 2026 in Berlin has an hour less: 02:00 is 03:00.
22:00 07:00 Europe/Berlin    | 2026-03-28 21:30:00 | 2026-03-29 05:00
22:00 02:30 Europe/Berlin    | 2026-03-29 00:30:00 | 2026-03-29 01:00
22:00 03:00 Europe/Berlin    | 2026-03-29 00:59:00 | 2026-03-29 01:00
02:15 02:45 Europe/Berlin    | 2026-03-29 01:00:00 |
# The night of 25 October 2026 has an hour more: 02:00 to 03:00 is there twice.
22:00 07:00 Europe/Berlin    | 2026-10-24 20:30:00 | 2026-10-25 06:00
22:00 02:30 Europe/Berlin    | 2026-10-24 23:30:00 | 2026-10-25 00:30
22:00 02:30 Europe/Berlin    | 2026-10-25 00:45:00 |
22:00 02:30 Europe/Berlin    | 2026-10-25 01:10:00 | 2026-10-25 01:30
22:00 02:30 Europe/Berlin    | 2026-10-25 01:30:00 |
"""


@pytest.mark.parametrize("row", [row for row in TABLE.strip().splitlines() if not row.startswith("#")])
def test_it_is_quiet_until(row: str) -> None:
    hours, now, until = (column.strip() for column in row.split("|"))
    begin, end, zone = hours.split()
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert quiet_until(at, time.fromisoformat(begin), time.fromisoformat(end), zone_named(zone)) == expected
