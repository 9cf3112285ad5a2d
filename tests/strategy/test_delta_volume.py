"""Delta Volume's rules, each on a quiet day with a few cells changed by hand."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pandas as pd
import pytest
from option_days import SESSION, QuietDay, as_lines, run_steps

from strategy.delta_volume import Parameters, evaluate

AUCTION_DAY = date(2026, 8, 4)


def outcome(day, parameters=None):
    """Signals as (symbol's end, direction), rejections as (reason, symbol's end), by slot.

    Both ways of computing are asked.
    """
    frames = day.frames()
    result = evaluate(*frames, parameters) if parameters else evaluate(*frames)
    if parameters is None:
        signals, rejections = run_steps(frames)
        assert as_lines(result.signals) == as_lines(signals)
        assert as_lines(result.rejections) == as_lines(rejections)
    return signals_of(result, day), rejections_of(result, day)


def place_of(event_time, day):
    return day.opens.index((event_time - timedelta(minutes=5)).to_pydatetime())


def short(symbol):
    return None if pd.isna(symbol) else f"{symbol[-5:]}{symbol[-6]}"


def signals_of(result, day):
    frame = result.signals
    return [
        (place_of(at, day), short(symbol), direction)
        for at, symbol, direction in zip(
            frame["event_time"], frame["symbol"], frame["direction"], strict=True
        )
    ]


def rejections_of(result, day):
    frame = result.rejections
    return [
        (place_of(at, day), reason, short(symbol))
        for at, reason, symbol in zip(
            frame["event_time"], frame["reason"], frame["symbol"], strict=True
        )
    ]


def test_a_covering_call_gives_a_bullish_signal_with_all_its_reasons():
    day = QuietDay()
    day.cover(4, "25000C", volume=2_001)
    signals, rejections = evaluate(*day.frames())
    assert rejections.empty
    (signal,) = signals.to_dict("records")
    reasons = signal.pop("reasons")
    assert signal == {
        "signal_id": UUID("19a4b7dc-a2d1-5585-9a50-182b8a5508c1"),
        "strategy": "delta_volume",
        "version": "2",
        "underlying": "NIFTY",
        "session": SESSION,
        "event_time": pd.Timestamp("2026-01-21T04:10Z"),
        "symbol": "NIFTY260127C25000",
        "direction": "BULLISH",
        "kind": "short_covering",
        "atm_strike": 25_000,
        "spot": 25_000.0,
        "net_delta_volume": 2_001,
        "strikes": [24_950, 25_000, 25_050],
        "entry": 101.0,
        "stop": 81.0,
        "target1": 131.0,
        "entry_order": "market",
        "target2": 161.0,
        "params_hash": "b74fe008a9be30e7",
        "input_watermark": pd.Timestamp("2026-01-21T04:10Z"),
        "known_at": pd.Timestamp("2026-01-21T04:10:20Z"),
    }
    assert reasons["reference"] == "spot"
    assert [(one["strike"], one["option_type"]) for one in reasons["contracts"]] == [
        (24_950, "C"),
        (24_950, "P"),
        (25_000, "C"),
        (25_000, "P"),
        (25_050, "C"),
        (25_050, "P"),
    ]
    assert reasons["contracts"][2] == {
        "symbol": "NIFTY260127C25000",
        "strike": 25_000,
        "option_type": "C",
        "close": 101.0,
        "price_change": 1.0,
        "open_interest": 9_900,
        "oi_change": -100,
        "volume": 2_001,
        "mean_volume": 1_000.0,
        "volume_spike": True,
        "label": "short_covering",
        "delta_volume": 2_001,
        "covering": True,
    }
    assert reasons["contracts"][3] == {
        "symbol": "NIFTY260127P25000",
        "strike": 25_000,
        "option_type": "P",
        "close": 100.0,
        "price_change": 0.0,
        "open_interest": 10_000,
        "oi_change": 0,
        "volume": 1_000,
        "mean_volume": 1_000.0,
        "volume_spike": False,
        "label": "none",
        "delta_volume": 0,
        "covering": False,
    }


@pytest.mark.parametrize(
    ("window", "traded"), [(9, 12.0), (3, 7.0)], ids=["from the open on", "of the window"]
)
def test_levels_may_follow_the_range_in_which_the_contract_closed_lately(window, traded):
    day = QuietDay(intervals=6)
    for place, close in ((0, 95.0), (2, 106.0), (3, 99.0)):
        day.rows[place, "25000C"]["close"] = close
    day.cover(5, "25000C", volume=2_001)
    day.rows[4, "25000C"]["close"] = 100.0
    day.rows[5, "25000C"]["close"] = 107.0 if window == 9 else 106.0
    numbers = Parameters(level_unit="range", spike_window=window)
    (signal,) = evaluate(*day.frames(), numbers).signals.to_dict("records")
    entry = signal["entry"]
    assert signal["reasons"]["traded_range"] == traded
    assert (signal["stop"], signal["target1"], signal["target2"]) == (
        *(entry - traded, entry + 1.5 * traded, entry + 3 * traded),
    )


def test_a_covering_put_gives_a_bearish_signal():
    day = QuietDay()
    day.cover(4, "25000P")
    assert outcome(day) == ([(4, "25000P", "BEARISH")], [])


def test_prices_and_their_change_carry_no_binary_dust():
    day = QuietDay()
    day.put(3, "25000C", close=100.85)
    day.put(4, "25000C", close=101.05000000001, open_interest=9_000, volume=5_000)
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    assert [signal[name] for name in ("entry", "stop", "target1", "target2")] == [
        101.05,
        81.05,
        131.05,
        161.05,
    ]
    assert signal["reasons"]["contracts"][2]["price_change"] == 0.2


@pytest.mark.parametrize(
    "values",
    [
        {"volume": 2_000},  # exactly twice the mean
        {"close": 100.0},
        {"close": 99.0},
        {"open_interest": 10_000},
        {"open_interest": 10_100},
        {"open_interest": None},
    ],
    ids=str,
)
def test_without_short_covering_or_a_volume_spike_nothing_happens(values):
    day = QuietDay()
    day.cover(4, "25000C")
    day.put(4, "25000C", **values)
    assert outcome(day) == ([], [])


def test_unknown_open_interest_just_before_gives_no_label():
    day = QuietDay()
    day.cover(4, "25000C")
    day.put(3, "25000C", open_interest=None)
    assert outcome(day) == ([], [])


def test_unknown_open_interest_of_a_neighbour_is_no_label_and_stops_nothing():
    day = QuietDay()
    day.cover(4, "25000C")
    day.put(4, "25050C", close=101.0)
    day.put(3, "25050C", open_interest=None)
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    neighbour = signal["reasons"]["contracts"][4]
    assert (neighbour["label"], neighbour["oi_change"]) == ("none", None)


def test_a_price_change_below_a_millionth_is_zero_in_both_ways_of_computing():
    day = QuietDay()
    day.cover(4, "25000C")
    day.put(4, "25050C", close=100.0 - 1e-9)
    assert len(outcome(day)[0]) == 1


@pytest.mark.parametrize(("place", "expected"), [(2, []), (3, [(3, "25000C", "BULLISH")])])
def test_fewer_than_three_earlier_intervals_make_no_spike(place, expected):
    day = QuietDay()
    day.cover(place, "25000C", volume=100_000)
    # Later intervals keep the level, so that only this one changes.
    for later in range(place + 1, 5):
        day.put(later, "25000C", close=101.0, open_interest=9_900)
    assert outcome(day) == (expected, [])


@pytest.mark.parametrize(("place", "expected"), [(10, []), (11, [(11, "25000C", "BULLISH")])])
def test_the_mean_is_of_the_nine_intervals_before_and_no_more(place, expected):
    day = QuietDay(12)
    day.put(0, "25000C", volume=1_000_000)
    day.put(1, "25000C", volume=1_000_000)
    day.cover(place, "25000C", volume=2_001)
    for later in range(place + 1, 12):
        day.put(later, "25000C", close=101.0, open_interest=9_900)
    assert outcome(day) == (expected, [])


def test_the_mean_skips_gaps_and_reaches_back_to_stored_intervals():
    day = QuietDay(6)
    for place, volume in ((0, 400), (1, 500), (4, 600)):
        day.put(place, "25000C", volume=volume)
    for place in (2, 3):
        day.drop(place, "25000C")
    day.cover(5, "25000C", volume=1_001)  # mean 500
    signals, rejections = outcome(day)
    assert signals == [(5, "25000C", "BULLISH")]
    assert rejections == [(place, "missing_rows", None) for place in (2, 3, 4)]


def test_gaps_that_leave_two_stored_intervals_make_no_spike():
    day = QuietDay(5)
    for place in (1, 2):
        day.drop(place, "25000C")
    day.cover(4, "25000C", volume=100_000)
    assert outcome(day)[0] == []


def test_earlier_unknown_volume_is_not_part_of_the_mean():
    day = QuietDay(6)
    day.put(2, "25000C", volume=None)
    day.cover(5, "25000C", volume=2_001)
    assert outcome(day) == ([(5, "25000C", "BULLISH")], [])
    day.put(1, "25000C", volume=None)
    assert outcome(day)[0] == [(5, "25000C", "BULLISH")]
    day.put(0, "25000C", volume=None)  # only two are left
    assert outcome(day)[0] == []


@pytest.mark.parametrize("contract", ["25000C", "25050C", "24950P"])
def test_an_unknown_volume_in_which_the_price_changed_silences_the_cluster(contract):
    day = QuietDay(6)
    day.cover(4, "25000C", volume=2_001)
    day.put(4, contract, close=99.0, volume=None)
    day.put(5, contract, close=99.0)
    assert outcome(day) == ([], [(4, "missing_rows", None)])
    (rejection,) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"] == {
        "recorded": True,
        "strikes": [24_950, 25_000, 25_050],
        "missing": [],
        "missing_before": [],
        "missing_volume": [contract],
    }
    assert pd.isna(rejection["known_at"])


def test_an_unknown_volume_in_which_the_price_stood_still_is_no_delta():
    day = QuietDay()
    day.cover(4, "25000C", volume=2_001)
    day.put(4, "25050C", volume=None)
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    assert signal["net_delta_volume"] == 2_001
    neighbour = signal["reasons"]["contracts"][4]
    assert (neighbour["volume"], neighbour["delta_volume"]) == (None, 0)
    assert neighbour["volume_spike"] is False
    assert len(outcome(day)[0]) == 1


def test_an_unknown_volume_outside_the_cluster_does_not_matter():
    day = QuietDay(strikes=(24_900, 24_950, 25_000, 25_050))
    day.cover(4, "25000C")
    day.put(4, "24900C", close=99.0, volume=None)
    assert outcome(day) == ([(4, "25000C", "BULLISH")], [])


def test_the_net_delta_is_calls_less_puts_by_direction_of_price():
    day = QuietDay()
    day.cover(4, "25000C", volume=9_000)
    day.put(4, "24950C", close=99.0, volume=1_100)
    day.put(4, "25050C", close=100.05, volume=300)
    day.put(4, "24950P", close=101.0, volume=2_000)
    day.put(4, "25000P", close=99.0, volume=70)
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    assert signal["net_delta_volume"] == (9_000 - 1_100 + 300) - (2_000 - 70 + 0)


def test_a_covering_call_against_the_net_delta_is_a_rejected_candidate():
    day = QuietDay()
    day.cover(4, "25000C", volume=2_001)
    day.put(4, "25050C", close=99.0, volume=5_000)
    assert outcome(day) == ([], [(4, "against_net_delta", "25000C")])
    (rejection,) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"]["net_delta_volume"] == -2_999
    assert rejection["details"]["contract"]["symbol"] == "NIFTY260127C25000"
    assert rejection["known_at"] == pd.Timestamp("2026-01-21T04:10:20Z")


def test_a_covering_put_against_the_net_delta_does_not_stop_the_call():
    day = QuietDay()
    day.cover(4, "25000C", volume=3_000)
    day.cover(4, "25050P", volume=2_500)
    assert outcome(day) == ([(4, "25000C", "BULLISH")], [(4, "against_net_delta", "25050P")])


def test_a_net_delta_of_zero_rejects_both_sides():
    day = QuietDay()
    day.cover(4, "25050C", volume=2_500)
    day.cover(4, "24950P", volume=2_500)
    assert outcome(day) == (
        [],
        [(4, "against_net_delta", "24950P"), (4, "against_net_delta", "25050C")],
    )


@pytest.mark.parametrize(
    ("covering", "bought"),
    [
        (("24950C", "25000C", "25050C"), "25000C"),
        (("24950P", "25000P"), "25000P"),
        (("24950C", "25050C"), "24950C"),  # the call in the money is the lower
        (("24950P", "25050P"), "25050P"),  # the put in the money is the higher
    ],
)
def test_the_covering_contract_nearest_to_atm_is_bought_and_of_two_the_one_in_the_money(
    covering, bought
):
    day = QuietDay()
    for contract in covering:
        day.cover(4, contract)
    direction = "BULLISH" if bought.endswith("C") else "BEARISH"
    assert outcome(day) == ([(4, bought, direction)], [])


@pytest.mark.parametrize(
    ("ladder", "strikes"),
    [
        ((24_950, 25_000, 25_100), [24_950, 25_000, None]),
        ((24_900, 25_000, 25_050), [None, 25_000, 25_050]),
        ((24_950, 25_050), [None, None, None]),  # a usual strike would be nearer
        ((24_975, 25_000, 25_025), [None, 25_000, None]),
    ],
)
def test_a_cluster_is_never_wider_where_a_usual_strike_is_not_known(ladder, strikes):
    day = QuietDay(strikes=ladder, ladder=ladder)
    if 25_000 not in ladder:
        day.prices[4]["spot"] = 25_001.0
    assert outcome(day)[1] == [(place, "missing_rows", None) for place in range(1, 5)]
    (*_, rejection) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"]["strikes"] == strikes


def test_a_strike_between_the_usual_ones_is_no_neighbour():
    day = QuietDay(ladder=(24_950, 24_975, 25_000, 25_025, 25_050))
    day.cover(4, "25000C")
    assert outcome(day) == ([(4, "25000C", "BULLISH")], [])
    day.prices[4]["spot"] = 25_020.0  # nearest to the odd one, which has no usual neighbours
    assert outcome(day) == ([], [(4, "missing_rows", None)])


@pytest.mark.parametrize(
    ("spot", "atm"),
    [
        (25_000.0, 25_000),
        (25_025.0, 25_000),  # a tie goes to the lower strike
        (25_025.05, 25_050),
        (24_975.0, 24_950),
        (24_974.95, 24_950),
        (24_975.05, 25_000),
    ],
)
def test_atm_is_the_nearest_listed_strike_and_a_tie_goes_to_the_lower(spot, atm):
    day = QuietDay(strikes=(24_900, 24_950, 25_000, 25_050, 25_100))
    day.prices[4]["spot"] = spot
    day.cover(4, f"{atm}C")
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    assert (signal["atm_strike"], signal["spot"]) == (atm, spot)
    assert signal["strikes"] == [atm - 50, atm, atm + 50]
    assert len(outcome(day)[0]) == 1


def test_covering_outside_the_cluster_is_not_seen():
    day = QuietDay(strikes=(24_900, 24_950, 25_000, 25_050, 25_100))
    day.cover(4, "24900C")
    day.cover(4, "25100P")
    assert outcome(day) == ([], [])


def test_wider_wings_take_more_of_the_ladder():
    day = QuietDay(strikes=(24_900, 24_950, 25_000, 25_050, 25_100))
    day.cover(4, "24900C")
    assert outcome(day, Parameters(wings=2)) == ([(4, "24900C", "BULLISH")], [])
    assert outcome(day, Parameters(wings=0)) == ([], [])


def test_the_first_interval_of_a_session_is_neither_signal_nor_rejection():
    assert outcome(QuietDay(1)) == ([], [])
    day = QuietDay(1)
    day.prices.clear()
    assert outcome(day) == ([], [])


def test_a_session_recorded_late_lacks_the_row_before_its_first():
    day = QuietDay(2, first=3)
    assert outcome(day) == ([], [(0, "missing_rows", None)])
    (rejection,) = evaluate(*day.frames()).rejections.to_dict("records")
    names = [f"{strike}{kind}" for strike in (24_950, 25_000, 25_050) for kind in "CP"]
    assert rejection["details"] == {
        "recorded": True,
        "strikes": [24_950, 25_000, 25_050],
        "missing": [],
        "missing_before": names,
        "missing_volume": [],
    }
    assert pd.isna(rejection["known_at"])
    assert pd.isna(rejection["symbol"])


def test_a_missing_row_silences_the_cluster_now_and_in_the_next_interval():
    day = QuietDay(6)
    day.drop(3, "25050P")
    for place in (3, 4, 5):
        day.put(place, "25000C", close=100.0 + place, open_interest=9_000 - place, volume=90_000)
    assert outcome(day)[1] == [(3, "missing_rows", None), (4, "missing_rows", None)]
    details = evaluate(*day.frames()).rejections["details"].tolist()
    assert [(one["missing"], one["missing_before"]) for one in details] == [
        (["25050P"], []),
        ([], ["25050P"]),
    ]


@pytest.mark.parametrize(
    ("spot", "strikes"),
    [(25_050.0, [25_000, 25_050, None]), (24_950.0, [None, 24_950, 25_000])],
)
def test_a_cluster_beyond_the_end_of_the_ladder_gives_no_signal(spot, strikes):
    day = QuietDay(ladder=(24_950, 25_000, 25_050))
    day.prices[4]["spot"] = spot
    day.cover(4, "25000C")
    assert outcome(day) == ([], [(4, "missing_rows", None)])
    (rejection,) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"]["strikes"] == strikes


def test_the_ladder_and_not_the_rows_present_places_the_cluster():
    day = QuietDay(strikes=(24_900, 25_000, 25_100))
    day.cover(4, "25000C")
    assert outcome(day) == ([], [(place, "missing_rows", None) for place in range(1, 5)])
    (*_, rejection) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"]["strikes"] == [24_950, 25_000, 25_050]
    assert rejection["details"]["missing"] == ["24950C", "24950P", "25050C", "25050P"]


def listed_late(day, contracts, moment):
    """The frames of a day on which some contracts were first known at a moment."""
    build_ups, reference, listing = day.frames()
    names = listing["strike"].astype(str) + listing["option_type"]
    late = names.isin(contracts)
    listing.loc[late, "first_seen"] = day.session
    listing.loc[late, "listed_at"] = pd.Timestamp(moment).as_unit("us")
    return build_ups, reference, listing


@pytest.mark.parametrize("contracts", [["25050C"], ["25000P"], ["24950C", "24950P"]])
def test_a_contract_counts_from_the_interval_that_ends_when_it_is_known(contracts):
    day = QuietDay(8)
    for place in (3, 4, 5):
        day.put(place, "25000C", close=97.0 + place, open_interest=9_000 - place, volume=90_000)
    end = day.opens[4] + timedelta(minutes=5)
    for moment, first in ((end, 4), (end + timedelta(microseconds=1), 5)):
        frames = listed_late(day, contracts, moment)
        result = evaluate(*frames)
        for found, stepped in zip(result, run_steps(frames), strict=True):
            assert as_lines(found) == as_lines(stepped)
        missing = [place for place, *_ in rejections_of(result, day)]
        # Its rows from before it was known are its history.
        assert missing == [*range(1, first)]
        assert {place for place, *_ in signals_of(result, day)} <= {4, 5} - {*missing}
    assert [place for place, *_ in signals_of(result, day)] == [5]


def test_without_a_listed_strike_all_rows_are_missing():
    day = QuietDay(2)
    day.ladder.clear()
    assert outcome(day) == ([], [(1, "missing_rows", None)])
    assert evaluate(*day.frames()).rejections["details"][0] == {"recorded": False}


def test_without_a_reference_price_there_is_no_signal():
    day = QuietDay()
    day.cover(4, "25000C")
    day.prices[4] |= {"spot": None, "spot_known_at": None}
    del day.prices[2]
    assert outcome(day) == ([], [(2, "no_reference", None), (4, "no_reference", None)])


def test_a_reference_without_any_row_counts_as_missing_rows_and_neither_as_nothing():
    day = QuietDay(5)
    for place in (2, 3):
        for strike in (24_950, 25_000, 25_050):
            day.drop(place, f"{strike}C")
            day.drop(place, f"{strike}P")
    del day.prices[3]
    assert outcome(day) == ([], [(2, "missing_rows", None), (4, "missing_rows", None)])
    assert evaluate(*day.frames()).rejections["details"][0] == {"recorded": False}


def auction_day(first):
    """An expiry day with the closing auction; the future stands one strike above spot."""
    day = QuietDay(
        5, AUCTION_DAY, AUCTION_DAY, strikes=(24_950, 25_000, 25_050, 25_100), first=first
    )
    for price in day.prices:
        price["future"] = 25_050.0
    day.cover(4, "25000C")
    return day


@pytest.mark.parametrize(
    ("first", "end", "reference", "atm"),
    [
        (67, "09:45", "spot", 25_000),
        (68, "09:50", "future", 25_050),
        (71, "10:05", "future", 25_050),
    ],
)
def test_the_future_places_atm_in_intervals_that_end_after_the_auction_began(
    first, end, reference, atm
):
    day = auction_day(first)
    assert outcome(day)[0] == [(4, "25000C", "BULLISH")]
    (signal,) = evaluate(*day.frames()).signals.to_dict("records")
    assert signal["event_time"] == pd.Timestamp(f"2026-08-04T{end}Z")
    assert signal["reasons"]["reference"] == reference
    assert (signal["atm_strike"], signal["spot"]) == (atm, float(atm))


def test_without_a_stored_future_there_is_no_signal_in_the_auction():
    day = auction_day(68)
    day.prices[4] |= {"future": None, "future_known_at": None}
    assert outcome(day)[1] == [(0, "missing_rows", None), (4, "no_reference", None)]
    (*_, rejection) = evaluate(*day.frames()).rejections.to_dict("records")
    assert rejection["details"] == {"reference": "future"}


def test_before_august_2026_spot_places_atm_to_the_end():
    day = QuietDay(5, first=70)
    day.prices[4] |= {"future": None, "future_known_at": None}
    day.cover(4, "25000C")
    assert outcome(day)[0] == [(4, "25000C", "BULLISH")]


LATE = datetime(2026, 1, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "contract"), [(4, "25000C"), (4, "24950P"), (3, "25050C"), (0, "25000P")]
)
def test_a_signal_is_known_when_the_latest_row_it_used_is(place, contract):
    day = QuietDay()
    day.cover(4, "25000C")
    day.put(place, contract, known_at=LATE)
    signals, _ = evaluate(*day.frames())
    assert signals["known_at"].tolist() == [LATE]
    assert len(outcome(day)[0]) == 1


def test_a_late_reference_makes_the_signal_late_but_an_unused_one_does_not():
    day = QuietDay()
    day.cover(4, "25000C")
    day.prices[4]["future_known_at"] = LATE
    assert evaluate(*day.frames()).signals["known_at"].tolist() == [
        pd.Timestamp("2026-01-21T04:10:20Z")
    ]
    day.prices[4]["spot_known_at"] = LATE
    assert evaluate(*day.frames()).signals["known_at"].tolist() == [LATE]


def test_late_rows_outside_the_cluster_or_before_the_window_do_not_matter():
    day = QuietDay(11, strikes=(24_900, 24_950, 25_000, 25_050))
    day.cover(10, "25000C")
    day.put(0, "25000C", known_at=LATE)
    day.put(10, "24900C", known_at=LATE)
    signals, _ = evaluate(*day.frames())
    assert signals["known_at"].tolist() == [pd.Timestamp("2026-01-21T04:40:20Z")]


def test_rows_outside_the_hours_are_no_part_of_the_session():
    day = QuietDay()
    day.cover(4, "25000C")
    build_ups, reference, contracts = day.frames()
    early = build_ups.iloc[:6].copy()
    early["open_time"] -= pd.Timedelta(minutes=5)
    late = build_ups.iloc[-6:].copy()
    late["open_time"] += pd.Timedelta(hours=6)
    padded = pd.concat([early, build_ups, late], ignore_index=True)
    expected = evaluate(build_ups, reference, contracts)
    result = evaluate(padded, reference, contracts)
    assert as_lines(result.signals) == as_lines(expected.signals)
    assert as_lines(result.rejections) == as_lines(expected.rejections)
    assert as_lines(run_steps((padded, reference, contracts))[0]) == as_lines(expected.signals)


def test_units_categories_and_arrangement_of_the_frames_make_no_difference():
    day = QuietDay()
    day.cover(4, "25000C")
    build_ups, reference, contracts = day.frames()
    expected = as_lines(evaluate(build_ups, reference, contracts).signals)
    by_contract = build_ups.sort_values(["symbol", "open_time"])
    assert as_lines(evaluate(by_contract, reference, contracts).signals) == expected
    for unit in ("s", "ms", "ns"):
        other = build_ups.assign(known_at=build_ups["known_at"].dt.as_unit(unit))
        other["open_time"] = other["open_time"].dt.tz_convert("Asia/Kolkata").dt.as_unit(unit)
        assert as_lines(evaluate(other, reference, contracts).signals) == expected
    names = ("session", "underlying", "symbol", "expiry", "option_type")
    categories = build_ups.astype(dict.fromkeys(names, "category"))
    assert as_lines(evaluate(categories, reference, contracts).signals) == expected
    floats = build_ups.astype({"open_interest": "float64", "volume": "float64"})
    assert as_lines(evaluate(floats, reference, contracts).signals) == expected


def test_empty_frames_give_empty_results_of_the_same_types():
    day = QuietDay()
    day.drop(1, "25000C")
    day.cover(4, "25050P", volume=3_000)
    day.cover(4, "24950C", volume=2_500)
    build_ups, reference, contracts = day.frames()
    full = evaluate(build_ups, reference, contracts)
    assert not full.signals.empty
    assert not full.rejections.empty
    for frames in (
        (build_ups.iloc[:0], reference.iloc[:0], contracts.iloc[:0]),
        (build_ups.iloc[:6], reference.iloc[:1], contracts),
    ):
        nothing = evaluate(*frames)
        assert nothing.signals.empty
        assert nothing.rejections.empty
        assert nothing.signals.dtypes.to_dict() == full.signals.dtypes.to_dict()
        assert nothing.rejections.dtypes.to_dict() == full.rejections.dtypes.to_dict()
    times = ["event_time", "input_watermark", "known_at"]
    assert {str(full.signals[name].dtype) for name in times} == {"datetime64[us, UTC]"}
    without_rows = evaluate(build_ups.iloc[:0], reference, contracts)
    assert without_rows.rejections["reason"].tolist() == ["missing_rows"] * 4
