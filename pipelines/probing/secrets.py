"""What was given to this program as a secret: by variables, by files, and by what sources declare.

A variable is one by its name, so that a source which reads its own is covered without declaring it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from pipelines.known_sources import KNOWN
from pipelines.sources.secret_file import read_secret

_NAME = re.compile(r"TOKEN|PASSW(OR)?D|SECRET|COOKIE|API_?KEY|CREDENTIAL|AUTHORIZATION", re.I)
_FILE = "_FILE"


def secrets_in(
    environment: Mapping[str, str], settings: Any, dsn: str | None = None
) -> Iterator[str]:
    """Yield every secret that is known now; a file may hold another one a moment later.

    Args:
        environment: Of this process.
        settings: Of this installation, for what sources declare.
        dsn: Of the database that is used, where there is one.
    """
    for name, value in environment.items():
        if _NAME.search(name):
            yield from _in_file(Path(value)) if name.endswith(_FILE) else [value]
        if name == "ALERT_URLS":  # each holds its secret where its service wants it
            yield from (each.partition("://")[2] for each in re.split(r"[\s,]+", value))
        yield from _passwords(value)
    if dsn:
        yield from _passwords(dsn)
    for source in KNOWN.values():
        yield from source.probe.secrets(settings)


def _in_file(path: Path) -> Iterable[str]:
    """Return the one word of a file; what else a file may hold only its source can tell."""
    try:
        words = read_secret(path).split()
    except (OSError, ValueError):
        return []
    return words if len(words) == 1 else []


def _passwords(text: str) -> Iterator[str]:
    """Yield the passwords of an address and its parameters, or those of a connection string."""
    if "://" in text:
        for each in re.split(r"[\s,]+", text):
            try:
                address = urlsplit(each)
                yield address.password or ""
            except ValueError:
                continue
            yield from (value for _, value in parse_qsl(address.query))
    if "password" in text:
        try:
            yield str(conninfo_to_dict(text).get("password") or "")
        except ProgrammingError:
            return
