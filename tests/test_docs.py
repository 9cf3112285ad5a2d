"""What the documents say is there: settings, commands, SQL, links and make targets."""

import re
from pathlib import Path

import psycopg
import pytest
import typer.main
from click import Command
from pydantic_settings import BaseSettings

import chartserver.settings
import pipelines.settings
from optionscalp.cli import app
from pipelines.orchestration.alerts import AlertSettings
from pipelines.orchestration.links import ChartAddress
from scripts import http_docs

PROJECT = Path(__file__).parent.parent
README = PROJECT / "README.md"
ENVIRONMENT_EXAMPLE = PROJECT / ".env.example"
COMPOSE = PROJECT / "docker" / "compose.yaml"
DOCUMENTS = [README, PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").glob("*.md"))]

# What the command line reads by itself, besides the settings classes.
COMMAND_LINE_VARIABLES = {
    *("OPTIONSCALP_HOME", "DAGSTER_PORT", "DAGSTER_ALLOWED_HOSTS", "CHART_PORT", "DATABASE_URL"),
}

SQL_BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
COMPOSE_VARIABLE = re.compile(r"\$\{([A-Z_]+)|^ {2,6}([A-Z_]+):$", re.MULTILINE)


def sql_blocks() -> list[tuple[str, str]]:
    return [
        (f"{path.name} {number}", block)
        for path in (README, PROJECT / "docs" / "sql.md")
        for number, block in enumerate(SQL_BLOCK.findall(path.read_text()), 1)
    ]


def variables(settings: type[BaseSettings]) -> set[str]:
    fields = settings.model_fields.items()
    return {str(field.validation_alias or name).upper() for name, field in fields}


def every_variable() -> list[str]:
    read = set.union(
        *map(
            variables,
            (
                *(pipelines.settings.Settings, chartserver.settings.Settings),
                *(AlertSettings, ChartAddress),
            ),
        )
    )
    return sorted(read | COMMAND_LINE_VARIABLES)


def commands() -> dict[str, Command]:
    return typer.main.get_command(app).commands


def code_of(path: Path) -> str:
    found = CODE.findall(path.read_text())
    return "\n".join(block or span for block, span in found)


@pytest.mark.parametrize("name", every_variable())
def test_every_setting_is_in_the_readme_and_in_the_example(name: str):
    assert f"| `{name}`" in README.read_text() or f"`{name}`, " in README.read_text()
    assert re.search(rf"^#?{name}=", ENVIRONMENT_EXAMPLE.read_text(), re.MULTILINE)


def test_the_example_sets_what_something_reads():
    named = set(re.findall(r"^#?([A-Z_]+)=", ENVIRONMENT_EXAMPLE.read_text(), re.MULTILINE))
    composed = {one or other for one, other in COMPOSE_VARIABLE.findall(COMPOSE.read_text())}
    assert composed <= named
    assert named <= composed | set(every_variable())


def test_containers_are_given_every_setting_of_the_ingestion():
    composed = {one or other for one, other in COMPOSE_VARIABLE.findall(COMPOSE.read_text())}
    demos = {"OPTIONSCALP_CLOCK", "OPTIONSCALP_SOURCE"}
    assert variables(pipelines.settings.Settings) - demos - {"DATABASE_URL"} <= composed


def test_every_command_and_option_is_documented():
    operations = code_of(PROJECT / "docs" / "operations.md")
    for name, command in commands().items():
        assert f"optionscalp {name}" in operations
        for option in command.params:
            for flag in option.opts:
                assert not flag.startswith("--") or flag in operations, (name, flag)


def test_no_document_names_a_command_that_is_not_there():
    for path in DOCUMENTS:
        named = re.findall(r"\boptionscalp ([a-z]+)", code_of(path))
        assert set(named) <= set(commands()), path.name


@pytest.mark.parametrize(
    "block", [block for _, block in sql_blocks()], ids=[name for name, _ in sql_blocks()]
)
def test_sql_examples_run_as_the_reader(connection: psycopg.Connection, block: str):
    connection.execute("set role optionscalp_reader")
    connection.execute(block)


def test_there_are_sql_examples_in_both_documents():
    names = {name.split()[0] for name, _ in sql_blocks()}
    assert names == {"README.md", "sql.md"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    for link in LINK.findall(path.read_text()):
        if "://" not in link:
            assert (path.parent / link.split("#")[0]).exists(), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path: Path):
    targets = set(TARGET.findall((PROJECT / "Makefile").read_text()))
    assert set(MAKE.findall(code_of(path))) <= targets


def test_every_document_is_in_the_readme():
    linked = LINK.findall(README.read_text())
    for path in (PROJECT / "docs").glob("*.md"):
        assert f"docs/{path.name}" in linked


def test_the_page_of_http_says_what_the_interface_describes():
    written = http_docs.PAGE.read_text()
    assert http_docs.page(written) == written, "run `make docs`"
    assert len(http_docs.PART.findall(written)) == 3
