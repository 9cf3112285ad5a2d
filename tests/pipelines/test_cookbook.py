"""Every query of the cookbook answers its question on a full day, as the reader role."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from db.market.frames import Range
from db.server.connection import connect
from pipelines.signals.greeks import materialise_greeks
from pipelines.signals.materialise import materialise_signals
from pipelines.signals.outcomes import materialise_outcomes
from strategy.contract import UNDERLYINGS
from tests.faulty import copied
from tests.pipelines.conftest import HEALTHY_DAY
from tests.test_docs import PROJECT, SQL_BLOCK

COOKBOOK = (PROJECT / "docs" / "sql.md").read_text("utf-8").partition("## Cookbook")[2]
RECIPE = re.compile(
    r"^(\d+)\. (.+?):?\n\n(<!--.*?-->\n)?```sql\n(.*?)^```", re.MULTILINE | re.DOTALL
)
RECIPES = RECIPE.findall(COOKBOOK)
# The day was fetched after its close; here each row was known when its interval ended.
AS_IF_LIVE = (
    "update candle set known_at = open_time + make_interval(mins => interval_minutes)",
    "update build_up set known_at = close_time",
    "update chain_oi set known_at = observed_at",
    "delete from greeks",
    # A broker's, which this day's sources do not have.
    "insert into quote select symbol, close_time, greatest(close - 0.05, 0.05), close + 0.05, 650,"
    " 650, 'upstox', close_time from build_up",
)


@pytest.fixture(scope="module")
def followed(server_dsn: str, healthy: str) -> Iterator[str]:
    """A day as if it had been followed live, with everything that is made of it."""
    day = Range(HEALTHY_DAY, HEALTHY_DAY)
    with copied(server_dsn, healthy) as dsn:
        with connect(dsn) as connection:
            for statement in AS_IF_LIVE:
                connection.execute(statement)
            materialise_greeks(connection, day, UNDERLYINGS)
            materialise_signals(connection, day, UNDERLYINGS, datetime.now(UTC))
            materialise_outcomes(connection, day, UNDERLYINGS)
        yield dsn


@pytest.fixture
def reader(followed: str) -> Iterator[psycopg.Connection]:
    with connect(followed) as connection:
        connection.execute("set role optionscalp_reader")
        yield connection


def test_the_recipes_are_numbered_and_none_is_left_out():
    assert [int(number) for number, *_ in RECIPES] == list(range(1, len(RECIPES) + 1))
    assert len(RECIPES) == len(SQL_BLOCK.findall(COOKBOOK)) >= 15
    empty = [question for _, question, may_be_empty, _ in RECIPES if may_be_empty]
    assert len(empty) < len(RECIPES) / 4


@pytest.mark.parametrize(
    ("may_be_empty", "query"),
    [recipe[2:] for recipe in RECIPES],
    ids=[f"{number} {question[:40]}" for number, question, *_ in RECIPES],
)
def test_a_recipe_finds_something(reader: psycopg.Connection, may_be_empty: str, query: str):
    rows = reader.execute(query).fetchall()
    assert rows or may_be_empty
