"""Child processes: run one to its end, start one that stays, wait for it, end it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cromwell_userdb.errors import CommandFailed, StartFailed
from cromwell_userdb.record import appending

Child = subprocess.Popen[bytes]


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
) -> str:
    """Run `argv` to its end and return what it printed; raise CommandFailed with its words."""
    try:
        with subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
            text=True,
            errors="replace",
            # Ctrl-C is ours to hear: what it would make of the child's answer is no answer.
            start_new_session=True,
        ) as child:
            try:
                said, complained = child.communicate(stdin, timeout)
            except BaseException:
                signal_group(child, signal.SIGKILL)
                raise
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{argv[0]} gave no answer in {timeout:g} seconds.") from error
    except OSError as error:
        raise CommandFailed(f"{argv[0]} did not start: {error.strerror}.") from error
    if child.returncode:
        words = (complained.strip() or said.strip())[-2000:]
        raise CommandFailed(f"{argv[0]} ended with status {child.returncode}: {words}")
    return said


def call(argv: Sequence[str | os.PathLike[str]], *, env: Mapping[str, str] | None = None) -> int:
    """Run `argv` on our own terminal, for as long as it takes; return its status.

    Ctrl-C is the child's: whoever calls hears of it by the status.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(
            argv, env=env, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
        )
        return child.wait()
    except OSError as error:
        raise CommandFailed(f"{argv[0]} did not start: {error.strerror}.") from error
    finally:
        signal.signal(signal.SIGINT, before)


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    out: Path,
    err: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int = subprocess.DEVNULL,
) -> Child:
    """Start `argv` in a session of its own, stdin closed, its output appended to 0600 files.

    `err` is `out` when it is not given. Raises StartFailed when there is nothing to start.
    """
    with contextlib.ExitStack() as stack:
        stdout = stack.enter_context(appending(out))
        stderr = stack.enter_context(appending(err)) if err else stdout
        try:
            return subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=env,
                cwd=cwd,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except OSError as error:
            raise StartFailed(f"{argv[0]} did not start: {error.strerror}.") from error


_HELD = ("/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh")


def spawn_held(
    argv: Sequence[str | os.PathLike[str]], *, out: Path, env: Mapping[str, str], cwd: Path
) -> Child:
    """As `spawn`, but the child does nothing before `release`, nor ever if we end before that."""
    return spawn([*_HELD, *argv], out=out, env=env, cwd=cwd, stdin=subprocess.PIPE)


def release(child: Child) -> None:
    """Let a child of `spawn_held` begin; one that has been killed meanwhile never will."""
    assert child.stdin
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(b"\n")
        child.stdin.close()


def has_ended(child: Child, *, within: float) -> bool:
    """Whether `child` ends within so many seconds; its end is noticed at once."""
    try:
        ending = os.pidfd_open(child.pid)
    except OSError:  # it is gone already, or the kernel is older than that
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(within)
        return child.returncode is not None
    try:
        waiting = select.poll()
        waiting.register(ending)
        waiting.poll(within * 1000)
    finally:
        os.close(ending)
    return child.poll() is not None


def terminate(child: Child, *, patience: float = 60) -> int:
    """End `child` with TERM, after `patience` seconds with KILL; return its status."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def signal_group(child: Child | subprocess.Popen[str], signum: signal.Signals) -> None:
    """Send `signum` to the process group that `child` leads, if it still lives."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signum)


def tail(path: Path, *, lines: int = 10) -> str:
    """The last lines of a log, "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096 - 200 * lines))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
