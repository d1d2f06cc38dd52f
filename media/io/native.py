"""The optional helper of native.c: compiled once where a C compiler is, and found again by its source's hash.

python -m media.io.native builds it ahead of the first start, as images do, and says where it lies.

It lies beside the source, where Python too keeps what it can make again, else in the user's cache. A
library that somebody else could have put there is not loaded.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("native.c")
VERSION = 3  # of the functions' arguments
FLAGS = ("-O2", "-ffp-contract=off", "-shared", "-fPIC")  # no fused sums: numpy has none
COMPILERS = ("cc", "gcc", "clang")
PATIENCE = 60.0  # s that compiling may take
_WORLD_WRITABLE = 0o002


class Unavailable(Exception):
    """There is no helper, and why; the Python loops do the same."""


class Round(ctypes.Structure):
    """What a round of receiving came to beside its packets; as in native.c."""

    _fields_ = (
        ("open", ctypes.c_int64),
        ("errors", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("ready", ctypes.c_int64),
    )


class Lane(ctypes.Structure):
    """Both tables and the batch of a round; as in native.c."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("rx", "tx")),
        *((name, ctypes.c_int64) for name in ("rx_rows", "rx_width", "tx_rows", "tx_width")),
        ("rx_at", ctypes.c_int64 * 14),
        ("tx_at", ctypes.c_int64 * 11),
        ("buffer", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("stride", "capacity")),
        *((name, ctypes.c_void_p) for name in ("rows", "sizes", "times")),
        *((name, ctypes.c_int64) for name in ("header", "longest")),
        ("wild", ctypes.c_double),
    )


class Passed(ctypes.Structure):
    """What became of a round; as in native.c."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("plain", "targets", "slots", "sizes", "heard", "stamps")),
        *((name, ctypes.c_int64) for name in ("going", "hearing")),
    )


class Native:
    """The functions of native.c; addresses are plain numbers, as numpy gives them."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable when it cannot be loaded or is of another version."""
        number, address = ctypes.c_int64, ctypes.c_void_p
        try:
            # Not CDLL: it would give the interpreter away, and taking it back from a thread that computes may
            # last a whole switch interval.
            library = ctypes.PyDLL(str(path))
            self.version = library.native_version
            self.receive = library.native_receive
            self.send = library.native_send
            self.lane = library.native_lane
            self.note = library.native_note
        except (OSError, AttributeError) as error:
            raise Unavailable(str(error)) from error
        self.version.restype = self.receive.restype = self.send.restype = number
        self.receive.argtypes = [
            *(number, address, number, address, number, number, address, address, address),
            ctypes.POINTER(Round),
        ]
        self.send.argtypes = [
            *(address, number, address, address, address, number, address, number, number),
        ]
        self.note.restype = None
        self.note.argtypes = [number, address, number, address, number, ctypes.c_double, ctypes.c_double]
        self.lane.restype = None
        self.lane.argtypes = [ctypes.POINTER(Lane), number, ctypes.c_double, ctypes.POINTER(Passed)]
        if self.version() != VERSION:
            raise Unavailable(f"{path} is of another version")


def folders() -> list[Path]:
    """Where the library may lie, the best place first."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~").expanduser() / ".cache"
    return [SOURCE.parent / "__pycache__", Path(cache) / "isogloss"]


def load(places: Sequence[Path] = ()) -> Native:
    """The helper, built if it is not there yet. places: other folders than `folders`. Raises Unavailable."""
    why = "no folder to keep it in"
    name = _name()
    for folder in places or folders():
        path = folder / name
        try:
            if not _trusted(path):
                _build(path)
            if _trusted(path):
                return _load_or_renew(path)
            why = f"{path} is not ours"
        except OSError as error:
            why = str(error)
    raise Unavailable(why)


def _name() -> str:
    """Of this source for this interpreter: its tag says which machine and C library."""
    recipe = SOURCE.read_bytes() + " ".join(FLAGS).encode()
    tag = sysconfig.get_config_var("SOABI") or sysconfig.get_platform()
    return f"isogloss-native-{hashlib.sha256(recipe).hexdigest()[:16]}.{tag}.so"


def _load_or_renew(path: Path) -> Native:
    """A file that does not load, cut short by a full disk, say, is built anew once."""
    try:
        return Native(path)
    except Unavailable:
        _build(path)
        return Native(path)


def _trusted(path: Path) -> bool:
    """Whether the file and its folder belong to us or to root, and are not everybody's to change."""
    try:
        found = path.parent.stat(), path.stat()
    except FileNotFoundError:
        return False
    return all(one.st_uid in (0, os.geteuid()) and not one.st_mode & _WORLD_WRITABLE for one in found)


def _build(path: Path) -> None:
    """Compile to a name of its own and rename: others see all of the library or none. Raises Unavailable,
    OSError.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise Unavailable("no C compiler is installed")
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".native-", dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        command = [compiler, *FLAGS, "-o", str(made), str(SOURCE)]
        try:
            subprocess.run(
                command, check=True, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{compiler} took more than {PATIENCE:.0f} s") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            raise Unavailable(f"{compiler} failed: {said[-500:]}") from error
        made.chmod(0o755)
        made.replace(path)


def main() -> int:
    """Build it now; 1 when that cannot be, with the reason."""
    name = _name()
    try:
        load()
    except Unavailable as why:
        print(f"no native helper: {why}", file=sys.stderr)
        return 1
    print(next(folder / name for folder in folders() if (folder / name).exists()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
