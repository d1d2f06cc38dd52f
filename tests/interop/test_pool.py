"""Phones for trials: so many at once, and none that outlives its trial, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sip.pjsip.pool import Pool, PoolExhausted
from sip.pjsip.process import CommandFailed, NothingHappened, PhoneDied, Softphone

READY = '{"event": "ready", "transports": {"udp": "127.0.0.1:1"}}'
# What a process says on its standard output instead of a phone.
STRANGERS = {
    "says nothing": "import time; time.sleep(60)",
    "is ready and says no more": f"import time; print('{READY}', flush=True); time.sleep(60)",
    "speaks no JSON": f"print('{READY}', flush=True); input(); print('hello', flush=True); input()",
    "tells no event": f"print('{READY}', flush=True); input(); print('[1]', flush=True); input()",
    "never ends its line": f"print('{READY}', flush=True); print('x' * 10**6, end='', flush=True); input()",
    "goes when it is told": f"print('{READY}', flush=True); import sys; sys.stdin.read()",
    "ends at once": "",
}

Start = Callable[[], Softphone]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Of this process' children."""
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


def stranger(what: str) -> Start:
    program = (sys.executable, "-c", STRANGERS[what])
    return lambda: Softphone(what, program=program, start_timeout=0.5 if what == "says nothing" else 5.0)


def killed(phone: Softphone, how: signal.Signals) -> Softphone:
    os.kill(phone.process.pid, how)
    return phone


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("says nothing", NothingHappened),
        ("is ready and says no more", NothingHappened),
        ("speaks no JSON", PhoneDied),
        ("tells no event", PhoneDied),
        ("never ends its line", PhoneDied),
        ("ends at once", PhoneDied),
    ],
)
def test_a_process_that_is_no_phone_is_ended(what: str, expected: type[Exception]) -> None:
    pool = Pool(stranger(what))
    with pytest.raises(expected), pool.phone() as phone:
        phone.ask("ping", 0.5)
    assert pool.taken == 0


def test_a_phone_that_is_killed_in_the_middle_takes_no_other_with_it(phone: object) -> None:
    pool = Pool()
    with pool.phone() as one:
        with pytest.raises(PhoneDied), pool.phone() as other:
            killed(other, signal.SIGKILL).ask("ping")
        one.ask("ping")
    with pool.phone() as next_one:
        next_one.ask("ping")


def test_a_phone_that_hangs_is_ended_when_its_time_is_over(phone: object) -> None:
    pool = Pool(longest_s=0.3)
    with pytest.raises(PhoneDied), pool.phone() as one:
        killed(one, signal.SIGSTOP).ask("ping", 20.0)


def test_there_are_never_more_than_so_many(phone: object) -> None:
    pool = Pool(stranger("goes when it is told"), most=2, patience_s=0.2)
    with pool.phone(), pool.phone():
        assert pool.taken == 2
        with pytest.raises(PoolExhausted), pool.phone():
            pass
    with pool.phone():
        assert pool.taken == 1


def test_a_pool_that_is_closed_ends_all_phones_and_lends_no_more() -> None:
    pool, began = Pool(stranger("is ready and says no more")), threading.Event()

    def hold() -> None:
        with pool.phone() as phone:
            began.set()
            phone.ask("ping", 20.0)

    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(hold)
        assert began.wait(10.0)
        pool.close()
        with pytest.raises(PhoneDied):
            held.result(10.0)
    with pytest.raises(PoolExhausted), pool.phone():
        pass


def test_what_pjsip_refuses_ends_the_trial_and_the_phone(phone: object, tmp_path: Path) -> None:
    pool = Pool()
    with pytest.raises(CommandFailed), pool.phone() as one:
        one.ask("record", call=7, file=str(tmp_path / "nothing.wav"))
    assert pool.taken == 0
