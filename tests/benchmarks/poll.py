"""A poll of an open page with nothing new: the request that the desk answers most often."""

from collections.abc import Sequence
from statistics import median

from accounts.models import DeskSession
from orders.table.listing import ROWS_A_PAGE
from tests.benchmarks import data, measure
from tests.benchmarks.page import OpenPage

ROUNDS = 100
MOST_QUERIES = 4


def main() -> int:
    figures = measure.Figures(f"poll: {ROWS_A_PAGE} rows on screen, nothing new")
    with measure.desk(pages=True):
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        page = OpenPage(owner)
        assert len(page.rows) == ROWS_A_PAGE, "the poll must ask after a whole page"
        page.poll()
        before = sessions()
        queries = measure.queries_of(page.poll)
        response = page.poll()
        times = [measure.seconds(page.poll) for _ in range(ROUNDS)]
        figures.say(f"p50 {median(times) * 1000:.2f} ms, {ROUNDS} rounds")
        figures.exactly("status", response.status_code, 204)
        figures.exactly("bytes of body", len(response.content), 0)
        figures.at_most("queries", len(queries), MOST_QUERIES)
        figures.exactly("statements that write", measure.writes_among(queries), 0)
        figures.exactly("cookies set", len(response.cookies), 0)
        figures.exactly("session row as it was", sessions() == before, True)
    return figures.end()


def sessions() -> Sequence[tuple[object, ...]]:
    """Every column of every session, the expiry among them."""
    return list(DeskSession.objects.order_by("pk").values_list())


if __name__ == "__main__":
    raise SystemExit(main())
