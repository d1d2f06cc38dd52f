"""Tables of benchmark figures, made from benchmarks/results: `python -m benchmarks.table [--write]`.

The README has the figures that are held to an aim, benchmarks/results/README.md all of them. What each means
is said in `FIGURES`, once; a figure that is measured and not said there is an error, so that no table grows
numbers that nobody can read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
WHOLE = RESULTS / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


class Figure(NamedTuple):
    """How a figure is told: what it is, its unit, and what it should be."""

    meaning: str
    unit: str = ""
    aim: str = ""


FIGURES = {
    "calls": {
        "calls": Figure("G.711 calls at once in the largest run of one worker"),
        "relayed_x_floor": Figure("CPU of relayed calls, against system calls alone", "×", "≤ 1.3"),
        "relayed_x_floor_python": Figure("CPU of relayed calls without the helper in C", "×", "≤ 1.7"),
        "rendered_x_floor": Figure("CPU of calls decoded, buffered, mixed and encoded", "×", "≤ 2.5"),
        "recorded_x_floor": Figure("CPU of calls relayed and tapped for recording", "×", "≤ 3"),
        "flatness": Figure("CPU a relayed call in the largest run, against 100 calls", "×", "≤ 1"),
        "relayed_delay_p95_ms": Figure("delay added by the relay, 95th percentile", "ms", "< 7"),
        "lost_packets": Figure("packets lost on the way through", "", "0"),
        "leg_kb": Figure("memory a leg of a call", "kB", "< 100"),
        "floor_ms": Figure("CPU a second a call of the system calls alone", "ms"),
        "relayed_ms": Figure("CPU a second a relayed call", "ms"),
        "rendered_ms": Figure("CPU a second a rendered call", "ms"),
        "recorded_ms": Figure("CPU a second a relayed and tapped call", "ms"),
    },
    "recorder": {
        "calls": Figure("recordings at once"),
        "wav_x_floor": Figure("CPU of recording to WAV, beside the tap, against system calls alone", "×"),
        "opus_x_floor": Figure("of recording to Opus, the two speaking in turns", "×"),
        "opus_sealed_x_floor": Figure("the same, sealed", "×"),
        "opus_both_x_floor": Figure("both speaking all the time", "×"),
        "wav_ms": Figure("CPU a second a call of recording to WAV", "ms"),
        "opus_ms": Figure("to Opus, in turns", "ms"),
        "opus_sealed_ms": Figure("the same, sealed", "ms"),
        "opus_both_ms": Figure("both all the time", "ms"),
        "floor_ms": Figure("CPU a second a call of the system calls alone", "ms"),
        "wav_kbps": Figure("what goes to the disk in WAV", "kb/s"),
        "opus_kbps": Figure("in Opus, in turns", "kb/s"),
        "opus_sealed_kbps": Figure("the same, sealed", "kb/s"),
        "opus_both_kbps": Figure("both all the time", "kb/s"),
    },
    "front": {
        "front_ms_per_call": Figure("CPU of Kamailio a call, with the shipped configuration", "ms"),
        "front_ms_per_register": Figure("a registration's request that a node challenges", "ms"),
        "front_idle_ms": Figure("CPU a second when nothing happens", "ms"),
        "front_kb_per_socket": Figure("memory of a browser's connection to it", "kB"),
        "journal_kb_per_call": Figure("what a node writes of a call into journal and records", "kB"),
        "redis_commands_per_call": Figure("commands that Redis gets of a call"),
        "redis_commands_idle": Figure("commands a second and node when nothing happens"),
        "redis_us_per_command": Figure("CPU of Redis a command, both together", "µs"),
    },
    "adapt": {
        "stoi_ours": Figure("speech understood over a 2G link (STOI), Opus adapted to it", "", "> 0.7"),
        "stoi_fixed": Figure("the same with G.711 that does not adapt", ""),
        "stoi_from_g711": Figure("the same of G.711 that asks for Opus", ""),
        "stoi_from_wide": Figure("the same of Opus that adapts from a wide network", ""),
        "kbps_ours": Figure("what the adapted stream offers to the link, headers and all", "kb/s", "< 16"),
    },
    "sentiment": {
        "macro_f1": Figure("callers' feelings by their words, ten markets: F1 on sentences set apart"),
        "macro_f1_negated": Figure("of those, where something is denied"),
        "macro_f1_dev": Figure("F1 on the sentences that the lexica were made by"),
        "macro_f1_later": Figure("F1 on sentences that were written when the lexica were done"),
        "macro_f1_later_negated": Figure("of those, where something is denied"),
        "us_per_sentence": Figure("CPU of one", "µs"),
    },
    "translate": {
        "sentences_per_s": Figure("clauses translated a second with their terms, Apertium, in batches", "/s"),
        "p95_ms": Figure("one alone, 95th percentile", "ms"),
        "glossary_hit": Figure("glossary terms right in translations", "", "1"),
        "glossary_hit_in_place": Figure("where they belong, not behind in brackets"),
        "glossary_hit_without": Figure("right without the glossary"),
        "glossary_hit_ten": Figure("right from each of ten markets to each, by a translator without words"),
        "glossary_hit_ten_in_place": Figure("where they belong"),
        "chrf": Figure("likeness to a reference (chrF)"),
        "chrf_without": Figure("without the glossary"),
        "reworded_share": Figure("words of a translation that readers saw change while it was said"),
        "reworded_share_naive": Figure("if each translation were shown as it comes"),
        "early_share": Figure("words that readers saw before the sentence was over"),
        "sentences": Figure("sentences and pairs of markets"),
    },
    "interpret": {
        "first_audio_p95_ms": Figure(
            "from the end of speech to the interpreter's first sound in a call, p95", "ms"
        ),
        "first_audio_p50_ms": Figure("median", "ms"),
        "played_p50_ms": Figure("from the last word until the node plays it, median", "ms"),
        "unheard": Figure("sentences in the call without an interpreter"),
        "calls_sentences": Figure("sentences in the call"),
        "noticed_p50_ms": Figure(
            "from the end of speech until VAD is sure of it, speech alone, median", "ms"
        ),
        "noticed_p95_ms": Figure("95th percentile", "ms"),
        "written_p50_ms": Figure("until the text is final, median", "ms"),
        "written_p95_ms": Figure("95th percentile", "ms"),
        "translated_p50_ms": Figure("until it is translated, median", "ms"),
        "translated_p95_ms": Figure("95th percentile", "ms"),
        "voiced_p50_ms": Figure("until the interpreter's voice is there, median", "ms"),
        "voiced_p95_ms": Figure("95th percentile", "ms"),
        "captions_p95_ms": Figure("until the text is final, of all speakers, 95th percentile", "ms"),
        "right_share": Figure("sentences that were recognised as they were said"),
        "sentences": Figure("sentences, speech alone"),
    },
    "overload": {
        "relayed_x_quiet": Figure(
            "CPU of relayed calls beside four times too much speech, over that without", "×", "≤ 1.1"
        ),
        "rendered_x_quiet": Figure("of rendered calls", "×", "≤ 1.1"),
        "floor_x_quiet": Figure("of the system calls alone", "×"),
        "relayed_ms": Figure("CPU a second a relayed call beside it", "ms"),
        "relayed_quiet_ms": Figure("without", "ms"),
        "rendered_ms": Figure("of a rendered one beside it", "ms"),
        "rendered_quiet_ms": Figure("without", "ms"),
        "delay_p95_ms": Figure("how long the worker keeps a packet beside it, 95th percentile", "ms"),
        "delay_p95_quiet_ms": Figure("without", "ms"),
        "lost_packets": Figure("packets lost beside it", "", "0"),
        "lost_packets_quiet": Figure("without"),
        "mos": Figure("MOS of the worst leg beside it"),
        "mos_quiet": Figure("without"),
        "shed_s": Figure("until all was given up that has to be", "s"),
        "recovered_s": Figure("until all of it was back, from when they were silent", "s"),
        "captioned_legs": Figure("speakers who had captions all the same"),
        "legs": Figure("speakers"),
        "captions_p95_ms": Figure("from the end of speech to the caption of these, 95th percentile", "ms"),
    },
    "plc": {
        "gain_over_spandsp_min": Figure("PESQ of concealment over spandsp's, where that is least", "", "> 0"),
        "gain_over_pjsip_min": Figure("and over a PJSIP softphone's", "", "> 0"),
        "blind_gain_over_spandsp_min": Figure(
            "PESQ over spandsp's, neither waiting for the packet after the gap", "", "> 0"
        ),
        "blind_gain_over_pjsip_min": Figure("PESQ over PJSIP's, ours not waiting for it", "", "> 0"),
        "pesq_5pct": Figure("PESQ of G.711 when 5 % of packets are lost"),
        "pesq_10pct": Figure("10 %"),
        "pesq_10pct_burst": Figure("10 % in bursts of 3 packets"),
        "blind_pesq_5pct": Figure("5 %, without the packet after the gap"),
        "blind_pesq_10pct": Figure("10 %"),
        "blind_pesq_10pct_burst": Figure("10 % in bursts"),
        "spandsp_pesq_5pct": Figure("5 %, spandsp"),
        "spandsp_pesq_10pct": Figure("10 %"),
        "spandsp_pesq_10pct_burst": Figure("10 % in bursts"),
        "pjsip_pesq_5pct": Figure("5 %, PJSIP"),
        "pjsip_pesq_10pct": Figure("10 %"),
        "pjsip_pesq_10pct_burst": Figure("10 % in bursts"),
        "opus_fec_pesq_5pct": Figure("5 %, Opus at 24 kb/s with FEC"),
        "opus_fec_pesq_10pct": Figure("10 %"),
        "opus_fec_pesq_10pct_burst": Figure("10 % in bursts"),
        "pesq_clean": Figure("nothing lost, G.711 alone"),
        "pjsip_pesq_clean": Figure("nothing lost, PJSIP"),
        "stoi_10pct": Figure("speech understood at 10 %, by STOI", "", "≥ 0.8"),
        "us_per_leg_1": Figure("CPU of 20 ms concealed, one leg losing", "µs"),
        "us_per_leg_10": Figure("a leg, ten losing at once", "µs"),
        "us_per_leg_100": Figure("a leg, a hundred", "µs"),
        "lookahead_ms": Figure("delay of the jitter buffer that the figures of ours need", "ms"),
        "speech_s": Figure("speech that was listened to, a condition", "s"),
    },
    "sound": {
        "vad_ours_steady": Figure("speech found under white noise and hum, 20 to 5 dB"),
        "vad_ours_false_steady": Figure("that noise alone taken for speech"),
        "vad_webrtc1_steady": Figure("speech found by webrtcvad, mode 1"),
        "vad_webrtc1_false_steady": Figure("and noise taken for it"),
        "vad_webrtc3_steady": Figure("by webrtcvad, mode 3"),
        "vad_webrtc3_false_steady": Figure("and noise taken for it"),
        "vad_ours_babble": Figure("speech found under twelve other talkers"),
        "vad_ours_false_babble": Figure("the others alone taken for speech"),
        "vad_webrtc1_babble": Figure("found by webrtcvad, mode 1"),
        "vad_webrtc1_false_babble": Figure("and others taken for it"),
        "vad_webrtc3_babble": Figure("by webrtcvad, mode 3"),
        "vad_webrtc3_false_babble": Figure("and others taken for it"),
        "noise_pesq_gain_white": Figure("PESQ won by noise suppression, white noise, 20 to 5 dB"),
        "noise_pesq_gain_hum": Figure("hum"),
        "noise_pesq_gain_babble": Figure("other talkers"),
        "noise_stoi_change_white_min": Figure("change of STOI where it is worst, white noise"),
        "noise_stoi_change_hum_min": Figure("hum"),
        "noise_stoi_change_babble_min": Figure("other talkers"),
        "talk_off_digits_an_hour": Figure("keys told of an hour of speech that presses none"),
        **{
            f"{what}_us_{rate}k": Figure(f"{meaning}, a leg and tick of 100 at {rate} kHz", "µs")
            for what, meaning in (
                ("vad", "CPU of voice activity"),
                ("noise", "of noise suppression"),
                ("level", "of level normalisation"),
                ("tones", "of digits in the sound"),
                ("comfort", "of comfort noise"),
                ("bargein", "of barge-in"),
            )
            for rate in (8, 16)
        },
    },
    "repair": {
        "pesq_jitter20": Figure(
            "PESQ over 20 ms of jitter, relayed or repaired as the policy has it", "", "≥ 3.7"
        ),
        "pesq_jitter20_loss5": Figure("PESQ over that and 5 % loss", "", "≥ 3.3"),
        "pesq_clean": Figure("on a clean network"),
        "pesq_jitter20_relayed": Figure("20 ms of jitter, always relayed"),
        "pesq_jitter20_loss5_relayed": Figure("with 5 % lost too"),
        "pesq_clean_relayed": Figure("on a clean network"),
        "pesq_jitter20_repaired": Figure("20 ms of jitter, always repaired"),
        "pesq_jitter20_loss5_repaired": Figure("with 5 % lost too"),
        "pesq_clean_repaired": Figure("on a clean network"),
        "added_delay_ms": Figure("what repair adds from mouth to ear, where that is most", "ms", "≤ 60"),
        "delay_jitter20_ms": Figure("at 20 ms of jitter", "ms"),
        "delay_jitter20_loss5_ms": Figure("with 5 % lost too", "ms"),
        "delay_clean_ms": Figure("on a clean network", "ms"),
    },
    "transcode": {
        "opus_x_codec": Figure("CPU of G.711 to Opus and back, against libopus alone", "×", "≤ 1.3"),
        "g722_x_codec": Figure("CPU of G.711 to G.722 and back, against its library", "×", "≤ 1.3"),
        "amrwb_x_codec": Figure("CPU of G.711 to AMR-WB and back, against its libraries", "×", "≤ 1.3"),
        "opus_library_ms": Figure("CPU a second a call of libopus alone", "ms"),
        "g722_library_ms": Figure("of G.722's library", "ms"),
        "amrwb_library_ms": Figure("of AMR-WB's", "ms"),
        "opus_worker_ms": Figure("of a whole worker without sockets, Opus", "ms"),
        "g722_worker_ms": Figure("G.722", "ms"),
        "amrwb_worker_ms": Figure("AMR-WB", "ms"),
    },
    "jitter": {
        "delay_over_hindsight_ms_max": Figure(
            "jitter buffer's delay over the best with hindsight", "ms", "≤ 15"
        ),
        "delay_over_oracle_ms_max": Figure("and over an oracle that chooses anew every 2 s", "ms"),
        "pesq_ours": Figure("PESQ over all delay traces"),
        "pesq_fixed_40ms": Figure("fixed delay of 40 ms"),
        "pesq_fixed_60ms": Figure("60 ms"),
        "pesq_fixed_100ms": Figure("100 ms"),
        "pesq_fixed_200ms": Figure("200 ms"),
        "slot_us_8k": Figure("CPU of a clean packet buffered and played, 8 kHz", "µs"),
        "slot_us_16k": Figure("16 kHz", "µs"),
    },
    "lines": {
        "choices_per_s": Figure("lines chosen a second of 200 with 10,000 rates each, one core", "/s"),
        "choose_p50_us": Figure("CPU of one choice", "µs"),
        "choose_p99_us": Figure("CPU of choosing a line of 200, 99th percentile", "µs", "< 1,000"),
        "choose_x_floor": Figure("against the longest prefix and the cheapest price alone", "×"),
        "floor_us": Figure("CPU of that", "µs"),
        "whole_call_us": Figure("CPU of a call: its choice, its attempt, and what is learnt of it", "µs"),
        "first_of_prefix_us": Figure("CPU of a destination that nobody called lately", "µs"),
        "with_words_us": Figure("a choice, and what it says of all lines in words", "µs"),
        "kb_per_rate": Figure("memory a rate", "kB"),
        "built_s": Figure("CPU of reading all rates in", "s"),
    },
    "failover": {
        "pdd_added_p50_ms": Figure("post-dial delay that a dead line adds to calls sent there, median", "ms"),
        "pdd_added_p95_ms": Figure("post-dial delay that a dead line adds, 95th percentile", "ms"),
        "lost": Figure("calls lost when a line dies, at 50 a second", "", "0"),
        "wrong_retries": Figure("calls tried over another line after they rang, or were busy", "", "0"),
        "double_rings": Figure("calls that rang twice when a line died", "", "0"),
        "stop_s": Figure("from its death to the last call sent there, trials among them", "s"),
        "stop_mute_s": Figure("the same where it answers and sends no sound", "s"),
        "unheard_mute": Figure("calls that were answered there and heard nothing"),
        "return_s": Figure("from its return to the first", "s"),
        "rescued_share": Figure("share of live calls that a dying line loses to the other one", "", "1"),
        "rescue_gap_p95_ms": Figure("until they heard their far end again", "ms"),
        **{
            f"{what}_{fault}": Figure(f"{words}, when the gateway {does}", unit)
            for fault, does in (
                ("process", "ceases to listen"),
                ("blackhole", "swallows everything"),
                ("503", "refuses everything"),
                ("mute", "answers and sends no sound"),
            )
            for what, words, unit in (("pdd_added_p95_ms", "delay added", "ms"), ("lost", "calls lost", ""))
        },
        "pdd_added_p95_kamailio_ms": Figure("delay added behind Kamailio's dispatcher", "ms"),
        "lost_kamailio": Figure("calls lost there"),
        "stop_kamailio_s": Figure("from the death to the last call that it sends there", "s"),
    },
    "surge": {
        "connect_share_3x": Figure("calls answered at three times the usual load", "", "≥ 0.98"),
        "accepted_mos_3x": Figure("worst MOS of those who talk meanwhile"),
        "unclean_3x": Figure("calls neither answered nor told when to come again, at three times", "", "0"),
        "connect_share_10x": Figure("calls answered at ten times the usual load"),
        "carried_10x_per_s": Figure("of 32 a second that the lines take", "1/s"),
        "accepted_mos_10x": Figure("worst MOS of those who talk meanwhile"),
        "unclean_10x": Figure("calls neither answered nor told when to come again, at ten times", "", "0"),
        "crashed": Figure("crashes under ten times the usual load", "", "0"),
    },
    "nearest": {
        "on_nearest_share": Figure("share of calls on the truly nearest healthy node", "", "≥ 0.99"),
        "lost_ms_mean": Figure("round trip more than to the nearest", "ms"),
        "decide_p99_ms": Figure(
            "CPU of deciding on a node of 1,000 and a line of 100, 99th percentile", "ms", "< 1"
        ),
        "decide_p50_ms": Figure("the same, median", "ms"),
        "decide_node_p99_ms": Figure("of that, the node", "ms"),
        "gone_s": Figure("from a node's death until all others know", "s", "≤ 2"),
        "drained_s": Figure("from the wish to drain until all others know", "s"),
        "met_s": Figure("from the start of a node until each has all others", "s"),
        "calls": Figure("calls made"),
        "packets": Figure("packets that the relay passed"),
    },
    "sip": {
        "messages_per_s": Figure("SIP messages parsed a second, one core", "/s"),
        "calls_per_s": Figure("calls set up and torn down a second, one core", "/s", "≥ 200"),
        "cpu_ms_per_call": Figure("CPU a call, signalling on both sides", "ms", "≤ 5"),
        "setup_p95_ms": Figure("INVITE to 200 at that rate, 95th percentile", "ms"),
        "parse_us": Figure("an INVITE of 1 kB read with its typed values", "µs"),
        "encode_us": Figure("and written", "µs"),
        "respond_us": Figure("and answered", "µs"),
    },
    "srtp": {
        "protect_us_gcm256": Figure("a packet encrypted, AEAD_AES_256_GCM", "µs"),
        "protect_us_gcm128": Figure("AEAD_AES_128_GCM", "µs"),
        "protect_us_cm80": Figure("AES_CM_128_HMAC_SHA1_80", "µs"),
        "protect_us_cm32": Figure("AES_CM_128_HMAC_SHA1_32", "µs"),
        "unprotect_us_gcm256": Figure("a packet authenticated and decrypted, AEAD_AES_256_GCM", "µs"),
        "unprotect_us_gcm128": Figure("AEAD_AES_128_GCM", "µs"),
        "unprotect_us_cm80": Figure("AES_CM_128_HMAC_SHA1_80", "µs"),
        "unprotect_us_cm32": Figure("AES_CM_128_HMAC_SHA1_32", "µs"),
        "x_libsrtp": Figure("CPU of encryption and decryption, against libsrtp alone", "×", "≤ 1.6"),
        "plain_us": Figure("CPU of a plain packet, for encryption being there", "µs", "< 0.01"),
        "plain_beside_us": Figure("CPU of a plain packet beside an encrypted leg", "µs", "< 0.1"),
    },
    "webrtc": {
        "cpu_x_stock": Figure(
            "CPU a leg of ten browsers', Opus both ways, against stock aiortc", "×", "≤ 0.2"
        ),
        "cpu_x_lean": Figure("and against aiortc whose encoder does what ours does", "×"),
        "cpu_ms": Figure("CPU a second a leg of our worker and gate", "ms"),
        "cpu_stock_ms": Figure("of stock aiortc", "ms"),
        "cpu_lean_ms": Figure("of aiortc whose encoder does what ours does", "ms"),
        "legs": Figure("browsers' legs in the largest run of ours"),
        "legs_stock": Figure("in that of stock aiortc"),
        "relayed_ms": Figure("of ours where Opus is passed on as it is", "ms"),
        "setup_p95_ms": Figure("from a browser's offer to the first sound, 95th percentile", "ms"),
        "setup_p50_ms": Figure("median", "ms"),
        "setup_stock_p95_ms": Figure("95th percentile, stock aiortc", "ms"),
        "setup_stock_p50_ms": Figure("median", "ms"),
        "setup_loss_p95_ms": Figure("at 5 % loss both ways, 95th percentile", "ms"),
        "setup_loss_p50_ms": Figure("median", "ms"),
        "setup_loss_stock_p95_ms": Figure("95th percentile, stock aiortc", "ms"),
        "setup_loss_stock_p50_ms": Figure("median", "ms"),
        "delay_after_loss_ms": Figure("how late speech is some seconds after 5 % were lost", "ms"),
        "delay_before_loss_ms": Figure("and before", "ms"),
        "delay_after_loss_stock_ms": Figure("after, stock aiortc", "ms"),
        "delay_before_loss_stock_ms": Figure("and before", "ms"),
    },
}


def results() -> dict[str, dict[str, Any]]:
    """The kept result of each benchmark, by noun."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))}


def rounded(value: float | None) -> str:
    """Three digits that matter, and no more precision than was measured."""
    if value is None:
        return "—"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Row(NamedTuple):
    """A line of a table. at: the number of calls it is of, "" when it is that of the largest run."""

    name: str
    figure: Figure
    at: str
    value: str


def rows(noun: str, result: dict[str, Any]) -> list[Row]:
    """The result's figures in the order of `FIGURES`. Raises KeyError for one not described there."""
    described, figures = FIGURES[noun], dict(result["figures"])
    found = []
    for name, figure in described.items():
        for full in sorted(figures, key=lambda full: int(_number(full) or 0)):
            at = _number(full) if full != name else ""
            if full == name or (at and full == f"{name}_{at}" and full not in described):
                value = " ".join(filter(None, (rounded(figures.pop(full)), figure.unit)))
                found.append(Row(full, figure, at, value))
    if figures:
        raise KeyError(f"say in benchmarks/table.py what these figures of '{noun}' mean: {sorted(figures)}")
    return found


def _number(name: str) -> str:
    """What a figure's name ends in when it is that at so many calls, or calls a second."""
    found = re.search(r"_(\d+)$", name)
    return found[1] if found else ""


def table(kept: dict[str, dict[str, Any]]) -> str:
    """README's table, in Markdown: what is held to an aim, and the benchmark that says so."""
    if not kept:
        return "Nothing is measured yet: `make bench`."
    lines = ["| what is measured | figure | aim | by, at |", "|---|---:|---|---|"]
    for noun, result in kept.items():
        by = f"`bench_{noun}`, {result['commit'][:7]}"
        held = [row for row in rows(noun, result) if row.figure.aim and not row.at]
        lines += [f"| {row.figure.meaning} | {row.value} | {row.figure.aim} | {by} |" for row in held]
    machines = sorted({result["machine"] for result in kept.values()})
    return "\n".join([*lines, "", "Measured on " + "; ".join(machines) + "."])


def whole(kept: dict[str, dict[str, Any]]) -> str:
    """All figures, in Markdown, a table each benchmark."""
    parts = ["# What was measured", "Made by `make table`; [what the figures mean](../README.md)."]
    for noun, result in kept.items():
        parts.append(f"## {noun}")
        parts.append(f"`python -m benchmarks.bench_{noun}` at {result['commit'][:7]}, {result['machine']}.")
        lines = ["| name | what is measured | figure | aim |", "|---|---|---:|---|"]
        for name, figure, at, value in rows(noun, result):
            meaning = f"{figure.meaning}, at {at}" if at else figure.meaning
            lines.append(f"| `{name}` | {meaning} | {value} | {figure.aim} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def placed(readme: str, made: str) -> str:
    """The README with the table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"README.md has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into the two READMEs")
    options = parser.parse_args()
    made = table(results())
    if options.write:
        README.write_text(placed(README.read_text("utf-8"), made), encoding="utf-8")
        WHOLE.write_text(whole(results()), encoding="utf-8")
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
