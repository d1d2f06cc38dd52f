"""A fresh clone in a clean Debian: `make demo` and `make test` with nothing there but what the README names.

    python -m tests.project.chroot [--only demo|test] [--keep]

Needs root and debootstrap. Prints what the targets print, how long each took, and exits 1 when one failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from time import monotonic

from tests.project.rootfs import HostLacks, Rootfs

NAMED_IN_README = ("git", "make", "python3")
REPOSITORY = Path(__file__).resolve().parents[2]
HOME = "/srv/isogloss"


def install_named(system: Rootfs) -> None:
    """What a reader of the README is asked to have."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    system.run(["apt-get", "-qq", "update"], env=quiet)
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *NAMED_IN_README]
    system.run(install, env=quiet, output=subprocess.PIPE)


def clone_into(system: Rootfs) -> None:
    """The repository's newest commit, as a stranger would get it."""
    target = system.inside(HOME)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", REPOSITORY, target], check=True)
    commit = subprocess.run(
        ["git", "-C", target, "log", "-1", "--format=%h %s"], capture_output=True, text=True, check=True
    )
    print(f"clone: {commit.stdout.strip()}")


def without_rights_says_what_to_install(system: Rootfs) -> bool:
    """A user who may not install is told the exact line, and nothing is tried."""
    system.run(["useradd", "--create-home", "caller"])
    system.run(["cp", "-r", HOME, "/home/caller/isogloss"])
    system.run(["chown", "-R", "caller:caller", "/home/caller/isogloss"])
    done = system.run(
        ["make", "demo"], cwd="/home/caller/isogloss", user="caller", check=False, output=subprocess.PIPE
    )
    print(done.stdout, end="")
    return done.returncode != 0 and "apt-get install -y --no-install-recommends espeak-ng" in done.stdout


def timed(system: Rootfs, target: str) -> bool:
    """Run a make target; whether it exited 0."""
    print(f"== make {target}", flush=True)
    started = monotonic()
    done = system.run(["make", target], cwd=HOME, check=False)
    verdict = "ok" if done.returncode == 0 else f"FAILED with {done.returncode}"
    print(f"== make {target}: {verdict} after {monotonic() - started:.0f} s", flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.project.chroot", description=__doc__)
    parser.add_argument("--only", action="append", help="a target to run, instead of demo and test")
    parser.add_argument("--keep", action="store_true", help="leave the system there to look at")
    options = parser.parse_args()
    try:
        with Rootfs("clone", keep=options.keep) as system:
            install_named(system)
            clone_into(system)
            told = without_rights_says_what_to_install(system)
            print(f"== without rights: {'ok' if told else 'FAILED'}")
            return int(
                not all([told, *(timed(system, target) for target in options.only or ("demo", "test"))])
            )
    except HostLacks as lack:
        print(f"chroot: {lack}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
