"""The states of forming candles in a replay's answer, as far as they are not too many."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from db.pages.forming import read_forming
from db.pages.history import Span

# A day of four charts at a state a second is some 90,000.
MOST_STATES = 200_000
NONE_KEPT = "{}"


async def forming_fields(
    connection: AsyncConnection[Any], shown: Sequence[str], charts: Sequence[str], span: Span
) -> str:
    """Return the fields `forming` and `forming_left_out` of a JSON object, without its braces.

    Args:
        connection: Its snapshot counts.
        shown: All symbols of the answer.
        charts: Those to be content with where all have too many states together.
        span: Of open times.
    """
    everything = await read_forming(connection, shown, span, MOST_STATES)
    if everything is not None:
        return f'"forming":{everything},"forming_left_out":false'
    of_charts = await read_forming(connection, charts, span, MOST_STATES)
    return f'"forming":{of_charts or NONE_KEPT},"forming_left_out":true'
