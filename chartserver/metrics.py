"""What `/metrics` tells, made of what the hub and the status watch know already."""

import time
from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chartserver.hub import Hub
from chartserver.problems import CAUSES
from chartserver.status import StatusWatch
from strategy.contract import UNDERLYINGS

SOURCE_STATES = ("up", "down", "idle")
SEVERITIES = ("error", "warning")

Labelled = dict[tuple[str, ...], float | None]


class Metrics(Collector):
    """Gauges and counters of one server; asks nothing of the database.

    What only the database knows is left out while it cannot be read: an old value would hide that.
    """

    def __init__(self, hub: Hub, status: StatusWatch) -> None:
        self._hub = hub
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._server()
        yield from self._watch()
        if self._status.is_read:
            yield from self._market()
            yield from self._operations()

    def _server(self) -> Iterator[Metric]:
        hub = self._hub
        read_at = max(hub.checked_at, self._status.started_at)
        lag = round(time.monotonic() - read_at, 3)
        yield _gauge("chart_clients", "Open streams.", len(hub.clients))
        yield _counter("chart_events_sent", "Events sent to all clients.", hub.events_sent)
        yield _gauge("chart_cursor", "Number of the newest change read.", hub.cursor.seq)
        yield _gauge(
            "chart_lag_seconds", "Since the log was last read to its end, or the start.", lag
        )
        yield _gauge("chart_connected", "Whether the log's reader is connected.", hub.connected)
        yield _counter("chart_overflow_closes", "Clients closed for being slow.", hub.overflows)
        yield _counter("chart_resets", "Times clients had to start over.", hub.resets)

    def _watch(self) -> Iterator[Metric]:
        status = self._status
        yield _gauge("database_up", "Whether the database answers.", status.database_up)
        yield _gauge("market_open", "Whether the market is open.", status.market_open)
        yield _gauge(
            "market_open_seconds",
            "Market seconds since the open; absent while closed.",
            status.open_seconds,
        )
        yield _gauge("simulated", "Whether the market is simulated.", status.simulated)
        yield _gauge("feed_expected", "Whether a feed ought to run.", status.feed_expected)
        yield _counter("timeouts", "Questions given up for their time.", status.timeouts)
        causes = {problem.cause for problem in status.problems}
        yield _labelled(
            "problem",
            "1 for a cause of trouble that is there now; /healthz says more.",
            ("cause",),
            {(cause,): cause in causes for cause in CAUSES},
        )

    def _market(self) -> Iterator[Metric]:
        status = self._status
        now = status.now()
        ages: Labelled = {
            (name, relation): age
            for name in UNDERLYINGS
            for relation, age in status.ages(now, name).items()
        }
        sources = status.sources(now)
        yield _labelled(
            "row_age_seconds",
            "Market seconds since what the newest row tells of; absent without any.",
            ("underlying", "relation"),
            ages,
        )
        yield _labelled(
            "source_state",
            "1 for the state that a source is in.",
            ("source", "state"),
            {
                (name, state): source["state"] == state
                for name, source in sources.items()
                for state in SOURCE_STATES
            },
        )
        yield _labelled(
            "source_delay_seconds",
            "How late a source's data is; absent if nothing tells.",
            ("source",),
            {(name,): source["delay_seconds"] for name, source in sources.items()},
        )

    def _operations(self) -> Iterator[Metric]:
        operations = self._status.seen.operations
        yield _gauge("feed_running", "Whether a feed runs.", operations.feed_running)
        yield _labelled(
            "source_requests",
            "Requests asked of a source for the current session.",
            ("source",),
            {(one.source,): one.asked for one in operations.requests},
        )
        yield _labelled(
            "source_allowance",
            "Requests that a session may have; absent where nothing limits them.",
            ("source",),
            {(one.source,): one.allowance for one in operations.requests},
        )
        yield _labelled(
            "checks_failing",
            "Checks of the current session that fail.",
            ("severity",),
            {(severity,): operations.failing.get(severity, 0) for severity in SEVERITIES},
        )
        off = len(self._status.seen.switched_off)
        yield _gauge("strategies_switched_off", "Strategies that are not computed.", off)


def _gauge(name: str, meaning: str, value: float | None) -> Metric:
    return _labelled(name, meaning, (), {(): value})


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"optionscalp_{name}", meaning, value)


def _labelled(name: str, meaning: str, labels: tuple[str, ...], values: Labelled) -> Metric:
    family = GaugeMetricFamily(f"optionscalp_{name}", meaning, labels=labels)
    for key, value in values.items():
        if value is not None:  # no number is better than a wrong one
            family.add_metric(key, float(value))
    return family
