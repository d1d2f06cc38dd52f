"""Kamailio's dispatcher before two gateways, set as its documentation has it: a peer for `bench_failover`.

`SAMPLE` has the values of the sample configuration that comes with the module (doc/dispatcher.cfg): gateways
are asked every 60 s, an INVITE that nobody answers goes on after 2 s, as does one answered 500. `BARE` has
those of a configuration that names none: nobody is asked, and 30 s pass (fr_timer of tm). `OURS` has those
of deploy/kamailio: every second, and one second.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

Address = tuple[str, int]
PROXY = "127.0.0.6"
READY_S = 10.0
PRIORITY, ROUND_ROBIN = 8, 4  # of ds_select_dst


class Terms(NamedTuple):
    """first_ms, ring_ms: of tm, how long an INVITE waits for any answer, and for a final one. ask_s: between
    OPTIONS, 0 for none. misses, answers: in a row, that take a gateway out and in again.
    """

    first_ms: int
    ring_ms: int
    ask_s: int
    misses: int = 1
    answers: int = 1


SAMPLE = Terms(2000, 40_000, 60)
BARE = Terms(30_000, 120_000, 0)
OURS = Terms(1000, 240_000, 1, answers=2)

CONFIG = """#!KAMAILIO
debug=1
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:{host}:{port}
{modules}
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{folder}/rpc")
modparam("tm", "fr_timer", {terms.first_ms})
modparam("tm", "fr_inv_timer", {terms.ring_ms})
modparam("dispatcher", "list_file", "{folder}/dispatcher.list")
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "ds_ping_interval", {terms.ask_s})
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", {terms.misses})
modparam("dispatcher", "ds_inactive_threshold", {terms.answers})

request_route {{
    if (!mf_process_maxfwd_header("10")) exit;
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (!is_method("ACK") && t_precheck_trans()) {{
        t_check_trans();
        exit;
    }}
    t_check_trans();
    if (has_totag()) {{
        if (loose_route()) t_relay();
        exit;
    }}
    if (is_method("ACK")) exit;
    record_route();
    if (!ds_select_dst("1", "{algorithm}")) {{
        sl_send_reply("503", "No Gateway");
        exit;
    }}
    t_on_failure("NEXT");
    t_relay();
}}

failure_route[NEXT] {{
    if (t_is_canceled()) exit;
    if (t_check_status("500") || (t_branch_timeout() && !t_branch_replied())) {{
        if (ds_next_dst()) {{
            t_on_failure("NEXT");
            t_relay();
        }}
    }}
}}
"""
MODULES = ("jsonrpcs", "kex", "tm", "tmx", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "dispatcher")


def installed() -> bool:
    return shutil.which("kamailio") is not None


@contextmanager
def dispatcher(
    gateways: Sequence[Address], terms: Terms = SAMPLE, *, algorithm: int = PRIORITY
) -> Iterator[Address]:
    """Kamailio in front of these gateways, the first tried first; where calls are sent to.

    algorithm: PRIORITY or ROUND_ROBIN (which the sample has). Raises RuntimeError when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="isogloss-kamailio-") as scratch:
        folder, port = Path(scratch), _free_port()
        rows = [f"1 sip:{host}:{at} 0 {len(gateways) - n}\n" for n, (host, at) in enumerate(gateways)]
        (folder / "dispatcher.list").write_text("".join(rows))
        modules = "\n".join(f'loadmodule "{name}.so"' for name in MODULES)
        (folder / "kamailio.cfg").write_text(
            CONFIG.format(
                host=PROXY, port=port, folder=folder, terms=terms, algorithm=algorithm, modules=modules
            )
        )
        command = ["kamailio", "-f", str(folder / "kamailio.cfg"), "-DD", "-E", "-m", "64"]
        command += ["-P", str(folder / "pid"), "-Y", scratch, "-w", scratch]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _until_it_answers((PROXY, port), process, folder / "log")
            yield PROXY, port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until_it_answers(at: Address, process: subprocess.Popen[bytes], log: Path) -> None:
    """It passes OPTIONS on to a gateway, and whatever comes back will do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((PROXY, 0))
        probe.settimeout(0.1)
        own = f"{PROXY}:{probe.getsockname()[1]}"
        question = "\r\n".join(
            (
                f"OPTIONS sip:{at[0]}:{at[1]} SIP/2.0",
                f"Via: SIP/2.0/UDP {own};branch=z9hG4bKready",
                f"From: <sip:{own}>;tag=1",
                f"To: <sip:{at[0]}>",
                "Call-ID: ready",
                "CSeq: 1 OPTIONS",
                "Max-Forwards: 70",
                "Content-Length: 0",
                "",
                "",
            )
        )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                probe.sendto(question.encode(), at)
                probe.recv(4096)
            except OSError:
                continue
            return
    raise RuntimeError(f"Kamailio did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((PROXY, 0))
        return int(probe.getsockname()[1])
