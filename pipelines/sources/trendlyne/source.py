"""What Trendlyne can be to us: listings, strike ladders, and rows of single contracts, of today."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pipelines.sources.declaration import Office, Source
from pipelines.sources.roles import Opened
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.probe import PROBE
from pipelines.sources.trendlyne.read import read
from pipelines.sources.trendlyne.site import NAME

# An interval's values appear some three minutes after its end (sources.md); asking sooner would
# only use up the allowance.
LADDER_LAG = timedelta(minutes=3, seconds=30)


@asynccontextmanager
async def _open(office: Office) -> AsyncIterator[Opened]:
    settings = office.settings
    budget = office.budget(
        NAME, settings.trendlyne_requests_per_second, settings.trendlyne_requests_per_session
    )
    url, visitor = settings.trendlyne_url, settings.visitor
    async with Trendlyne(url, office.clock, budget, office.recall, visitor=visitor) as client:
        yield Opened(listings=client, ladders=client, build_ups=client, left=budget.left)


SOURCE = Source(
    NAME,
    frozenset({"listings", "ladders", "build_ups"}),
    _open,
    read,
    ladder_lag=LADDER_LAG,
    ladder_history=True,
    probe=PROBE,
)
