"""What axe-core finds on the pages, filled with rows: nothing serious, nothing critical."""

from contextlib import closing

import psycopg
import pytest
from chart_help import SESSION, build_up, candle, contract, signal
from page_help import SETTLED
from playwright.sync_api import Browser, expect
from sweep_help import store_a_holdout, store_a_sweep

from chartserver.pages import FOLDER
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT, SIGNAL

AXE = FOLDER / "node_modules/axe-core/axe.min.js"
CALL = "NIFTY260127C25000"
STRIKES = (24950, 25000, 25050)
LABELS = ("long_build_up", "short_build_up", "short_covering", "long_unwinding")
DAY = f"underlying=NIFTY&from={SESSION}&to={SESSION}"
ADDRESSES = {
    "live": "/?underlying=NIFTY",
    "replay": f"/replay?{DAY}&t=2026-01-21T09:50",
    "signals": f"/signals?{DAY}",
    "sweeps": "/sweeps",
}
PAGES = ["live", "replay", "signals", "sweeps"]
# What tells that a page shows its rows.
FILLED = {
    "live": "ladder-row",
    "replay": "ladder-row",
    "signals": "result-row",
    "sweeps": "heat-cell",
}
FIND = """async () => (await axe.run({ resultTypes: ["violations"] })).violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) => `${id}: ${target}: ${
        [...any, ...all, ...none].map(({ message }) => message).join("; ")}`))"""


@pytest.fixture
def stored(connection: psycopg.Connection) -> None:
    """Forty minutes with every build-up, signals of both directions, a sweep and a holdout."""
    options = [contract(strike, kind) for strike in STRIKES for kind in "CP"]
    write(connection, CONTRACT, options)
    for symbol in ("NIFTY", *(option.symbol for option in options)):
        price = 25010.0 if symbol == "NIFTY" else 150.0
        write(connection, CANDLE, [candle(symbol, minute, price + minute) for minute in range(40)])
    for place, option in enumerate(options):
        labels = LABELS[place % 4 :] + LABELS[: place % 4]
        rows = [
            build_up(option.symbol, 5 * number, label, oi_change=(-1) ** number * 65)
            for number, label in enumerate(labels)
        ]
        write(connection, BUILD_UP, rows)
    put = signal("NIFTY260127P25000", 20, direction="BEARISH")
    write(connection, SIGNAL, [signal(CALL, 10), put])
    store_a_sweep(connection)
    store_a_holdout(connection)


# The page is looked at in all of them, one after the other.
FORMS = [(scheme, width) for scheme in ("dark", "light") for width in (1600, 390)]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(stored, serve, browser: Browser, name: str):
    chart = serve()
    context = browser.new_context(
        reduced_motion="reduce",  # nothing is looked at while it fades
        bypass_csp=True,  # axe-core is not the page's own script
    )
    with closing(context):
        page = context.new_page()
        page.goto(chart.url + ADDRESSES[name])
        expect(page.get_by_test_id(FILLED[name]).first).to_be_attached()
        page.add_script_tag(path=AXE)
        found = {}
        for scheme, width in FORMS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(SETTLED)
            found[scheme, width] = page.evaluate(FIND)
        assert found == {form: [] for form in FORMS}
