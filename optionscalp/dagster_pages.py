"""Dagster's web server as every part of the system starts it: `python -m` with its own options."""

import os

from starlette.middleware import Middleware

from chartserver.hosts import AllowedHosts
from pipelines.orchestration.webserver import run

ALLOWED_HOSTS = "DAGSTER_ALLOWED_HOSTS"


def main() -> None:
    """Run it for the names of loopback and those of `DAGSTER_ALLOWED_HOSTS`."""
    given = (name.strip() for name in os.environ.get(ALLOWED_HOSTS, "").split(","))
    names = [name for name in given if name]
    run([Middleware(AllowedHosts, names, "127.0.0.1", ALLOWED_HOSTS)])


if __name__ == "__main__":
    main()
