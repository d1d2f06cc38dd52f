"""Who may what, put together for one node: the desk, the roster, the audit log, and who else vouches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from config.access import FirstAdmin, OidcSettings
from config.schema import Config
from engine.access.audit import Audit
from engine.access.by_phone import ByPhone
from engine.access.desk import AccessDesk, Terms
from engine.access.errors import NameTaken, WeakPassword
from engine.access.lockbox import Lockbox, Locked
from engine.access.oidc import Oidc, Provider
from engine.access.passwords import checked
from engine.access.proving import Proving
from engine.access.role import Role
from engine.access.roster import Roster
from engine.access.vouching import Vouching
from engine.events import CallRecord, Event
from engine.journal import Journal
from engine.store import database
from engine.store.accounts import User
from engine.store.trail import Trail
from engine.views import Check, Health

WRITER_PATIENCE_S = 0.25  # how long an entry waits for another program's lock before it is spilled
SPILL, ANCHOR = "audit.spill", "audit.anchor"

log = structlog.get_logger("access")


@dataclass(frozen=True, slots=True)
class Access:
    """trail: for reading. vouching: None where there is no provider. first: to be made where there is no
    user. proving: of the audit log.
    """

    desk: AccessDesk
    roster: Roster
    trail: Trail
    vouching: Vouching | None
    first: FirstAdmin | None
    proving: Proving

    def check(self) -> Check:
        """The audit log's line in the node's health: whether it is kept, and was whole at the last look. One
        that came to no end is told until another does, and what was found before it stays.
        """
        found, broken = self.desk.log.check(), self.proving.broken
        if found.status is not Health.OK or not (broken or self.proving.failed):
            return found
        detail = f"it is not whole: {broken} (isogloss audit verify)"
        if not broken:
            detail = "it could not be looked through; the log says why"
        return Check(name=found.name, status=Health.DEGRADED, detail=detail)

    async def begin(self) -> None:
        """Raises StoreUnavailable, ValueError for a first administrator whose password could be guessed."""
        await asyncio.to_thread(self._seal)
        accounts, first = self.desk.accounts, self.first
        if first is None or await asyncio.to_thread(accounts.any):
            return
        try:
            kept = await self.desk.passwords.keep(checked(first.password.reveal(), first.name))
        except WeakPassword as weak:
            raise ValueError(f"access.first in api.yaml: {weak}") from weak
        now = self.desk.wall()
        made = User(name=first.name, role=Role.ADMIN, password=kept, made_at=now, changed_at=now)
        try:
            await asyncio.to_thread(accounts.add, made)
        except NameTaken:
            return  # by another node of the same store, this very moment
        log.info("the first administrator was made", user=first.name)

    def _seal(self) -> None:
        """Second factors of before there was a key, or under a former one, are sealed with the one of now."""
        lockbox, accounts = self.desk.lockbox, self.desk.accounts
        for user in accounts.users():
            if not lockbox.stale(user.totp):
                continue
            try:
                sealed = lockbox.seal(user.name, lockbox.open(user.name, user.totp))
            except Locked as locked:
                log.error("a second factor cannot be opened", user=user.name, why=str(locked))
                continue
            accounts.reseal(user.name, user.totp, sealed)

    def close(self) -> None:
        self.proving.close()
        self.desk.close()


def of_node(
    config: Config, url: str, journal: Journal, observers: list[Callable[[Event | CallRecord], None]]
) -> Access:
    """url: of the store, whose tables are the journal's. observers: of what the switch does. Raises
    SpillInUse, OSError.
    """
    settings, node = config.api.access, config.node
    writes = Trail(database.connect(url, readers=1, busy_s=WRITER_PATIENCE_S))
    terms = Terms(float(settings.session.idle_s), float(settings.session.longest_s), settings.issuer)
    log = Audit(writes, node.name, node.data_dir / SPILL, node.data_dir / ANCHOR)
    observers.append(ByPhone(log).notice)
    desk = AccessDesk(journal.accounts, log, terms, lockbox=lockbox_of(config))
    vouching = Vouching(desk, Oidc(provider_of(settings.oidc))) if settings.oidc is not None else None
    proving = Proving(journal.trail, log.anchor, node=node.name, held=lambda: log.newest)
    return Access(desk, Roster(desk), journal.trail, vouching, settings.first, proving)


def lockbox_of(config: Config) -> Lockbox:
    """A key that this node made up for itself would lock out people at the others of its store."""
    given = config.api.access
    keys, key = {name: secret.reveal() for name, secret in given.keys.items()}, given.key
    if key is not None and given.keys[key].generated and not config.cluster.alone:
        log.warning(
            "second factors lie in the store as they are", remedy="give all nodes the same access.keys"
        )
        key = None
    return Lockbox(keys, key)


def provider_of(given: OidcSettings) -> Provider:
    return Provider(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=given.client_secret.reveal(),
        origin=given.origin,
        scopes=given.scopes,
        name_claim=given.name_claim,
        role_claim=given.role_claim,
        roles={value: Role(role) for value, role in given.roles.items()},
        markets_claim=given.markets_claim,
        teams_claim=given.teams_claim,
    )
