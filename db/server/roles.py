"""Roles that programs log in as, each with what it needs and no more.

Their passwords follow from that of `DATABASE_URL`'s user, so that every process that knows this one
knows them, nothing has to be stored, and none of them tells another. db/roles.sql says what the
groups may do that they are in.
"""

import hmac
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from db.server.connection import connect, database_name, with_database
from db.server.errors import DatabaseUnavailableError
from db.server.timeouts import STATUS

# Other processes, of another database of the server, may be at it: then they did it.
ATTEMPTS = 5


class Role(StrEnum):
    """Who logs in: a person with SQL, whoever stores rows, the chart server."""

    READER = "reader"
    WRITER = "writer"
    CHART = "chart"


HAND_OVER = """
do $$
declare
    relation regclass;
begin
    for relation in select c.oid from pg_class c
                     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'S')
                       and pg_get_userbyid(c.relowner) <> {name}
                       and not exists (select from pg_depend d where d.objid = c.oid
                                          and d.classid = 'pg_class'::regclass
                                          and d.deptype in ('a', 'i'))
    loop
        execute format('alter table %s owner to %I', relation, {name});
    end loop;
end
$$
"""
EXISTS = "select from pg_roles where rolname = %s"
MAKES_ROLES = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
# What a role's sessions begin with, anywhere.
KEPT = """
select string_agg(format('%%s %%s', s.setdatabase, s.setconfig), ' ' order by s.setdatabase)
  from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
 where r.rolname = %s
"""
KEPT_APART = """
select d.datname from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
  join pg_database d on d.oid = s.setdatabase
 where r.rolname = %s
"""
NOTE = """
select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s and rolcanlogin
"""
# Of a reader who wants more, `statement_timeout` and `default_transaction_read_only` are only
# suggestions; the number of connections and what they put on the disk are not.
SETTINGS = {
    Role.READER: (
        "connection limit 20",
        "set temp_file_limit to '1GB'",
        "set default_transaction_read_only to on",
        "set statement_timeout to '60s'",
        "set idle_in_transaction_session_timeout to '60s'",
    ),
    Role.WRITER: (),
    Role.CHART: ("set default_transaction_read_only to on",),
}


def login_of(dsn: str, who: Role) -> str | None:
    """Return the address that a part logs in at; None where `dsn` has no password to derive one."""
    known = conninfo_to_dict(dsn)
    secret = known.get("password")
    if not secret:
        return None
    name = _name(dsn, who)
    password = hmac.new(str(secret).encode(), name.encode(), sha256).hexdigest()
    return with_database(make_conninfo(dsn, user=name, password=password), database_name(dsn))


def _name(dsn: str, who: Role) -> str:
    return f"{conninfo_to_dict(dsn).get('user', '')}_{who}"


def prepared(dsn: str, who: Role) -> str:
    """Return the address that a part logs in at, made ready; `dsn` itself where that cannot be.

    PostgreSQL lets every role change its own password and what its sessions begin with: both are
    looked at each time, and put right.

    Args:
        dsn: Of a migrated database, and of whoever migrates it.
        who: Logs in.

    Raises:
        DatabaseUnavailableError: The server does not answer.
    """
    login = login_of(dsn, who)
    if login is None:
        return dsn
    if who is Role.CHART:  # it ends sessions of readers
        prepared(dsn, Role.READER)
    with connect(dsn) as connection:
        for _ in range(ATTEMPTS):
            if is_ready(connection, login):
                return login
            try:
                with connection.transaction():
                    _create(connection, who, conninfo_to_dict(login), _name(dsn, Role.READER))
            except psycopg.errors.InsufficientPrivilege:
                return dsn
            except (psycopg.errors.InternalError_, psycopg.errors.IntegrityError):
                continue  # two altered it at the same moment
            else:
                break
    return login  # never the owner's because a reader is at it


def is_ready(connection: Connection[Any], login: str) -> bool:
    """Tell whether a login is as `prepared` leaves it, and lets in."""
    known = conninfo_to_dict(login)
    row = connection.execute(NOTE, (known["user"],)).fetchone()
    return row is not None and row[0] == _note(connection, known) and _lets_in(login)


def _lets_in(login: str) -> bool:
    try:
        connect(login, STATUS).close()
    except DatabaseUnavailableError as error:
        return "too many connections" in str(error)  # told to whom it knows
    return True


def can_make_roles(connection: Connection[Any]) -> bool:
    """Tell whether this user may make logins."""
    row = connection.execute(MAKES_ROLES).fetchone()
    return bool(row and row[0])


def _note(connection: Connection[Any], login: dict[str, Any]) -> str:
    """Return what is noted at a role: another password, or other settings, make another note.

    Who logs in as the role may change its settings, but not the note.
    """
    row = connection.execute(KEPT, (login["user"],)).fetchone()
    known = f"{login['password']} {SETTINGS} {row}"
    return f"login of OptionScalp, {sha256(known.encode()).hexdigest()[:16]}"


def _create(connection: Connection[Any], who: Role, login: dict[str, Any], reader: str) -> None:
    name, group = login["user"], f"optionscalp_{who}"
    role = Identifier(name)
    if connection.execute(EXISTS, (name,)).fetchone() is None:
        connection.execute(SQL("create role {}").format(role))
    granted = {group} | ({reader} if who is Role.CHART else set())
    for other in granted - {name}:
        connection.execute(SQL("grant {} to {}").format(Identifier(other), role))
    # Made here, so that no log of the server holds the password.
    secret = connection.pgconn.encrypt_password(
        login["password"].encode(), name.encode(), b"scram-sha-256"
    )
    password = SQL("alter role {} login password {}")
    connection.execute(password.format(role, Literal(secret.decode())))
    for (database,) in connection.execute(KEPT_APART, (name,)).fetchall():
        reset = SQL("alter role {} in database {} reset all")
        connection.execute(reset.format(role, Identifier(database)))
    connection.execute(SQL("alter role {} reset all").format(role))
    for setting in SETTINGS[who]:
        # Only a superuser may set some of them.
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(SQL("alter role {} {}").format(role, SQL(setting)))
    note = SQL("comment on role {} is {}")
    connection.execute(note.format(role, Literal(_note(connection, login))))


def hand_over(dsn: str, login: str) -> str:
    """Give a database that OptionScalp only keeps for others to a login; return its address there.

    Args:
        dsn: Of the database, and of whoever made it.
        login: As `prepared` gives it; where that is the same user, nothing happens.
    """
    name, database = str(conninfo_to_dict(login)["user"]), database_name(dsn)
    if name == conninfo_to_dict(dsn).get("user"):
        return dsn
    with connect(dsn) as connection:
        try:
            with connection.transaction():
                # A reader who is let in there could leave things on the disk.
                revoke = SQL("revoke connect, temporary on database {} from public")
                connection.execute(revoke.format(Identifier(database)))
                owner = SQL("alter database {} owner to {}")
                connection.execute(owner.format(Identifier(database), Identifier(name)))
                connection.execute(SQL(HAND_OVER).format(name=Literal(name)))
        except psycopg.errors.InsufficientPrivilege:
            return dsn
    return with_database(login, database)
