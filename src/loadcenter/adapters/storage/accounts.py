"""People who may log in, and their logins."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loadcenter.adapters.storage.dialect import upsert, write_rows
from loadcenter.adapters.storage.schema import session as session_table
from loadcenter.adapters.storage.schema import user as user_table
from loadcenter.services.ports import SessionRow, StoreDataError, UserRow


async def user(connection: AsyncConnection, name: str) -> UserRow | None:
    """Return a user. MariaDB leaves spaces at the end aside when it compares, so the name is compared again."""
    row = (await connection.execute(select(user_table).where(user_table.c.name == name))).one_or_none()
    return None if row is None or row.name != name else UserRow(*row)


async def put_user(connection: AsyncConnection, person: UserRow) -> None:
    """Add a user or replace their password.

    Raises:
        StoreDataError: the name ends with a space; MariaDB would take it for the name without.
    """
    if person.name != person.name.rstrip(" "):
        raise StoreDataError(f"the user name '{person.name}' ends with a space: leave it away")
    row = person.name, person.password_hash, person.created_ms
    await write_rows(connection, upsert, user_table, [row])


async def put_session(connection: AsyncConnection, login: SessionRow) -> None:
    """Keep a login; the database refuses one of a user it does not know."""
    row = login.token_sha256, login.user, login.created_ms, login.expires_ms
    await write_rows(connection, upsert, session_table, [row])


async def session(connection: AsyncConnection, token_sha256: str) -> SessionRow | None:
    """Return a login, expired or not."""
    query = select(session_table).where(session_table.c.token_sha256 == token_sha256)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else SessionRow(*row)


async def delete_session(connection: AsyncConnection, token_sha256: str) -> None:
    """End a login."""
    await connection.execute(delete(session_table).where(session_table.c.token_sha256 == token_sha256))


async def delete_sessions_of(connection: AsyncConnection, user: str) -> None:
    """End all log-ins of a user."""
    await connection.execute(delete(session_table).where(session_table.c.user == user))


async def delete_sessions_expired(connection: AsyncConnection, now_ms: int) -> None:
    """Forget the log-ins that ended at or before `now_ms`."""
    await connection.execute(delete(session_table).where(session_table.c.expires_ms <= now_ms))
