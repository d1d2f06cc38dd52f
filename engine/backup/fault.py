"""What can go wrong with a backup. Each says what to do; nothing has changed.

BackupFault <- Broken
"""

from __future__ import annotations


class BackupFault(Exception):
    """It cannot be made or restored, as things are."""


class Broken(BackupFault):
    """The file is not as it was written, or is no backup."""
