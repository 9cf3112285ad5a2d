"""A question that hangs: its page is told so, the others and the streams go on."""

import threading

import pytest
from chart_help import OPEN, Stream, candle, clock_text

from db.writing.bulk import write
from db.writing.relations import CANDLE


@pytest.fixture
def standing() -> dict[str, str]:
    return {"OPTIONSCALP_CLOCK": clock_text("2026-01-21T03:55:00+00:00", speed=1e-9)}


def causes(told: dict) -> set[str]:
    return {problem["cause"] for problem in told["problems"]}


def test_a_page_over_a_locked_table_gets_an_error_and_the_stream_goes_on(
    serve, standing, connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("chartserver.status.HANG_SECONDS", 1.0)
    chart = serve(**standing)
    answers = []

    def ask() -> None:
        answers.append(chart.get("/api/history?underlying=NIFTY"))

    since = chart.json("/api/history")["as_of"]
    with Stream(chart, since=since) as stream:
        write(connection, CANDLE, [candle("NIFTY", 1)])
        stream.take_rows(1)
        with connection.transaction():
            connection.execute("lock table candle in access exclusive mode")
            asking = [threading.Thread(target=ask) for _ in range(8)]
            for thread in asking:
                thread.start()
            while "questions_hang" not in causes(stream.take_kind("status").data):
                pass
            health = chart.get("/healthz")

            for thread in asking:
                thread.join()
        assert {answer.status_code for answer in answers} <= {503, 504}
        assert 504 in {answer.status_code for answer in answers}
        hung = next(answer.json() for answer in answers if answer.status_code == 504)
        assert hung["status"] == 504
        assert "another session keeps a table locked" in hung["error"]
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        (problem,) = (one for one in health.json()["problems"] if one["cause"] == "questions_hang")
        assert problem["since"] == int(OPEN.timestamp()) + 600
        assert "optionscalp doctor" in problem["remedy"]
        write(connection, CANDLE, [candle("NIFTY", 2)])
        assert [event.data["t"] for event in stream.take_rows(1)] == [OPEN.timestamp() + 120]
        while causes(stream.take_kind("status").data):
            pass
    assert chart.get("/api/history?underlying=NIFTY").status_code == 200
    assert chart.json("/healthz")["problems"] == []
