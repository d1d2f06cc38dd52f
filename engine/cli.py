"""The command line: `isogloss COMMAND`. engine/command/parser.py says what there is; a command's own module
is imported when it is given.

How a command ends, its exit status: engine/command/fault.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from config.fault import ConfigError
from engine.command import parser
from engine.command.fault import FAULTY, INTERRUPTED, UNREAD, CommandFault


def main(given: Sequence[str] | None = None) -> int:
    made = parser.made()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        import argcomplete

        argcomplete.autocomplete(made)
    options = made.parse_args(given)
    options.config = parser.folder_of(options)
    try:
        status: int = import_module(f"engine.command.{parser.MODULES[options.command]}").run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # such as `isogloss calls | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except ConfigError as error:
        print(error, file=sys.stderr)
    except CommandFault as fault:
        print(f"isogloss {_words(options.command, getattr(options, 'action', ''))}: {fault}", file=sys.stderr)
    return FAULTY


def _words(command: str, action: str) -> str:
    return f"{command} {action}".strip()
