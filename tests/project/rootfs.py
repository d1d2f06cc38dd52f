"""A clean Debian in a folder, for checks that must not lean on anything this machine happens to have.

Every command runs in a mount and process namespace of its own, so its mounts and processes end with it and
the folder never holds a live mount that a removal could reach through. Package sources, certificates and the
settings of pip are those of the host, whatever they are: a mirror on the network or a folder.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

SUITE = "bookworm"
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TRUST = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/usr/local/share/ca-certificates"))


class HostLacks(RuntimeError):
    """This machine cannot do it; the message says what it lacks."""


def cache_folder() -> Path:
    """Where the unpacked-once base system is kept, outside the repository."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "isogloss"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def debian_source() -> tuple[str, str | None]:
    """The host's mirror for the suite and the keyring it is signed by, from either form of apt's sources."""
    etc = Path("/etc/apt")
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]
    for file in filter(Path.is_file, files):
        for line in file.read_text("utf-8").splitlines():
            found = re.match(rf"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+{SUITE}\s", line)
            if found:
                signed = re.search(r"signed-by=(\S+)", found[1] or "")
                return found[2], signed[1] if signed else None
    for file in sorted((etc / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", file.read_text("utf-8")):
            fields = dict(re.findall(r"^([\w-]+):\s*(.*)$", stanza, re.MULTILINE))
            if SUITE in fields.get("Suites", "").split():
                return fields["URIs"].split()[0], fields.get("Signed-By")
    raise HostLacks(f"no source of Debian {SUITE} in /etc/apt")


def base_system() -> Path:
    """The tarball of a minimal Debian, made by debootstrap the first time."""
    kept = cache_folder() / f"{SUITE}-minbase.tar"
    if kept.exists():
        return kept
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise HostLacks("needs root and debootstrap; as root: apt-get install -y debootstrap")
    mirror, keyring = debian_source()
    signed = [f"--keyring={keyring}"] if keyring else []
    with tempfile.TemporaryDirectory(prefix="isogloss-base-") as folder:
        command = ["debootstrap", "--variant=minbase", *signed, SUITE, folder, mirror]
        subprocess.run([*_namespace(), *command], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(Path(folder, "var/cache/apt/archives"))
        draft = kept.with_suffix(".draft")
        subprocess.run(
            ["tar", "--one-file-system", "--numeric-owner", "-cf", draft, "-C", folder, "."], check=True
        )
        draft.replace(kept)
    return kept


def pip_settings() -> dict[str, str]:
    """pip's settings on this host, whatever file or variable they come from."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE):
        words = found.setdefault(name, [])
        words += [word for word in value.replace("\\n", " ").split() if word not in words]
    return {name: " ".join(words) for name, words in found.items()}


def local_paths(settings: Mapping[str, str]) -> list[Path]:
    """Folders and files of this host that the settings point to, by path or by file: URL."""
    found = []
    for name, value in settings.items():
        for word in value.split():
            if word.startswith(("/", "file:///")):
                path = Path(urlsplit(word).path)
                # The pages of an index name their files relative to it, so its parent is needed too.
                found.append(path.parent if name.endswith("index-url") else path)
    return [path for path in dict.fromkeys(found) if path.exists()]


def _namespace() -> list[str]:
    return ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]


class Rootfs:
    """One clean system; use as a context manager, and it is gone afterwards."""

    def __init__(self, name: str, *, keep: bool = False) -> None:
        self.keep = keep
        self.root = Path(tempfile.mkdtemp(prefix=f"isogloss-{name}-"))
        self._shared: list[Path] = []

    def __enter__(self) -> Rootfs:
        subprocess.run(["tar", "--numeric-owner", "-xf", base_system(), "-C", self.root], check=True)
        self.root.chmod(0o755)  # the tarball was made from a private temporary folder
        self._borrow_settings()
        return self

    def __exit__(self, *_: object) -> None:
        if self.keep:
            print(f"kept: {self.root}")
        else:
            self.remove()

    def remove(self) -> None:
        """Delete the folder, unless something is still mounted in it."""
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
        live = [mount for mount in mounts if mount.startswith(f"{self.root}/")]
        if live:
            raise RuntimeError(f"not removing {self.root}: still mounted: {', '.join(live)}")
        subprocess.run(["rm", "-rf", "--one-file-system", self.root], check=True)

    def inside(self, path: str | Path) -> Path:
        """The host's name for a path of the system."""
        return self.root / str(path).lstrip("/")

    def copy(self, source: Path, to: str | Path) -> None:
        """Copy a file or folder of the host in, with its modes, owned by root."""
        target = self.inside(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: str = "/",
        user: str = "root",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        output: int | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the system, its output passed on, or caught with `output=subprocess.PIPE`."""
        return subprocess.run(
            self.command(command, cwd=cwd, user=user, env=env),
            check=check,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
        )

    def command(
        self, command: Sequence[str], *, cwd: str, user: str, env: Mapping[str, str] | None = None
    ) -> list[str]:
        """The host's command line that runs `command` in the system."""
        settings = {"PATH": PATH, "HOME": "/root" if user == "root" else "/tmp", **(env or {})}
        assigned = [f"{name}={value}" for name, value in settings.items()]
        change = ["sh", "-c", 'cd "$0" && exec "$@"', cwd, *command]
        # Become the user inside, where its name is known.
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        script = f'{self._mounts()}\nexec chroot {self.root} /usr/bin/env -i "$@"'
        return [*_namespace(), "sh", "-euc", script, "sh", *assigned, *become, *change]

    def _mounts(self) -> str:
        """Shell lines for the namespace of one command; the host never sees what they mount."""
        root = shlex.quote(str(self.root))
        lines = [f"mount -t proc proc {root}/proc", f"mount -t tmpfs -o mode=755 dev {root}/dev"]
        for name in DEVICES:
            lines += [f"touch {root}/dev/{name}", f"mount --bind /dev/{name} {root}/dev/{name}"]
        lines += [
            f"ln -s /proc/self/fd {root}/dev/fd",
            f"mkdir {root}/dev/shm {root}/dev/pts",
            f"mount -t tmpfs -o mode=1777 shm {root}/dev/shm",
            f"mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts {root}/dev/pts",
            f"ln -s pts/ptmx {root}/dev/ptmx",
        ]
        for path in self._shared:
            there = shlex.quote(str(self.inside(path)))
            lines += [f"mount --bind {shlex.quote(str(path))} {there}", f"mount -o remount,ro,bind {there}"]
        return "\n".join(lines)

    def _borrow_settings(self) -> None:
        """Give the system the host's way to its package sources."""
        self.inside("/etc/apt/sources.list").unlink(missing_ok=True)
        for name in ("sources.list", "sources.list.d", "keyrings", "trusted.gpg.d", "auth.conf.d"):
            if Path("/etc/apt", name).exists():
                self.copy(Path("/etc/apt", name), f"/etc/apt/{name}")
        shutil.copytree("/usr/share/keyrings", self.inside("/usr/share/keyrings"), dirs_exist_ok=True)
        dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        fetching = [line for line in dumped.splitlines() if line.startswith("Acquire::")]
        self.inside("/etc/apt/apt.conf.d/00host").write_text("\n".join(fetching) + "\n", encoding="utf-8")
        for path in (Path("/etc/resolv.conf"), Path("/etc/hosts"), *TRUST):
            if path.exists():
                self.copy(path.resolve(), path)
        # No service of a package starts by itself.
        policy = self.inside("/usr/sbin/policy-rc.d")
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
        settings = pip_settings()
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self.inside("/etc/pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
        for path in local_paths(settings):
            if path.is_dir():
                self.inside(path).mkdir(parents=True, exist_ok=True)
                self._shared.append(path)
            else:
                self.copy(path.resolve(), path)
