"""Bodies about who may what: sessions, users, tokens, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.access.passwords import LONGEST
from engine.access.principal import How
from engine.access.role import Permission, Role
from engine.api.plain import AT, Plain, example

NAME = r"^[a-z0-9][a-z0-9_.@-]{0,63}$"
UserName = Annotated[str, StringConstraints(pattern=NAME)]
# Whatever somebody chose; what it has to be is said where one is set.
Password = Annotated[str, StringConstraints(max_length=LONGEST)]
Code = Annotated[str, StringConstraints(max_length=32, pattern=r"^[A-Za-z0-9-]*$")]
Limits = Annotated[list[Plain], Field(max_length=200)]
MARKETS = "Only what belongs to these markets; empty for all."
TEAMS = "Only agents of these teams and their calls; empty for all."
SHOWN_ONCE = "Shown this once."


def wish(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class SignInWish(BaseModel):
    """Who one is, and what proves it."""

    model_config = wish(name="maria", password="correct horse battery", code="492039")

    name: Plain
    password: Password
    code: Code = Field(default="", description="Of an app, or a recovery code, where one is wanted.")


class SignedIn(BaseModel):
    """Who asks, and what they may."""

    model_config = example(
        who="maria",
        role="supervisor",
        permissions=["board", "calls"],
        markets=["es-ES"],
        teams=[],
        how="password",
        expires_at=AT,
        csrf="5f1c…",
    )

    who: str
    role: Role
    permissions: list[Permission]
    markets: list[str] = Field(description=MARKETS)
    teams: list[str] = Field(description=TEAMS)
    how: How
    expires_at: datetime | None
    csrf: str = Field(description="What writes send along as `X-CSRF-Token`.")


SESSION = {
    "id": "9f86d081884c7d65",
    "how": "password",
    "client": "Firefox on Linux",
    "source": "203.0.113.9",
    "made_at": AT,
    "seen_at": AT,
    "expires_at": AT,
    "current": True,
}


class OpenSession(BaseModel):
    """Somebody who is signed in, in one browser."""

    model_config = example(**SESSION)

    id: str
    how: How
    client: str = Field(description="The browser and its system, as it says itself; empty where it does not.")
    source: str = Field(description="The address it began from, cut for who may not read addresses.")
    made_at: datetime
    seen_at: datetime = Field(description="Of its last request, to the minute.")
    expires_at: datetime = Field(description="At the latest; it ends before where nobody uses it.")
    current: bool = Field(description="Whether it is the session that asks.")


class SessionList(BaseModel):
    model_config = example(items=[SESSION])

    items: list[OpenSession] = Field(description="The newest first.")


class SessionsEnded(BaseModel):
    model_config = example(ended=2)

    ended: int = Field(description="How many there were.")


class PasswordChange(BaseModel):
    """A new password of one's own."""

    model_config = wish(old="correct horse battery", new="staple-of-another-kind")

    old: Password
    new: Password


class PasswordProof(BaseModel):
    model_config = wish(password="correct horse battery")

    password: Password


class CodeProof(BaseModel):
    model_config = wish(code="492039")

    code: Code


class TotpEnrolment(BaseModel):
    """What an app for codes is given."""

    model_config = example(
        secret="JBSWY3DPEHPK3PXP",
        uri="otpauth://totp/Isogloss:maria?secret=JBSWY3DPEHPK3PXP&issuer=Isogloss",
    )

    secret: str = Field(description=SHOWN_ONCE)
    uri: str = Field(description="To be shown as a QR code.")


class RecoveryCodes(BaseModel):
    model_config = example(codes=["k7f3q-x2mwa"])

    codes: list[str] = Field(description=f"Each good once, for when the phone is lost. {SHOWN_ONCE}")


USER = {
    "name": "maria",
    "display": "María Ruiz",
    "role": "supervisor",
    "markets": ["es-ES"],
    "teams": [],
    "disabled": False,
    "totp": True,
    "vouched": False,
    "made_at": AT,
    "changed_at": AT,
    "version": 3,
}


class User(BaseModel):
    """Somebody who may sign in."""

    model_config = example(**USER)

    name: str
    display: str
    role: Role
    markets: list[str] = Field(description=MARKETS)
    teams: list[str] = Field(description=TEAMS)
    disabled: bool
    totp: bool = Field(description="Whether a code is wanted beside the password.")
    vouched: bool = Field(description="Whether the OIDC provider vouches for them; role and limits are its.")
    made_at: datetime
    changed_at: datetime
    version: int


class UserPage(BaseModel):
    model_config = example(items=[USER], next=None)

    items: list[User]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class UserWish(BaseModel):
    """Somebody new."""

    model_config = wish(name="maria", role="supervisor", display="María Ruiz", markets=["es-ES"])

    name: UserName
    role: Role
    display: Plain = ""
    markets: Limits = Field(default=[], description=MARKETS)
    teams: Limits = Field(default=[], description=TEAMS)
    password: Password = Field(default="", description="Made up when left out.")


class UserMade(BaseModel):
    model_config = example(user=USER, password="3vXq0…")

    user: User
    password: str = Field(description=f"The one that was made up, or empty. {SHOWN_ONCE}")


class UserChange(BaseModel):
    """What is to be otherwise; what is left out stays. Sessions end where rights change."""

    model_config = wish(role="operator", disabled=False)

    display: Plain | None = None
    role: Role | None = None
    markets: Limits | None = Field(default=None, description=MARKETS)
    teams: Limits | None = Field(default=None, description=TEAMS)
    disabled: bool | None = Field(default=None, strict=True)


class PasswordReset(BaseModel):
    model_config = wish(password="")

    password: Password = Field(default="", description="Made up when left out.")


class PasswordMade(BaseModel):
    model_config = example(password="3vXq0…")

    password: str = Field(description=f"The one that was made up, or empty. {SHOWN_ONCE}")


KEY = {
    "id": "5d1e8a90c4b7f263",
    "name": "wallboard",
    "owner": "maria",
    "scopes": ["board", "calls"],
    "markets": ["es-ES"],
    "teams": [],
    "made_at": AT,
    "expires_at": AT,
    "used_at": None,
    "revoked_at": None,
}


class ApiTokenTold(BaseModel):
    """A program's token, without its secret."""

    model_config = example(**KEY)

    id: str
    name: str
    owner: str
    scopes: list[Permission]
    markets: list[str]
    teams: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class ApiTokenPage(BaseModel):
    model_config = example(items=[KEY], next=None)

    items: list[ApiTokenTold]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class ApiTokenWish(BaseModel):
    """A token for a program, with one's own rights or fewer."""

    model_config = wish(name="wallboard", scopes=["board", "calls"], markets=["es-ES"], days=90)

    name: Annotated[Plain, StringConstraints(min_length=1, max_length=64)]
    scopes: list[Permission] = Field(min_length=1, max_length=len(Permission))
    markets: Limits = Field(default=[], description=MARKETS)
    teams: Limits = Field(default=[], description=TEAMS)
    days: int = Field(default=90, ge=1, le=366, description="How long it is good.")


class ApiTokenMade(BaseModel):
    model_config = example(token=KEY, secret="isot_q0mE8…")

    token: ApiTokenTold
    secret: str = Field(description=f"What the program sends as `Authorization: Bearer`. {SHOWN_ONCE}")


ENTRY = {
    "seq": 4711,
    "id": "0e9c1f2a3b4c5d6e7f8091a2",
    "at": AT,
    "node": "madrid-1",
    "who": "maria",
    "how": "password",
    "what": "get_recording",
    "object": "recordings/2026-03-02/019a4f3c2b10-5d1e8a90c4b7f263-1.opus",
    "outcome": "done",
    "detail": {},
    "prev": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}


class AuditEntry(BaseModel):
    """A row of the audit log. `hash` is over all the rest of it; `prev` is that of the row before."""

    model_config = example(**ENTRY)

    seq: int
    id: str
    at: datetime
    node: str
    who: str
    how: str
    what: str = Field(description="The operation, as in this document.")
    object: str
    outcome: str = Field(description="`done`, or why it was not.")
    detail: dict[str, Any]
    prev: str
    hash: str


class AuditPage(BaseModel):
    model_config = example(items=[ENTRY], next="4711")

    items: list[AuditEntry] = Field(description="Newest first.")
    next: str | None = Field(description="Cursor of the next page; null on the last.")
