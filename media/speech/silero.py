"""Silero VAD 6, of many legs at once: the network written out in array operations, with its own weights.

The model as it is published hears one leg: its recurrent layer goes along the rows that it is given. Here the
rows are legs, each with its state, and the sizes of the layers are those of the file. Windows are 32 ms at 16
kHz, seen with the 4 ms before them: magnitudes of a short-time Fourier transform, four convolutions, a long
short-term memory (Hochreiter and Schmidhuber, 1997), and one number out, the probability of speech.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.columns import F32

WINDOW = 512  # samples at 16 kHz
CONTEXT = 64  # samples before it
PADDED = 64  # samples after it, mirrored
HOP = 128
STRIDES = (1, 2, 2, 1)
STATE = 128


@dataclass(frozen=True, slots=True)
class Weights:
    """basis: float32[256, 258], cosines and sines. layers: of each convolution float32[3 * inputs, outputs]
    and float32[outputs]. recurrent: float32[256, 512] for input and state, gates in the order input, output,
    forget, cell. out: float32[128] and its bias.
    """

    basis: F32
    layers: tuple[tuple[F32, F32], ...]
    recurrent: F32
    bias: F32
    out: F32
    out_bias: float


def weights(tensors: Mapping[str, NDArray[Any]]) -> Weights:
    """By their names in the file. Raises ValueError where it is another model."""
    try:
        layers = tuple(
            (_flat(tensors[f"encoder.conv_layers.{n}.weight"]), tensors[f"encoder.conv_layers.{n}.bias"])
            for n in range(len(STRIDES))
        )
        basis = tensors["encoder.feature_extractor.forward_basis_buffer"][:, 0].T
        inputs, states, bias = (tensors[f"onnx::LSTM_{n}"][0] for n in (209, 210, 211))
        made = Weights(
            np.ascontiguousarray(basis),
            layers,
            np.ascontiguousarray(np.concatenate([inputs, states], axis=1).T),
            bias[: 4 * STATE] + bias[4 * STATE :],
            np.ascontiguousarray(tensors["decoder.conv1d.weight"][0, :, 0]),
            float(tensors["decoder.conv1d.bias"][0]),
        )
    except (KeyError, IndexError) as error:
        raise ValueError(f"not the weights of Silero VAD 6: {error}") from error
    if made.basis.shape != (2 * HOP, 2 * (HOP + 1)) or made.recurrent.shape != (2 * STATE, 4 * STATE):
        raise ValueError("not the weights of Silero VAD 6: other sizes")
    return made


def _flat(kernel: NDArray[Any]) -> F32:
    """float32[outputs, inputs, 3] as float32[3 * inputs, outputs]."""
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel)))


def probability(of: Weights, sound: F32, hidden: F32, cell: F32) -> tuple[F32, F32, F32]:
    """float32[n] of float32[n, CONTEXT + WINDOW], full scale 1; and the states after, float32[n, STATE]."""
    features = _magnitudes(of, sound)
    for (kernel, bias), stride in zip(of.layers, STRIDES):
        features = np.maximum(_convolved(features, kernel, stride) + bias, 0)
    gates = np.concatenate([features[:, 0], hidden], axis=1) @ of.recurrent + of.bias
    enters, leaves, stays = np.split(_sigmoid(gates[:, : 3 * STATE]), 3, axis=1)
    cell = stays * cell + enters * np.tanh(gates[:, 3 * STATE :])
    hidden = leaves * np.tanh(cell)
    return _sigmoid(np.maximum(hidden, 0) @ of.out + of.out_bias), hidden, cell


def _magnitudes(of: Weights, sound: F32) -> F32:
    """float32[n, 4, 129]"""
    mirrored = sound[:, -2 : -2 - PADDED : -1]
    padded = np.concatenate([sound, mirrored], axis=1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP, axis=1)[:, ::HOP]
    parts = frames.reshape(-1, 2 * HOP) @ of.basis
    real, imaginary = parts[:, : HOP + 1], parts[:, HOP + 1 :]
    power: F32 = real * real + imaginary * imaginary
    return np.sqrt(power).reshape(len(sound), -1, HOP + 1)


def _convolved(features: F32, kernel: F32, stride: int) -> F32:
    """float32[n, steps, inputs] to float32[n, steps / stride, outputs], a step of zeros to either side."""
    n, steps, width = features.shape
    padded = np.zeros((n, steps + 2, width), np.float32)
    padded[:, 1:-1] = features
    count = (steps - 1) // stride + 1
    near: F32 = np.concatenate(
        [padded[:, k : k + stride * (count - 1) + 1 : stride] for k in range(3)], axis=2
    )
    found: F32 = (near.reshape(n * count, 3 * width) @ kernel).reshape(n, count, -1)
    return found


def _sigmoid(values: F32) -> F32:
    found: F32 = np.float32(1) / (np.float32(1) + np.exp(-values))
    return found
