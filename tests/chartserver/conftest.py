"""Chart servers on the test's own database."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from chart_help import Chart, Process, Thread, clock_text


@pytest.fixture
def serve(database: str) -> Iterator[Callable[..., Thread]]:
    """Start chart servers that are stopped with the test; keywords are their environment."""
    with ExitStack() as running:

        def start(**env: str) -> Thread:
            chart = Thread(database, **{"OPTIONSCALP_CLOCK": clock_text(), **env})
            running.callback(chart.stop)
            return chart

        yield start


@pytest.fixture
def serve_process(database: str) -> Iterator[Callable[..., Process]]:
    """The same in processes of their own."""
    with ExitStack() as running:

        def start(port: int = 0, **env: str) -> Process:
            chart = Process(database, port, **{"OPTIONSCALP_CLOCK": clock_text(), **env})
            running.callback(chart.stop)
            return chart

        yield start


@pytest.fixture
def chart(serve: Callable[..., Thread]) -> Chart:
    """One chart server."""
    return serve()
