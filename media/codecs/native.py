"""System libraries of codecs, loaded when first asked for; where one is missing its codec is not offered."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

POINTER, INT, BYTE = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8
Signatures = Mapping[str, tuple[Any, Sequence[Any]]]  # function: result type, argument types


@cache
def load(name: str) -> ctypes.CDLL | None:
    """The library of a soname, None when this machine has none."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def functions(name: str, signatures: Signatures) -> Any:
    """The library with these of its functions declared, None when it or one of them is missing."""
    library = load(name)
    if library is None or not all(hasattr(library, function) for function in signatures):
        return None
    for function, (result, arguments) in signatures.items():
        declared = getattr(library, function)
        declared.restype, declared.argtypes = result, list(arguments)
    return library
