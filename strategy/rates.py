"""The interest rate that option prices are discounted with, as effective-dated data.

The Reserve Bank of India's repo rate, taken as the continuous rate per year. It hardly matters:
of an option with a week to go, a rate that is wrong by a whole percentage point moves the price by
0.02 % and the parity forward by hundredths of a point.
"""

from datetime import date

from strategy.errors import CalendarUnknownError

# Percent per year, from each announcement on.
REPO_RATES = (
    (date(2019, 10, 4), 5.15),
    (date(2020, 3, 27), 4.40),
    (date(2020, 5, 22), 4.00),
    (date(2022, 5, 4), 4.40),
    (date(2022, 6, 8), 4.90),
    (date(2022, 8, 5), 5.40),
    (date(2022, 9, 30), 5.90),
    (date(2022, 12, 7), 6.25),
    (date(2023, 2, 8), 6.50),
    (date(2025, 2, 7), 6.25),
    (date(2025, 4, 9), 6.00),
    (date(2025, 6, 6), 5.50),
    (date(2025, 12, 5), 5.25),
)


def repo_rate(day: date) -> float:
    """Return the rate per year on a date: 0.0525 is 5.25 %.

    Raises:
        CalendarUnknownError: The date is before the first rate known here.
    """
    for start, percent in reversed(REPO_RATES):
        if day >= start:
            return percent / 100
    raise CalendarUnknownError(f"no interest rate known for {day}")
