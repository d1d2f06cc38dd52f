"""What is worked on next: the asks of many utterances by when they are wanted, as many at once as is in time.

Last words come before partial ones. A batch takes from the front of the line as long as it can be done before
the first of it is due; what that takes is learnt from the batches before. A partial ask that cannot be in
time any more is left out, and one that a newer ask of its utterance has overtaken; a last word is never.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

FADE = 0.95  # of what was learnt, a batch
FIRST_S = 0.01  # what an ask is taken to cost before anything was learnt


@dataclass(frozen=True, slots=True)
class Ask:
    """key: of the job. due: s on the clock of `now`. turns: that it was worked on already, for `spent` s."""

    key: str
    stream: str
    due: float
    final: bool = False
    turns: int = 0
    spent: float = 0.0

    def again(self, seconds: float) -> Ask:
        """To be put in line once more: it was worked on, and is not done."""
        return replace(self, turns=self.turns + 1, spent=self.spent + seconds)


class Cost:
    """Seconds that a batch takes, as a line through those that were: so much each, and so much anyway."""

    def __init__(self) -> None:
        self._weight = self._count = self._square = self._seconds = self._product = 0.0

    def learn(self, count: int, seconds: float) -> None:
        for name, value in (
            ("_weight", 1.0),
            ("_count", count),
            ("_square", count * count),
            ("_seconds", seconds),
            ("_product", count * seconds),
        ):
            setattr(self, name, FADE * getattr(self, name) + value)

    def of(self, count: int) -> float:
        """Of a batch of so many."""
        if not self._weight:
            return FIRST_S * count
        mean, size = self._seconds / self._weight, self._count / self._weight
        spread = self._square / self._weight - size * size
        if spread < 1e-9:
            return mean * count / size
        each = (self._product / self._weight - mean * size) / spread
        each = min(max(each, 0.0), mean / size)
        return mean + each * (count - size)


class Deadlines:
    """The line. batch: asks at once at most; most: in it."""

    def __init__(self, batch: int = 1, most: int = 1024) -> None:
        self.batch = batch
        self.most = most
        self.cost = Cost()
        self._line: OrderedDict[str, Ask] = OrderedDict()  # by utterance

    def __len__(self) -> int:
        return len(self._line)

    def add(self, ask: Ask) -> Ask | None:
        """Put it in line. Returns what is left out for it: the one before of its utterance, or itself where
        the line is full of others.
        """
        before = self._line.get(ask.stream)
        if before is not None and before.final and not ask.final:
            return ask
        if before is None and len(self._line) >= self.most:
            return self._crowded(ask)
        self._line[ask.stream] = ask
        return before

    def forget(self, stream: str) -> Ask | None:
        return self._line.pop(stream, None)

    def late(self, now: float) -> list[Ask]:
        """Takes out partial asks that cannot be done in time any more."""
        bound = now + self.cost.of(1)
        late = [ask for ask in self._line.values() if not ask.final and ask.due < bound]
        for ask in late:
            del self._line[ask.stream]
        return late

    def take(self, now: float) -> list[Ask]:
        """Takes out the next batch, of at least one where there is any."""
        order = sorted(self._line.values(), key=_urgency)
        chosen: list[Ask] = []
        for ask in order[: self.batch]:
            first = min((each.due for each in chosen), default=ask.due)
            if chosen and now + self.cost.of(len(chosen) + 1) > min(first, ask.due):
                break
            chosen.append(ask)
        for ask in chosen:
            del self._line[ask.stream]
        return chosen

    def _crowded(self, ask: Ask) -> Ask | None:
        """A last word takes the place of the partial ask that is due last."""
        partial = [each for each in self._line.values() if not each.final]
        if not ask.final or not partial:
            return ask
        out = max(partial, key=_urgency)
        del self._line[out.stream]
        self._line[ask.stream] = ask
        return out


def _urgency(ask: Ask) -> tuple[bool, float]:
    return (not ask.final, ask.due)
