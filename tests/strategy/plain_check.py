"""Comparing a strategy's rows with those of its plain reading."""

import pandas as pd
from plain_delta_volume import records

from db.market.minutes import Minutes


def assert_as_plainly_read(strategy, plain, frames):
    found = strategy.evaluate(frames, strategy.defaults)
    expected = plain.evaluate(*map(records, frames))
    for rows, plain_rows in zip(found, expected, strict=True):
        assert len(rows) == len(plain_rows)
        for row, plain_row in zip(rows, plain_rows, strict=True):
            details = plain_row.pop("some_details", {})
            assert {name: getattr(row, name) for name in plain_row} == plain_row
            assert {name: row.details[name] for name in details} == details
    return found


def recorded_minutes(path):
    """A file of recorded 1-minute candles as the frames that the minute strategies read."""
    rows = pd.read_parquet(path).rename(columns={"ts": "open_time"})
    rows["known_at"] = rows["open_time"] + pd.Timedelta(minutes=1)
    rows["session"] = rows["open_time"].dt.tz_convert("Asia/Kolkata").dt.date
    options = rows[rows["option_type"].notna()].astype({"strike": "int64"})
    return Minutes(rows[rows["symbol"] == rows["underlying"]], options, listing_of(options))


def listing_of(options):
    """The contracts of recorded rows as an import lists them: each with its first row."""
    contracts = options.groupby(["underlying", "expiry", "strike", "option_type"])
    found = contracts.agg(first_seen=("session", "min"), listed_at=("known_at", "min"))
    return found.reset_index()
