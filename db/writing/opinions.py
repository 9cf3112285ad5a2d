"""Rows that two sources have told: the preferred one's values count, and no other is lost.

What each source says is kept beside the table, in `source_version`, and the table's row is made of
it: the preferred source's values, with counts that it lacks from the next. So it does not matter
who came first. A row that one source alone has told is in the table and nowhere else.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from psycopg import Connection, Cursor
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

PREFER = """
insert into source_preference (source, place)
select source, place - 1 from unnest(%(sources)s::text[]) with ordinality as c (source, place)
"""
PREFERRED = "select source from source_preference order by place"
PREFERENCE_LOCK = 7_346_011


class Opinions(NamedTuple):
    """How rows of a table that two sources have told become one.

    Attributes:
        moment: The column of the key that tells when.
        values: The columns that sources tell.
        filled: Those of them that come from the next source where the preferred one lacks them.
        ready: The column that tells whether a row can be an opinion; None if each can.
        keeps: Whether a source's newer row that lacks a value leaves its older one.
    """

    moment: str
    values: tuple[str, ...]
    filled: tuple[str, ...]
    ready: str | None = None
    keeps: bool = False


def prefer_sources(connection: Connection[Any], sources: Sequence[str]) -> None:
    """Note which sources are preferred, the first one most; rows that are stored stay.

    Args:
        connection: In autocommit mode.
        sources: In order.
    """
    if [row[0] for row in connection.execute(PREFERRED)] == list(sources):
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (PREFERENCE_LOCK,))
        connection.execute("delete from source_preference")
        connection.execute(PREFER, {"sources": list(sources)})


def _row_key(key: Sequence[str], moment: str, alias: str) -> Composed:
    """Return a row's key; its moment as text that is the same in every time zone."""
    as_text = SQL("""to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""")
    pairs = []
    for name in key:
        column = Identifier(alias, name)
        pairs += [Literal(name), as_text.format(column) if name == moment else column]
    return SQL("jsonb_build_object({})").format(SQL(", ").join(pairs))


class Contest:
    """The statements of one table."""

    def __init__(
        self, table: str, columns: Sequence[str], key: Sequence[str], opinions: Opinions
    ) -> None:
        self.moment = columns.index(opinions.moment)
        incoming = SQL("(select distinct on ({key}) * from {stage} order by {key}, ctid desc)")
        names = {
            "key": SQL(", ").join(map(Identifier, key)),
            "stage": Identifier(f"stage_{table}"),
        }
        self._names: dict[str, Composable] = {
            **names,
            "name": Literal(table),
            "table": Identifier(table),
            "incoming": incoming.format(**names),
            "staged_key": _row_key(key, opinions.moment, "s"),
            "staged": SQL(" and ").join(
                SQL("{} = {}").format(Identifier("t", name), Identifier("s", name)) for name in key
            ),
            "told_key": _row_key(key, opinions.moment, "r"),
            "moment": Identifier(opinions.moment),
            "values": SQL(", ").join(
                part for name in opinions.values for part in (Literal(name), Identifier("r", name))
            ),
            "ready": _ready(opinions, "r"),
            "ready_stored": _ready(opinions, "t"),
            "same": SQL(" and ").join(
                SQL("{} = {}").format(Identifier("t", name), Identifier("r", name)) for name in key
            ),
            "newer": SQL("v.values || jsonb_strip_nulls(excluded.values)")
            if opinions.keeps
            else SQL("excluded.values"),
        }
        self._columns, self._key, self._opinions = columns, key, opinions

    @cached_property
    def find(self) -> bytes:
        """Return the query of the keys that another source has told as well.

        A look for each staged row, since there are few of them and many in the table.
        """
        return (
            SQL(
                "select {told_key} from {incoming} r cross join lateral (select t.source"
                " from {table} t where {same} and t.{moment} between %(first)s and %(last)s"
                " and {ready_stored} offset 0) t"
                " where {ready} and (t.source <> r.source or (select exists (select"
                " from source_version v where v.relation = {name}"
                " and v.moment between %(first)s and %(last)s)) and coalesce((select true"
                " from source_version v where (v.relation, v.key, v.source)"
                " = ({name}, {told_key}, r.source) limit 1), false))"
            )
            .format(**self._names)
            .as_bytes()
        )

    @cached_property
    def lock(self) -> Composed:
        """Return what lets other writers of these rows wait: each has to see what all have said."""
        return SQL(
            "select from {contested} s cross join lateral (select from {table} t where {staged}"
            " and t.{moment} between %(first)s and %(last)s offset 0 for update) t"
        ).format(contested=self._contested, **self._names)

    @property
    def _contested(self) -> Composed:
        """Return the staged rows of the contested keys, in their order.

        What is looked up begins with them, a look for each: of a table without statistics the
        planner would compare every row of the day with every one of these.
        """
        return SQL(
            "(select * from {incoming} s where {staged_key}"
            " in (select unnest(%(keys)s::jsonb[])) order by {key})"
        ).format(**self._names)

    def keep(self, rows: str) -> Composed:
        """Return what keeps each source's newest values: of the table's rows, or of incoming ones.

        As everywhere the first receipt of the same values counts.
        """
        told = {
            # Whatever is made of two is no source's own, and one that is kept already is newer.
            "stored": SQL(
                "{contested} s cross join lateral (select t.* from {table} t where {staged}"
                " and t.{moment} between %(first)s and %(last)s offset 0) r"
                " where position('+' in r.source) = 0"
                " and not exists (select from source_version k"
                " where (k.relation, k.key, k.source) = ({name}, {told_key}, r.source))"
            ),
            "incoming": SQL("{contested} r where {ready}"),
        }
        return SQL(
            "insert into source_version as v (relation, key, source, moment, values, known_at)"
            " select {name}, {told_key}, r.source, r.{moment}, jsonb_build_object({values}),"
            " r.known_at from {told}"
            " on conflict (relation, key, source) do update"
            " set values = {newer}, known_at = excluded.known_at"
            " where (v.values <> {newer} and excluded.known_at >= v.known_at)"
            " or (v.values = {newer} and excluded.known_at < v.known_at)"
        ).format(told=told[rows].format(contested=self._contested, **self._names), **self._names)

    def rows(self) -> Composed:
        """Return the query of the contested keys' rows, made of what each source says.

        Values that another source told sooner were known sooner.
        """
        first = SQL("(array_agg(r.{name} order by v.place, v.source){told})[1]")
        opinions = self._opinions

        def best(name: str, told_of: str | None = None) -> Composed:
            told: Composable = SQL("")
            if told_of is not None:
                told = SQL(" filter (where r.{} is not null)").format(Identifier(told_of))
            return first.format(name=Identifier(name), told=told)

        source = SQL(
            "(select string_agg(distinct s, '+' order by s) from unnest(array[{}]) s)"
        ).format(
            SQL(", ").join([best("source"), *(best("source", name) for name in opinions.filled)])
        )
        # At receipt, that is: what was fetched or imported later has no time of its own.
        sooner = SQL(
            "coalesce(min(r.known_at) filter (where v.values - 'backfilled' = v.best"
            " and v.place < source_place('import')), {best})"
        ).format(best=best("known_at"))
        known_at = SQL("greatest({})").format(
            SQL(", ").join(
                [
                    sooner,
                    *(
                        SQL("case when {of} <> {best} then {at} end").format(
                            of=best("source", name), best=best("source"), at=best("known_at", name)
                        )
                        for name in opinions.filled
                    ),
                ]
            )
        )
        # A row with a count that was fetched later is not as it was seen when it happened.
        later = [best("backfilled"), *(best("backfilled", name) for name in opinions.filled)]
        made = {"source": source, "known_at": known_at}
        if "backfilled" in self._columns:
            made["backfilled"] = SQL("greatest({})").format(SQL(", ").join(later))
        made |= {name: best(name, name) for name in opinions.filled}
        columns = [
            Identifier("r", name) if name in self._key else made.get(name) or best(name)
            for name in self._columns
        ]
        return SQL(
            "select {columns} from ("
            " select *, source_place(source, values) as place,"
            " first_value(values - 'backfilled') over ("
            " partition by key order by source_place(source, values), source) as best"
            " from source_version where relation = {name}"
            " and key in (select unnest(%(keys)s::jsonb[]))) v"
            " cross join lateral jsonb_populate_record(null::{table}, v.key || v.values"
            " || jsonb_build_object('source', v.source, 'known_at', v.known_at)) r"
            " group by {keys}"
        ).format(
            columns=SQL(", ").join(columns),
            keys=SQL(", ").join(Identifier("r", name) for name in self._key),
            **self._names,
        )


def _ready(opinions: Opinions, alias: str) -> Composable:
    return SQL("true") if opinions.ready is None else Identifier(alias, opinions.ready)


def keep_opinions(
    cursor: Cursor[Any], contest: Contest, rows: Sequence[Sequence[Any]]
) -> dict[str, Any] | None:
    """Keep what the staged rows' sources say of keys that others have told.

    Args:
        cursor: After the staged rows were merged, in the same transaction.
        contest: Of the table.
        rows: The staged ones, of which only the times are read.

    Returns:
        Parameters for `Contest.rows`; None where nobody else has told any.
    """
    moments: list[datetime] = [row[contest.moment] for row in rows]
    span: dict[str, Any] = {"first": min(moments), "last": max(moments)}
    keys = [Jsonb(key) for (key,) in cursor.execute(contest.find, span)]
    if not keys:
        return None
    parameters = span | {"keys": keys}
    cursor.execute(contest.lock, parameters)
    for told in ("stored", "incoming"):
        cursor.execute(contest.keep(told), parameters)
    return parameters
