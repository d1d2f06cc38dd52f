"""What can go wrong with the store, and what that means for the caller.

StoreError
├── StoreUnavailable    the store does not answer now: keep the data, try again       retry = True
├── RowsRefused         the store is well, the rows are at fault: set them aside      retry = False
├── StoreTooNew         the tables were made by a later release                       retry = False
└── SpillInUse          another process of this node keeps the same spill file        retry = False
"""

from __future__ import annotations


class StoreError(Exception):
    """`retry` says whether the same rows may succeed later; `remedy` tells the operator what to do."""

    retry = False
    remedy = ""


class StoreUnavailable(StoreError):
    retry = True
    remedy = "see that the database runs, that its disk has room and that nothing holds a lock on it"


class RowsRefused(StoreError):
    remedy = "the rows were set aside in the .refused file beside the spill file; report them"


class StoreTooNew(StoreError):
    remedy = "run the release that made the tables, or a later one"


class SpillInUse(StoreError):
    remedy = "stop the other process of this node, or give this one a data_dir of its own"
