"""The budget: every layer kept, people first, nobody starved, and upstream's own count believed."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from panel.notpanel import budget
from panel.notpanel.budget import EDGE, SPAN, Assumed, LimitHeaders, Permit, Purpose, Window

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PLACE, ASK, POLL, UPKEEP = Purpose


def window(**known: object) -> Window:
    """The first window, with some of its fields replaced."""
    return replace(budget.first(NOON), **known)  # type: ignore[arg-type]


def granted(before: Window, purpose: Purpose, at: datetime, *, contested: bool = False) -> tuple[Window, int]:
    """Takes every call that the purpose gets; (the window after them, how many they were)."""
    count = 0
    while taken := budget.take(before, purpose, at, contested=contested):
        before, count = taken, count + 1
    return before, count


def headers(**known: object) -> LimitHeaders:
    """An answer's rate-limit headers: those of a first call, with some of them replaced."""
    fields: dict[str, object] = {"limit": 100, "remaining": 99, "tier_remaining": None, "reset": NOON + SPAN, **known}
    return LimitHeaders(**fields)  # type: ignore[arg-type]


def seconds(number: float) -> datetime:
    """The time so many seconds after the first window began."""
    return NOON + timedelta(seconds=number)


# ── Who may call ─────────────────────────────────────────────────────────────────────────────────
def test_polls_leave_people_a_part_that_shrinks_as_the_minute_passes() -> None:
    _, at_once = granted(window(), POLL, NOON)
    assert at_once == 100 - 70 - 5 - 2
    _, later = granted(window(), POLL, seconds(59))
    assert later == 100 - 2 - 1 - 1


def test_a_person_finds_leave_at_any_moment_of_a_full_sweep() -> None:
    now, placed = window(), 0
    for second in range(60):
        now, _ = granted(now, POLL, seconds(second))
        if second % 6 == 5:
            taken = budget.take(now, PLACE, seconds(second))
            assert taken, f"second {second}"
            now, placed = taken, placed + 1
    assert now.look + placed >= 97, "and what nobody needed is not wasted"


def test_what_waits_behind_gets_its_share_and_no_more_while_orders_wait() -> None:
    now, polls = granted(window(), POLL, NOON, contested=True)
    assert polls == 2
    now, upkeep = granted(now, UPKEEP, NOON, contested=True)
    assert upkeep == 2
    _, placed = granted(now, PLACE, seconds(59))
    assert placed == 100 - 2 - 2 - 1


def test_orders_that_come_first_cannot_take_what_is_left_to_the_others() -> None:
    now, placed = granted(window(), PLACE, NOON)
    assert placed == 100 - 5 - 2 - 2
    for purpose, calls in ((ASK, 5), (POLL, 2), (UPKEEP, 2)):
        assert granted(now, purpose, NOON, contested=True)[1] == calls
        assert granted(now, purpose, seconds(59), contested=True)[1] >= 1


def test_nobody_starves_whoever_comes_first() -> None:
    for greedy in Purpose:
        now = window()
        for second in range(60):
            now, _ = granted(now, greedy, seconds(second))
            for other in Purpose:
                if second == 30 and other != greedy:
                    assert budget.take(now, other, seconds(second), contested=True), f"{other} behind {greedy}"
        assert now.spent(greedy) >= 96


def test_a_very_small_limit_keeps_nothing_back() -> None:
    assert granted(window(key_limit=3, key_left=3), POLL, NOON)[1] == 3


@pytest.mark.parametrize("layer", budget.LAYERS)
def test_whichever_layer_is_used_up_first_denies(layer: str) -> None:
    tight = {f"{layer}_limit": 30, f"{layer}_left": 7}
    assert granted(window(tier_limit=200, tier_left=200, **tight) if layer != "tier" else window(**tight), PLACE,
                   seconds(59.9))[1] <= 7  # fmt: skip


def test_what_was_not_used_is_given_back() -> None:
    taken = budget.take(window(), POLL, NOON)
    assert taken
    assert budget.give_back(taken, Permit(1, POLL)) == window()
    later = budget.after(taken, seconds(61))
    assert budget.give_back(later, Permit(1, POLL)) == later, "of a minute that is over nothing comes back"


# ── What upstream says ───────────────────────────────────────────────────────────────────────────
def test_the_supplier_counts_what_others_spend_with_the_same_key() -> None:
    now = replace(window(), key_left=90, flying=3)
    assert budget.settle(now, Permit(1, POLL), headers(remaining=40), seconds(5)).key_left == 40
    assert budget.settle(now, Permit(1, POLL), headers(remaining=95), seconds(5)).key_left == 90, "two are on their way"


def test_a_larger_or_smaller_limit_is_taken_over() -> None:
    now = replace(window(), key_left=99, flying=2)
    after = budget.settle(now, Permit(1, POLL), headers(limit=600, remaining=598), seconds(1))
    assert (after.key_limit, after.key_left) == (600, 598)


def test_the_tier_is_learned_from_what_is_left_of_it() -> None:
    now = replace(window(), look=5, key_left=95, flying=5)
    after = budget.settle(now, Permit(1, POLL), headers(remaining=99, tier_remaining=79), seconds(1))
    assert (after.tier_limit, after.tier_left) == (80, 75), "five went out, of which one was counted yet"
    assert budget.after(after, seconds(61)).tier_left == 80 - after.flying


def test_a_reset_elsewhere_in_the_minute_moves_the_window() -> None:
    now = replace(window(), flying=1)
    sooner = budget.settle(now, Permit(1, POLL), headers(reset=seconds(23)), seconds(1))
    assert (sooner.number, sooner.ends_at) == (1, seconds(23))
    later = budget.settle(now, Permit(1, POLL), headers(reset=seconds(83), remaining=98), seconds(30))
    assert (later.number, later.ends_at, later.key_left) == (2, seconds(83), 98)


def test_calls_under_way_at_the_turn_count_in_both_until_their_answer_tells() -> None:
    now = budget.after(replace(window(), flying=3), seconds(61))
    assert (now.key_left, now.carried) == (97, 3)
    before = budget.settle(now, Permit(1, POLL), headers(reset=NOON + SPAN), seconds(61))
    assert (before.key_left, before.carried) == (98, 2), "that one landed in the minute before"
    here = budget.settle(before, Permit(1, POLL), headers(reset=NOON + 2 * SPAN), seconds(61))
    assert (here.key_left, here.carried) == (98, 1)


def test_a_process_that_died_in_mid_call_costs_no_more_than_the_next_minute() -> None:
    dead = replace(window(), flying=1)
    assert budget.after(dead, seconds(61)).key_left == 99
    assert budget.after(budget.after(dead, seconds(61)), seconds(121)).key_left == 100


@pytest.mark.parametrize("layer", budget.LAYERS)
def test_a_layer_that_denied_gives_nothing_until_its_reset(layer: str) -> None:
    now = replace(window(), flying=1, key_left=50, ip_left=250)
    denied = headers(remaining=0, limit=60, denied=True, denied_by=layer, reset=seconds(40))
    shut = budget.settle(now, Permit(1, POLL), denied, seconds(10))
    assert (shut.left, shut.denied, shut.ends_at) == (0, 1, seconds(40))
    assert getattr(shut, f"{layer}_limit") == 60
    assert budget.after(shut, seconds(41)).left > 0


def test_a_denial_that_names_nothing_shuts_the_key() -> None:
    now = replace(window(), flying=1)
    shut = budget.settle(now, Permit(1, POLL), LimitHeaders(None, None, None, None, denied=True), seconds(10))
    assert (shut.key_left, shut.ends_at) == (0, NOON + SPAN)


@pytest.mark.parametrize("skew", [-9, -5, -1, 3])
def test_a_clock_of_theirs_that_is_behind_is_waited_for_once_it_is_known(skew: int) -> None:
    supplier, now, denied = Counting(100, 500, 300, 0), budget.first(NOON), []
    for tick in range(6 * 60 * 10):
        at = seconds(tick / 10)
        if budget.is_over(now, at):
            now = budget.after(now, at)
        while taken := budget.take(now, POLL, at):
            theirs = at + timedelta(seconds=skew)
            answer = supplier.call(theirs)._replace(sent_at=theirs.replace(microsecond=0))
            now = budget.settle(taken, Permit(taken.number, POLL), answer, at)
            denied += [tick // 600] * answer.denied
    assert set(denied) <= {1}, f"only when they first differed: {Counter(denied)}"


def test_a_reset_that_slides_or_is_rounded_opens_no_minute_of_its_own() -> None:
    now = replace(window(), number=2, flying=3)
    for second in (5, 6, 7):
        now = budget.settle(now, Permit(2, POLL), headers(reset=seconds(second + 60), remaining=90), seconds(second))
    assert (now.number, now.ends_at, now.key_left) == (2, NOON + SPAN, 90)


def test_a_tier_that_is_found_larger_has_more_left() -> None:
    emptied = replace(window(), flying=1, tier_limit=1, tier_left=0)
    after = budget.settle(emptied, Permit(1, POLL), headers(tier_remaining=499), seconds(1))
    assert (after.tier_limit, after.tier_left) == (500, 499)


def test_a_tier_that_shrank_is_known_for_smaller_in_the_next_minute() -> None:
    now = replace(window(), flying=1, tier_limit=1000, tier_left=1000)
    now = budget.settle(now, Permit(1, POLL), headers(tier_remaining=199), seconds(1))
    assert (now.tier_limit, now.tier_left) == (1000, 199)
    after = budget.after(now, seconds(61))
    assert (after.tier_limit, after.tier_left, after.tier_seen) == (200, 200, None)


def test_a_clock_that_is_set_back_opens_a_new_minute() -> None:
    used_up = window(key_left=0)
    assert budget.is_over(used_up, NOON - timedelta(hours=1))
    assert budget.after(used_up, NOON - timedelta(hours=1)).ends_at <= NOON - timedelta(minutes=59)


def test_the_settings_hold_until_upstream_names_its_limit() -> None:
    assert budget.after(window(), seconds(61), Assumed(60, 200)).key_limit == 60
    named = budget.settle(replace(window(), flying=1), Permit(1, POLL), headers(limit=100), seconds(1))
    after = budget.after(named, seconds(61), Assumed(60, 200))
    assert (after.key_limit, after.ip_limit) == (100, 200)


@pytest.mark.parametrize("date", ["", "soon", "Fri, 27 Nov 99999999999999999999 13:26:11 GMT", "Fri, 27 Nov 2026"])
def test_an_absurd_date_is_none(date: str) -> None:
    assert budget.read({"Date": date}, 200, NOON).sent_at is None


@pytest.mark.parametrize(
    "header", ["", "soon", "-1", "1e9", "9" * 20, "²", "4102444801", str(int(NOON.timestamp()) + 7200)]
)
def test_an_absurd_reset_is_none(header: str) -> None:
    assert budget.read({"X-RateLimit-Reset": header}, 200, NOON).reset is None


def test_headers_are_read_as_they_are_documented() -> None:
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Tier-Remaining": "12",
               "X-RateLimit-Reset": str(int(seconds(60).timestamp())), "X-RateLimit-DeniedBy": "Tier"}  # fmt: skip
    assert budget.read(headers, 429, NOON) == LimitHeaders(100, 0, 12, seconds(60), True, "tier")
    assert budget.read({}, 200, NOON) == LimitHeaders(None, None, None, None)


# ── Against a supplier that counts for itself ────────────────────────────────────────────────────
class Counting:
    """A supplier that counts calls by three limits in fixed minutes, `offset` seconds after the clock's."""

    def __init__(self, key: int, tier: int, ip: int, offset: int) -> None:
        self.limits, self.offset = {"ip": ip, "key": key, "tier": tier}, offset
        self.minute, self.taken, self.denied = -1, Counter[str](), 0

    def call(self, at: datetime) -> LimitHeaders:
        """Counts a call and answers it."""
        minute, _second = divmod(at.timestamp() - self.offset, 60)
        if minute != self.minute:
            self.minute, self.taken = int(minute), Counter()
        reset = datetime.fromtimestamp((minute + 1) * 60 + self.offset, UTC)
        for layer, limit in self.limits.items():
            if self.taken[layer] >= limit:
                self.denied += 1
                return LimitHeaders(limit, 0, self.limits["tier"] - self.taken["tier"], reset, True, layer)
            self.taken[layer] += 1
        left = {layer: limit - self.taken[layer] for layer, limit in self.limits.items()}
        return LimitHeaders(self.limits["key"], left["key"], left["tier"], reset)


@pytest.mark.slow
@settings(deadline=None, max_examples=30, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    key=st.integers(20, 150), tier=st.integers(20, 150), ip=st.integers(150, 400), offset=st.integers(0, 59),
    processes=st.integers(1, 8), takes=st.lists(st.floats(0.05, 3.0), min_size=8, max_size=8),
    purposes=st.lists(st.sampled_from(list(Purpose)), min_size=8, max_size=8),
)  # fmt: skip
def test_it_never_asks_for_more_than_any_layer_allows(
    key: int, tier: int, ip: int, offset: int, processes: int, takes: list[float], purposes: list[Purpose]
) -> None:
    """However many processes call, however long their calls take, and wherever the supplier's minute begins.

    In the first minute alone nothing is known before the first answers: not where the minute ends, nor a tier that is
    smaller than what goes out by then.
    """
    limits = Assumed(20, ip)
    supplier, now = Counting(key, tier, ip, offset), budget.first(NOON, limits)
    free, on_the_way = [0.0] * processes, list[tuple[float, float, Permit]]()
    answers = list[tuple[float, Permit, LimitHeaders]]()
    denied_at_first = 0
    for tick in range(4 * 60 * 5):
        second = tick / 5
        at = seconds(second)
        if second == 60:
            denied_at_first = supplier.denied
        for arrives, done, permit in [call for call in on_the_way if call[0] <= second]:
            on_the_way.remove((arrives, done, permit))
            answers.append((done, permit, supplier.call(at)))
        for answer in [answer for answer in answers if answer[0] <= second]:
            answers.remove(answer)
            now = budget.settle(now, answer[1], answer[2], at, limits)
        for process in range(processes):
            if free[process] > second:
                continue
            if budget.is_over(now, at):
                now = budget.after(now, at, limits)
            if taken := budget.take(now, purposes[process], at):
                now, free[process] = taken, second + takes[process]
                permit = Permit(now.number, purposes[process])
                on_the_way.append((second + takes[process] / 3, free[process], permit))
    assert supplier.denied == denied_at_first


def test_a_window_is_over_only_when_theirs_is() -> None:
    assert not budget.is_over(window(), NOON + SPAN)
    assert budget.is_over(window(), NOON + SPAN + EDGE)
