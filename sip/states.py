"""The states of a call as two tables: one we make, and one made to us (RFC 3261 sections 9, 13 and 15)."""

from __future__ import annotations

from sip.table import INITIAL, Table

# states
CALLING, PROCEEDING, ABANDONED, CANCELLING, DUE = (
    "calling",
    "proceeding",
    "abandoned",
    "cancelling",
    "answer due",
)
OFFERED, RINGING, ANSWERED, CLOSING = "offered", "ringing", "answered", "closing"
CONNECTED, ENDING, ENDED = "connected", "ending", "ended"
# events
CALL, RECEIVE_1XX, RECEIVE_2XX, RECEIVE_OFFER, RECEIVE_FAILURE, ACKNOWLEDGE = (
    "call", "receive 1xx", "receive 2xx", "receive 2xx with offer", "receive failure", "acknowledge",
)  # fmt: skip
RECEIVE_INVITE, SEND_1XX, SEND_2XX, RECEIVE_CANCEL, RECEIVE_ACK, NO_ACK = (
    "receive INVITE", "send 1xx", "send 2xx", "receive CANCEL", "receive ACK", "no ACK",
)  # fmt: skip
HANG_UP, RECEIVE_BYE, BYE_ANSWERED, SURRENDER = "hang up", "receive BYE", "BYE answered", "surrender"
# actions
REPORT, RELEASE, STOP_HOPS, SEND_CANCEL, SEND_ACK, SEND_BYE, SEND_REFUSAL = (
    "report", "release", "stop hops", "send CANCEL", "send ACK", "send BYE", "send refusal",
)  # fmt: skip

_TOGETHER: Table = {
    # state         event                next state   actions
    (CONNECTED,     HANG_UP):            (ENDING,     (SEND_BYE, REPORT)),
    (CONNECTED,     RECEIVE_BYE):        (ENDED,      (REPORT, RELEASE)),
    (CONNECTED,     SURRENDER):          (ENDED,      (RELEASE,)),                # another one has the dialog
    (ENDING,        RECEIVE_BYE):        (ENDING,     ()),                        # two BYEs crossed
    (ENDING,        BYE_ANSWERED):       (ENDED,      (RELEASE,)),
}  # fmt: skip

CALLER: Table = {
    (INITIAL,       CALL):               (CALLING,    ()),
    (CALLING,       RECEIVE_1XX):        (PROCEEDING, (REPORT,)),
    (CALLING,       RECEIVE_2XX):        (CONNECTED,  (SEND_ACK, REPORT)),
    # the ACK must carry our answer
    (CALLING,       RECEIVE_OFFER):      (DUE,        (REPORT,)),
    (CALLING,       RECEIVE_FAILURE):    (ENDED,      (REPORT, RELEASE)),
    # section 9.1: CANCEL waits for a 1xx
    (CALLING,       HANG_UP):            (ABANDONED,  (STOP_HOPS, REPORT)),
    (PROCEEDING,    RECEIVE_1XX):        (PROCEEDING, (REPORT,)),
    (PROCEEDING,    RECEIVE_2XX):        (CONNECTED,  (SEND_ACK, REPORT)),
    (PROCEEDING,    RECEIVE_OFFER):      (DUE,        (REPORT,)),
    (PROCEEDING,    RECEIVE_FAILURE):    (ENDED,      (REPORT, RELEASE)),
    (PROCEEDING,    HANG_UP):            (CANCELLING, (STOP_HOPS, SEND_CANCEL, REPORT)),
    (ABANDONED,     RECEIVE_1XX):        (CANCELLING, (SEND_CANCEL,)),
    (ABANDONED,     RECEIVE_2XX):        (ENDING,     (SEND_ACK, SEND_BYE)),
    (ABANDONED,     RECEIVE_OFFER):      (ENDING,     (SEND_ACK, SEND_BYE)),
    (ABANDONED,     RECEIVE_FAILURE):    (ENDED,      (RELEASE,)),
    (CANCELLING,    RECEIVE_2XX):        (ENDING,     (SEND_ACK, SEND_BYE)),      # CANCEL and 200 crossed
    (CANCELLING,    RECEIVE_OFFER):      (ENDING,     (SEND_ACK, SEND_BYE)),
    (CANCELLING,    RECEIVE_FAILURE):    (ENDED,      (RELEASE,)),
    (DUE,           ACKNOWLEDGE):        (CONNECTED,  (SEND_ACK,)),
    (DUE,           HANG_UP):            (ENDING,     (SEND_ACK, SEND_BYE, REPORT)),
    (DUE,           RECEIVE_BYE):        (ENDED,      (REPORT, RELEASE)),
    **_TOGETHER,
}  # fmt: skip

CALLEE: Table = {
    (INITIAL,       RECEIVE_INVITE):     (OFFERED,    (REPORT,)),
    (OFFERED,       SEND_1XX):           (RINGING,    ()),
    (OFFERED,       SEND_2XX):           (ANSWERED,   ()),
    (OFFERED,       HANG_UP):            (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (OFFERED,       RECEIVE_CANCEL):     (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (OFFERED,       RECEIVE_BYE):        (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (RINGING,       SEND_1XX):           (RINGING,    ()),
    (RINGING,       SEND_2XX):           (ANSWERED,   ()),
    (RINGING,       HANG_UP):            (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (RINGING,       RECEIVE_CANCEL):     (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (RINGING,       RECEIVE_BYE):        (ENDED,      (SEND_REFUSAL, REPORT, RELEASE)),
    (ANSWERED,      RECEIVE_ACK):        (CONNECTED,  (REPORT,)),
    # section 15: BYE waits for the ACK
    (ANSWERED,      HANG_UP):            (CLOSING,    (REPORT,)),
    (ANSWERED,      NO_ACK):             (ENDING,     (SEND_BYE, REPORT)),        # section 13.3.1.4
    (ANSWERED,      RECEIVE_BYE):        (ENDED,      (REPORT, RELEASE)),
    (ANSWERED,      SURRENDER):          (ENDED,      (RELEASE,)),
    (CLOSING,       RECEIVE_ACK):        (ENDING,     (SEND_BYE,)),
    (CLOSING,       NO_ACK):             (ENDING,     (SEND_BYE,)),
    (CLOSING,       RECEIVE_BYE):        (ENDED,      (RELEASE,)),
    **_TOGETHER,
}  # fmt: skip

UNANSWERED = frozenset({CALLING, PROCEEDING, OFFERED, RINGING})

# Its last event has been given out; what is left is between the user agents.
OVER = frozenset({ABANDONED, CANCELLING, CLOSING, ENDING, ENDED})
