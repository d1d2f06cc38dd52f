"""What is left of a session that is over, until nothing can come for it any more.

A session and its parts know each other. Such rings are no use to anybody once the session is over, but stay
in memory until Python's collector looks for them, and on a node with many calls it looks seldom: so they are
taken apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.session import Session

_TIMER_LINGER = "linger"


class Lingering:
    """Answers on their way are waited for as long as any transaction does, 64 × T1; reports that are owed to
    a referrer go on in the dialog (RFC 5057), and it lingers as long as they do.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Session, now: float) -> None:
        self._session = session
        if session.caller is not None and session.caller.unsent:
            self._take_apart()
        else:
            self._wait(now)

    def fire(self, name: str, now: float) -> None:
        """That time is over."""
        if self._session.transfers.reporting:
            self._wait(now)
        else:
            self._take_apart()

    def _take_apart(self) -> None:
        session = self._session
        if session.caller is not None:
            session.caller.let_go()
        if session.callee is not None:
            session.callee.let_go()
        session.renegotiation.let_go()
        session.caller = session.callee = session.dialog = None
        del session.timer, session.renegotiation, session.reservation, session.transfers, session.digits

    def _wait(self, now: float) -> None:
        stack = self._session.stack
        stack.timeouts.start(now + stack.timing.patience, self, _TIMER_LINGER)
