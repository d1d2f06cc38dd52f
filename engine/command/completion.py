"""`isogloss completion SHELL`: what has a shell complete these commands, by argcomplete, which asks the
program itself.
"""

from __future__ import annotations

import argparse

from argcomplete.shell_integration import shellcode

from engine.command.fault import DONE


def run(options: argparse.Namespace) -> int:
    print(shellcode(["isogloss"], shell=options.shell).strip())
    return DONE
