"""`access` of api.yaml as values: people who sign in, for how long, and who else vouches for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from annotated_types import Ge, Le

from config.setting import Name, Origin, SecretField, Text, Words, setting, settings

UserRole = Annotated[
    Literal["agent", "supervisor", "operator", "auditor", "admin"],
    Words("agent, supervisor, operator, auditor or admin"),
]


@settings
class FirstAdmin:
    name: Name = setting("Her user name.", default="admin")
    password: SecretField = setting("Her password; she should change it, and it is not looked at again.")


@settings
class SessionSettings:
    idle_s: Annotated[int, Ge(60), Le(86_400)] = setting(
        "A session ends after so long without a request.", default=1800
    )
    longest_s: Annotated[int, Ge(300), Le(2_592_000)] = setting(
        "A session ends after so long in any case.", default=43_200
    )


@settings
class OidcSettings:
    issuer: Text = setting("The provider, as it writes itself (https://id.example.com/realms/staff).")
    client_id: Text = setting("What the provider calls this node.")
    client_secret: SecretField = setting("What this node proves to the provider that it knows.")
    origin: Origin = setting(
        "This node as browsers see it (https://pbx.example.com); /v1/session/oidc/callback of it is what the "
        "provider sends them back to."
    )
    scopes: Text = setting("Scopes that are asked for.", default="openid profile")
    name_claim: Text = setting("Claim that users are named after.", default="preferred_username")
    role_claim: Text = setting("Claim that roles follow from, a text or several.", default="groups")
    roles: Mapping[Text, UserRole] = setting(
        "Roles by value of that claim; the first that somebody has counts, and who has none is not let in."
    )
    markets_claim: Text = setting(
        "Claim that limits people to markets; who has nothing in it is not let in, `*` stands for all. Empty "
        "for no limits.",
        default="",
    )
    teams_claim: Text = setting("Claim that limits people to teams, likewise.", default="")


@settings
class AccessSettings:
    first: FirstAdmin | None = setting(
        "The first administrator, made at the start while there is no user; left out: `isogloss users add`.",
        default=None,
    )
    session: SessionSettings = setting("How long people stay signed in.", default=SessionSettings())
    keys: Mapping[Name, SecretField] = setting(
        "Secrets that second factors (TOTP) are sealed with in the store, by key id, of 32 characters or "
        "more; the same on every node of a store. Keep a former one until a node has started with the next. "
        "None, or a generated one where there are several nodes: they are kept as they are.",
        default={},
    )
    key: Name | None = setting("Key that they are sealed with from the next start on.", default=None)
    issuer: Text = setting("What apps for codes (TOTP) call this place.", default="Isogloss")
    oidc: OidcSettings | None = setting("An OpenID Connect provider that vouches for people.", default=None)
