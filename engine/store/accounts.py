"""Users, their sessions and their programs' tokens in the store.

What must not happen twice, a code that is taken, an administrator who goes as the last, is decided by the
database in one statement or under its locks, so that nodes of one store agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.access.errors import LastAdmin, NameTaken, OtherVersion
from engine.access.role import Permission, Role
from engine.store.errors import StoreUnavailable
from engine.store.schema import api_tokens, recovery_codes, sessions, users

MOST_SESSIONS = 20  # of one user; the oldest are ended
SESSION_ID = 16  # digits of its digest


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """See `schema.users`. Times are epoch seconds; markets, teams: empty for all."""

    name: str
    role: Role
    display: str = ""
    markets: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    password: str = ""
    subject: str | None = None
    disabled: bool = False
    totp: str = ""
    totp_on: bool = False
    totp_last: int = 0
    made_at: float = 0.0
    changed_at: float = 0.0
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """digest: of what the cookie says, SHA-256 in hex. source: address it began from. client: the browser and
    its system, as it says itself.
    """

    digest: str
    owner: str
    how: str
    source: str
    made_at: float
    seen_at: float
    expires_at: float
    client: str = ""

    @property
    def id(self) -> str:
        """What it is called; good for nothing else."""
        return self.digest[:SESSION_ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A user's token for a program."""

    id: str
    digest: str
    owner: str
    name: str
    scopes: tuple[Permission, ...]
    markets: tuple[str, ...]
    teams: tuple[str, ...]
    made_at: float
    expires_at: float
    used_at: float | None = None
    revoked_at: float | None = None


class Accounts:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    # --- users --------------------------------------------------------------------------------------

    def users(self) -> list[User]:
        with self._asking() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]

    def user(self, name: str) -> User | None:
        with self._asking() as connection:
            return self._find(connection, name)

    def of_subject(self, subject: str) -> User | None:
        with self._asking() as connection:
            row = connection.execute(select(users).where(users.c.subject == subject)).mappings().first()
        return _user(row) if row else None

    def any(self) -> bool:
        with self._asking() as connection:
            return connection.execute(select(users.c.name).limit(1)).first() is not None

    def add(self, user: User) -> None:
        """Raises NameTaken."""
        with self._asking(writes=True) as connection:
            try:
                connection.execute(insert(users).values(_values(user)))
            except IntegrityError as error:
                raise NameTaken(f"there is a user {user.name!r} already") from error

    def change(
        self, name: str, now: float, *, expected: int | None = None, ends: bool = False, **values: Any
    ) -> User | None:
        """Give the user other values; as it is then, None for nobody. expected: the version that has to be.
        ends: sessions with it. Raises OtherVersion, LastAdmin.
        """
        with self._asking(writes=True) as connection:
            admins = select(users).where(users.c.role == Role.ADMIN, users.c.disabled.is_(False))
            rows = connection.execute(admins.with_for_update()).mappings().all()
            standing = {row["name"] for row in rows if not row["markets"] and not row["teams"]}
            found = self._find(connection, name, locked=True)
            if found is None:
                return None
            if expected is not None and found.version != expected:
                raise OtherVersion(f"{name!r} is at version {found.version}")
            after = replace(found, **values)
            stays = after.role == Role.ADMIN and not (after.disabled or after.markets or after.teams)
            if standing == {name} and not stays:
                raise LastAdmin(f"{name!r} is the last administrator; make another one first")
            changed = {**values, "changed_at": now, "version": found.version + 1}
            connection.execute(update(users).where(users.c.name == name).values(_plain(changed)))
            if ends:
                connection.execute(delete(sessions).where(sessions.c.owner == name))
            return self._find(connection, name)

    def reseal(self, name: str, before: str, after: str) -> None:
        """Another form of the same second factor; nothing where it is another one by now."""
        with self._asking(writes=True) as connection:
            same = (users.c.name == name, users.c.totp == before)
            connection.execute(update(users).where(*same).values(totp=after))

    def take_step(self, name: str, step: int) -> bool:
        """Whether this time step's code was not taken yet, nor a later one; it is now."""
        newer = users.c.totp_last < step
        with self._asking(writes=True) as connection:
            taken = connection.execute(
                update(users).where(users.c.name == name, newer).values(totp_last=step)
            )
            return taken.rowcount == 1

    def set_recovery(self, name: str, digests: Iterable[str]) -> None:
        rows = [{"owner": name, "digest": each} for each in digests]
        with self._asking(writes=True) as connection:
            connection.execute(delete(recovery_codes).where(recovery_codes.c.owner == name))
            if rows:
                connection.execute(insert(recovery_codes), rows)

    def take_recovery(self, name: str, digest: str) -> bool:
        """Whether it was one of the user's; it is none any more."""
        mine = (recovery_codes.c.owner == name) & (recovery_codes.c.digest == digest)
        with self._asking(writes=True) as connection:
            return connection.execute(delete(recovery_codes).where(mine)).rowcount == 1

    def recovery_left(self, name: str) -> int:
        count = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.owner == name)
        with self._asking() as connection:
            return int(connection.scalar(count) or 0)

    # --- sessions -----------------------------------------------------------------------------------

    def begin_session(self, session: Session, idle_s: float) -> None:
        """Keep it; the user's oldest go where there are too many, and everybody's that are over."""
        mine = select(sessions.c.digest).where(sessions.c.owner == session.owner)
        newest = mine.order_by(sessions.c.made_at.desc(), sessions.c.digest).limit(MOST_SESSIONS)
        over = or_(sessions.c.expires_at <= session.made_at, sessions.c.seen_at <= session.made_at - idle_s)
        with self._asking(writes=True) as connection:
            connection.execute(delete(sessions).where(over))
            connection.execute(insert(sessions).values(_values(session)))
            kept = list(connection.scalars(newest))
            crowded = (sessions.c.owner == session.owner) & sessions.c.digest.not_in(kept)
            connection.execute(delete(sessions).where(crowded))

    def session(self, digest: str) -> tuple[Session, User] | None:
        """It and whose it is."""
        with self._asking() as connection:
            row = connection.execute(select(sessions).where(sessions.c.digest == digest)).mappings().first()
            user = self._find(connection, row["owner"]) if row else None
        return (Session(**row), user) if row and user else None

    def see_session(self, digest: str, now: float) -> None:
        with self._asking(writes=True) as connection:
            connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))

    def sessions_of(self, owner: str) -> list[Session]:
        """The newest first."""
        query = select(sessions).where(sessions.c.owner == owner).order_by(sessions.c.made_at.desc())
        with self._asking() as connection:
            return [Session(**row) for row in connection.execute(query).mappings()]

    def end_sessions(self, owner: str, id: str = "") -> int:
        """All of the user's, or one; how many there were."""
        wanted = sessions.c.owner == owner
        wanted = wanted & (func.substr(sessions.c.digest, 1, SESSION_ID) == id) if id else wanted
        with self._asking(writes=True) as connection:
            return int(connection.execute(delete(sessions).where(wanted)).rowcount)

    def end_session(self, digest: str) -> None:
        with self._asking(writes=True) as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    # --- tokens -------------------------------------------------------------------------------------

    def add_key(self, key: ApiKey) -> None:
        with self._asking(writes=True) as connection:
            connection.execute(insert(api_tokens).values(_values(key)))

    def keys(self, owner: str | None = None) -> list[ApiKey]:
        """Tokens of one user or of all, revoked and expired ones too."""
        query = select(api_tokens).order_by(api_tokens.c.id)
        if owner is not None:
            query = query.where(api_tokens.c.owner == owner)
        with self._asking() as connection:
            return [_key(row) for row in connection.execute(query).mappings()]

    def key(self, digest: str) -> tuple[ApiKey, User] | None:
        """The token and whose it is."""
        with self._asking() as connection:
            found = select(api_tokens).where(api_tokens.c.digest == digest)
            row = connection.execute(found).mappings().first()
            user = self._find(connection, row["owner"]) if row else None
        return (_key(row), user) if row and user else None

    def use_key(self, id: str, now: float) -> None:
        self._change_key(id, used_at=now)

    def revoke_key(self, id: str, now: float) -> None:
        self._change_key(id, revoked_at=now)

    def _change_key(self, id: str, **values: Any) -> None:
        with self._asking(writes=True) as connection:
            connection.execute(update(api_tokens).where(api_tokens.c.id == id).values(values))

    # ------------------------------------------------------------------------------------------------

    def _find(self, connection: Connection, name: str, *, locked: bool = False) -> User | None:
        """locked: nobody else changes her until the transaction is over."""
        query = select(users).where(users.c.name == name)
        row = connection.execute(query.with_for_update() if locked else query).mappings().first()
        return _user(row) if row else None

    @contextmanager
    def _asking(self, *, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                if writes and self._sqlite:  # or another writer could come between our reading and writing
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(each) if isinstance(each, tuple) else each for name, each in values.items()}


def _values(item: User | Session | ApiKey) -> dict[str, Any]:
    return _plain({each.name: getattr(item, each.name) for each in fields(item)})


def _lists(row: Any, names: Sequence[str], table: Table) -> dict[str, Any]:
    return {
        column: tuple(row[column]) if column in names else row[column]
        for column in (each.name for each in table.columns)
    }


def _user(row: Any) -> User:
    values = _lists(row, ("markets", "teams"), users)
    return User(**{**values, "role": Role(values["role"])})


def _key(row: Any) -> ApiKey:
    values = _lists(row, ("scopes", "markets", "teams"), api_tokens)
    known = set(Permission)
    return ApiKey(
        **{**values, "scopes": tuple(Permission(each) for each in values["scopes"] if each in known)}
    )
