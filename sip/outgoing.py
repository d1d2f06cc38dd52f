"""One request of ours until its final answer.

Hop after hop (RFC 3263 section 4.3), challenges answered on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sip.dialog import Dialog
from sip.digest import Authorizer
from sip.hop import Hop
from sip.message import Request, Response
from sip.stack import Stack
from sip.timeouts import Timeout
from sip.transaction import GIVE_UP, HUSH, Transaction

MAX_TRIES = 16  # transactions for one request, over all hops and challenges
FAILURES = {"timeout": 408, "transport": 503}  # RFC 3261 section 8.1.3.1

Answer = Callable[["Outgoing", Response, float], None]


class Outgoing:
    """`answer` is called with each provisional and exactly one final response.

    When no hop gives one, the final response is made up here and `failure` says why: "timeout" or
    "transport". Of an INVITE every further 2xx is passed on too. CSeq numbers come from `dialog` when there
    is one.
    """

    __slots__ = (
        "_answer", "_authorizer", "_contact", "_dialog", "_heard", "_hops", "_progressed", "_stack",
        "_timeout", "_tries", "failure", "hop", "request", "stopped", "transaction",
    )  # fmt: skip

    def __init__(
        self,
        stack: Stack,
        request: Request,
        hops: Sequence[Hop],
        answer: Answer,
        *,
        dialog: Dialog | None = None,
        authorizer: Authorizer | None = None,
        contact: Callable[[Hop], str] | None = None,
    ) -> None:
        self._stack = stack
        self._answer = answer
        self._dialog = dialog
        self._authorizer = authorizer
        self._contact = contact
        self._hops = [hop for hop in hops if stack.can_reach(hop)]
        self._tries = 0
        self._timeout: Timeout | None = None
        self.request = request
        self.transaction: Transaction | None = None
        self.hop: Hop | None = None
        self._heard = False  # a response has come from this hop
        self._progressed = False  # one that says more than 100: the request is being served there
        self.stopped = False  # no further hop or challenge is tried
        self.failure: str | None = None

    def start(self, now: float) -> None:
        """Send it to the first hop."""
        if not self._next_hop(now):
            self._fail("transport", now)

    def stop(self) -> None:
        """Whatever comes next is final: no other hop, no answer to a challenge."""
        self.stopped = True

    def hush(self, now: float) -> None:
        """Send it no more: whoever has not heard it by now is not to act on it later."""
        self.stopped = True
        if self.transaction is not None:
            self.transaction.feed(HUSH, now)

    def give_up_after(self, seconds: float, now: float) -> None:
        """Let the transaction end as a timeout when nothing final has come by then (RFC 3261 section 9.1)."""
        self.stopped = True
        if self._timeout is None and self.transaction is not None and not self.transaction.answered:
            self._timeout = self._stack.timeouts.start(now + seconds, self, GIVE_UP)

    def fire(self, name: str, now: float) -> None:
        """The time set by `give_up_after` has come."""
        self._timeout = None
        if self.transaction is not None:
            self.transaction.feed(name, now)

    @property
    def running(self) -> bool:
        """No final response yet."""
        return self.failure is None and self.transaction is not None and not self.transaction.answered

    def on_response(self, transaction: Transaction, response: Response, now: float) -> None:
        """A response passed up by the transaction; those of hops given up before are not ours any more."""
        if transaction is not self.transaction:
            return
        status = response.status
        if status >= 200:
            self._stack.timeouts.cancel(self._timeout)
            if not self.stopped and self._goes_on(response, now):
                return
        else:
            self._heard = True
            self._progressed = self._progressed or status > 100
        self._answer(self, response, now)

    def on_failure(self, transaction: Transaction, cause: str, now: float) -> None:
        """The transaction ended without an answer."""
        if transaction is not self.transaction:
            return
        self._stack.timeouts.cancel(self._timeout)
        if self.stopped or self._heard or not self._next_hop(now):
            self._fail(cause, now)

    def on_closed(self, transaction: Transaction) -> None:
        """The transaction is over; of the newest that means that no answer comes any more."""
        if transaction is self.transaction:
            self._answer = _nobody
            self._contact = None

    def _goes_on(self, response: Response, now: float) -> bool:
        """Whether the request is sent once more instead of taking this answer."""
        status = response.status
        if status in (401, 407) and self._authorizer is not None and self.hop is not None:
            if self._authorizer.challenged(response) and self._tries < MAX_TRIES:
                number = self._dialog.next_seq() if self._dialog is not None else self.request.cseq[0] + 1
                self.request.headers.set("CSeq", f"{number} {self.request.method}")
                self._send(self.hop, now)
                return True
            return False
        return status == 503 and not self._progressed and self._next_hop(now)

    def _next_hop(self, now: float) -> bool:
        if not self._hops or self._tries >= MAX_TRIES:
            return False
        self._send(self._hops.pop(0), now)
        return True

    def _send(self, hop: Hop, now: float) -> None:
        self._tries += 1
        self.hop = hop
        self._heard = self._progressed = False
        stack, request = self._stack, self.request
        branch = stack.new_branch()
        headers = request.headers
        if "Via" in headers:
            headers.set("Via", stack.via(hop, branch))
        else:
            headers.insert_first("Via", stack.via(hop, branch))
        if self._contact is not None:
            headers.set("Contact", self._contact(hop))
        if self._authorizer is not None:
            headers.remove("Authorization")
            headers.remove("Proxy-Authorization")
            for name, value in self._authorizer.headers(request.method, str(request.uri), request.body):
                headers.add(name, value)
        self.transaction = stack.transactions.send(request, branch, hop, self, now)

    def _fail(self, cause: str, now: float) -> None:
        self.failure = cause
        self._answer(self, self.request.respond(FAILURES[cause]), now)


def _nobody(outgoing: Outgoing, response: Response, now: float) -> None:
    """Who waited has been answered."""
