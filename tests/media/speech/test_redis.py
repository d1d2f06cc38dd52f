"""Jobs by Redis, with a server and workers that are killed: nothing is lost, answered twice, or read."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from engine.cli import main
from media.messages import Frames, decode_events, encode
from media.speech.io.box import Boxes, Clear
from media.speech.io.redis import LOST, MOST_JOBS, Terms, box_of, connect, packed, pool_of, terms_of
from media.speech.io.redis_jobs import Came, Gone, News, RedisJobs
from media.speech.io.redis_source import RedisSource
from media.speech.jobs import AnyResult, Failed, Hear, Offer, Speak, Spoken
from media.speech.messages import Begin, Crafts
from media.speech.settings import CraftSettings, FarSettings, VoiceSettings
from tests.engine.cluster.test_redis_tls import PASSWORD, Authority, served
from tests.interop.redis_server import RedisServer, installed
from tests.media.speech.far_program import OFFER
from tests.project.tree import ROOT

pytestmark = pytest.mark.skipif(
    not installed(), reason="redis-server is not installed (Debian: redis-server)"
)

SECRETS = {"k": "a secret of the cluster that is long enough"}
PATIENCE_S = 20.0
BRISK = {"lease_s": 0.3, "beat_s": 0.05}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    if running.process is None:
        running.start()
    connect(Terms(running.url)).flushall()
    return running


class Ear:
    """An ear's side, and all that it was told."""

    def __init__(self, server: RedisServer, **more: object) -> None:
        settings = FarSettings(server.url, keys=SECRETS, key="k")
        self.jobs = RedisJobs(Terms(server.url, **more), "ear", box_of(settings))
        self.heard: list[News] = []
        self.jobs.start()

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            left = deadline - time.monotonic()
            assert left > 0, f"it did not come to that: {self.heard}"
            if select.select([self.jobs], [], [], left)[0]:
                self.heard += self.jobs.news()

    def pool(self) -> int:
        """The number of the pool that is there, once one is."""
        came: list[int] = []

        def there() -> bool:
            gone = {each.number for each in self.heard if isinstance(each, Gone)}
            came[:] = [
                each.number for each in self.heard if isinstance(each, Came) and each.number not in gone
            ]
            return bool(came)

        self.until(there)
        return came[0]

    @property
    def answers(self) -> list[AnyResult]:
        return [each for each in self.heard if not isinstance(each, Came | Gone)]


@pytest.fixture
def ear(server: RedisServer) -> Iterator[Ear]:
    made = Ear(server, beat_s=0.1)
    yield made
    made.jobs.close()


@pytest.fixture
def hire(server: RedisServer, tmp_path: Path) -> Iterator[Callable[[str, float], subprocess.Popen[bytes]]]:
    """Starts a worker process by name and by how long it takes for a job."""
    at = tmp_path / "far.json"
    at.write_bytes(msgspec.json.encode(FarSettings(server.url, keys=SECRETS, key="k")))
    hired = []

    def made(name: str, seconds: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.media.speech.far_program", str(at), name, str(seconds)]
        hired.append(subprocess.Popen(command, cwd=ROOT))
        return hired[-1]

    yield made
    for each in hired:
        each.kill()
        each.wait()


def source(server: RedisServer, name: str = "w", **more: object) -> RedisSource:
    """A worker's side in this process, that is there and does nothing by itself."""
    settings = FarSettings(server.url, keys=SECRETS, key="k")
    made = RedisSource(Terms(server.url, **more), name, [OFFER], box_of(settings))
    made.start()
    return made


def speak(key: str, text: str = "good morning", due_s: float = 10.0) -> Speak:
    return Speak(key, due_s, text, "en")


def wait(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline


def taken(worker: RedisSource, count: int) -> list[str]:
    """Keys of the first jobs that it gets."""
    found: list[str] = []
    wait(lambda: found.extend(job.key for job in worker.jobs(0.05)) or len(found) >= count)
    return found


def test_a_job_goes_out_and_its_answer_comes_back_whole(ear: Ear, hire):
    hire("anna", 0.0)
    ear.jobs.give(ear.pool(), [speak("a", "hello")])
    ear.until(lambda: ear.answers)
    assert ear.answers == [Spoken("a", "anna", pcm=b"annahello")], "its pieces are put together"


def test_what_a_killed_worker_had_is_done_by_another_and_each_job_once(ear: Ear, hire):
    first = hire("anna", 30.0)
    pool = ear.pool()
    ear.jobs.give(pool, [speak(f"{at}", f"text {at}") for at in range(5)])
    there, terms = connect(ear.jobs.terms), ear.jobs.terms
    wait(lambda: there.xpending(terms.jobs(pool_of([OFFER])), "workers")["pending"] == 5)
    hire("ben", 0.0)
    wait(lambda: there.zcard(terms.workers) == 2)
    first.kill()
    ear.until(lambda: len(ear.answers) >= 5)
    assert sorted((each.key, each.by) for each in ear.answers) == [(f"{at}", "ben") for at in range(5)]
    assert not [each for each in ear.heard if isinstance(each, Gone)], "the pool was there all the time"
    there.close()


def test_a_pool_whose_last_worker_is_killed_is_gone_and_comes_back_with_another(ear: Ear, hire):
    first = hire("anna", 0.0)
    pool = ear.pool()
    first.kill()
    ear.until(lambda: any(isinstance(each, Gone) and each.number == pool for each in ear.heard))
    hire("ben", 0.0)
    ear.jobs.give(ear.pool(), [speak("a")])
    ear.until(lambda: ear.answers)
    assert ear.answers[0].by == "ben" and ear.pool() != pool


def test_a_server_that_dies_is_told_and_found_again(ear: Ear, hire, server: RedisServer):
    hire("anna", 0.0)
    pool = ear.pool()
    server.kill()
    ear.until(lambda: any(isinstance(each, Gone) and each.number == pool for each in ear.heard))
    server.start()
    ear.jobs.give(ear.pool(), [speak("a")])
    ear.until(lambda: ear.answers)
    assert ear.answers == [Spoken("a", "anna", pcm=b"annagood morning")]


def test_a_job_that_is_past_its_time_is_nobodys(ear: Ear, server: RedisServer):
    worker = source(server)
    pool = ear.pool()
    ear.jobs.give(pool, [speak("late", due_s=0.05), speak("there")])
    there, key = connect(worker.terms), worker.terms.jobs(worker.pool)
    wait(lambda: there.xlen(key) == 2 and _now(there) > _added(there, key) + 0.06)
    assert taken(worker, 1) == ["ear there"]
    assert there.xlen(key) == 1, "only what is held is kept"
    worker.close()


def _now(there) -> float:
    seconds, micros = there.time()
    return seconds + micros / 1e6


def _added(there, key: str) -> float:
    """When the first job came, s of the server's clock."""
    entries = there.xrange(key, count=1)
    return int(entries[0][0].partition(b"-")[0]) / 1000 if entries else 0.0


def test_one_that_was_taken_for_dead_and_answers_after_all_is_heard_once(ear: Ear, server: RedisServer):
    slow, quick = source(server, "slow", **BRISK), source(server, "quick", **BRISK)
    ear.jobs.give(ear.pool(), [speak("a")])
    key = taken(slow, 1)[0]
    slow._over.set()  # it stands still: nothing holds its job
    assert taken(quick, 1) == [key]
    slow.answer([Spoken(key, "slow", pcm=b"one")])
    quick.answer([Spoken(key, "quick", pcm=b"two")])
    ear.jobs.give(ear.pool(), [speak("b")])
    last = taken(quick, 1)[0]
    quick.answer([Spoken(last, "quick", pcm=b"three")])
    ear.until(lambda: len(ear.answers) >= 2)
    assert [(each.key, each.by) for each in ear.answers] == [("a", "slow"), ("b", "quick")]
    slow.close()
    quick.close()


def test_a_job_that_is_worked_on_is_held_for_longer_than_a_lease(ear: Ear, server: RedisServer):
    busy, idle = source(server, "busy", **BRISK), source(server, "idle", **BRISK)
    ear.jobs.give(ear.pool(), [speak("a")])
    key = taken(busy, 1)[0]
    there = connect(busy.terms)
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        assert idle.jobs(0.05) == []
    busy.answer([Spoken(key, "busy", pcm=b"one")])
    ear.until(lambda: ear.answers)
    assert there.xlen(busy.terms.jobs(busy.pool)) == 0
    for each in (busy, idle):
        each.close()


def test_a_worker_that_could_not_hold_its_job_for_a_moment_does_it_once(ear: Ear, server: RedisServer):
    worker = source(server, "w", lease_s=0.1, beat_s=0.05)
    ear.jobs.give(ear.pool(), [speak("a"), speak("b")])
    assert sorted(taken(worker, 2)) == ["ear a", "ear b"]
    worker._over.set()
    there, key = connect(worker.terms), worker.terms.jobs(worker.pool)
    wait(lambda: there.xpending_range(key, "workers", "-", "+", 9, idle=100))
    assert worker.jobs(0.05) == [] and worker.holding == 2
    worker.close()


def test_no_stream_grows_beyond_its_bound(ear: Ear, server: RedisServer):
    worker = source(server)
    pool = ear.pool()
    there, key = connect(worker.terms), worker.terms.jobs(worker.pool)
    for start in range(0, MOST_JOBS + 200, 100):
        ear.jobs.give(pool, [speak(f"{start + at}") for at in range(100)])
        wait(lambda end=start + 100: there.xinfo_stream(key)["entries-added"] >= end)
    assert there.xlen(key) == MOST_JOBS
    assert there.ttl(key) > 0, "and it is gone when nobody asks any more"
    worker.close()


def test_what_is_too_much_is_answered_as_failed_for_now(ear: Ear, server: RedisServer):
    worker = source(server)
    much = Hear("much", 5.0, "u", 0, bytes(5 * 1024 * 1024), 16_000, 0.0)
    ear.jobs.give(ear.pool(), [much])
    ear.until(lambda: ear.answers)
    assert isinstance(ear.answers[0], Failed) and not ear.answers[0].ever
    worker.close()


def test_nobody_reads_in_the_store_what_was_said(ear: Ear, server: RedisServer):
    worker = source(server)
    ear.jobs.give(ear.pool(), [speak("a", "my number is 4929")])
    key = taken(worker, 1)[0]
    worker.answer([Spoken(key, "w", pcm=b"a voice that somebody knows")])
    there = connect(worker.terms)
    stored = b"".join(there.dump(each) or b"" for each in there.scan_iter())
    assert b"4929" not in stored and b"somebody knows" not in stored and b"slow" not in stored
    ear.until(lambda: ear.answers)
    worker.close()


def test_what_others_write_into_the_store_is_left_out(ear: Ear, server: RedisServer):
    worker = source(server)
    pool = ear.pool()
    there, terms = connect(worker.terms), worker.terms
    boxes = Boxes({"k": b"another secret than that of the cluster"}, "k")
    for fields in (
        {"p": b"\xff"},
        {"e": "ear", "d": "x" * 99, "p": boxes.close("job", "", b"x")},
        {"z": "1"},
    ):
        there.xadd(terms.jobs(worker.pool), fields)
        there.xadd(terms.results("ear"), fields)
    there.zadd(terms.workers, {"stranger x": 9e15, "\xff": 9e15})
    there.set(terms.offers("stranger"), b"\x93")
    ear.jobs.give(pool, [speak("a")])
    key = taken(worker, 1)[0]
    worker.answer([Spoken(key, "w", pcm=b"one")])
    ear.until(lambda: ear.answers)
    assert [each.key for each in ear.answers] == ["a"] and ear.pool() == pool
    worker.close()


def test_pools_are_told_apart_by_what_they_can_do():
    assert pool_of([OFFER]) != pool_of([Offer("speak", "slow", languages=("es",))])
    assert pool_of([OFFER]) == pool_of([msgspec.structs.replace(OFFER, why="because")])


def test_a_box_opens_for_what_it_was_closed_for():
    old = Boxes({"old": b"o" * 32}, "old")
    both = Boxes({"old": b"o" * 32, "new": b"n" * 32}, "new")
    closed = old.close("job", "a", b"words")
    assert (
        both.open("job", "a", closed) == b"words"
        and old.open("job", "a", both.close("job", "a", b"x")) is None
    )
    assert both.open("job", "b", closed) is both.open("result", "a", closed) is None
    for at in range(len(closed)):
        assert both.open("job", "a", closed[:at]) is None
        assert both.open("job", "a", closed[:at] + bytes([closed[at] ^ 1]) + closed[at + 1 :]) is None


@pytest.mark.parametrize("url", ["redis://127.0.0.1/0", "redis://localhost:7000", "unix:///run/redis.sock"])
def test_on_one_machine_nothing_has_to_be_closed(url: str):
    assert isinstance(box_of(FarSettings(url)), Clear)


@pytest.mark.parametrize(
    "settings", [FarSettings("rediss://10.0.0.1/0"), FarSettings("redis://x/0", keys=SECRETS, key="other")]
)
def test_beyond_it_everything_has_to_be(settings: FarSettings):
    with pytest.raises(ValueError):
        box_of(settings)


def test_the_way_there_is_tls_with_a_password_for_those_who_trust_its_certificate(tmp_path: Path):
    authority = Authority(tmp_path, "authority")
    with served(tmp_path / "redis", authority) as server:
        url = f"rediss://isogloss:{PASSWORD}@127.0.0.1:{server.port}/0"
        trusting = FarSettings(url, str(authority.pem), keys=SECRETS, key="k")
        worker = RedisSource(terms_of(trusting), "w", [OFFER], box_of(trusting))
        worker.start()
        worker.close()
        stranger = Authority(tmp_path, "stranger")
        for settings in (
            msgspec.structs.replace(trusting, ca=str(stranger.pem)),
            msgspec.structs.replace(trusting, url=url.replace(PASSWORD, "guess")),
        ):
            refused = RedisSource(terms_of(settings), "w", [OFFER], box_of(settings))
            with pytest.raises(LOST) as error:
                refused.start()
            assert PASSWORD not in str(error.value)
            refused.close()


def test_a_worker_elsewhere_needs_the_address_and_its_crafts_alone(
    ear: Ear, server: RedisServer, tmp_path: Path
):
    where, crafts = tmp_path / "far.json", tmp_path / "crafts.json"
    where.write_bytes(msgspec.json.encode(FarSettings(server.url, keys=SECRETS, key="k")))
    crafts.write_bytes(msgspec.json.encode(CraftSettings(speak=VoiceSettings("espeak"))))
    command = [
        sys.executable,
        "-m",
        "engine",
        "speech-worker",
        "--redis",
        str(where),
        "--crafts",
        str(crafts),
    ]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        pool = ear.pool()
        assert [each.offers[0].name for each in ear.heard if isinstance(each, Came)] == ["espeak-ng"]
        ear.jobs.give(pool, [Speak("a", 10.0, "buenos días", "es-MX", rate=8_000)])
        ear.until(lambda: ear.answers)
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0
    (answer,) = ear.answers
    assert isinstance(answer, Spoken) and answer.by == "espeak-ng es-419" and len(answer.pcm) > 8_000
    ear.until(lambda: any(isinstance(each, Gone) for each in ear.heard))


def test_where_it_cannot_begin_it_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    crafts = tmp_path / "crafts.json"
    crafts.write_bytes(b"{}")
    assert main(["speech-worker", "--redis", "rediss://10.0.0.1/0", "--crafts", str(crafts)]) == 2
    assert "give `keys`" in capsys.readouterr().err


def test_an_ear_tells_of_workers_elsewhere_as_of_its_own(hire, server: RedisServer, tmp_path: Path):
    hire("anna", 0.0)
    far = tmp_path / "far.json"  # which `hire` has written
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
        engine.bind(str(tmp_path / "engine"))
        engine.listen()
        words = {"socket": "engine", "taps": "taps", "workers": "workers", "clips": ""}
        options = [each for name, path in words.items() for each in (f"--{name}", str(tmp_path / path))]
        command = [sys.executable, "-m", "media.speech.io.ear", *options, "--far", str(far)]
        with subprocess.Popen(command, cwd=ROOT) as process:
            engine.settimeout(PATIENCE_S)
            link, _ = engine.accept()
            link.settimeout(PATIENCE_S)
            with link:
                link.sendall(encode([Begin()]))
                frames, told = Frames(), []
                while not any(isinstance(each, Crafts) and OFFER in each.offers for each in told):
                    for body in frames.feed(link.recv(65_536)):
                        told += decode_events(body)
            assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
def test_a_server_that_takes_over_with_a_clock_that_is_behind_is_heard(
    server: RedisServer, ear: Ear, noticed: bool
):
    terms, box = Terms(server.url), box_of(FarSettings(server.url, keys=SECRETS, key="k"))
    client, key = connect(terms), Terms(server.url).results("ear")

    def answered(id: str, job: str) -> None:
        client.xadd(key, {"p": box.close("result", "ear", packed(Failed(job)))}, id=id)

    answered("9000-0", "a")
    ear.until(lambda: ear.answers)
    client.delete(key)
    if noticed:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    answered("10-0", "b")
    ear.until(lambda: len(ear.answers) == 2)
    assert [each.key for each in ear.answers] == ["a", "b"]
