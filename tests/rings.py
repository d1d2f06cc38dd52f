"""Rings of objects that nothing but Python's collector would ever free: calls must leave none behind."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OURS = ("engine.", "media.", "nicegui.", "routing.", "sip.")


@contextmanager
def no_rings() -> Iterator[Callable[[], Counter[str]]]:
    """With the collector off. What is yielded says how many of our objects, and of the console's library, are
    in rings, or known in rings alone, by type; it frees none of them.
    """
    gc.collect()  # for what is frozen in a ring is never freed
    gc.freeze()  # what other tests left is not looked at, which takes seconds each time
    gc.disable()
    try:
        yield _found
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _found() -> Counter[str]:
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
    return Counter(name for name in names if name.startswith(OURS))
