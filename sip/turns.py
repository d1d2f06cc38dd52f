"""Whose turn it is to change a session: one change at a time, whichever end asks (RFC 3261 section 14)."""

from __future__ import annotations

from sip.table import Table

# states
IDLE, SENT, RECEIVED, DUE = "idle", "sent", "received", "answer due"
# events
SEND, RECEIVE, DONE, RECEIVE_2XX_OFFER = "send", "receive", "done", "receive 2xx with offer"
# actions
REFUSE_GLARE, REFUSE_BUSY, REPORT, WAIT, STOP_WAITING = (
    "refuse 491", "refuse 500", "report", "wait for the owner", "stop waiting",
)  # fmt: skip

RENEGOTIATION: Table = {
    # state     event               next state  actions
    (IDLE,      SEND):              (SENT,      ()),
    (IDLE,      RECEIVE):           (RECEIVED,  (REPORT, WAIT)),
    # RFC 3261 section 14.2, RFC 3311 section 5.2
    (SENT,      RECEIVE):           (SENT,      (REFUSE_GLARE,)),
    (SENT,      RECEIVE_2XX_OFFER): (DUE,       (REPORT, WAIT)),
    (SENT,      DONE):              (IDLE,      ()),
    (RECEIVED,  RECEIVE):           (RECEIVED,  (REFUSE_BUSY,)),
    (RECEIVED,  DONE):              (IDLE,      (STOP_WAITING,)),
    (DUE,       RECEIVE):           (DUE,       (REFUSE_GLARE,)),
    (DUE,       DONE):              (IDLE,      (STOP_WAITING,)),
}  # fmt: skip
