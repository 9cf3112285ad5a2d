"""Which interval a ladder is of that names no moment."""

import json
from datetime import date, datetime

import pytest

from db.archive.raw_payloads import Receipt
from pipelines.ingest.answers import read
from strategy.session import IST

DAY = date(2026, 1, 21)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{text}+05:30")


@pytest.mark.parametrize(
    ("received", "moment"),
    [
        ("09:16:00", None),
        ("09:19:59.999999", None),
        ("09:20:00", "09:20"),
        ("09:22:29.999999", "09:20"),
        ("09:22:30", None),
        ("09:24:59.999999", None),
        ("09:25:00.000001", "09:25"),
        ("15:31:00", "15:30"),
        ("15:35:00", "15:30"),
        ("15:59:59", "15:30"),
        ("16:00:00", None),
    ],
)
def test_it_counts_for_an_end_that_it_was_received_soon_after(received: str, moment: str | None):
    about = {"source": "upstox", "kind": "chain", "underlying": "NIFTY", "expiry": "2026-01-27"}
    time = at(received).astimezone(IST)
    body = json.dumps({"status": "success", "data": []}).encode()
    found = read(Receipt(1, "upstox", about, time, time, None, body), DAY)
    assert found.moment is None
    assert found.counts_for == (moment and at(moment))
