"""The Dockerfile, line by line, where no Docker engine is: each stage in a clean Debian of its own.

    python -m tests.project.replay_dockerfile [--keep]

FROM unpacks a minimal Debian, RUN runs in it, COPY copies from a fresh clone (less what .dockerignore names)
or from an earlier stage; ENV, WORKDIR and USER hold as they do for Docker. Then the image's own command is
started as its own user, its HEALTHCHECK must pass, and SIGTERM must end it well. Needs root and debootstrap.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from tests.project.dockerfile import Instruction, Stage, assignments, ignored, parse
from tests.project.rootfs import PATH, SUITE, HostLacks, Rootfs

REPOSITORY = Path(__file__).resolve().parents[2]
READY_S = 60.0
STOP_S = 45.0
PROBE_S = 1.0  # between two health checks


class Replay:
    """One stage: the system it is made in, and what ENV, WORKDIR and USER have set so far."""

    def __init__(self, stage: Stage, system: Rootfs, context: Path, earlier: dict[str, Rootfs]) -> None:
        self.stage = stage
        self.system = system
        self.context = context
        self.earlier = earlier
        self.env = {"PATH": PATH}
        self.cwd = "/"
        self.user = "root"

    def play(self) -> None:
        """Every instruction in its order. Raises CalledProcessError for a RUN that fails."""
        for each in self.stage.instructions:
            act = getattr(self, f"_{each.word.lower()}", None)
            if act is not None:
                print(f"[{self.stage.name}:{each.line}] {each.word} {each.rest[:100]}", flush=True)
                act(each)

    def _env(self, each: Instruction) -> None:
        self.env |= assignments(each.rest, self.env)

    def _workdir(self, each: Instruction) -> None:
        self.cwd = os.path.join(self.cwd, each.rest)
        self.system.inside(self.cwd).mkdir(parents=True, exist_ok=True)

    def _user(self, each: Instruction) -> None:
        self.user = each.rest

    def _run(self, each: Instruction) -> None:
        started = monotonic()
        done = self.system.run(
            ["sh", "-c", each.rest],
            cwd=self.cwd,
            user=self.user,
            env={"DEBIAN_FRONTEND": "noninteractive", **self.env},
            check=False,
            output=subprocess.PIPE,
        )
        if done.returncode != 0:
            print(done.stdout[-3000:])
            raise subprocess.CalledProcessError(done.returncode, each.rest)
        print(f"    {monotonic() - started:.1f} s", flush=True)

    def _copy(self, each: Instruction) -> None:
        options, rest = each.options()
        source = self.earlier[options["from"]].root if "from" in options else self.context
        *patterns, to = rest.split()
        target = os.path.join(self.cwd, to)
        for pattern in patterns:
            found = sorted(glob.glob(str(source / pattern.lstrip("/"))))
            if not found:
                raise FileNotFoundError(
                    f"line {each.line}: COPY {pattern}: nothing of that name in the context"
                )
            for path in map(Path, found):
                # As Docker does: a folder's contents, and a file into a folder that ends with a slash.
                self.system.copy(
                    path, target if path.is_dir() or not to.endswith("/") else target + path.name
                )

    def command(self) -> list[str]:
        """ENTRYPOINT and CMD together, as a container would run them."""
        parts = [self.stage.last("ENTRYPOINT"), self.stage.last("CMD")]
        return [word for part in parts if part is not None for word in part.words()]

    def health_command(self) -> list[str]:
        """What HEALTHCHECK runs."""
        check = self.stage.last("HEALTHCHECK")
        if check is None:
            raise ValueError("the Dockerfile has no HEALTHCHECK")
        _, rest = check.options()
        return Instruction("CMD", rest.removeprefix("CMD").strip(), check.line).words()

    def becomes_healthy(self) -> bool:
        """Start the image's command, wait until its own health check passes, and stop it as Docker would."""
        inside = {"cwd": self.cwd, "user": self.user, "env": self.env}
        print(f"== {' '.join(self.command())} as {self.user}", flush=True)
        started = monotonic()
        process = subprocess.Popen(self.system.command(self.command(), **inside), stdin=subprocess.DEVNULL)
        healthy = False
        while not healthy and monotonic() - started < READY_S and not _ended_within(process, PROBE_S):
            probe = self.system.run(self.health_command(), **inside, check=False, output=subprocess.PIPE)
            healthy = probe.returncode == 0
        print(f"== {'healthy' if healthy else 'NOT healthy'} after {monotonic() - started:.1f} s", flush=True)
        return self._stops(process) and healthy

    def _stops(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether SIGTERM to the container's first process ends it with status 0."""
        if process.poll() is not None:
            return False
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
        os.kill(int(children[0]), signal.SIGTERM)
        try:
            status = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        print(f"== stopped with status {status}", flush=True)
        return status == 0


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def fresh_context(folder: Path) -> Path:
    """The newest commit without history, and without what .dockerignore names."""
    clone = folder / "context"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", REPOSITORY, clone], check=True)
    patterns = (clone / ".dockerignore").read_text("utf-8")
    for path in sorted(clone.rglob("*"), reverse=True):
        if path.exists() and ignored(patterns, path.relative_to(clone)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return clone


def replay(*, keep: bool) -> bool:
    """Build every stage and run the last; whether it became healthy and stopped well."""
    with ExitStack() as stack:
        context = fresh_context(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isogloss-"))))
        earlier: dict[str, Rootfs] = {}
        for stage in parse((context / "Dockerfile").read_text("utf-8")):
            if stage.base != f"debian:{SUITE}-slim":
                raise ValueError(f"{stage.base} is not the Debian that is replayed")
            system = stack.enter_context(Rootfs(f"image-{stage.name}", keep=keep))
            last = Replay(stage, system, context, earlier)
            last.play()
            earlier[stage.name] = system
        return last.becomes_healthy()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.project.replay_dockerfile", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the systems there to look at")
    options = parser.parse_args()
    try:
        return 0 if replay(keep=options.keep) else 1
    except (HostLacks, ValueError, FileNotFoundError) as fault:
        print(f"replay: {fault}", file=sys.stderr)
    except subprocess.CalledProcessError as failed:
        print(f"replay: exit status {failed.returncode}: {failed.cmd}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
