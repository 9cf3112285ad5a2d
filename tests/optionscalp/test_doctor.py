"""What `optionscalp doctor` finds, where that needs no running system."""

from datetime import date

import pytest

from optionscalp.doctor import calendar_left
from strategy.session import use_overrides


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 1, 21), "ok"),
        (date(2026, 11, 30), "ok"),
        (date(2026, 12, 1), "warning"),
        (date(2027, 1, 4), "warning"),
    ],
)
def test_the_calendars_last_thirty_days_are_a_warning(today: date, state: str):
    finding = calendar_left(today)
    assert finding.state == state
    assert finding.found == "known up to 2026-12-31"


def test_a_year_that_was_entered_ends_the_warning():
    use_overrides([("year", date(2027, 1, 1), None, None, None, None)])
    finding = calendar_left(date(2026, 12, 20))
    assert (finding.state, finding.found) == ("ok", "known up to 2027-12-31")
