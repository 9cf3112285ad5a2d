"""More candles than a chart is given at once, in a browser: none is missing where one looks."""

import pytest
from modules_help import modules, part, sheets
from playwright.sync_api import Page

BARS = 20_000
OPEN = 1_768_967_100

MAKE = """async ({ bars, open }) => {
    const { Desk } = await import("/static/charts/desk.js")
    const { Store } = await import("/static/data/store.js")
    const { View } = await import("/static/data/view.js")
    const t = Array.from({ length: bars }, (_, i) => open + 60 * (i - bars + 1))
    const price = (i) => 25000 + 200 * Math.sin(i / 500)
    const column = (more) => t.map((_, i) => price(i) + more)
    const candles = { t, o: column(0), h: column(3), l: column(-3), c: column(1), v: column(0) }
    const store = new Store()
    const [call, put] = ["NIFTY260127C25000", "NIFTY260127P25000"]
    // Hours of a market that never closes: every minute has its place.
    const days = new Set(t.map((time) => Math.floor((time + 19800) / 86400)))
    const sessions = [...days].map((day) =>
        ({ open: day * 86400 - 19800, close: day * 86400 + 66600 }))
    store.load({
        underlying: "NIFTY", expiry: "2026-01-27", strikes: [25000], sessions, signals: [],
        symbols: { index: "NIFTY", future: null, call, put }, build_ups: {},
        candles: { NIFTY: candles, [call]: candles, [put]: { t: [], o: [], h: [], l: [], c: [] } },
    })
    const view = new View()
    view.contracts = { index: "NIFTY", call, put }
    view.levels = new Set(["ema9"])
    const desk = new Desk(store, view)
    const rest = async () => {
        for (let i = 0; i < 6; i++) await new Promise(requestAnimationFrame)
    }
    window.look = async (time) => {
        if (time !== null) desk.range.showTime(time)
        await rest()
        const { from, to } = desk.range.places()
        return desk.charts.map((chart) => {
            const scale = chart.chart.timeScale()
            const data = chart.series.data()
            const drawn = new Set(data.map(({ time }) => time))
            const seen = desk.grid.times.slice(Math.max(0, Math.ceil(from)), Math.floor(to) + 1)
            const curve = chart.levels.curves.get("ema9")?.data() ?? []
            return {
                given: chart.axis.times.length, all: desk.grid.times.length,
                candles: data.length, curve: curve.length,
                places: Object.values(chart.places), wanted: [from, to],
                missing: chart.bars.filter(({ t }) =>
                    t >= seen[0] && t <= seen.at(-1) && !drawn.has(t)).length,
                left: scale.coordinateToTime(1),
            }
        })
    }
    window.put = async (time) => {
        const candle = { t: time, o: 1, h: 2, l: 1, c: 2, final: false }
        store.putCandle({ symbol: "NIFTY", interval: 1, ...candle })
        desk.draw()
        await rest()
        return desk.charts[0].series.data().at(-1)
    }
    desk.draw()
}"""


@pytest.fixture
def desk(page: Page):
    """Charts of many candles."""
    style = "<style>body { display: flex; height: 600px }</style>"
    with modules(sheets("theme", "style") + style + part("charts")) as url:
        page.goto(url)
        page.evaluate(MAKE, {"bars": BARS, "open": OPEN})
        yield page


def _agrees(charts: list[dict]) -> None:
    for chart in charts:
        assert chart["places"] == pytest.approx(chart["wanted"], abs=0.01)
        assert chart["left"] == charts[0]["left"]
        assert chart["missing"] == 0


def test_charts_are_given_older_candles_when_they_are_looked_at(desk: Page):
    first = desk.evaluate("look(null)")
    _agrees(first)
    assert first[0]["given"] < BARS / 4
    oldest = OPEN - 60 * (BARS - 1)
    for time in (OPEN - 60 * 4_000, oldest + 60 * 200, OPEN - 60 * 100):
        charts = desk.evaluate("time => look(time)", time)
        _agrees(charts)
    assert all(chart["given"] == chart["all"] for chart in charts)
    assert [chart["candles"] for chart in charts] == [BARS, BARS, 0]
    # A mean of nine candles begins at the ninth.
    assert charts[0]["curve"] == BARS - 8


def test_the_newest_candle_goes_on_after_a_look_far_back(desk: Page):
    for time in (None, OPEN - 60 * 9_000):
        desk.evaluate("time => look(time)", time)
        at = OPEN + 60 if time is None else OPEN + 120
        assert desk.evaluate("time => put(time)", at)["time"] == at
        _agrees(desk.evaluate("look(null)"))


def test_a_candle_from_before_its_days_open_is_of_no_previous_day(desk: Page):
    told = desk.evaluate(
        """async (open) => {
            const { Store } = await import("/static/data/store.js")
            const { previousDay } = await import("/static/data/previous.js")
            const store = new Store()
            const table = store.open("NIFTY").candles
            for (const t of [open - 86400 - 3600, open])
                table.put({ t, o: 1, h: 2, l: 1, c: 2, v: 0, oi: null, final: true })
            return previousDay(store, "NIFTY")
        }""",
        OPEN,
    )
    assert told is None
