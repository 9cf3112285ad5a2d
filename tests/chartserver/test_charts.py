"""Charts alone in a real browser: whatever was drawn before, they show what a fresh chart would."""

import pytest
from playwright.sync_api import Page

HARNESS = """<!doctype html><meta charset="utf-8"><title>charts</title>
<script type="importmap">
{"imports": {"lightweight-charts": "/static/vendor/lightweight-charts.mjs"}}
</script>
<style>.chart { width: 600px; height: 300px }</style>
<div class="chart" id="kept"></div><div class="chart" id="fresh"></div>"""

# The charts of one instrument: `kept` lives through everything, `fresh` is made for the last state.
PLAY = """async ({ seed, role, steps }) => {
    const { PriceChart } = await import("/static/charts/chart.js")
    const { CandleTable } = await import("/static/data/candles.js")
    const { Hours } = await import("/static/data/hours.js")
    const { TimeGrid } = await import("/static/data/grid.js")
    const OPEN = 1768967100
    let state = seed
    const random = () => {
        state = (state * 1664525 + 1013904223) % 4294967296
        return state / 4294967296
    }
    const frame = () => new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(done)))
    const candle = (t) => {
        const c = 100 + Math.round(random() * 200) / 10
        return { t, o: c, h: c + 1, l: c - 1, c, v: 65, oi: null, final: true }
    }
    // Some contracts have every minute, some few, some none.
    const make = (minutes) => {
        const share = [0, 0.2, 0.9, 1, 1][Math.floor(random() * 5)]
        const table = new CandleTable()
        table.minutes = 1
        for (let i = 0; i < minutes; i++)
            if (random() < share) table.put(candle(OPEN + 60 * i))
        return { table, share }
    }
    const find = (id) => document.getElementById(id)
    const lived = new PriceChart(find("kept"), role)
    let minutes = 20 + Math.floor(random() * 100)
    let { table, share } = make(minutes)
    let grid = new TimeGrid(1, new Hours())
    const cover = () => grid.coverAll(Array.from({ length: minutes }, (_, i) => OPEN + 60 * i))
    const drawAll = () => {
        grid = new TimeGrid(1, new Hours())
        cover()
        table.takeChange()
        lived.drawAll("X", table, null, grid)
    }
    drawAll()
    const done = []
    for (let step = 0; step < steps; step++) {
        const kinds = ["redraw", "swap", "minute", "minute", "candle", "frame", "back"]
        const kind = kinds[Math.floor(random() * kinds.length)]
        done.push(kind)
        if (kind === "redraw") drawAll()
        if (kind === "frame") await frame()
        if (kind === "swap") {
            ({ table, share } = make(minutes))
            drawAll()
        }
        if (kind === "minute") {
            // Another chart heard of it first: the axis grows before the candle comes.
            const before = grid.times.length
            minutes++
            cover()
            lived.axis.extend(grid.times.slice(before))
        }
        if (kind === "back" && minutes > 10) {
            // A replay that goes back knows less: candles go, and the times that only they had.
            minutes -= 1 + Math.floor(random() * 8)
            const kept = table.t.filter((time) => time < OPEN + 60 * minutes).length
            table.cut(kept)
            grid.cut(minutes)
            const from = table.takeChange()
            if (from !== Infinity) lived.drawCandles(table, null, from, grid)
            lived.axis.cut(minutes)
        }
        if ((kind === "minute" || kind === "candle") && random() < share) {
            table.put(candle(OPEN + 60 * (minutes - 1)))
            lived.drawCandles(table, null, table.takeChange(), grid)
        }
        lived.chart.timeScale().setVisibleLogicalRange({ from: minutes - 30, to: minutes + 3 })
    }
    await frame()
    const fresh = new PriceChart(find("fresh"), role)
    fresh.drawAll("X", table, null, grid)
    fresh.chart.timeScale().setVisibleLogicalRange({ from: minutes - 30, to: minutes + 3 })
    await frame()
    const picture = (chart) => ({
        range: chart.chart.timeScale().getVisibleLogicalRange(),
        places: grid.times.map((time) => chart.chart.timeScale().timeToCoordinate(time)),
        candles: chart.series.data().map(({ time, close }) => [time, close]),
        prices: [90, 100, 110].map((price) => chart.series.priceToCoordinate(price)),
        tag: chart.tag.text(),
    })
    const pictures = [picture(lived), picture(fresh)]
    for (const chart of [lived, fresh]) chart.chart.remove()
    return { done, pictures }
}"""


@pytest.fixture
def harness(chart, page: Page) -> Page:
    """An empty page on which the charts' modules can be used."""
    page.route(
        f"{chart.url}/harness", lambda route: route.fulfill(body=HARNESS, content_type="text/html")
    )
    page.goto(f"{chart.url}/harness")
    return page


@pytest.mark.parametrize("role", ["index", "call"])
def test_a_chart_that_was_changed_shows_what_a_fresh_one_would(
    harness: Page, role: str, rounds: int
):
    for seed in range(25 * rounds):
        told = harness.evaluate(PLAY, {"seed": seed, "role": role, "steps": 12})
        kept, fresh = told["pictures"]
        assert kept == fresh, f"seed {seed}: {told['done']}"
