"""What may cost more on a large desk, for it shows or reads more rows there: why, how many, and what each costs."""

import re
from collections.abc import Callable
from typing import NamedTuple

from accounts.trail.chain import LINES_A_LINK
from accounts.trail.watch import PIECE_LINES
from orders.activity.search import WINDOW_LINES
from orders.aftersale.task_list import MOST_MEASURED_REFILLS
from orders.bulk.selection import MOST_ORDERS
from orders.bulk.views import SCANNED_ORDERS
from orders.handover.events import ROWS as SINCE_ROWS
from orders.handover.sections import KINDS as SINCE_KINDS
from orders.reports.charges import DAYS_A_PAGE
from orders.reports.period import LENGTHS, USUAL
from orders.rules.score import WEEKS
from orders.statistics.delivery_times import MEASURED_ORDERS
from orders.statistics.sales import LEVELS
from orders.table.export import ORDERS_PER_QUERY
from orders.table.listing import ROWS_A_PAGE
from orders.table.paging import PROBED_ROWS, SCANNED_IDS
from orders.webhooks.dispatch import DELETED_AT_ONCE, KEPT_FOR
from panel.ops.planner import ANALYSED_ROWS
from panel.web.admin_list import ROWS as ADMIN_ROWS
from tests.benchmarks.desks import ORDERS_A_DAY
from tests.benchmarks.history import JOBS, LAST_OLD_JOB
from tests.benchmarks.surroundings import LINES_OF_LIST


class Allowance(NamedTuple):
    """So many rows more, at so many units each. Nothing else may grow."""

    pattern: str  # of the names that it is for
    why: str
    rows: Callable[[int], int]  # size of the desk → rows that it shows or reads more than at a thousand
    steps: int  # of SQLite, a row
    blocks: float  # of PostgreSQL, a row
    queries: int = 0  # further batches in which they are read

    def units(self, vendor: str, size: int) -> int:
        return round(self.rows(size) * (self.steps if vendor == "sqlite" else self.blocks))


PLANS_OF_ONE = JOBS // 16  # surroundings.py gives one to each of sixteen people in turn
OLDER_JOBS = LAST_OLD_JOB  # with a list and a plan each, which a small desk has not
ROWS_OF_JOB = 400  # of the job that is visited
CHANGED_SALES = 10  # orders whose sale changed since the worker added up: selling.py
ORDERS_OF_MESSAGE = 200  # of the pasted message that is visited
ENDED_SERVICES = 50  # at the most: one for each order that has ended since
HISTORY = 1_000  # orders from here on are older than a day
# From so many rows on an index of PostgreSQL is a level deeper than for a thousand: about 366 entries fit in a block.
DEEPER_FROM = 366**2
LOOKED_UP = 100  # rows of a list, each in up to four tables


def looked_through(size: int) -> int:
    """How many orders more a list looks through, at the most, where no index has all that it asks for."""
    return min(size - HISTORY, sum(SCANNED_IDS) + PROBED_ROWS)


ALLOWANCES = (
    Allowance(
        r"GET  /orders/\?status=\w+&sort=.*",
        "a filter and another sort meet: so many orders are looked through, and the row of each is read for its status",
        rows=looked_through, steps=24, blocks=0.3,
        queries=len(SCANNED_IDS) + 1,
    ),
    Allowance(
        r"GET  /orders/\?(status=\w+&(by|service)=.*|most=.*)",
        "two filters meet: so many orders are looked through, and no more",
        rows=looked_through, steps=6, blocks=0.3,
        queries=len(SCANNED_IDS) - 1,
    ),
    Allowance(
        r"GET  /orders/\?(money=elsewhere|past=refilled)",
        "no index has what was refilled or charged in another currency: so many orders are looked through, and no more",
        rows=looked_through, steps=22, blocks=0.3,
        queries=len(SCANNED_IDS),
    ),
    Allowance(
        r"GET  /orders/\?(money|past|category_now)=.*",
        "lists as many rows as a page has, of which a small desk has fewer there, each looked up in four tables",
        rows=lambda size: ROWS_A_PAGE, steps=80, blocks=12,
    ),
    Allowance(
        r"GET  /orders/\?q=(\{word\}|instagram\+followers)",
        "the index of words is in more parts, and a page has as many rows as it takes, of which a small desk has fewer",
        rows=lambda size: ROWS_A_PAGE if size > DEEPER_FROM else 0, steps=160, blocks=2,
    ),
    Allowance(
        r"POST /orders/mass/drafts/\{draft\}/plan/ .*",
        "of each plan that the person ever made it is asked whether a part is to come",
        rows=lambda size: PLANS_OF_ONE, steps=25, blocks=1,
    ),
    Allowance(
        r"POST /customers/\{few\}/erasure/ .*",
        "the name is looked for in all lines that became no order, and in all parts of plans that keep lines",
        rows=lambda size: OLDER_JOBS * LINES_OF_LIST, steps=12, blocks=0.3,
    ),
    Allowance(
        r"GET  /orders/bulks/matching/\?status=completed",
        "counts what matches, up to what fits in a job",
        rows=lambda size: min(size - HISTORY, MOST_ORDERS), steps=32, blocks=0.3,
        queries=MOST_ORDERS // SCANNED_ORDERS + 1,
    ),
    Allowance(
        r"GET  /orders/bulks/\{job\}/.*|poll of a receipt",
        "each order of the job is looked up for its answer, in an index that is a level deeper",
        rows=lambda size: ROWS_OF_JOB * (2 if size > DEEPER_FROM else 1), steps=0, blocks=1,
    ),
    Allowance(
        r"GET  /orders/answers/\{worklist\}/(\?.*)?|poll of answers",
        "each order of the message is looked up by indexes, where a small desk reads its few blocks of orders",
        rows=lambda size: ORDERS_OF_MESSAGE * (2 if size > DEEPER_FROM else 1), steps=0, blocks=4,
    ),
    Allowance(
        r"GET  /orders/approvals/\?.*",
        "each order of the page is looked up by indexes, where a small desk reads its few blocks of orders",
        rows=lambda size: ROWS_A_PAGE, steps=0, blocks=4,
    ),
    Allowance(
        r"ASK  /customers/\{customer\}/ .*",
        "a search looks through so many of the customer's orders, and no more",
        rows=looked_through, steps=1, blocks=0.3,
    ),
    Allowance(
        r"GET  /activity/since/.*",
        "the newest lines of each kind and their orders are read, down to a bound that a small desk does not reach",
        rows=lambda size: SINCE_ROWS * len(SINCE_KINDS), steps=110, blocks=3,
    ),
    Allowance(
        r"GET  /reports/.*|POST /reports/export/.*",
        "the sums of each day and each service, person or customer that was ordered that day, of two periods that a "
        "small desk has not filled; the worker writes them as they change, so that a day's lie in many blocks",
        rows=lambda size: min(size, 2 * LENGTHS[USUAL] * ORDERS_A_DAY) - HISTORY, steps=80, blocks=0.07,
    ),
    Allowance(
        r"chore: trail|POST /activity/chain/verification/",
        "two pieces of the trail are verified, of so many lines and a link more each, of which a small desk has fewer",
        rows=lambda size: 2 * (PIECE_LINES + LINES_A_LINK), steps=8, blocks=0.05,
    ),
    Allowance(
        r"chore: sales",
        "each changed order is added to the sums of every level, in an index that is a level deeper",
        rows=lambda size: CHANGED_SALES * len(LEVELS), steps=0, blocks=3,
    ),
    Allowance(
        r"chore: scores",
        "the sums of each day and each service that was ordered that day, of so many weeks",
        rows=lambda size: min(size, 7 * WEEKS * ORDERS_A_DAY) - HISTORY, steps=65, blocks=0.12,
    ),
    Allowance(
        r"GET  /activity/\?kind=orders&kind=.*",
        "kinds and people meet: so many lines are looked through, and no more; a small desk has them in fewer blocks",
        rows=lambda size: WINDOW_LINES, steps=8, blocks=1,
    ),
    Allowance(
        r"GET  /(activity/\?kind=orders&|activity/\?|team/security/\?what=refused&)person=.*",
        "two filters meet: so many lines are looked through, and no more; of one person a small desk has fewer",
        rows=lambda size: WINDOW_LINES, steps=8, blocks=0.3,
    ),
    Allowance(
        r"(GET|ASK)  /(services|activity|mentions|orders/(answers|new))/.*"
        r"|POST /orders/bulks/new/.*|GET  /orders/\?open=refill.*",
        "each row is looked up by indexes that are a level deeper",
        rows=lambda size: LOOKED_UP if size > DEEPER_FROM else 0, steps=0, blocks=5,
    ),
    Allowance(
        r"GET  /orders/refills/.*",
        "the usual age of a refill is measured at the last ones that were settled",
        rows=lambda size: MOST_MEASURED_REFILLS - 50, steps=32, blocks=3,
    ),
    Allowance(
        r"GET  /upstream/charges/.*",
        "a line for each day, of 96 quarters of an hour",
        rows=lambda size: 96 * min(size // ORDERS_A_DAY, DAYS_A_PAGE), steps=11, blocks=0.3,
    ),
    Allowance(
        r"export: the first 100 rows",
        "an export reads its orders in batches, of which a thousand orders do not fill one",
        rows=lambda size: ORDERS_PER_QUERY - HISTORY, steps=85, blocks=1,
    ),
    Allowance(
        r"chore: pace",
        "the last orders of each service whose orders have ended are read, of which a small desk has fewer",
        rows=lambda size: ENDED_SERVICES * min(size // HISTORY, MEASURED_ORDERS), steps=11, blocks=0.5,
    ),
    Allowance(
        r"chore: spending",
        "the lines of a day's 96 quarters of an hour are added up, of which a small desk has fewer",
        rows=lambda size: 96, steps=11, blocks=1,
    ),
    Allowance(
        r"chore: old deliveries",
        "a batch of what came in more than 30 days ago is deleted, of which a small desk has nothing",
        rows=lambda size: DELETED_AT_ONCE if size > KEPT_FOR.days * ORDERS_A_DAY else 0, steps=32, blocks=4, queries=2,
    ),
    Allowance(
        r"chore: query plans",
        "so many rows of each index are looked at, of which a small desk has fewer",
        rows=lambda size: ANALYSED_ROWS, steps=200, blocks=0,
    ),
    Allowance(
        r"GET  /admin/orders/charged/(\?.*)?",
        "as the other lists of the admin; of lines that change all day, so that a block holds few that count",
        rows=lambda size: ADMIN_ROWS, steps=110, blocks=0.4,
    ),
    Allowance(
        r"GET  /admin/catalog/change/\?q=.*",
        "as the other lists of the admin; and words are looked for in the service of each row",
        rows=lambda size: ADMIN_ROWS, steps=110, blocks=1,
    ),
    Allowance(
        r"GET  /admin/\w+/\w+/(\?.*)?",
        "a list of the admin is about at most a thousand rows, of which a small desk has fewer",
        rows=lambda size: ADMIN_ROWS, steps=110, blocks=0.3,
    ),
)  # fmt: skip


def allowance_of(name: str) -> Allowance | None:
    """The allowance for what has this name."""
    return next((allowance for allowance in ALLOWANCES if re.fullmatch(allowance.pattern, name)), None)
