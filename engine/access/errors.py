"""What can go wrong where somebody wants in or wants something, and how an API answers it.

AccessError                  status  name
├── WrongCredentials            401  wrong-credentials    nobody, a wrong password, a wrong code: all the same
├── CodeWanted                  401  code-wanted          the password is right, the second factor is missing
├── Refused                     403  forbidden            more than oneself has, of oneself, by a foreign page
├── UnknownUser, UnknownToken   404  unknown-user, …
├── NameTaken                   409  name-taken
├── LastAdmin, IllegalNow       409  illegal-state
├── OtherVersion                412  other-version        somebody changed it meanwhile
├── WeakPassword                422  weak-password
├── TooSoon                     429  too-many-requests    too many failures; `retry_s` says when
├── Busy                        429  too-many-requests    more want in than can be looked at
└── AuditUnavailable            503  audit-unavailable    what would be read cannot be told of
"""

from __future__ import annotations


class AccessError(Exception):
    """The text is for a person. retry_s: seconds after which it may go otherwise, 0.0 for not by waiting."""

    status = 400
    name = "refused"

    def __init__(self, text: str, retry_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_s = retry_s


class WrongCredentials(AccessError):
    status, name = 401, "wrong-credentials"


class CodeWanted(AccessError):
    status, name = 401, "code-wanted"


class Refused(AccessError):
    status, name = 403, "forbidden"


class UnknownUser(AccessError):
    status, name = 404, "unknown-user"


class UnknownToken(AccessError):
    status, name = 404, "unknown-token"


class NameTaken(AccessError):
    status, name = 409, "name-taken"


class IllegalNow(AccessError):
    status, name = 409, "illegal-state"


class LastAdmin(IllegalNow):
    """Nobody would be left to manage users."""


class OtherVersion(AccessError):
    status, name = 412, "other-version"


class WeakPassword(AccessError):
    status, name = 422, "weak-password"


class TooSoon(AccessError):
    status, name = 429, "too-many-requests"


class Busy(AccessError):
    status, name = 429, "too-many-requests"


class AuditUnavailable(AccessError):
    status, name = 503, "audit-unavailable"
