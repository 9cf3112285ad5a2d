"""NSE's index-derivatives holidays and special sessions, as data; see docs/calendar.md."""

from datetime import date, time

# Weekdays on which there is no ordinary session, by year: a year that is here is covered in full.
# Weekdays that were declared holidays late (22 January 2024, election days) are among them.
HOLIDAYS = {
    2020: "02-21 03-10 04-02 04-06 04-10 04-14 05-01 05-25 10-02 11-16 11-30 12-25",
    2021: "01-26 03-11 03-29 04-02 04-14 04-21 05-13 07-21 08-19 09-10 10-15 11-04 11-05 11-19",
    2022: "01-26 03-01 03-18 04-14 04-15 05-03 08-09 08-15 08-31 10-05 10-24 10-26 11-08",
    2023: (
        "01-26 03-07 03-30 04-04 04-07 04-14 05-01 06-29 08-15 09-19 10-02 10-24 11-14 11-27 12-25"
    ),
    2024: (
        "01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-01"
        " 11-15 11-20 12-25"
    ),
    2025: "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25",
    2026: (
        "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10"
        " 11-24 12-25"
    ),
}

# Weekend sessions with the ordinary hours: Budgets, and the Saturday before 22 January 2024.
WEEKEND_SESSIONS = frozenset(
    {date(2020, 2, 1), date(2024, 1, 20), date(2025, 2, 1), date(2026, 2, 1)}
)

# Muhurat sessions: an hour's trading on a holiday or a weekend, on which nothing expires.
# That of 8 November 2026 is missing: its hours are not known here.
MUHURAT = {
    date(2020, 11, 14): (time(18, 15), time(19, 15)),
    date(2021, 11, 4): (time(18, 15), time(19, 15)),
    date(2022, 10, 24): (time(18, 15), time(19, 15)),
    date(2023, 11, 12): (time(18, 15), time(19, 15)),
    date(2024, 11, 1): (time(18, 0), time(19, 0)),
    date(2025, 10, 21): (time(13, 45), time(14, 45)),
}
