"""The command that begins a strategy of one's own."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from optionscalp.errors import CommandError
from optionscalp.output import console
from pipelines.catalogue.catalogue import NAME, STRATEGIES
from pipelines.catalogue.folder import FolderSettings

app = typer.Typer(no_args_is_help=True, help="Strategies of one's own.")


@app.callback()
def strategy() -> None:
    """Strategies of one's own."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and _.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where to write it; default STRATEGIES_DIR.")
    ] = None,
) -> None:
    """Write a strategy that works, and its test, into the folder of one's own strategies."""
    chosen = folder or FolderSettings().folder
    if chosen is None:
        raise CommandError("no folder for it: set STRATEGIES_DIR, or give --folder")
    if not NAME.fullmatch(name) or name.startswith("test_"):
        raise CommandError(
            f"{name!r} is no name: write small letters, digits and _, 40 at most, a letter first"
        )
    if name in STRATEGIES:
        raise CommandError(f"there is a strategy {name}: choose another name")
    module, test = chosen / f"{name}.py", chosen / f"test_{name}.py"
    for path in (module, test):
        if path.exists():
            raise CommandError(f"{path} is there: remove it, or choose another name")
    try:
        chosen.mkdir(parents=True, exist_ok=True)
        for path, template in ((module, "rule.py.txt"), (test, "test_rule.py.txt")):
            path.write_text(_filled(template, name))
    except OSError as error:
        raise CommandError(f"{chosen}: {error.strerror}: choose another --folder") from None
    console.print(f"wrote {module} and {test.name}", soft_wrap=True, markup=False)
    console.print(
        f"try it: STRATEGIES_DIR={chosen} optionscalp demo; a running system sees it at its next"
        " start",
        soft_wrap=True,
        markup=False,
    )


def _filled(template: str, name: str) -> str:
    text = (files("optionscalp") / "templates" / template).read_text()
    title = name.replace("_", " ").capitalize()
    return text.replace("@NAME@", name).replace("@TITLE@", title)
