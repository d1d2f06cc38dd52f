"""Speech behind a network that loses packets, through a worker on a virtual clock: how much is understood.

Several calls side by side, each with losses of its own; STOI (Taal et al., 2011) is of all that was said once
the network has got bad, found again wherever play-out has put it.
"""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest

from benchmarks import hearing
from media import codecs
from media.codecs import Tuning, g711, opus
from media.columns import I16
from media.messages import Codec
from tests.media.stage import PCMA, PCMU, Phone, Stage, packet
from tests.media.test_planes import connect, skip_if_missing

OPUS = Codec(111, "opus", 48000, channels=2, params={"useinbandfec": "1"})
RATE, WIDE = 8000, 16_000
SECONDS, CLEAN_S = 10.0, 2.0
CALLS, SEED = 3, 7
UNDERSTOOD = 0.8
LATEST, SLACK = int(0.4 * RATE), int(0.1 * RATE)


@pytest.fixture(scope="module")
def said() -> dict[int, I16]:
    """Speech of several talkers, by rate."""
    try:
        parts = {rate: hearing.passages(rate, seconds=SECONDS, seed=3) for rate in (RATE, WIDE)}
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return {
        rate: np.concatenate([each.samples for each in some])[: int(SECONDS * rate)]
        for rate, some in parts.items()
    }


def coded(codec: Codec, said: dict[int, I16]) -> list[bytes]:
    """Packets of 20 ms as phones send them: Opus as it prepares for 20 % of loss."""
    if codec is PCMA:
        return [each.tobytes() for each in g711.encode(g711.A, said[RATE]).reshape(-1, RATE // 50)]
    encoder = opus.Encoder({"useinbandfec": "1"})
    encoder.tune(Tuning(bitrate=28_000, fec_loss=20))
    return [encoder.encode(block) for block in said[WIDE].reshape(-1, WIDE // 50)]


def talk(stage: Stage, codec: Codec, packets: list[bytes], share: float) -> list[Phone]:
    """The same said in all calls, each with losses of its own; who heard it, in a codec that nobody spoke."""
    pairs = [(stage.leg(2 * i + 1, codec), stage.leg(2 * i + 2, PCMU)) for i in range(CALLS)]
    lost = [hearing.random_loss(len(packets), share, SEED + i) for i in range(CALLS)]
    kind = codecs.find(codec.name, codec.rate)
    assert kind is not None
    for i in range(CALLS):
        connect(stage, 2 * i + 1, 2 * i + 2)
        lost[i][: int(CLEAN_S * 50)] = False
    for number, payload in enumerate(packets):
        for (mouth, _), gone in zip(pairs, lost):
            if not gone[number]:
                mouth.throw(packet(number, number * kind.clock // 50, mouth.ssrc, payload, codec.pt))
        stage.run(0.02)
    stage.run(0.5)
    return [ear for _, ear in pairs]


def understood(speech: I16, ear: Phone) -> float:
    heard = np.pad(ear.audio(), (SLACK, len(speech)))
    found, calm = hearing.followed(speech, heard, RATE, LATEST), int(CLEAN_S * RATE)
    return hearing.stoi(speech[calm:], found[calm:], RATE)


@pytest.mark.parametrize(("codec", "share"), [(OPUS, 0.2), (PCMA, 0.1)], ids=["opus", "g711"])
def test_every_call_is_understood_at_the_loss_that_its_codec_has_to_bear(
    said: dict[int, I16], codec: Codec, share: float
) -> None:
    skip_if_missing(codec)
    ears = talk(Stage(), codec, coded(codec, said), share)
    scores = [understood(said[RATE], ear) for ear in ears]
    print(f"{codec.name}: {mean(scores):.3f}, {min(scores):.3f} at least")
    assert min(scores) >= UNDERSTOOD
