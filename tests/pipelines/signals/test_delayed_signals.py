"""Whether anybody may be alerted to signals: not on delayed data, unless the user allows it."""

from datetime import UTC, datetime

import pytest
from psycopg import Connection

from db.archive.source_status import Access, read_access, report_access, report_up
from pipelines.signals.delayed import held_back

NOW = datetime(2026, 1, 21, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "held"), [(None, False), (0, False), (900, True)])
def test_delayed_data_alerts_nobody_unless_allowed(
    connection: Connection, seconds: int | None, held: bool
):
    report_up(connection, "tradingview", NOW)
    report_access(connection, "tradingview", Access(seconds, None, None))
    reason = held_back(connection, allow_delayed=False)
    assert (reason is not None) == held
    if held:
        assert reason == (
            "tradingview is 15 min late: set ALLOW_DELAYED=true to be alerted all the same"
        )
    assert held_back(connection, allow_delayed=True) is None


def test_a_delay_stays_noted_until_something_else_is_known(connection: Connection):
    report_up(connection, "tradingview", NOW)
    for access in (Access(900, NOW, "ends soon"), Access(None, None, None)):
        report_access(connection, "tradingview", access)
    assert read_access(connection) == {"tradingview": Access(900, None, None)}
