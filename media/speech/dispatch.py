"""Who does what: jobs to the workers whose craft they are, and to another when one is gone.

A stream stays with the worker that has heard it from its beginning. Everything that a worker was asked and
has not answered is known here, so that what dies with it is asked again; what is long overdue is taken for
lost. Nothing waits here: a job that nobody can do now is given back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from media.speech.jobs import AnyJob, AnyResult, Forget, Hear, Offer, Spoken, Translate
from media.speech.language import alike, among

PATIENCE_S = 4.0  # beyond its time, after which an unanswered job is taken for lost
MOST = 256  # jobs that a worker may owe
NOBODY = 0  # no worker's number


@dataclass(slots=True)
class Worker:
    """offers: what it does. owes: jobs it was asked, when each was."""

    number: int
    offers: tuple[Offer, ...] = ()
    owes: dict[str, tuple[AnyJob, float]] = field(default_factory=dict)

    def offer(self, craft: str) -> Offer | None:
        return next((each for each in self.offers if each.craft == craft), None)


class Dispatch:
    """All workers of an ear. Numbers are the caller's: above 0, or below it for a pool of workers elsewhere,
    of whom each job may be another's.
    """

    def __init__(self) -> None:
        self.workers: dict[int, Worker] = {}
        self._streams: dict[str, int] = {}
        self._asked: dict[str, int] = {}  # who owes the job

    @property
    def offers(self) -> list[Offer]:
        """Each once."""
        return list(dict.fromkeys(offer for each in self.workers.values() for offer in each.offers))

    def came(self, number: int, offers: tuple[Offer, ...]) -> None:
        """A worker is there, or can do other things than before."""
        self.workers.setdefault(number, Worker(number)).offers = offers

    def gone(self, number: int) -> list[AnyJob]:
        """The worker is lost; what it owes, oldest first."""
        worker = self.workers.pop(number, None)
        if worker is None:
            return []
        self._streams = {stream: each for stream, each in self._streams.items() if each != number}
        for key in worker.owes:
            self._asked.pop(key, None)
        return [job for job, _ in worker.owes.values()]

    def hears(self, stream: str) -> int | None:
        """The worker that hears the stream."""
        return self._streams.get(stream)

    def keeps(self, stream: str) -> bool:
        """Whether somebody hears the stream who has what was sent of it before."""
        return self._streams.get(stream, NOBODY) > 0

    def offer_for(self, job: AnyJob) -> Offer | None:
        """What the one can do who would get the job; None: nobody can."""
        worker = self._choose(job)
        return _fit(worker, job) if worker is not None else None

    def give(self, job: AnyJob, now: float) -> int | None:
        """The worker to send the job to, which owes it from now on; None when nobody can do it now."""
        if isinstance(job, Forget):
            return self._streams.pop(job.stream, None)
        worker = self._choose(job)
        if worker is None or len(worker.owes) >= MOST:
            return None
        if isinstance(job, Hear):
            self._streams[job.stream] = worker.number
        worker.owes[job.key] = (job, now)
        self._asked[job.key] = worker.number
        return worker.number

    def answered(self, result: AnyResult) -> AnyJob | None:
        """The job that the answer is of; None for one that nobody waits for."""
        worker = self.workers.get(self._asked.get(result.key, NOBODY))
        if worker is None or result.key not in worker.owes:
            return None
        if isinstance(result, Spoken) and not result.over:
            return worker.owes[result.key][0]
        del self._asked[result.key]
        return worker.owes.pop(result.key)[0]

    def drop(self, key: str) -> None:
        """Nobody waits for the job's answer any more."""
        worker = self.workers.get(self._asked.pop(key, NOBODY))
        if worker is not None:
            worker.owes.pop(key, None)

    def overdue(self, now: float) -> list[AnyJob]:
        """Jobs whose time passed long ago without an answer: nobody owes them any more."""
        late: list[AnyJob] = []
        for worker in self.workers.values():
            for key, (job, at) in list(worker.owes.items()):
                if now >= at + job.due_s + PATIENCE_S:
                    del worker.owes[key], self._asked[key]
                    late.append(job)
        return late

    def _choose(self, job: AnyJob) -> Worker | None:
        """The stream's own, else the best of those that can, the least burdened of these."""
        if isinstance(job, Hear) and (own := self.workers.get(self._streams.get(job.stream, NOBODY))):
            return own
        able = [(offer, each) for each in self.workers.values() if (offer := _fit(each, job)) is not None]
        able.sort(
            key=lambda pair: (
                _rank(pair[0], job),
                len(pair[1].owes),
                pair[1].number < 0,
                pair[1].number,
            )
        )
        return able[0][1] if able else None


def _fit(worker: Worker, job: AnyJob) -> Offer | None:
    """What of a worker's does the job."""
    if isinstance(job, Hear):
        offer = worker.offer("hear")
        return offer if offer is not None and _hears(offer, job) else None
    if isinstance(job, Translate):
        offer = worker.offer("translate")
        return offer if offer is not None and pair(offer, job.source, job.target) is not None else None
    offer = worker.offer("speak")
    language = "" if isinstance(job, Forget) else job.language
    return offer if offer is not None and _open(language, offer.languages) else None


def _hears(offer: Offer, job: Hear) -> bool:
    if not job.languages or any(_open(each, offer.languages) for each in job.languages):
        return True
    return bool(job.phrases) and any(among(each, offer.closed) for each in job.languages)


def _open(language: str, known: tuple[str, ...]) -> bool:
    """None named: all are."""
    return not known or among(language, known)


def _rank(offer: Offer, job: AnyJob) -> bool:
    """Better ones first."""
    return bool(pair(offer, job.source, job.target)) if isinstance(job, Translate) else offer.low


def pair(offer: Offer, source: str, target: str) -> bool | None:
    """Whether it translates from one to the other: for the gist alone, or better; None for not."""
    if not offer.pairs and not offer.languages:
        return False
    found = [gist for one, other, gist in offer.pairs if alike(one, source) and alike(other, target)]
    if among(source, offer.languages) and among(target, offer.languages):
        found.append(offer.low)
    return min(found) if found else None
