"""What `volume_gross` means is decided from the answer; what cannot be told is not made up."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.archive.raw_payloads import Receipt
from pipelines.ingest.answers import read as judge
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.roles import BuildUpRows
from pipelines.sources.trendlyne.build_ups import parse_build_ups
from strategy.session import IST
from tests.recorded_answers import recorded_rows

SESSION = date(2026, 1, 21)
# By place in a recorded row, whose keys nobody printed.
KEYS = ("interval", "buildup", "price_range", "oi_change", "volume_change", "close_price")
KEYS += ("open_interest", "oi_change_gross", "volume_gross", "a", "b", "c", "oi")
# A made-up option of the lot 65 in the recorded form, newest first; its volumes are 65,000 in the
# first interval, then 32,500, 13,000, none at all and 6,500.
MADE_UP = [
    ["09:35 TO 09:40", "Short Covering", "101.000 - 104.000", -0.1, 5.88, 103.0, 649350.0, -650.0],
    ["09:30 TO 09:35", None, "101.000 - 101.000", 0.0, 0.0, 101.0, 650000.0, 0.0],
    [
        "09:25 TO 09:30",
        "Long Unwinding",
        "100.500 - 102.000",
        -0.2,
        13.33,
        101.0,
        650000.0,
        -1300.0,
    ],
    ["09:20 TO 09:25", "Short Build Up", "100.000 - 103.000", 0.2, 50.0, 102.0, 651300.0, 1300.0],
    ["09:15 TO 09:20", "Long Build Up", "99.000 - 103.500", 1.0, None, 103.0, 650000.0, 6500.0],
]
TOTALS = [117000.0, 110500.0, 110500.0, 97500.0, 65000.0]
ROWS = [[*row, total, None, None, None, row[6]] for row, total in zip(MADE_UP, TOTALS, strict=True)]


def objects(rows: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(KEYS, row, strict=True)) for row in rows]


def answer(rows: list[dict[str, Any]]) -> bytes:
    head = {"status": "0", "statusDescription": "Success", "responseCode": None}
    return json.dumps({"head": head, "body": {"data_v2": rows}}).encode()


def volumes(rows: list[dict[str, Any]]) -> list[int | None]:
    return [row.volume for row in parse_build_ups(answer(rows), SESSION).rows]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{SESSION}T{text}:00+05:30")


def test_volumes_of_a_running_total_are_its_differences():
    found, refused = parse_build_ups(answer(objects(ROWS)), SESSION)

    assert [row.volume for row in found] == [65000, 32500, 13000, 0, 6500]
    assert [row.source_label for row in found] == [
        *("long_build_up", "short_build_up", "long_unwinding", "none", "short_covering")
    ]
    assert [row.open_interest for row in found] == [650000, 651300, 650000, 650000, 649350]
    assert found[0].open_time == at("09:15")
    assert refused == ()


def test_recorded_rows_agree_with_what_is_made_of_their_values(shared_data):
    rows = recorded_rows(shared_data)
    assert len(rows) == 6

    found, refused = parse_build_ups(answer(objects(rows)), SESSION)

    assert refused == ()
    # Newest first in the recording; its first row is of no day's beginning, so it has no volume.
    assert [row.volume for row in found] == [None, 10950, 12600, 10410, 17520, 13260]
    for row, values in zip(found, rows[::-1], strict=True):
        assert f"{row.open_time.astimezone(IST):%H:%M} TO" in values[0]
        assert (row.close, row.open_interest) == (values[5], values[6])
        assert row.source_label.replace("_", " ").title() == values[1]


def changed(place: int, **changes: Any) -> list[dict[str, Any]]:
    """Return the made-up rows with one changed, counted from the session's first."""
    rows = objects(ROWS)
    rows[-1 - place] |= changes
    return rows


def without(*places: int) -> list[dict[str, Any]]:
    return [row for n, row in enumerate(objects(ROWS)[::-1]) if n not in places][::-1]


def test_the_first_row_has_a_volume_only_if_it_is_of_the_sessions_first_interval():
    assert volumes(without(0)) == [None, 13000, 0, 6500]
    assert volumes(objects(ROWS)[-1:]) == [65000]
    assert volumes(objects(ROWS)[:1]) == [None]


def test_after_a_missing_interval_the_volume_is_unknown_unless_nothing_was_traded():
    assert volumes(without(1)) == [65000, None, 0, 6500]
    assert volumes(without(2)) == [65000, 32500, None, 6500]
    rows = without(2)
    rows[1] |= {"volume_gross": 97500.0}  # of 09:30, as of 09:20
    rows[0] |= {"volume_change": 20.0}
    assert volumes(rows) == [65000, 32500, 0, 19500]


def test_an_unknown_total_is_of_two_unknown_volumes_and_no_others():
    assert volumes(changed(2, volume_gross=None)) == [65000, 32500, None, None, 6500]


@pytest.mark.parametrize("field", ["close_price", "oi"])
def test_a_row_without_price_or_open_interest_is_left_out_with_a_reason(field):
    nulls = {"close_price": None} if field == "close_price" else {"oi": None, "open_interest": None}

    found, refused = parse_build_ups(answer(changed(1, **nulls)), SESSION)

    assert [row.open_time for row in found] == [at(t) for t in ("09:15", "09:25", "09:30", "09:35")]
    assert [row.volume for row in found] == [65000, 13000, 0, 6500]
    (reason,) = refused
    assert reason == f"09:20 IST: no {'price' if field == 'close_price' else 'open interest'}"


def test_either_name_of_open_interest_will_do():
    assert parse_build_ups(answer(changed(1, oi=None)), SESSION).rows[1].open_interest == 651300


def test_volumes_of_intervals_are_taken_as_they_are():
    totals = (65000, 32500, 13000, 19500, 6500)
    rows = objects(ROWS)[::-1]
    for n, total in enumerate(totals):
        before = totals[n - 1] if n else 0
        change = round(100 * (total - before) / before, 2) if before else None
        rows[n] |= {"volume_gross": float(total), "volume_change": change}

    assert volumes(rows[::-1]) == list(totals)
    # Without percentages too: a running total never falls.
    assert volumes([row | {"volume_change": None} for row in rows]) == list(totals)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (changed(2, volume_change=20.0), r"volume_change 20.0 is not the growth .*, 13.33 %"),
        ([row | {"volume_change": None} for row in objects(ROWS)], "no row's volume_change tells"),
    ],
)
def test_an_answer_that_neither_reading_fits_is_refused(rows, complaint):
    with pytest.raises(PayloadInvalid, match=complaint):
        parse_build_ups(answer(rows), SESSION)


def test_a_total_that_falls_once_in_a_day_is_no_row_of_intervals_volumes():
    rows = series([1000, 2000, 3000, 2990, 4000, 5000, 6000, 7000])

    with pytest.raises(PayloadInvalid, match="falls in 1 of 7 steps: neither a running total nor"):
        parse_build_ups(answer(rows), SESSION)


def series(gross: list[int], *, change: bool = True) -> list[dict[str, Any]]:
    rows = []
    for n, total in enumerate(gross):
        start = at("09:15") + timedelta(minutes=5 * n)
        base = gross[n - 1] if n else 0
        row = objects(ROWS)[0] | {
            "interval": f"{start:%H:%M} TO {start + timedelta(minutes=5):%H:%M}",
            "volume_gross": float(total),
            "volume_change": round(100 * (total - base) / base, 2) if base and change else None,
        }
        rows.append(row)
    return rows[::-1]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=75))
def test_the_volumes_of_any_running_total_are_found_again(traded):
    total, gross = 0, []
    for volume in traded:
        total += volume
        gross.append(total)

    assert volumes(series(gross)) == traded


def test_lots_in_one_of_open_interest_and_volume_do_not_hide_beside_units_in_the_other():
    def judged(rows: list[dict[str, Any]]) -> BuildUpRows:
        moment = datetime.combine(SESSION, time(9, 45), IST)
        about = {"source": "trendlyne", "kind": "build_ups", "symbol": "NIFTY260127C25000"}
        receipt = Receipt(1, "trendlyne", about, moment, moment, None, answer(rows))
        return judge(receipt, SESSION)

    assert len(judged(objects(ROWS)).rows) == 5
    in_lots = [row | {"volume_gross": row["volume_gross"] // 65 + 1} for row in objects(ROWS)]
    for row, old in zip(in_lots, [*in_lots[1:], None], strict=True):
        grown = old and 100 * (row["volume_gross"] - old["volume_gross"]) / old["volume_gross"]
        row["volume_change"] = grown
    with pytest.raises(
        PayloadInvalid, match=r"volume: .* no multiples of the lot 65: not in units"
    ):
        judged(in_lots)
    names = ("oi", "open_interest")
    in_lots = [row | dict.fromkeys(names, row["oi"] // 65) for row in objects(ROWS)]
    with pytest.raises(PayloadInvalid, match=r"open interest: .* multiples of the lot 65: not in"):
        judged(in_lots)
