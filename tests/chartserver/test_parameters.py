"""Dates, moments and numbers in addresses: read as documented, or refused by name."""

from datetime import UTC, date, datetime

import pytest

from chartserver import parameters
from chartserver.errors import ParameterError

DAYS_OF_ANOTHER_FORM = [
    *("20260119", "2026-W04-1", "2026W041", "2026-W04", "2026-019", "2026-1-19", "26-01-19"),
    *("19-01-2026", "2026/01/19", "2026-02-30", "2026-13-01", "2026-00-10", "1999-12-31"),
    *("2100-01-01", "0001-01-01", "12026-01-19", "2026-01-19 ", " 2026-01-19", "2026-01-19\n"),
    *(
        "2026-01-19x",
        "2026-01-19,2026-01-20",
        "\uff12026-01-19",
        "\u0968\u0966\u0968\u096c-\u0966\u0967-\u0967\u096f",
        "2026\u201001\u201019",
        " ",
    ),
    *("today", "null", "-2026-01-19", "+2026-01-19", "2026-01-19Z", "2026-01-19+05:30"),
]
TIMES_OF_ANOTHER_FORM = [
    *("20260121T0915", "20260121T09:15", "2026-01-21T0915", "2026-01-21T09", "2026-01-21T9:15"),
    *("2026-01-21T09:15:30.5", "2026-01-21T09:15:30,5", "2026-01-21T091530", "2026-W04-3T09:15"),
    *("2026-01-21 09:15", "2026-01-21t09:15", "2026-01-21T24:00", "2026-01-21T09:60"),
    *("2026-01-21T09:15:60", "2026-01-21T09:15+0530", "2026-01-21T09:15+05", "2026-01-21T09:15z"),
    *("2026-01-21T09:15+25:00", "2026-01-21T09:15 ", " 2026-01-21T09:15", "2026-01-21T09:15\n"),
    *(
        "2026-01-21T09:15 IST",
        "2026-01-21T\u0966\u096f:\u0967\u096b",
        "2026-01-21T",
        "T09:15",
        "09:15",
    ),
    *("2026-01-21T09:15+05:30:15", "2026-01-21T09:15++05:30", "2026-01-21T09:15  05:30"),
]
OTHER_SECONDS = ["0", "-1", "1768967100000", "1768967100.5", "1e9", "9999999999", "\uff11768967100"]


MANY = pytest.param("9" * 5000, id="more digits than Python reads")


def refused(name: str, read, value: str) -> str:
    with pytest.raises(ParameterError) as error:
        read({name: value})
    assert error.value.details["parameter"] == name
    return error.value.details["allowed"]


@pytest.mark.parametrize("value", DAYS_OF_ANOTHER_FORM)
def test_a_day_has_one_form(value: str):
    allowed = refused("expiry", lambda query: parameters.day(query, "expiry"), value)
    assert "2026-01-27" in allowed


@pytest.mark.parametrize("value", DAYS_OF_ANOTHER_FORM + TIMES_OF_ANOTHER_FORM)
def test_moments_have_the_documented_forms_only(value: str):
    for name in ("from", "to"):
        assert "2026-01-21T09:15" in refused(name, parameters.span, value)
    allowed = refused("at", lambda query: parameters.moment(query, "at"), value)
    assert allowed.startswith("UTC seconds, or ")


@pytest.mark.parametrize("value", OTHER_SECONDS)
def test_seconds_are_whole_and_of_our_days(value: str):
    refused("at", lambda query: parameters.moment(query, "at"), value)


@pytest.mark.parametrize(
    ("value", "hour"),
    [
        ("2026-01-21T09:15", 3),
        ("2026-01-21T09:15:00", 3),
        ("2026-01-21T09:15+05:30", 3),
        ("2026-01-21T09:15 05:30", 3),  # a plus sign that was not encoded
        ("2026-01-21T09:15:00Z", 9),
        ("2026-01-21T09:15-01:00", 10),
    ],
)
def test_documented_times_are_read_in_india_or_by_their_offset(value: str, hour: int):
    minute = 45 if hour == 3 else 15
    expected = datetime(2026, 1, 21, hour, minute, tzinfo=UTC)
    assert parameters.moment({"at": value}, "at") == expected
    assert parameters.span({"from": value}).start == expected


def test_days_and_seconds_are_read():
    assert parameters.day({"expiry": "2026-01-27"}, "expiry") == date(2026, 1, 27)
    assert parameters.moment({"at": "1768967100"}, "at").timestamp() == 1768967100
    start, stop = parameters.span({"from": "2026-01-19", "to": "2026-01-20"})
    assert (stop - start).days == 2


@pytest.mark.parametrize("value", ["0", "-5", "+5", " 5", "5 ", "1_000", "\u0665", "5.0", MANY])
def test_counts_are_plain_digits(value: str):
    refused("strike", lambda query: parameters.whole_number(query, "strike"), value)


@pytest.mark.parametrize(
    "value", ["0", "-1", "nan", "inf", " 60", "6_0", "\u0666\u0660", "1e3", "1000001"]
)
def test_a_speed_is_a_plain_number_in_its_bounds(value: str):
    refused("speed", parameters.speed, value)
    assert parameters.speed({"speed": "2.5"}) == 2.5
