"""Rows of every kind that an answer can hold, so that no described field stays empty."""

from datetime import timedelta
from itertools import pairwise
from uuid import NAMESPACE_URL, uuid5

import psycopg
from chart_help import OPEN, SESSION, build_up, candle, contract, signal
from sweep_help import store_a_holdout, store_a_sweep

from db.writing.bulk import write
from db.writing.relations import (
    BUILD_UP,
    CANDLE,
    CHAIN_OI,
    CONTRACT,
    GREEKS,
    LIVE_CANDLE,
    SIGNAL,
    SIGNAL_REJECTION,
)
from db.writing.rows import ChainOi, Greeks, Signal, SignalRejection

DAY = timedelta(days=1)
STRIKES = (24900, 24950, 25000, 25050, 25100)
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"
SIGNAL_ID = str(uuid5(NAMESPACE_URL, "delta_volume 10"))
OUTCOMES = """
insert into signal_outcome (signal_id, horizon_minutes, entered_at, entry_price, exited_at,
                            exit_price, gross_points, costs_points, mfe_points, mae_points,
                            return_points, hit, exit_reason, lot_size)
select signal_id, horizon, known_at, 101, known_at + interval '5 minutes', 104, 3, 1, 12, null, 2,
       false, 'horizon', 65
  from signal, unnest(array[5, 15, 0]) horizon;
insert into random_outcome (strategy, version, underlying, session, draw, horizon_minutes,
                            mfe_points, mae_points, return_points, hit, exit_reason, beside)
select strategy, version, underlying, session, row_number() over (), 15, 5, 5, draw - 1.5, false,
       'horizon', signal_id
  from signal, generate_series(0, 3) draw;
insert into strategy_version values ('vwap_trap', '1', 'x', '{}', true, now());
insert into strategy_proof values
    ('vwap_trap', '1', '2026-01-20', 'parity', true, '', '2026-01-22 10:00Z');
insert into source_status (source, state, last_at, error, delay_seconds, changed_at)
values ('tradingview', 'down', '2026-01-21 04:00Z', 'refused', 900, '2026-01-21 04:01Z');
"""


def store_everything(connection: psycopg.Connection) -> None:
    """Store two sessions with all that hangs on them, two sweeps and a holdout."""
    _store_market(connection)
    _store_signals(connection)
    connection.execute(OUTCOMES)
    store_a_holdout(connection)
    store_a_sweep(connection, walked=False, seed=2)
    store_a_sweep(connection)


def _store_market(connection: psycopg.Connection) -> None:
    # One side of one strike is not listed.
    listed = [contract(strike, kind) for strike in STRIKES for kind in "CP"][:-1]
    write(connection, CONTRACT, listed)
    prices = (("NIFTY", 25010.0), ("NIFTY1!", 25050.0), (CALL, 150.0), (PUT, 140.0))
    for symbol, price in prices:
        today = [candle(symbol, minute, price + minute) for minute in range(40)]
        before = [
            row._replace(open_time=row.open_time - DAY, known_at=row.known_at - DAY)
            for row in today
        ]
        write(connection, CANDLE, [*before, *today])
        for second in (1, 2.5, 40):
            known_at = OPEN + timedelta(minutes=40, seconds=second)
            forms = candle(symbol, 40, price + second, known_at=known_at, final=False)
            write(connection, LIVE_CANDLE, [forms])
    labels = ("none", "long_build_up", "short_build_up", "short_covering", "long_unwinding")
    rows = [build_up(CALL, 5 * place, label) for place, label in enumerate(labels)]
    rows[0] = rows[0]._replace(open_interest=None, oi_change=None, volume=None)
    write(connection, BUILD_UP, [*rows, build_up(PUT)])
    expiry = contract(25000, "C").expiry
    observed = [
        ChainOi(
            *("NIFTY", expiry, strike, OPEN + timedelta(minutes=minute), 650 * place, None),
            *(650, None, "test", OPEN + timedelta(minutes=minute, seconds=9)),
        )
        for minute, _ in pairwise(range(0, 40, 5))
        for place, strike in enumerate(STRIKES)
    ]
    full = observed[2]._replace(put_oi=1300, put_prev_oi=650, strike=24850)
    write(connection, CHAIN_OI, [*observed, full])
    opens = OPEN + timedelta(minutes=20)
    known_at = opens + timedelta(minutes=1)
    write(
        connection,
        GREEKS,
        [
            Greeks(
                CALL, 1, opens, "NIFTY", 25040.0, "parity", 0.14, 0.5, 1e-3, -9.5, 13.1, known_at
            ),
            Greeks(PUT, 1, opens, "NIFTY", 25040.0, "future", *[None] * 5, known_at),
        ],
    )


def _made(strategy: str, minute: int, **changes: object) -> Signal:
    identity = uuid5(NAMESPACE_URL, f"{strategy} {minute}")
    return signal(CALL, minute, signal_id=identity, strategy=strategy, **changes)


def _store_signals(connection: psycopg.Connection) -> None:
    first = _made("delta_volume", 10)
    gone = _made("delta_volume", 30, withdrawn_at=OPEN + timedelta(hours=1))
    trap = _made("vwap_trap", 12, target2=None, net_delta_volume=None, direction="BEARISH")
    write(connection, SIGNAL, [first, gone, trap])
    later = first.known_at + timedelta(minutes=3)
    write(connection, SIGNAL, [first._replace(entry=101.5, known_at=later)])
    moment = OPEN + timedelta(minutes=20)
    rejected = SignalRejection(
        *("delta_volume", "1", "NIFTY", SESSION, moment, "against_net_delta", CALL),
        *({"net_delta_volume": -650}, moment + timedelta(seconds=20)),
    )
    limit = rejected._replace(
        reason="daily_loss_limit",
        details={"losing_signals": [{"stopped_by": int(moment.timestamp())}]},
    )
    write(
        connection,
        SIGNAL_REJECTION,
        [rejected, limit, rejected._replace(reason="missing_rows", symbol="", known_at=None)],
    )
