"""Markers on the charts: beside the candles, never over each other, with the strategy's name."""

from collections.abc import Iterator

import pytest
from chart_help import OPEN, seconds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modules_help import modules, sheets
from playwright.sync_api import Page

from tests.long import examples

CALL = "NIFTY260127C25000"
START = seconds(OPEN)
BOX = "<div id='box' style='position: static; width: 900px; height: 500px'></div>"

SET_UP = """
async () => {
  const [{ placeMarkers }, { PriceChart }, { CandleTable }, { TimeGrid }, { Hours }] =
    await Promise.all(["charts/marker-layout", "charts/chart", "data/candles", "data/grid",
      "data/hours"].map((name) => import(`/static/${name}.js`)))
  Object.assign(window, { placeMarkers })
  const chart = new PriceChart(document.getElementById("box"), "call")
  window.draw = async (symbol, closes, start, signals, from, to) => {
    const table = new CandleTable()
    table.minutes = 1
    closes.forEach((close, i) => table.put({
      t: start + i * 60, o: close, h: close + 2, l: close - 2, c: close, v: 650, oi: null,
      final: true,
    }))
    const grid = new TimeGrid(1, new Hours())
    grid.coverAll(table.t)
    chart.drawAll(symbol, table, null, grid)
    chart.drawMarkers(signals, grid)
    chart.chart.timeScale().setVisibleLogicalRange({ from, to })
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame)
    return chart.markerLayer.placed.map(({ text, box, arrow, marker }) => {
      const near = box && chart.markerLayer.candlesBetween(table.t, box.left + 1, box.right - 1)
      return { text, box, arrow, id: marker.id, near }
    })
  }
}
"""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with modules(sheets("style") + BOX) as url:
        yield url


@pytest.fixture
def chart(page: Page, served: str) -> Page:
    page.goto(served)
    page.evaluate(SET_UP)
    return page


def signal(minute: int, **changes) -> dict:
    values = {
        "signal_id": f"{minute}",
        "strategy": "delta_volume",
        "version": "1",
        "event_time": START + minute * 60,
        "direction": "BULLISH",
        "symbol": CALL,
        "withdrawn": False,
    }
    return values | changes


def drawn(chart: Page, signals: list[dict], shown: int = 60) -> list[dict]:
    closes = [100 + 15 * (-1) ** (minute // 4) + minute % 7 for minute in range(120)]
    return chart.evaluate(
        "given => draw(...given)", [CALL, closes, START, signals, 120 - shown, 120]
    )


def overlap(one: dict, other: dict) -> bool:
    return (
        one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    )


def test_a_marker_names_its_strategy_where_there_is_room(chart: Page):
    (placed,) = drawn(chart, [signal(100)])
    assert placed["text"] == "BUY CE 25000 \u00b7 Delta Volume"


def test_no_text_is_over_candles_or_other_texts_and_to_buy_is_always_said(chart: Page):
    other = {"symbol": "NIFTY260127C25100", "strategy": "pullback"}
    signals = [signal(minute) for minute in range(70, 110, 4)]
    signals += [signal(minute, signal_id=f"other {minute}", **other) for minute in (72, 80, 90)]
    placed = drawn(chart, signals)
    assert len(placed) == len(signals)
    texts = [one for one in placed if one["box"]]
    for one in texts:
        assert one["box"]["bottom"] <= one["near"]["top"] or (
            one["box"]["top"] >= one["near"]["bottom"]
        )
        assert not any(overlap(one["box"], rest["box"]) for rest in texts if rest is not one)
    assert all(one["text"].startswith("BUY") for one in placed if "other" not in one["id"])
    assert len({one["text"] for one in texts}) > 1, "some had room for more than others"


def test_a_withdrawn_signal_has_no_marker(chart: Page):
    assert drawn(chart, [signal(100, withdrawn=True)]) == []


marks = st.builds(
    dict,
    x=st.integers(0, 600),
    below=st.booleans(),
    must=st.booleans(),
    texts=st.just(["BUY CE 25000 of a long name", "BUY CE", "BUY"]),
)


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(st.lists(marks, max_size=30), st.lists(st.integers(60, 240), min_size=61, max_size=61))
def test_wherever_markers_stand_their_texts_are_free(chart: Page, given_marks, middles):
    """Candles of 40 pixels height, one every ten pixels."""
    placed = chart.evaluate(
        """([marks, middles]) => placeMarkers(marks, (left, right) => {
          const near = middles.filter((_, i) => i * 10 + 4 > left && i * 10 - 4 < right)
          if (!near.length) return null
          return { top: Math.min(...near) - 20, bottom: Math.max(...near) + 20 }
        }, { width: 600, height: 300 }, (text) => text.length * 6)""",
        [given_marks, middles],
    )
    boxes = [one["box"] for one in placed if one["box"]]
    for place, box in enumerate(boxes):
        assert box["left"] >= 0
        assert box["right"] <= 600
        assert box["top"] >= 0
        assert box["bottom"] <= 300
        assert not any(overlap(box, other) for other in boxes[place + 1 :])
        assert not any(overlap(box, one["arrow"]) for one in placed)
    for mark, one in zip(given_marks, placed, strict=True):
        if not one["box"] or mark["must"]:
            continue
        for at, middle in enumerate(middles):
            candle = {
                "left": at * 10 - 4,
                "right": at * 10 + 4,
                "top": middle - 20,
                "bottom": middle + 20,
            }
            assert not overlap(one["box"], candle)
