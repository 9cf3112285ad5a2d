"""What commands print while they work."""

import logging

import pytest

from optionscalp.output import progress


def test_long_work_says_how_far_it_is_where_there_is_no_terminal(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("optionscalp.output.LOG_SECONDS", 0)
    with caplog.at_level(logging.INFO), progress("signals", 8) as advance:
        advance(2)
        advance(8)
    assert caplog.messages == ["signals: 25 %", "signals: 100 %"]
