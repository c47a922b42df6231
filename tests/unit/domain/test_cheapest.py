"""The cheapest hours, against trying everything."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from loadcenter.domain.cheapest import QUARTER_MS, PricedQuarter, cheapest_spans

PRICES = st.lists(st.one_of(st.none(), st.integers(-3, 5)), min_size=1, max_size=9)
DEARER = 1_000


def quarters(prices: list[int | None]) -> list[PricedQuarter]:
    return [PricedQuarter(number * QUARTER_MS, price) for number, price in enumerate(prices)]


def cost(prices: list[int | None], spans: list[tuple[int, int]]) -> int:
    chosen = [number for begin, end in spans for number in range(begin // QUARTER_MS, end // QUARTER_MS)]
    return cost_of(prices, chosen)


def cost_of(prices: list[int | None], chosen: tuple[int, ...] | list[int] | range) -> int:
    return sum(DEARER if prices[one] is None else prices[one] or 0 for one in chosen)


@given(PRICES, st.integers(1, 10))
def test_no_other_choice_of_quarters_is_cheaper(prices: list[int | None], count: int) -> None:
    spans = cheapest_spans(quarters(prices), count * QUARTER_MS, contiguous=False)
    count = min(count, len(prices))
    assert sum(end - begin for begin, end in spans) == count * QUARTER_MS
    assert all(one[1] < following[0] for one, following in pairwise(spans))
    assert cost(prices, spans) == min(
        cost_of(prices, some) for some in combinations(range(len(prices)), count)
    )


@given(PRICES, st.integers(1, 10))
def test_no_other_stretch_is_cheaper_and_none_as_cheap_is_earlier(
    prices: list[int | None], count: int
) -> None:
    (span,) = cheapest_spans(quarters(prices), count * QUARTER_MS, contiguous=True)
    count = min(count, len(prices))
    costs = [cost_of(prices, range(at, at + count)) for at in range(len(prices) - count + 1)]
    assert span == (costs.index(min(costs)) * QUARTER_MS, (costs.index(min(costs)) + count) * QUARTER_MS)


def test_at_one_price_it_is_one_stretch_from_the_beginning() -> None:
    assert cheapest_spans(quarters([7] * 8), 3 * QUARTER_MS - 1, contiguous=False) == [(0, 3 * QUARTER_MS)]


def test_of_no_time_there_is_nothing_to_choose() -> None:
    assert cheapest_spans([], QUARTER_MS, contiguous=False) == []
    assert cheapest_spans([], QUARTER_MS, contiguous=True) == []
