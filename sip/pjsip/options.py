"""What the softphone's process may be told when it is started."""

from __future__ import annotations

import argparse
import os

NICE = -10


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sip.pjsip.softphone", description="A softphone on JSON lines."
    )
    parser.add_argument("--address", default="127.0.0.1", help="local address of SIP and RTP")
    parser.add_argument("--rate", type=int, default=8000, help="sampling rate of player and recorder, Hz")
    parser.add_argument("--codec", action="append", help="codec offered, best first; again for more")
    parser.add_argument("--announce", default="", help="address to name in SDP, as a phone behind a NAT does")
    parser.add_argument("--drop", type=int, default=0, help="share of RTP packets lost each way, percent")
    parser.add_argument("--buffer", type=int, default=0, help="ms that are held back, always; 0: as needed")
    parser.add_argument(
        "--urgent", action="store_true", help="before all other processes, where that is allowed"
    )
    parser.add_argument("--rtp-port", type=int, default=0, help="first RTP port; 0 for any free")
    parser.add_argument("--reliable", action="store_true", help="support reliable provisionals (RFC 3262)")
    parser.add_argument("--log", default="", help="file for PJSIP's own log")
    return parser.parse_args()


def hurry(process: int = 0) -> None:
    """A phone that measures must not wait for who computes: its sound would, and that would be measured.

    process: whose threads to come go first; 0 for this one.
    """
    try:
        os.sched_setscheduler(process, os.SCHED_RR, os.sched_param(1))
    except OSError:
        try:
            os.setpriority(os.PRIO_PROCESS, process, NICE)
        except OSError:
            return  # it has no right to; how late its clock was is told with the statistics
