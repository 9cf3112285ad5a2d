"""Errors of the database package, named by their remedy."""


class DatabaseUnavailableError(Exception):
    """No server answers: start it, or correct DATABASE_URL."""


class SchemaOutdatedError(Exception):
    """The schema is older or newer than this program: run `optionscalp migrate`."""


class MigrationChangedError(Exception):
    """An applied migration differs from its file: restore the file, add a new migration."""


class EmbeddedServerError(Exception):
    """The embedded server does not start: the message says what to change."""


class BackupError(Exception):
    """A backup cannot be made or put back: the message says what to do."""


class VersionReusedError(Exception):
    """A strategy's version is stored with other numbers: give the changed rules a new version."""


class TableLockedError(Exception):
    """Another session holds on to a table that migrating needs: end what it does, migrate again."""
