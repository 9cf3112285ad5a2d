"""The replay of real days in a real browser: at any moment it shows what was known then."""

import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from chart_help import OPEN, Thread, candle, clock_text, contract, seconds
from playwright.sync_api import Browser, Page, Route, expect
from psycopg import Connection

from db.market.frames import Range
from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, LIVE_CANDLE
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import materialise_signals
from tests.long import in_full

WAIT = 60_000
BUDGET = date(2026, 2, 1)
# The second is the day on which the first two's contracts expire.
ROLLING = (date(2026, 1, 22), date(2026, 1, 27), date(2026, 1, 28))
IST = timedelta(hours=5, minutes=30)
# As the page has them: how much nearer another strike must be, and for how long.
BAND, PATIENCE = 0.2, 3
MOMENTS = 100 if os.environ.get("OPTIONSCALP_LONG") else 25


class Recorded(NamedTuple):
    url: str
    connection: Connection[Any]


@pytest.fixture(scope="module")
def recorded(fresh_database: Callable[[], Any], shared_data: Path) -> Iterator[Recorded]:
    """A chart server over real BANKNIFTY sessions with their signals."""
    parsed = read_file(shared_data / "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet")
    rows = parsed.rows
    kept = rows["underlying"].eq("BANKNIFTY") & rows["ts"].dt.date.isin([*ROLLING, BUDGET])
    with fresh_database() as database, connect(database) as connection:
        import_rows(connection, parsed._replace(rows=rows[kept]))
        for day in (*ROLLING, BUDGET):
            materialise_signals(connection, Range(day, day), ("BANKNIFTY",), datetime.now(UTC))
        server = Thread(database, OPTIONSCALP_CLOCK=clock_text())
        yield Recorded(server.url, connection)
        server.stop()


def open_replay(page: Page, recorded: Recorded, *days: date, **query: object) -> None:
    first, last = min(days), max(days)
    more = "".join(f"&{name}={value}" for name, value in query.items())
    page.goto(f"{recorded.url}/replay?underlying=BANKNIFTY&from={first}&to={last}{more}")
    settle(page)


def settle(page: Page) -> None:
    page.wait_for_function("window.optionscalp?.status().settled", timeout=WAIT)
    # What is on show is drawn with the next frame.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


MOVE = """moment => {
    const slider = document.getElementById('seek')
    const { start } = optionscalp.clock()
    slider.value = String(moment - start)
    slider.dispatchEvent(new Event('input'))
}"""


def seek(page: Page, moment: int) -> None:
    """Move the slider."""
    page.evaluate(MOVE, moment)
    settle(page)


PICTURE = """() => {
    const text = id => document.querySelector(`[data-testid="${id}"]`)?.textContent ?? null
    const texts = id => [...document.querySelectorAll(`[data-testid="${id}"]`)]
        .map(one => one.textContent)
    const status = optionscalp.status()
    const { axis } = optionscalp
    const shown = ['index', 'call', 'put'].map(role => status.symbols[role])
    return {
        clock: Math.floor(optionscalp.clock().market), text: text('market-clock'),
        symbols: shown, expiry: status.expiry, session: status.session, atm: text('atm'),
        spot: text('spot'), strikes: status.strikes,
        last: ['index', 'call', 'put'].map(role => text(`last-${role}`)),
        values: ['index', 'call', 'put'].map(role => text(`values-${role}`)),
        change: ['index', 'call', 'put'].map(role => text(`change-${role}`)),
        candles: shown.map(symbol => optionscalp.candles(symbol)),
        buildUps: shown.map(symbol => optionscalp.buildUps(symbol)),
        signals: optionscalp.signals().map(signal => signal.signal_id),
        rows: [...document.querySelectorAll('[data-testid=signal-row]')]
            .map(row => row.dataset.signalId),
        rowTexts: texts('signal-row'), marks: texts('seek-signal').length,
        markers: optionscalp.markers(), drawn: optionscalp.drawn(), times: axis().times,
        visible: axis().visible, ladder: optionscalp.ladder(), ladderRows: texts('ladder-row'),
        listed: [...document.querySelectorAll('#strike option')].map(one => one.value),
        dates: [...document.querySelectorAll('#session-from option')].map(one => one.textContent),
        title: document.title,
    }
}"""


def picture(page: Page) -> dict[str, Any]:
    return page.evaluate(PICTURE)


def at(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def moment_of(day: date, hour: int, minute: int) -> int:
    return int((datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - IST).timestamp())


def price_text(value: float | None) -> str:
    """As the page writes prices."""
    if value is None:
        return "–"  # noqa: RUF001 - the page's dash
    whole, fraction = f"{value:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*groups, tail]) + "." + fraction


def nearest(price: float, strikes: list[int]) -> int:
    return min(strikes, key=lambda one: (abs(one - price), one))


class Calm:
    """The strike at the money by the page's rules: a band, and three seconds of the market."""

    def __init__(self) -> None:
        self.strikes: list[int] = []
        self.price: float | None = None
        self.strike: int | None = None
        self.target: tuple[int, int] | None = None

    def reach(self, time: int) -> None:
        if self.target and self.target[1] + PATIENCE <= time:
            self.strike, self.target = self.target[0], None

    def see(self, time: int) -> None:
        """Place ATM where there is none listed, else see whether another strike is nearer."""
        if self.price is None:
            return
        wanted = nearest(self.price, self.strikes)
        if self.strike not in self.strikes:
            self.strike, self.target = wanted, None
            return
        lead = abs(self.strike - self.price) - abs(wanted - self.price)
        if wanted == self.strike or lead < BAND * abs(wanted - self.strike):
            self.target = None
        elif not self.target or self.target[0] != wanted:
            self.target = (wanted, time)


def atm_then(recorded: Recorded, days: tuple[date, ...], moment: int) -> int | None:
    """The strike at the money, folded over all that the index was known to have done."""
    cursor = recorded.connection.execute(
        """select extract(epoch from known_at)::bigint, close from candle
            where symbol = 'BANKNIFTY' and known_at <= %s
              and open_time >= %s::timestamp at time zone 'Asia/Kolkata'
            order by known_at""",
        (at(moment), min(days)),
    )
    opens = [(moment_of(day, 9, 15), day) for day in days if moment_of(day, 9, 15) <= moment]
    calm = Calm()
    for time, value in sorted([*opens, *cursor.fetchall()], key=lambda event: event[0]):
        calm.reach(time)
        if isinstance(value, date):
            calm.strikes = listed(recorded, value)[1]
        else:
            calm.price = value
        calm.see(time)
    calm.reach(moment)
    return calm.strike


def listed(recorded: Recorded, day: date) -> tuple[date, list[int]]:
    """The nearest expiry on or after a day of the contracts known in it, and its strikes."""
    cursor = recorded.connection.execute(
        """select expiry, array_agg(distinct strike order by strike) from contract
            where underlying = 'BANKNIFTY' and expiry >= %(day)s
              and %(day)s between first_seen and last_seen
            group by expiry order by expiry limit 1""",
        {"day": day},
    )
    return cursor.fetchone()


def candles_then(recorded: Recorded, symbol: str, first: date, moment: int) -> list[list[Any]]:
    cursor = recorded.connection.execute(
        """select extract(epoch from open_time)::bigint, open, high, low, close, volume,
                  open_interest
             from candle
            where symbol = %s and final and known_at <= %s
              and open_time >= %s::timestamp at time zone 'Asia/Kolkata'
            order by open_time""",
        (symbol, at(moment), first),
    )
    return [list(row) for row in cursor.fetchall()]


def build_ups_then(recorded: Recorded, symbol: str, first: date, moment: int) -> list[list[Any]]:
    cursor = recorded.connection.execute(
        """select extract(epoch from open_time)::bigint, close, open_interest, oi_change, volume,
                  label
             from build_up
            where symbol = %s and known_at <= %s
              and open_time >= %s::timestamp at time zone 'Asia/Kolkata'
            order by open_time""",
        (symbol, at(moment), first),
    )
    return [list(row) for row in cursor.fetchall()]


def ladder_then(recorded: Recorded, expiry: date, moment: int) -> dict[str, list[Any]]:
    """Price, open interest and label of each contract as known then in the session."""
    cursor = recorded.connection.execute(
        """with day as (
               select date_bin('1 day', max(open_time), '2000-01-01+00') as start from candle
                where underlying = 'BANKNIFTY' and open_time < %(at)s)
           select c.symbol, coalesce(k.close, b.close), coalesce(b.open_interest, k.open_interest),
                  case when b.oi_change is not null then b.label end
             from day, contract c
             left join lateral (
                  select close, open_interest from candle
                   where symbol = c.symbol and open_time >= day.start and known_at <= %(at)s
                   order by open_time desc limit 1) k on true
             left join lateral (
                  select close, open_interest, oi_change, label from build_up
                   where symbol = c.symbol and open_time >= day.start and known_at <= %(at)s
                   order by open_time desc limit 1) b on true
            where c.underlying = 'BANKNIFTY' and c.expiry = %(expiry)s""",
        {"at": at(moment), "expiry": expiry},
    )
    return {symbol: list(values) for symbol, *values in cursor.fetchall()}


def check(page: Page, recorded: Recorded, days: tuple[date, ...], moment: int) -> None:
    """Everything visible equals what SQL says was known."""
    seen = picture(page)
    assert seen["clock"] == moment
    assert seen["text"] == (at(moment) + IST).strftime("%H:%M:%S")
    day = max(day for day in days if day <= (at(moment) + IST).date())
    expiry, strikes = listed(recorded, day)
    assert (seen["session"], seen["expiry"]) == (str(day), str(expiry))
    assert seen["strikes"] == strikes
    assert {int(value) for value in seen["listed"] if value} == set(strikes)
    atm = atm_then(recorded, days, moment)
    spot = candles_then(recorded, "BANKNIFTY", min(days), moment)
    nearest = min(strikes, key=lambda strike: (abs(strike - spot[-1][4]), strike)) if spot else None
    assert seen["atm"].replace(",", "") == ("–" if spot == [] else str(nearest))  # noqa: RUF001
    options = [f"BANKNIFTY{expiry:%y%m%d}{kind}{atm}" if atm else None for kind in "CP"]
    assert seen["symbols"] == ["BANKNIFTY", *options]

    first = min(days)
    for place, symbol in enumerate(seen["symbols"]):
        if symbol is None:
            assert seen["candles"][place] == []
            continue
        known = candles_then(recorded, symbol, first, moment)
        bars = seen["candles"][place]
        assert [
            [bar[name] for name in ("t", "o", "h", "l", "c", "v", "oi")] for bar in bars
        ] == known
        close = known[-1][4] if known else None
        assert seen["last"][place] == price_text(close)
        drawn = seen["drawn"][place]
        assert (drawn["bars"], drawn["tag"]) == (len(known), close)
        labels = build_ups_then(recorded, symbol, first, moment)
        names = ("t", "close", "oi", "oi_change", "volume", "label")
        assert [[row[name] for name in names] for row in seen["buildUps"][place]] == labels
    assert seen["spot"] == price_text(spot[-1][4] if spot else None)
    assert all(time < moment for time in seen["times"])

    cursor = recorded.connection.execute(
        """select signal_id::text from signal
            where underlying = 'BANKNIFTY' and known_at <= %s
              and event_time >= %s::timestamp at time zone 'Asia/Kolkata'
            order by event_time""",
        (at(moment), first),
    )
    known_signals = sorted(row[0] for row in cursor.fetchall())
    assert sorted(seen["signals"]) == sorted(seen["rows"]) == known_signals
    assert seen["marks"] == len(known_signals)
    assert {marker["signal_id"] for marker in seen["markers"]} <= set(known_signals)

    rows = ladder_then(recorded, expiry, moment)
    ladder = seen["ladder"]
    assert (ladder["at"], ladder["expiry"]) == (moment, str(expiry))
    shown = {
        side["symbol"]: [side["price"], side["oi"], side["label"]]
        for row in ladder["rows"]
        for side in (row["call"], row["put"])
        if side["symbol"]
    }
    assert shown == rows
    assert all("(" not in text for text in seen["dates"]), "no number of signals yet to come"


def sessions_of(page: Page) -> tuple[int, int]:
    clock = page.evaluate("optionscalp.clock()")
    return int(clock["start"]), int(clock["end"])


def test_at_random_moments_of_a_day_everything_shown_is_what_sql_says_was_known(
    page: Page, recorded: Recorded
):
    open_replay(page, recorded, BUDGET)
    start, end = sessions_of(page)
    chance = random.Random(20260201)
    moments = [start, end, *(chance.randint(start, end) for _ in range(MOMENTS))]
    for moment in moments:
        seek(page, moment)
        check(page, recorded, (BUDGET,), moment)


def test_it_opens_paused_at_the_start_of_the_session_and_knows_nothing_yet(
    page: Page, recorded: Recorded
):
    open_replay(page, recorded, BUDGET)
    seen = picture(page)
    assert page.evaluate("optionscalp.clock().playing") is False
    assert seen["text"] == "09:15:00"
    assert seen["candles"] == [[], [], []]
    assert seen["signals"] == seen["rows"] == []
    assert (seen["marks"], seen["spot"], seen["atm"]) == (0, "–", "–")  # noqa: RUF001
    check(page, recorded, (BUDGET,), seen["clock"])


def test_over_an_expiry_the_contracts_roll_with_the_clock(page: Page, recorded: Recorded):
    open_replay(page, recorded, *ROLLING)
    start, end = sessions_of(page)
    opens = [moment_of(day, 9, 15) for day in ROLLING]
    closes = [moment_of(day, 15, 25) for day in ROLLING]
    seen = []
    chance = random.Random(27)
    for first, last in zip(opens, closes, strict=True):
        known = [row[0] + 300 for row in candles_then(recorded, "BANKNIFTY", ROLLING[0], last)]
        inside = [moment for moment in known if first < moment <= last]
        for moment in [
            first,
            *(chance.choice(inside) + chance.choice((0, 2, 3)) for _ in range(3)),
        ]:
            if moment > end:
                continue
            seek_url(page, recorded, moment)
            check(page, recorded, ROLLING, moment)
            seen.append(picture(page)["expiry"])
    assert seen == ["2026-01-27"] * 8 + ["2026-02-24"] * 4
    assert start == opens[0]


LABELS = """() => [...document.querySelectorAll('.mark:is(.session, .hour)')]
    .filter(mark => getComputedStyle(mark).visibility === 'visible')
    .map(mark => mark.getBoundingClientRect()).map(({ left, right }) => [left, right])
    .sort((a, b) => a[0] - b[0])"""


def test_labels_of_the_slider_that_have_no_room_on_a_phone_are_left_out(
    page: Page, recorded: Recorded
):
    page.set_viewport_size({"width": 390, "height": 844})
    open_replay(page, recorded, *ROLLING[1:])
    labels = page.evaluate(LABELS)
    assert len(labels) >= 4
    assert all(end <= start for (_, end), (start, _) in pairwise(labels))
    page.set_viewport_size({"width": 1600, "height": 900})
    page.wait_for_function(f"count => ({LABELS})().length > count", arg=len(labels))


def seek_url(page: Page, recorded: Recorded, moment: int) -> None:
    """Open the page at a moment in its address."""
    query = page.url.split("?")[1].split("&t=")[0]
    page.goto(f"{recorded.url}/replay?{query}&t={moment}")
    settle(page)


@in_full
def test_steps_back_and_forth_give_the_same_pictures(page: Page, recorded: Recorded):
    open_replay(page, recorded, *ROLLING)
    expiry_close = moment_of(ROLLING[1], 15, 0)
    for moment in (moment_of(ROLLING[0], 13, 20), expiry_close):
        for step in ("step", "event"):
            seek_url(page, recorded, moment)
            forth = [walk(page, f"{step}-forward") for _ in range(8)]
            back = [walk(page, f"{step}-back") for _ in range(7)]
            for there, again in zip(forth[-2::-1], back, strict=True):
                assert different(there, again) == {}
            assert len({one["clock"] for one in forth}) == 8


def different(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (one[name], other[name]) for name in one if one[name] != other[name]}


def walk(page: Page, button: str) -> dict[str, Any]:
    before = page.evaluate("optionscalp.clock().market")
    page.get_by_test_id(button).click()
    page.wait_for_function("before => optionscalp.clock().market !== before", arg=before)
    settle(page)
    return picture(page)


# Clock and legends as painted with each of some frames while the slider jumps.
FRAMES = """moments => new Promise(done => {
    const slider = document.getElementById('seek')
    const { start } = optionscalp.clock()
    const seen = []
    const next = (left) => {
        if (!left) return done(seen)
        if (left % 4 === 0) {
            slider.value = String(moments[left / 4 % moments.length] - start)
            slider.dispatchEvent(new Event('input'))
        }
        requestAnimationFrame(() => setTimeout(() => {
            const texts = [...document.querySelectorAll('[data-testid^=values-]')]
            seen.push([document.getElementById('market-clock').textContent,
                       texts.map(one => one.textContent).join()])
            next(left - 1)
        }))
    }
    next(16)
})"""


def test_every_painted_frame_has_clock_and_legends_of_one_moment(page: Page, recorded: Recorded):
    open_replay(page, recorded, BUDGET, strike=59000)
    moments = [moment_of(BUDGET, 14, 0), moment_of(BUDGET, 11, 0)]
    for moment in moments:
        seek(page, moment)
    painted = {tuple(frame) for frame in page.evaluate(FRAMES, moments)}
    assert sorted(clock for clock, _ in painted) == ["11:00:00", "14:00:00"]


@in_full
def test_a_moment_is_the_same_whether_sought_opened_or_played_to(page: Page, recorded: Recorded):
    open_replay(page, recorded, BUDGET, speed=300)
    page.get_by_test_id("play").click()
    page.wait_for_function("optionscalp.clock().market > optionscalp.clock().start + 6000")
    page.get_by_test_id("play").click()
    settle(page)
    played = picture(page)
    moment = played["clock"]
    seek(page, moment + 3000)
    seek(page, moment)
    sought = picture(page)
    seek_url(page, recorded, moment)
    opened = picture(page)
    assert different(played, sought) == different(played, opened) == {}
    assert played["candles"][0]


def test_a_click_on_the_time_axis_and_a_candles_menu_lead_there(page: Page, recorded: Recorded):
    open_replay(page, recorded, BUDGET, t="2026-02-01T14:00:00")
    box = page.locator("#chart-index").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, button="right")
    button = page.get_by_test_id("start-here")
    expect(button).to_contain_text("Start here, 1 Feb")
    said = button.text_content()
    times = picture(page)["times"]
    button.click()
    settle(page)
    assert picture(page)["text"] == f"{said[-5:]}:00"
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 8)
    settle(page)
    clicked = picture(page)
    assert clicked["clock"] in times
    check(page, recorded, (BUDGET,), clicked["clock"])


def test_what_is_wrong_in_the_address_is_said(page: Page, recorded: Recorded):
    open_replay(
        page, recorded, BUDGET, interval="2m", speed=0, strike="abc", layuot="rows", t="noon"
    )
    banner = page.get_by_test_id("banner")
    for text in (
        "interval=2m",
        "1m, 3m, 5m, 15m or 1h",
        "speed=0",
        "a number from 1 to 300",
        "strike=abc",
        "layuot=rows",
        "no parameter",
        "t=noon",
    ):
        expect(banner).to_contain_text(text)
    open_replay(page, recorded, BUDGET, call="58500&call=58600", put="atm-99", t="2026-02-01T11:00")
    expect(banner).to_contain_text(
        "The address has call=58500 and 58600, which is not allowed: call may be given once."
    )
    expect(banner).to_contain_text("No strike is ATM \u221299: those listed are ")
    open_replay(page, recorded, BUDGET, strike=12345)
    expect(banner).to_contain_text("BANKNIFTY had no strike 12,345 for 24 Feb 2026")
    assert page.evaluate("optionscalp.status().symbols.call") is None
    open_replay(page, recorded, BUDGET, t="2026-02-03T10:00")
    expect(banner).to_contain_text("is in no session of this range")


def test_a_contract_that_cannot_be_read_stops_the_clock_and_says_so(
    browser: Browser, recorded: Recorded
):
    page = browser.new_page(bypass_csp=True)
    open_replay(page, recorded, BUDGET)
    asked = []

    def refuse(route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/api/replay*symbols=*", refuse)
    page.get_by_test_id("strike").select_option("51000")
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text("could not be read")
    assert picture(page)["clock"] == moment_of(BUDGET, 9, 15)
    assert asked
    page.unroute("**/api/replay*symbols=*")
    page.get_by_test_id("play").click()
    page.wait_for_function("optionscalp.status().symbols.call === 'BANKNIFTY260224C51000'")
    expect(banner).to_be_hidden()
    page.close()


def test_without_a_server_the_ladder_is_asked_for_with_growing_pauses_and_the_page_says_so(
    browser: Browser, recorded: Recorded
):
    page = browser.new_page(bypass_csp=True)
    open_replay(page, recorded, BUDGET)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/api/chain*", refuse)
    page.evaluate(MOVE, moment_of(BUDGET, 10, 30))
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text("does not answer. Trying again in 2 s.")
    assert len(asked) == 2
    page.unroute("**/api/chain*")
    settle(page)
    expect(banner).to_be_hidden()
    check(page, recorded, (BUDGET,), moment_of(BUDGET, 10, 30))
    page.close()


def test_a_candle_forms_as_it_was_seen_to(connection: Connection, serve, page: Page):
    write(connection, CONTRACT, [contract(25000, kind) for kind in "CP"])
    for second, close in ((2, 105.0), (31, 103.0)):
        known_at = OPEN + timedelta(minutes=1, seconds=second)
        write(
            connection,
            LIVE_CANDLE,
            [candle("NIFTY", 1, close, known_at=known_at, final=False)],
        )
    # The second minute becomes final late, after the third.
    final = [candle("NIFTY", 0, 100.0), candle("NIFTY", 2, 102.0)]
    late = candle("NIFTY", 1, 104.0, known_at=OPEN + timedelta(minutes=3, seconds=20))
    write(connection, CANDLE, [*final, late])
    start = seconds(OPEN)
    expected = {
        start + 59: [],
        start + 60: [(100.0, True)],
        start + 61: [(100.0, True)],
        start + 62: [(100.0, True), (105.0, False)],
        start + 90: [(100.0, True), (105.0, False)],
        start + 91: [(100.0, True), (103.0, False)],
        start + 185: [(100.0, True), (103.0, False), (102.0, True)],
        start + 200: [(100.0, True), (104.0, True), (102.0, True)],
    }
    page.goto(f"{serve().url}/replay?underlying=NIFTY&from=2026-01-21")
    settle(page)
    chance = random.Random(7)
    for moment in [*expected, *chance.choices([*expected], k=10)]:
        seek(page, moment)
        bars = page.evaluate("optionscalp.candles('NIFTY').map(bar => [bar.c, bar.final])")
        assert [tuple(bar) for bar in bars] == expected[moment], moment - start


def test_at_the_open_the_ladder_stands_at_the_previous_close(
    connection: Connection, serve, page: Page
):
    strikes = range(24_000, 26_050, 50)
    write(connection, CONTRACT, [contract(strike, kind) for strike in strikes for kind in "CP"])
    day_before = candle("NIFTY", 374, 25_310.0)
    day_before = day_before._replace(
        open_time=day_before.open_time - timedelta(days=1),
        known_at=day_before.known_at - timedelta(days=1),
    )
    write(connection, CANDLE, [day_before, candle("NIFTY", 0, 24_700.0)])
    page.goto(f"{serve().url}/replay?underlying=NIFTY&from=2026-01-21")
    for moment, middle in ((0, 25_300), (61, 24_700)):
        seek(page, seconds(OPEN) + moment)
        off = page.evaluate(
            """strike => {
              const [box, row] = ["#ladder", `[data-strike="${strike}"]`].map((selector) =>
                document.querySelector(selector).getBoundingClientRect())
              return Math.abs(row.top + row.height / 2 - box.top - box.height / 2)
            }""",
            middle,
        )
        assert off <= 2, moment
