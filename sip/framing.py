"""Messages out of a byte stream (RFC 3261 sections 7.5 and 18.3, RFC 5626 section 3.5.1 for keep-alive)."""

from __future__ import annotations

from sip.errors import MalformedMessage, StreamBroken
from sip.head import MAX_BODY, MAX_HEAD, Head, find_end, read_head
from sip.message import Request, Response, build

Framed = Request | Response | MalformedMessage

_NO_MORE_THAN = 1000  # messages framed in one call; more than a peer can mean in one read


class Framer:
    """Cuts a stream into messages; holds at most one head and one body.

    pings: double CRLFs seen since last asked, each to be answered with one CRLF.
    pongs: single CRLFs seen, the answers to our own pings.
    raw: the newest messages as they came, in their order; whoever looks at them empties it.
    """

    __slots__ = ("pings", "pongs", "raw", "_begun", "_buffer", "_head", "_length", "_searched", "_max_body")

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self.pings = 0
        self.pongs = 0
        self.raw: list[bytes] = []
        self._begun = b""  # the head of the message whose body is waited for
        self._buffer = bytearray()
        self._head: Head | None = None
        self._length = 0
        self._searched = 0
        self._max_body = max_body

    @property
    def buffered(self) -> int:
        """Bytes held back for a message that is not whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Framed]:
        """Add what was read; get the messages that are whole now.

        Raises StreamBroken, with the messages before it in `.framed`, when the framing is lost: the
        connection must be closed then.
        """
        self._buffer += data
        framed: list[Framed] = []
        while self._buffer:
            if self._head is None and not self._take_head(framed):
                break
            if len(self._buffer) < self._length:
                break
            if len(framed) >= _NO_MORE_THAN:
                raise StreamBroken("too many messages at once", framed)
            self._take_body(framed)
        else:
            if self._head is not None and self._length == 0:
                self._take_body(framed)
        return framed

    def _take_head(self, framed: list[Framed]) -> bool:
        self._skip_keep_alive()
        end, begin = find_end(self._buffer, self._searched)
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise StreamBroken("message head too large", framed)
            # The blank line may be cut in two by the read: look again at its last three bytes.
            self._searched = max(0, len(self._buffer) - 3)
            return False
        self._begun = bytes(self._buffer[:begin])
        head = read_head(self._begun[:end])
        self._searched = 0
        length = head.content_length
        if length is None:
            head.blame(400, "Content-Length Missing")
        elif length > self._max_body:
            head.blame(513, "Message Too Large")
        if length is None or length > self._max_body or not head.start:
            self._finish(head, b"", framed)
            self._buffer.clear()
            raise StreamBroken("no usable Content-Length", framed)
        del self._buffer[:begin]
        self._head = head
        self._length = length
        return True

    def _take_body(self, framed: list[Framed]) -> None:
        head = self._head
        if head is None:
            return
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._head = None
        self._finish(head, body, framed)

    def _finish(self, head: Head, body: bytes, framed: list[Framed]) -> None:
        self.raw.append(self._begun + body)
        try:
            framed.append(build(head, body))
        except MalformedMessage as malformed:
            # Kept as a value: its traceback holds this frame, which holds the list that would hold it.
            malformed.__context__ = malformed.__cause__ = malformed.__traceback__ = None
            framed.append(malformed)

    def _skip_keep_alive(self) -> None:
        # Only between messages; CRLF CRLF is a ping, CRLF alone a pong or slack before a message.
        buffer = self._buffer
        blank = 0
        while blank < len(buffer) and buffer[blank] in b"\r\n":
            blank += 1
        if blank:
            pairs, single = divmod(buffer.count(b"\n", 0, blank), 2)
            self.pings += pairs
            self.pongs += single
            del buffer[:blank]
            self._searched = 0
