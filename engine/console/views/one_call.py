"""The call that a look is at: what is loaded of it, and what it is now."""

from __future__ import annotations

from engine.console.files import CallFile
from engine.console.look import Look
from engine.views import CallView


def file_of(look: Look) -> CallFile:
    """What was loaded of the call that is looked at."""
    return look.loaded if isinstance(look.loaded, CallFile) else CallFile(id=look.place.id)


def live_of(look: Look) -> CallView | None:
    """The call that is looked at, where it goes on."""
    return look.now.by_call.get(look.place.id)
