"""The numbers of a model in an ONNX file: its initialisers by name, without a runtime for the rest.

Only what that takes of the format is read (onnx.proto: ModelProto.graph = 7, GraphProto.initializer = 5,
TensorProto.dims = 1, .data_type = 2, .name = 8, .raw_data = 9), in the wire format of Protocol Buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW = 1, 2, 8, 9
KINDS = {1: "<f4", 7: "<i8"}
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5


def initializers(data: bytes) -> dict[str, NDArray[Any]]:
    """Arrays of float32 and int64. Raises ValueError for what is no such file."""
    try:
        return {
            name: array
            for number, graph in _fields(memoryview(data))
            if number == GRAPH
            for inner, tensor in _fields(graph)
            if inner == INITIALIZER
            for name, array in _tensor(tensor)
        }
    except (IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"no ONNX model: {error}") from error


def _tensor(message: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    shape: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in _fields(message):
        if number == DIMS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif number == DATA_TYPE:
            kind = value
        elif number == NAME:
            name = bytes(value).decode()
        elif number == RAW:
            raw = value
    if kind in KINDS and len(raw):
        yield name, np.frombuffer(raw, KINDS[kind]).reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each: an int, or bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {EIGHT: 8, FOUR: 4}.get(kind, 0)
        if kind == BYTES:
            size, at = _varint(message, at)
        elif not size:
            raise ValueError(f"no ONNX model: a field of wire type {kind}")
        if at + size > len(message):
            raise ValueError("no ONNX model: it ends within a field")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    raise ValueError("no ONNX model: a number of more than 64 bits")


def _varints(message: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(message):
        value, at = _varint(message, at)
        found.append(value)
    return found
