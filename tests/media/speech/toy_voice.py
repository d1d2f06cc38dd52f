"""A Piper voice of a few kilobytes, made on the spot: each letter is a tone. The model is ONNX, by hand.

Piper gives a model `input`, the numbers of phonemes, and takes `output`, sound of [1, 1, 1, n]. This one
looks each number up in a table of waves and puts them in a row.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RATE, LONG = 16_000, 1_600  # Hz; samples of a letter
LETTERS = "_^$ abcdefghijklmnopqrstuvwxyz.,?!'-"


def make(folder: Path, name: str, language: str, pitch: float = 1.0) -> Path:
    """The path of the model; its description is beside it."""
    path = folder / f"{name}.onnx"
    path.write_bytes(_model(_waves(pitch)))
    described = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": language.lower()},
        "language": {"code": language},
        "phoneme_type": "text",
        "num_symbols": len(LETTERS),
        "num_speakers": 1,
        "inference": {},
        "phoneme_id_map": {letter: [number] for number, letter in enumerate(LETTERS)},
    }
    path.with_name(path.name + ".json").write_text(json.dumps(described), "utf-8")
    return path


def _waves(pitch: float) -> np.ndarray:
    """float32[letters, LONG]: silence for signs, tones for letters."""
    at = np.arange(LONG) / RATE
    waves = [np.sin(2 * np.pi * pitch * (200 + 20 * n) * at) * np.hanning(LONG) for n in range(len(LETTERS))]
    return np.array([wave * each.isalpha() for wave, each in zip(waves, LETTERS)], np.float32) * 0.5


def _model(table: np.ndarray) -> bytes:
    shape = np.array([1, 1, 1, -1], np.int64)
    graph = [
        _field(1, _node("Gather", ["table", "input"], "looked")),
        _field(1, _node("Reshape", ["looked", "shape"], "output")),
        _field(2, b"toy"),
        _field(5, _tensor("table", table, 1)),
        _field(5, _tensor("shape", shape, 7)),
        _field(11, _value("input", 7, ["batch", "phonemes"])),
        _field(11, _value("input_lengths", 7, ["batch"])),
        _field(11, _value("scales", 1, [3])),
        _field(12, _value("output", 1, ["batch", 1, 1, "time"])),
    ]
    return _field(1, 8) + _field(7, b"".join(graph)) + _field(8, _field(1, b"") + _field(2, 13))


def _node(kind: str, inputs: list[str], output: str) -> bytes:
    named = b"".join(_field(1, each.encode()) for each in inputs)
    return named + _field(2, output.encode()) + _field(4, kind.encode())


def _tensor(name: str, values: np.ndarray, kind: int) -> bytes:
    sizes = b"".join(_field(1, size) for size in values.shape)
    return sizes + _field(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = (_field(1, size) if isinstance(size, int) else _field(2, size.encode()) for size in shape)
    dims = b"".join(_field(1, each) for each in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def _field(number: int, value: int | bytes) -> bytes:
    """Of a protocol buffer: a number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
