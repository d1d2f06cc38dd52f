"""Prompts and music: order, loops, announcements over music, and files of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

from media.clock import BLOCK, RATE
from media.io import wav
from media.player import Cache, Done, Player, Unreadable
from tests.media.stage import strength, tone, write_wav


class Shelf:
    """Sounds by name; a name in `loading` is not there yet."""

    def __init__(self, **sounds: np.ndarray) -> None:
        self.sounds = sounds
        self.loading: set[str] = set()

    def get(self, path: str, rate: int) -> np.ndarray | None:
        if path in self.loading:
            return None
        if path not in self.sounds:
            raise Unreadable(path)
        return self.sounds[path]


def steady(value: int, blocks: float) -> np.ndarray:
    return np.full(int(blocks * BLOCK), value, np.int16)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(one=steady(1, 2), two=steady(2, 1.5), music=np.arange(1, 5 * BLOCK + 1, dtype=np.int16))


@pytest.fixture
def player(shelf) -> Player:
    return Player(shelf)


def listen(player: Player, blocks: int = 1) -> tuple[np.ndarray, list]:
    out, done = np.zeros((blocks, BLOCK), np.int32), []
    for block in out:
        player.block(block, RATE, done)
    return out.reshape(-1), done


def test_files_of_a_play_follow_each_other_without_a_gap(player):
    player.play(1, ["one", "two"], False, 1.0)
    sound, done = listen(player, 4)
    assert (sound == np.concatenate([steady(1, 2), steady(2, 1.5), steady(0, 0.5)])).all()
    assert done == [Done(1, True)] and not player.playing


def test_plays_queue_and_each_is_told_done(player):
    player.play(1, ["two"], False, 1.0)
    player.play(2, ["one"], False, 1.0)
    sound, done = listen(player, 4)
    assert (sound[: 3 * BLOCK + 80] == np.concatenate([steady(2, 1.5), steady(1, 2)])).all()
    assert done == [Done(1, True), Done(2, True)]


def test_a_loop_goes_on_without_a_gap_until_it_is_stopped(player):
    player.play(1, ["two"], True, 1.0)
    sound, done = listen(player, 30)
    assert (sound == 2).all() and done == []
    assert player.stop(None) == [Done(1, False)]
    assert not listen(player)[0].any() and not player.playing


def test_music_gives_way_to_an_announcement_and_goes_on_where_it_was(player):
    player.play(1, ["music"], True, 1.0)
    before, _ = listen(player, 2)
    player.play(2, ["one"], False, 1.0)
    during, done = listen(player, 2)
    after, _ = listen(player, 1)
    assert (before == np.arange(1, 2 * BLOCK + 1)).all()
    assert (during == 1).all() and done == [Done(2, True)]
    assert (after == np.arange(2 * BLOCK + 1, 3 * BLOCK + 1)).all()


def test_new_music_replaces_the_old(player):
    player.play(1, ["music"], True, 1.0)
    assert player.play(2, ["one"], True, 1.0) == [Done(1, False)]
    assert (listen(player, 3)[0] == 1).all()


def test_one_play_of_several_can_be_stopped(player):
    for number in (1, 2, 3):
        player.play(number, ["one"], False, 1.0)
    assert player.stop(2) == [Done(2, False)]
    assert listen(player, 5)[1] == [Done(1, True), Done(3, True)]


def test_gain_applies_to_a_play(player):
    player.play(1, ["music"], False, 0.5)
    assert listen(player)[0][9] == 5


def test_a_file_that_cannot_be_read_ends_its_play_as_not_completed(player):
    player.play(1, ["nothing"], False, 1.0)
    player.play(2, ["one"], False, 1.0)
    sound, done = listen(player, 3)
    assert Done(1, False) in done and Done(2, True) in done and (sound[:BLOCK] == 1).all()


def test_a_loop_of_files_that_cannot_be_read_ends(player):
    player.play(1, ["nothing", "neither"], True, 1.0)
    assert listen(player)[1] == [Done(1, False)] and not player.playing


def test_a_file_that_is_still_being_loaded_is_waited_for(player, shelf):
    shelf.loading.add("one")
    player.play(1, ["one"], False, 1.0)
    assert not listen(player, 3)[0].any()
    shelf.loading.clear()
    assert (listen(player, 2)[0] == 1).all()


def test_a_play_of_nothing_or_past_the_queues_bound_is_done_at_once(player):
    assert player.play(1, [], False, 1.0) == [Done(1, False)]
    for number in range(2, 66):
        assert player.play(number, ["one"], False, 1.0) == []
    assert player.play(99, ["one"], False, 1.0) == [Done(99, False)]


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_files_of_any_rate_become_the_rendered_rate(tmp_path, rate, channels):
    n = np.arange(rate // 2)
    one = np.rint(9000 * np.sin(2 * np.pi * 1000 * n / rate)).astype(np.int16)
    sound = wav.read(write_wav(tmp_path / "a.wav", np.stack([one] * channels, axis=1), rate), RATE)
    assert abs(len(sound) - 4000) <= 1
    assert strength(sound[400:3600], 1000) == pytest.approx(9000, rel=0.01)
    residue = sound[400:3600] - strength(sound[400:3600], 1000) * np.sin(2 * np.pi * np.arange(400, 3600) / 8)
    assert np.sqrt(np.mean(residue.astype(float) ** 2)) < 20


def test_what_telephony_cannot_carry_is_filtered_out_not_folded_back(tmp_path):
    n = np.arange(16000)
    high = np.rint(9000 * np.sin(2 * np.pi * 5000 * n / 16000)).astype(np.int16)
    sound = wav.read(write_wav(tmp_path / "high.wav", high, 16000), RATE)
    assert np.abs(sound[200:-200]).max() <= 2


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x24\0\0\0WAVEfmt ", b"no wav at all" * 50])
def test_a_file_that_is_no_wav_is_unreadable(tmp_path, content):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        wav.read(str(path), RATE)


def test_a_wav_without_samples_is_unreadable(tmp_path):
    with pytest.raises(Unreadable):
        wav.read(write_wav(tmp_path / "empty.wav", np.empty(0, np.int16)), RATE)


def test_the_cache_forgets_what_was_longest_unused_when_it_is_full():
    cache = Cache(limit=3 * 320)
    for name in "abc":
        cache.put(name, RATE, steady(1, 1))
    cache.get("a", RATE)
    cache.put("d", RATE, steady(1, 1))
    assert [name for name in "abcd" if cache.get(name, RATE) is not None] == ["a", "c", "d"]


def test_files_read_beside_the_tick_come_when_they_are_ready(tmp_path):
    files = wav.ThreadedFiles()
    path = write_wav(tmp_path / "a.wav", tone(440, 0.1))
    assert files.get(path, RATE) is None
    files.wait(path, RATE)
    sound = files.get(path, RATE)
    assert sound is not None and len(sound) == 800
    assert files.get(str(tmp_path / "none.wav"), RATE) is None
    files.wait(str(tmp_path / "none.wav"), RATE)
    with pytest.raises(Unreadable):
        files.get(str(tmp_path / "none.wav"), RATE)
    files.close()


def test_a_play_goes_on_where_it_was_when_its_leg_is_rendered_at_another_rate():
    sounds = {8000: np.arange(1, 401, dtype=np.int16), 16000: np.repeat(np.arange(1, 401, dtype=np.int16), 2)}

    class Rates:
        def get(self, path: str, rate: int) -> np.ndarray:
            return sounds[rate]

    player, done = Player(Rates()), []
    player.play(1, ["a"], False, 1.0)
    narrow, wide = np.zeros(160, np.int32), np.zeros(320, np.int32)
    player.block(narrow, 8000, done)
    player.block(wide, 16000, done)
    assert narrow[-1] == 160 and wide[0] == wide[1] == 161 and wide[-1] == 320
    rest = np.zeros(160, np.int32)
    player.block(rest, 8000, done)
    assert rest[:80].tolist() == list(range(321, 401)) and not rest[80:].any()
    assert [play.number for play in done] == [1]


def test_a_prompt_that_may_be_interrupted_pauses_without_a_click_and_goes_on_where_it_was(shelf, player):
    shelf.sounds["long"] = np.full(10 * BLOCK, 4000, np.int16)
    player.play(1, ["long"], False, 1.0, barge=True)
    listen(player)
    player.pause()
    fading, _ = listen(player)
    assert fading[0] > 3900 and fading[-1] == 0 and np.abs(np.diff(fading)).max() < 60
    assert not listen(player, 3)[0].any()
    player.resume()
    back, _ = listen(player)
    assert back[0] < 60 and back[-1] == 4000
    rest, done = listen(player, 7)
    assert (rest == 4000).all() and done == [Done(1, True)]


def test_an_interruption_ends_all_that_may_be_interrupted_and_leaves_the_music(player):
    player.play(1, ["music"], True, 1.0)
    player.play(2, ["one"], False, 1.0, barge=True)
    player.play(3, ["two"], False, 1.0)
    player.play(4, ["one"], False, 1.0, barge=True)
    assert player.interrupt() == [Done(2, False, True), Done(4, False, True)]
    assert listen(player, 3)[1] == [Done(3, True)] and player.playing


def test_what_may_not_be_interrupted_goes_on_while_somebody_speaks(player):
    player.play(1, ["one"], False, 1.0)
    player.pause()
    assert (listen(player)[0] == 1).all() and player.interrupt() == []
