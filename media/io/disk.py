"""Files that grow, written by a thread so that nobody waits for a disk.

What cannot be written is kept, what was written in part is cut back, and it is tried again every second; so a
file is never broken in its middle. A file that is to be closed while it cannot be written is given up after
PATIENCE, with what it has.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from media.track import News

RETRY = 1.0  # s
PATIENCE = 10.0  # s
SLOW = 256 * 1024  # bytes of one file that wait without a fault: the disk is too slow
REMEDIES = {
    errno.ENOSPC: "free space there, or record to another directory; it goes on by itself",
    errno.EDQUOT: "raise the node's quota there, or record to another directory; it goes on by itself",
    errno.EFBIG: "raise the file size limit of the node's user (ulimit -f)",
    errno.EACCES: "make the directory writable for the node's user; it goes on by itself",
    errno.EPERM: "make the directory writable for the node's user; it goes on by itself",
    errno.EROFS: "mount it writable, or record to another directory; it goes on by itself",
}
OTHER = "look at the disk and the system's log; it goes on by itself when the disk does"

log = logging.getLogger("media.recorder")
_libc = ctypes.CDLL(None, use_errno=True)


class File:
    """One file: `todo` has what is not written, as (data, head); all but `size` is the thread's alone."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.todo: deque[tuple[bytes, bytes | None]] = deque()
        self.waiting = 0
        self.closing = False
        self.handle = -1
        self.size = 0
        self.fault: OSError | None = None
        self.since = 0.0  # when the fault began
        self.again = 0.0
        self.slow = False


class Disk:
    """See media.track.Sink. sync_s: how often what was written is forced to the disk, 0 to leave it to the
    system.
    """

    def __init__(self, sync_s: float = 1.0) -> None:
        self._files: dict[str, File] = {}
        self._news: deque[News] = deque()
        self._work = threading.Condition()
        self._busy: deque[File] = deque()
        self._failing: list[File] = []
        self._ended = False
        self._sync_s = sync_s
        self._directories: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()
        if sync_s:
            threading.Thread(target=self._sync, name="sync", daemon=True).start()

    # --- the recorder's side ----------------------------------------------------------------------

    def open(self, path: str) -> None:
        with self._work:
            self._files[path] = file = File(path)
            self._busy.append(file)
            self._work.notify()

    def append(self, path: str, data: bytes, head: bytes | None) -> None:
        file = self._files[path]
        with self._work:
            file.todo.append((data, head))
            file.waiting += len(data)
            self._busy.append(file)
        if file.waiting > SLOW and not file.slow and file.fault is None:
            file.slow = True
            what = f"the disk of {path} takes less than is recorded"
            self._news.append(News(path, "fault", what, "record to a faster disk, or fewer calls"))

    def flush(self) -> None:
        if self._busy:
            with self._work:
                self._work.notify()

    def close(self, path: str) -> None:
        with self._work:
            file = self._files[path]
            file.closing = True
            self._busy.append(file)
            self._work.notify()

    def waiting(self, path: str) -> int:
        return self._files[path].waiting

    def news(self) -> Iterable[News]:
        while self._news:
            yield self._news.popleft()

    def end(self, patience: float = 5.0) -> None:
        """Write what can be written, within `patience`."""
        with self._work:
            self._ended = True
            self._work.notify()
        self._thread.join(patience)

    # --- the thread's side ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._work:
                if not self._busy and not self._ended:
                    self._work.wait(RETRY if self._failing else None)
                file = self._busy.popleft() if self._busy else None
                if file is None and self._ended:
                    return
            now = time.monotonic()
            if file is not None and file.fault is None:
                self._serve(file, now)
            for failing in [each for each in self._failing if now >= each.again or each.closing]:
                self._serve(failing, now)

    def _serve(self, file: File, now: float) -> None:
        """Write what waits; begin, end or note a fault."""
        given_up = file.closing and file.fault is not None and now - file.since > PATIENCE
        if file.fault is not None and now < file.again and not given_up:
            return
        try:
            self._write(file)
        except OSError as error:
            self._failed(file, error, now)
            if not given_up:
                return
        else:
            self._well(file)
        if file.closing and (not file.todo or file.fault is not None):
            self._close(file)

    def _write(self, file: File) -> None:
        if file.handle < 0 and (file.todo or not file.closing):
            Path(file.path).parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            file.handle = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        while file.todo:
            data, head = file.todo[0]
            self._put(file, data)
            if head is not None:
                os.pwrite(file.handle, head, 0)
            file.todo.popleft()
            with self._work:
                file.waiting -= len(data)

    def _put(self, file: File, data: bytes) -> None:
        """The whole of `data` at the file's end, or nothing. Raises OSError."""
        at = 0
        try:
            while at < len(data):
                at += os.pwrite(file.handle, data[at:], file.size + at)
        except OSError:
            os.ftruncate(file.handle, file.size)
            raise
        file.size += len(data)

    def _failed(self, file: File, error: OSError, now: float) -> None:
        file.again = now + RETRY
        if file.fault is not None:
            return
        file.fault, file.since = error, now
        self._failing.append(file)
        code = error.errno or 0
        what = f"cannot write {file.path}: {os.strerror(code)}"
        log.error("%s; %s", what, REMEDIES.get(code, OTHER))
        self._news.append(News(file.path, "fault", what, REMEDIES.get(code, OTHER)))

    def _well(self, file: File) -> None:
        if file.fault is None and not file.slow:
            return
        if file.fault is not None:
            self._failing.remove(file)
        file.fault, file.slow = None, False
        self._news.append(News(file.path, "well"))

    def _close(self, file: File) -> None:
        if self._files.pop(file.path, None) is None:
            return
        if file.fault is not None:
            self._failing.remove(file)
        complete = not file.todo
        if file.handle >= 0:
            if self._sync_s:
                try:
                    os.fdatasync(file.handle)
                except OSError as error:
                    log.error("cannot force %s to the disk: %s", file.path, error)
                    complete = False
            os.close(file.handle)
            if not file.size:
                Path(file.path).unlink(missing_ok=True)
        self._news.append(News(file.path, "closed", size=file.size, complete=complete))

    def _sync(self) -> None:
        """Force what was written to the disk: one call for each folder, whatever the number of files."""
        while not self._ended:
            time.sleep(self._sync_s)
            folders = {os.path.dirname(path) for path, file in list(self._files.items()) if file.handle >= 0}
            for folder in folders:
                try:
                    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                except OSError as error:
                    log.error("cannot force %s to the disk: %s", folder, error)
                    continue
                if _libc.syncfs(handle):
                    log.error("cannot force %s to the disk: %s", folder, os.strerror(ctypes.get_errno()))
                os.close(handle)
