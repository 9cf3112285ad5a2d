"""What a run does about an error: try again soon, or stop with one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg

from db.server.errors import DatabaseUnavailableError, SchemaOutdatedError
from pipelines.sources.errors import SourceError, SourceUnavailable

# The next scheduled run comes within a minute, so more than this is its business.
RETRIES = 2
RETRY_SECONDS = 4

TEMPORARY = (SourceUnavailable, DatabaseUnavailableError, psycopg.OperationalError)


@contextmanager
def remedies(retry_number: int) -> Iterator[None]:
    """Turn the errors of ingestion into what Dagster should do.

    Args:
        retry_number: How often the step was tried again already.

    Raises:
        dagster.RetryRequested: What failed may work in some seconds.
        dagster.Failure: It will not, or did not: a person may have to act.
    """
    try:
        yield
    except TEMPORARY as error:
        if retry_number < RETRIES:
            raise dg.RetryRequested(RETRIES, RETRY_SECONDS) from error
        raise _failure(error) from error
    except (SourceError, SchemaOutdatedError) as error:
        raise _failure(error) from error


def _failure(error: Exception) -> dg.Failure:
    return dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False)
