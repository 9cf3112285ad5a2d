"""What stands above a chart of its newest candle, in a browser."""

from collections.abc import Iterator

import pytest
from chart_help import OPEN, seconds
from modules_help import modules
from playwright.sync_api import Page

SHOW = """
async ([minute, rows]) => {
  const { createLegend } = await import("/static/charts/legend.js")
  const { BuildUpTable } = await import("/static/data/buildups.js")
  const buildUps = new BuildUpTable()
  for (const row of rows) buildUps.put(row)
  const box = document.body.appendChild(document.createElement("div"))
  createLegend(box, "call").show({
    symbol: "NIFTY260127C25000", spot: null, strikes: [], pointed: null, previous: null, buildUps,
    bars: [{ t: minute, o: 10, h: 12, l: 9, c: 11, v: 650, oi: null }],
    hours: { openOf: () => 0 },
  })
  return [...box.querySelector(".values").children].map((part) => part.textContent)
}
"""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with modules("") as url:
        yield url


def values(page: Page, served: str, minute: int, **changes) -> list[str]:
    """What the legend says of a candle so many minutes after the open; a build-up began there."""
    row = {"t": seconds(OPEN), "close": 11, "oi": 65_000, "oi_change": -650, "volume": None}
    page.goto(served)
    rows = [{**row, "label": "short_covering", **changes}]
    return page.evaluate(SHOW, [seconds(OPEN) + minute * 60, rows])


PRICES = ["O10.00", "H12.00", "L9.00", "C11.00", "Vol650"]
OPEN_INTEREST = ["OI65.0 K", "\u0394OI 5m\u2212650"]


def test_a_build_up_stands_under_a_minute_of_its_own_interval(page: Page, served: str):
    assert values(page, served, 4) == ["09:19", "SC", *PRICES, *OPEN_INTEREST]


def test_one_of_an_older_interval_stands_apart_with_its_time(page: Page, served: str):
    older = ["09:15\u201309:20SC", *OPEN_INTEREST]
    assert values(page, served, 5) == ["09:20", *PRICES, *older]
    assert values(page, served, 20) == ["09:35", *PRICES, *older]


def test_where_the_change_is_unknown_there_is_no_label(page: Page, served: str):
    told = values(page, served, 0, oi_change=None, label="none")
    assert told == ["09:15", *PRICES, OPEN_INTEREST[0]]
