"""What every materialisation of a session tells besides its own numbers."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import dagster as dg

from pipelines.checks.lateness import behind


def links(session: date, underlyings: tuple[str, ...]) -> dict[str, Any]:
    """Return where the session is replayed on the chart server's page."""
    from pipelines.orchestration.links import replay_url

    return {
        f"replay_{underlying}": dg.MetadataValue.url(replay_url(underlying, session))
        for underlying in underlyings
    }


def lag(newest: Mapping[str, datetime | None], session: date, now: datetime) -> dict[str, Any]:
    """Return how far the underlying that is furthest behind lags; nothing in a shut market."""
    ages = [age for end in newest.values() if (age := behind(end, session, now)) is not None]
    return {"lag_seconds": max(ages).total_seconds()} if ages else {}
