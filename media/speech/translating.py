"""The craft of translating: clauses by those who can, the most urgent first, many of one pair at once.

Ways to the language are tried from the best on (`pivot`); a translator that failed is left alone for a while
(`Terms.rest_s`) and the next way is taken. What was translated before is kept. Jobs past their time are left
out without an answer, for nobody waits for it any more; what there is no way for is answered at once, so that
captions stay in the original and say so.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from media.speech.clause import opening
from media.speech.jobs import AnyJob, AnyResult, Failed, Offer, Translate, Translated
from media.speech.language import alike, joined
from media.speech.market import Market
from media.speech.pivot import Hop, Side, Way, all_pairs, ways
from media.speech.placeholder import clean, spelled, unmarked, unspelled
from media.speech.rewording import continued
from media.speech.translator import Brief, Translator, TranslatorFault, Version
from media.speech.wording import Draft, Hits, Wording, keeps, mended, restored, tone, toned

Told = Version | TranslatorFault


@dataclass(frozen=True, slots=True)
class Terms:
    """line: jobs that may wait. batch: of one pair, translated at once. chars: of a text. kept: translations
    in memory; begun: of sentences that may go on. rest_s: that a translator that failed is left alone.
    """

    line: int = 512
    batch: int = 16
    chars: int = 2000
    kept: int = 4096
    begun: int = 512
    rest_s: float = 5.0


@dataclass(slots=True, eq=False)
class Task:
    """A job on its way. text: what is to be translated now, with terms or with placeholders for them. draft:
    of the clause, begun: of its sentence from the beginning on, of which `given` is the translation so far.
    tried: ways that failed.
    """

    job: Translate
    until: float
    text: str
    brief: Brief
    draft: Draft
    way: Way = ()
    tried: set[Way] = field(default_factory=set)
    plain: Version | None = None  # that lacks terms
    begun: Draft | None = None
    given: str = ""


class Translating:
    """translators: the good ones first. markets: whose terms and tone count. why: how they were chosen."""

    def __init__(
        self,
        translators: Sequence[Translator],
        terms: Terms | None = None,
        *,
        markets: Mapping[str, Market] | None = None,
        why: str = "",
    ) -> None:
        self.terms = terms or Terms()
        self.translators = tuple(translators)
        self._sides = [Side(each.reach, each.gist) for each in self.translators]
        self.hits = Hits()
        self._wording = Wording(markets or {})
        self._why = why
        self._tasks: list[Task] = []
        self._done: deque[AnyResult] = deque()
        self._rests: dict[int, float] = {}
        self._given: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._known: OrderedDict[tuple[int, str, Brief], Version] = OrderedDict()
        self._now = 0.0

    @property
    def offer(self) -> Offer:
        """pairs: with those over a third language; languages: from any to any of which it translates."""
        reaches = [side.reach for side in self._sides]
        name = " + ".join(each.name for each in self.translators) or "none"
        if any(reach.everything for reach in reaches):
            return Offer("translate", name, why=self._why)
        pairs = tuple((*pair, gist) for pair, gist in all_pairs(self._sides))
        among = sorted({each for reach in reaches for each in reach.among})
        low = bool(self._sides) and all(side.gist for side in self._sides)
        return Offer("translate", name, tuple(among), pairs, low=low, why=self._why)

    @property
    def busy(self) -> bool:
        return bool(self._tasks or self._done)

    def take(self, job: AnyJob, now: float) -> None:
        if not isinstance(job, Translate):
            self._done.append(Failed(job.key, why="this worker translates and does nothing else", ever=False))
        elif len(self._tasks) >= self.terms.line:
            self._done.append(Failed(job.key, why="too many clauses wait to be translated", ever=False))
        else:
            self._queue(job, now)

    def work(self, now: float) -> list[AnyResult]:
        """One batch, or what needs none."""
        self._now = now
        self._tasks = [task for task in self._tasks if task.until > now]
        if not self._done and self._tasks:
            first = min(self._tasks, key=lambda task: task.until)
            if self._resting(first.way):
                self._tasks.remove(first)
                self._again(first, TranslatorFault("who translates this pair has just failed; try again"))
            else:
                self._work(first)
        done, self._done = list(self._done), deque()
        return done

    def close(self) -> None:
        for each in self.translators:
            each.close()

    def _queue(self, job: Translate, now: float) -> None:
        self._now = now
        text = clean(job.text, self.terms.chars)
        before = clean(job.before[-self.terms.chars :], self.terms.chars)
        draft = self._wording.draft(text, job.source, job.target, job.market)
        if alike(job.source, job.target) or not any(each.isalpha() for each in text):
            text = toned(text, draft.market, job.formality) if draft.market else text
            self._done.append(Translated(job.key, by="none", text=text))
            return
        manner = tone(draft.market, job.formality)
        brief = Brief(job.source, job.target, job.formality, before, draft.told, manner)
        task = Task(job, now + job.due_s, text, brief, draft)
        self._join(task, opening(before))
        if self._take_way(task):
            self._tasks.append(task)
        else:
            self._done.append(self._no_way(job))

    def _join(self, task: Task, before: str) -> None:
        """A sentence goes on: what it is on the whole may tell best how."""
        job = task.job
        task.given = self._given.get(_sentence(job, before), "") if before else ""
        if task.given:
            whole = joined((before, task.text), job.source)
            task.begun = self._wording.draft(whole, job.source, job.target, job.market)
            task.text = whole

    def _take_way(self, task: Task) -> bool:
        """The best way that was not tried and whose translators do not rest."""
        for way in ways(self._sides, task.brief.pair):
            if way not in task.tried and not self._resting(way):
                task.way = way
                return True
        return False

    def _no_way(self, job: Translate) -> Failed:
        pair = Brief(job.source, job.target).pair
        if ways(self._sides, pair):
            return Failed(job.key, why="who translates this pair has just failed; try again", ever=False)
        return Failed(
            job.key,
            why=f"nobody here translates from {pair.source} to {pair.target}: captions stay in the original; "
            "give the worker a model that does",
            ever=True,
        )

    def _work(self, first: Task) -> None:
        """The most urgent, and what can be translated along with it."""
        way = first.way
        alike = [task for task in self._tasks if task.way == way]
        tasks = sorted(alike, key=lambda task: task.until)[: self.terms.batch]
        told: Sequence[Told]
        try:
            told = self._translated(way, tasks)
        except TranslatorFault as fault:
            told = [fault] * len(tasks)
        chosen = {id(task) for task in tasks}
        self._tasks = [task for task in self._tasks if id(task) not in chosen]
        faults = [each for each in told if isinstance(each, TranslatorFault)]
        if len(faults) == len(tasks) and not faults[0].ever:
            # Which of two it was is not known: both rest, and whoever waits for one takes another way.
            self._rests.update({hop.by: self._now + self.terms.rest_s for hop in way})
        for task, each in zip(tasks, told, strict=True):
            if isinstance(each, Version):
                self._reached(task, each)
            else:
                task.tried.add(way)
                self._again(task, each)

    def _reached(self, task: Task, version: Version) -> None:
        """A translation: is every term there? The text goes once more with placeholders where not."""
        draft = task.draft
        if task.begun is not None:
            begun, task.begun, task.text = task.begun, None, draft.text
            whole = toned(unmarked(version.text), draft.market, task.job.formality)
            rest = continued(task.given, whole, task.job.target) if keeps(begun, whole) else None
            if rest is None:
                self._tasks.append(task)
            else:
                self._give(task, version._replace(text=rest, alternatives=()))
            return
        if task.plain is None:
            version = _unmarked(version)
        if task.plain is None and not keeps(draft, version.text):
            task.plain, task.text = version, draft.masked
            self._tasks.append(task)
            return
        if task.plain is not None:
            text = restored(draft, version.text)
            version = version._replace(text=text, alternatives=()) if text is not None else task.plain
        self.hits.count(draft, version.text)
        text = toned(mended(draft, version.text), draft.market, task.job.formality)
        self._give(task, version._replace(text=text))

    def _give(self, task: Task, version: Version) -> None:
        """The answer; it is known while the sentence may go on."""
        job = task.job
        before = opening(task.brief.before) if task.given else ""
        said = joined((before, task.draft.text), job.source)
        self._given[_sentence(job, said)] = joined((task.given, version.text), job.target)
        while len(self._given) > self.terms.begun:
            self._given.popitem(last=False)
        self._done.append(self._result(task, version))

    def _again(self, task: Task, fault: TranslatorFault) -> None:
        """Another way, if there is one."""
        way = task.way
        if task.plain is not None:
            self._reached(task, task.plain)
        elif self._take_way(task):
            self._tasks.append(task)
        else:
            self._done.append(Failed(task.job.key, by=self._named(way), why=fault.why, ever=fault.ever))

    def _resting(self, way: Way) -> bool:
        return any(self._rests.get(hop.by, 0.0) > self._now for hop in way)

    def _translated(self, way: Way, tasks: Sequence[Task]) -> list[Told]:
        """Hop by hop; who translates the second takes the first's word for it."""
        told: list[Told] = [Version(task.text) for task in tasks]
        for hop in way:
            going = [(at, each) for at, each in enumerate(told) if isinstance(each, Version)]
            briefs = [self._hopped(tasks[at].brief, hop, len(way)) for at, _ in going]
            reached = self._hop(hop.by, [each.text for _, each in going], briefs)
            for (at, before), after in zip(going, reached, strict=True):
                told[at] = after
                if isinstance(after, Version):
                    told[at] = after._replace(sure=before.sure * after.sure)
        return told

    def _hopped(self, brief: Brief, hop: Hop, hops: int) -> Brief:
        """What is told to the translator of one hop: nothing that it does not mind."""
        pair = brief.pair
        source = brief.source if hop.pair.source == pair.source else hop.pair.source
        target = brief.target if hop.pair.target == pair.target else hop.pair.target
        if not self.translators[hop.by].minds:
            return Brief(source, target)
        before = brief.before if hop.pair.source == pair.source else ""
        return brief._replace(source=source, target=target, before=before, terms=brief.terms * (hops == 1))

    def _hop(self, by: int, texts: Sequence[str], briefs: Sequence[Brief]) -> list[Told]:
        """What is known already is not asked again."""
        keys = [(by, text, brief) for text, brief in zip(texts, briefs, strict=True)]
        new = list(dict.fromkeys(key for key in keys if key not in self._known))
        found: dict[tuple[int, str, Brief], Told] = {}
        if new:
            translator = self.translators[by]
            asked = [spelled(text, translator.slot) for _, text, _ in new]
            told = translator.translate(asked, [brief for _, _, brief in new])
            for key, each in zip(new, told, strict=True):
                slot, most = translator.slot, self.terms.chars
                found[key] = _read(each, slot, most) if isinstance(each, Version) else each
        reached = [found[key] if key in found else self._known[key] for key in keys]
        for key, each in zip(keys, reached, strict=True):
            if isinstance(each, Version):
                self._known[key] = each
                self._known.move_to_end(key)
        while len(self._known) > self.terms.kept:
            self._known.popitem(last=False)
        return reached

    def _result(self, task: Task, version: Version) -> Translated:
        via = tuple(hop.pair.target for hop in task.way[:-1])
        return Translated(
            task.job.key,
            by=self._named(task.way),
            text=version.text,
            alternatives=version.alternatives,
            sure=version.sure,
            gist=any(self._sides[hop.by].gist for hop in task.way),
            via=via,
        )

    def _named(self, way: Way) -> str:
        return " + ".join(dict.fromkeys(self.translators[hop.by].name for hop in way))


def _sentence(job: Translate, text: str) -> tuple[str, ...]:
    return text, job.source, job.target, job.market, job.formality


def _unmarked(version: Version) -> Version:
    """Placeholders that nobody put there are nothing to read."""
    return version._replace(
        text=unmarked(version.text), alternatives=tuple(map(unmarked, version.alternatives))
    )


def _read(version: Version, slot: str, most: int) -> Version:
    """What a translator told, with the house's placeholders and within bounds."""
    texts = [
        unspelled(" ".join(each.split())[: 2 * most], slot) for each in (version.text, *version.alternatives)
    ]
    return Version(texts[0], tuple(texts[1:5]), min(1.0, max(0.0, version.sure)))
