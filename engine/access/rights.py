"""What follows for somebody from a user's row and from a token's, and what one may give to others: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.access.errors import Refused
from engine.access.principal import How, Principal
from engine.access.role import PEOPLE_ONLY, Permission, Role, granted, outranks
from engine.store.accounts import ApiKey, User

PROGRAMS = frozenset({How.TOKEN, How.CONFIGURED})


def of_user(user: User, how: How, expires_at: float | None) -> Principal | None:
    """None for one who may not in any more."""
    if user.disabled:
        return None
    return Principal(
        who=user.name,
        permissions=granted(user.role),
        how=how,
        role=user.role,
        markets=frozenset(user.markets),
        teams=frozenset(user.teams),
        expires_at=expires_at,
    )


def of_key(key: ApiKey, user: User, now: float) -> Principal | None:
    """What is left to the token of what its maker may today. None where that is nothing. now: epoch
    seconds.
    """
    markets, teams = _both(key.markets, user.markets), _both(key.teams, user.teams)
    over = key.revoked_at is not None or now >= key.expires_at
    if over or user.disabled or markets is None or teams is None:
        return None
    return Principal(
        who=user.name,
        permissions=granted(user.role).intersection(key.scopes) - PEOPLE_ONLY,
        how=How.TOKEN,
        role=user.role,
        markets=markets,
        teams=teams,
        via=key.name,
        expires_at=key.expires_at,
    )


def may_manage(principal: Principal, role: Role) -> None:
    """Whether somebody with that role may be made, changed or let in anew. Raises Refused."""
    if not principal.may(Permission.MANAGE_USERS):
        raise Refused("this needs the permission 'manage_users'")
    if outranks(principal.permissions, role):
        raise Refused(f"the role {role!s} may more than you may, so it is not yours to give or take")


def may_let_in(principal: Principal, role: Role) -> None:
    """Whether somebody with that role may be let in, or be given more: made, given a role, limits or another
    password, rid of a second factor, no longer shut out. No program may: a person whom it let in would
    outlive its end, whatever her role is. It may look, shut out and end sessions. Raises Refused.
    """
    may_manage(principal, role)
    if principal.how in PROGRAMS:
        raise Refused("a program lets nobody in: do this as somebody who signed in")


def may_mint(
    principal: Principal, scopes: Iterable[Permission], markets: Collection[str], teams: Collection[str]
) -> None:
    """Whether a token with these may be made. Raises Refused."""
    beyond = sorted(each for each in scopes if each in PEOPLE_ONLY or not principal.may(each))
    if beyond:
        raise Refused(f"a token of yours cannot have the scopes {', '.join(beyond)}")
    for what, asked, held in (("markets", markets, principal.markets), ("teams", teams, principal.teams)):
        if held and (not asked or not held.issuperset(asked)):
            raise Refused(f"a token of yours is limited to {what} of yours: {', '.join(sorted(held))}")


def _both(one: Collection[str], other: Collection[str]) -> frozenset[str] | None:
    """The limits of both, empty for none; None where nothing is left."""
    if not one or not other:
        return frozenset(one or other)
    return frozenset(one).intersection(other) or None
