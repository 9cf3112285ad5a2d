"""The chart server ends sessions of readers that are too long."""

from datetime import timedelta

import psycopg
import pytest
from chart_help import Thread, clock_text
from psycopg.conninfo import conninfo_to_dict

import chartserver.watchdog
from db.server.connection import connect
from db.server.readers import Limits
from db.server.roles import Role, prepared


def test_a_reader_that_waits_in_a_transaction_is_ended_while_pages_go_on(
    database: str, monkeypatch: pytest.MonkeyPatch
):
    if not conninfo_to_dict(database).get("password"):
        pytest.skip("the server's user has no password that others could follow from")
    monkeypatch.setattr(chartserver.watchdog, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(chartserver.watchdog, "LIMITS", Limits(waiting=timedelta(seconds=0.2)))
    reader = connect(prepared(database, Role.READER))
    writer = connect(prepared(database, Role.WRITER))
    for session in (reader, writer):
        session.execute("set idle_in_transaction_session_timeout to 0; set statement_timeout to 0")
        session.execute("begin")
        session.execute("select count(*) from candle")
    chart = Thread(prepared(database, Role.CHART), OPTIONSCALP_CLOCK=clock_text())
    try:
        with pytest.raises(psycopg.OperationalError):
            next(reader.notifies(timeout=60))  # waits for whatever the server has to say
        assert chart.get("/healthz").status_code == 200
        assert writer.execute("select 1").fetchone() == (1,)
    finally:
        chart.stop()
        writer.close()
