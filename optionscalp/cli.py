"""The `optionscalp` command: its commands put together, and how errors are told."""

import logging
import sys

import psycopg
import typer
from pydantic import ValidationError

from db.server.errors import (
    BackupError,
    DatabaseUnavailableError,
    EmbeddedServerError,
    MigrationChangedError,
    SchemaOutdatedError,
    TableLockedError,
    VersionReusedError,
)
from optionscalp.commands import backups, holdout, rows, strategy, sweep, system, verify
from optionscalp.commands.outcomes import outcomes
from optionscalp.commands.probe import probe
from optionscalp.errors import CommandError, file_fault
from optionscalp.output import problems
from pipelines.catalogue.fault import StrategyFault
from pipelines.ingest.rebuild import ArchiveEmptyError
from pipelines.recorded.files import FileInvalidError
from pipelines.settings import fault_line
from strategy.errors import CalendarUnknownError

KNOWN_ERRORS = (
    *(CommandError, FileInvalidError, CalendarUnknownError, ArchiveEmptyError, psycopg.Error),
    *(BackupError, TableLockedError, VersionReusedError, StrategyFault),
    *(DatabaseUnavailableError, EmbeddedServerError, MigrationChangedError, SchemaOutdatedError),
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Nifty and Bank Nifty option market data: live, in replay and in SQL.",
)
app.command()(system.demo)
app.command()(system.up)
app.command()(system.serve)
app.command()(system.migrate)
app.command(name="import")(rows.import_files)
app.command()(rows.ingest)
app.command()(rows.rebuild)
app.command()(rows.signals)
app.command()(outcomes)
app.command()(verify.parity)
app.command()(verify.lookahead)
app.command()(sweep.sweep)
app.add_typer(holdout.app, name="holdout")
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    system.psql
)
app.command()(system.status)
app.command()(system.doctor)
app.command()(probe)
app.command(name="backup")(backups.back_up)
app.command(name="restore")(backups.put_back)
app.add_typer(strategy.app, name="strategy")


def main() -> None:
    """Run the command; errors are one clear line and exit code 1, wrong usage 2."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        app()
    except ValidationError as error:
        _fail(fault_line(error))
    except KNOWN_ERRORS as error:
        _fail(str(error).strip())
    except OSError as error:
        _fail(file_fault(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    problems.print(f"error: {message}", style="red", markup=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
