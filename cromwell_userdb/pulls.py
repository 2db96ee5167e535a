"""How an image comes into the store: looked up, and pulled by its digest, here or in a job."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cromwell_userdb import images, process, registry, runtimes, slurm
from cromwell_userdb.errors import CommandFailed, DownloadFailed, UserDBError
from cromwell_userdb.images import Image, Store
from cromwell_userdb.record import make_private, write_private
from cromwell_userdb.reference import Reference, parse
from cromwell_userdb.registry import Found, Login
from cromwell_userdb.runtimes import Runtime

_LONGEST = 4 * 3600.0
"""Seconds that a pull may take."""

_QUEUED = 24 * 3600.0
"""Seconds that a job of ours may take to begin and end."""

_MEMORY_MB = 4000
_PULLED = "image.sif"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Way:
    """How images come here: by which program, into which store, pulled where.

    `job` makes of a reference the command that pulls it within a job, `sbatch` are its options.
    """

    runtime: Runtime
    store: Store
    mode: str = "here"
    job: Callable[[Reference], Sequence[str]] = lambda wanted: ()
    sbatch: tuple[str, ...] = ()


def bring(
    way: Way, wanted: Reference, environ: Mapping[str, str], *, say: Say, anew: bool = False
) -> Image:
    """The image, pulled where it is not here yet; `anew` asks what its tag stands for now.

    Raises DownloadFailed, NoSpace or CommandFailed with the reason.
    """
    if not way.runtime.takes_files:
        return _by_itself(way.runtime, wanted)
    if not anew:
        for meant in wanted.meant:
            if found := _entered(way.store, meant):
                return found
    if way.mode == "never":
        raise DownloadFailed(
            f"{wanted} is not here, and container.pull is never: bring it as a file (on another "
            f"machine: apptainer pull image.sif docker://{wanted}), then: "
            f"cromwell-userdb images add image.sif {wanted}"
        )
    if way.mode == "job":
        return _in_job(way, wanted, environ, say)
    *first, last = wanted.meant
    for meant in first:
        with contextlib.suppress(DownloadFailed):
            return _here(way, meant, environ, say)
    return _here(way, last, environ, say)


def _by_itself(runtime: Runtime, wanted: Reference) -> Image:
    """Have a program pull that keeps images itself, whichever name it knows."""
    *first, last = wanted.meant
    for meant in first:
        with contextlib.suppress(CommandFailed):
            return _pulled_by_itself(runtime, meant)
    return _pulled_by_itself(runtime, last)


def _pulled_by_itself(runtime: Runtime, wanted: Reference) -> Image:
    try:
        process.run(runtimes.own_pull_argv(runtime, wanted), timeout=_LONGEST)
    except CommandFailed as error:
        raise runtimes.explained(str(wanted), str(error), folder=Path("its store")) from error
    for name, tag, digest in runtimes.own_images(runtime):
        same = digest == wanted.digest if wanted.digest else tag == wanted.tag
        if same and parse(name).name == wanted.name:
            return Image(wanted.name, tag, digest, "", 0, "", "", str(runtime.program))
    raise CommandFailed(f"{runtime.program} pulled {wanted} but does not list it.")


def _entered(store: Store, wanted: Reference) -> Image | None:
    """The image if it is here; a file that lies there by its digest gets its name."""
    digest = wanted.digest
    found = images.find(store, wanted)
    known = [one for _, one in images.present(store)]
    asked = (wanted.name, wanted.version)
    if found and asked in {(name, tag) for name, tag, _ in images.answer(known)}:
        return found
    if digest and images.located(store, digest):
        return images.put(store, wanted, digest, origin="a file in the store")
    return None


def _here(way: Way, wanted: Reference, environ: Mapping[str, str], say: Say) -> Image:
    found = registry.look_up(wanted, environ)
    store, exact = way.store, wanted.at(found.digest)
    file = images.file_of(images.make(store.own), found.digest)

    def telling(phase: str) -> None:
        say(f"{wanted}: {phase}")

    waiting = functools.partial(telling, "another command pulls it")
    with images.lock(store.own, file.stem, patience=_LONGEST, waiting=waiting) as alone:
        if alone:
            for left in store.own.glob(f"{file.name}.new*"):
                images.sweep(left)
        if not images.located(store, found.digest):
            telling(f"pulling {found.digest[:19]}")
            _pull_patiently(way.runtime, exact, found, file, environ, telling)
        return images.put(store, wanted, found.digest, origin=f"docker://{exact.full_name}")


def _pull_patiently(
    runtime: Runtime,
    exact: Reference,
    found: Found,
    file: Path,
    environ: Mapping[str, str],
    say: Say,
) -> None:
    """Pull the image to its place; once more where the first pull broke off."""
    for attempt in (1, 2):
        # A name of its own: the program of a pull that was killed may still write.
        with _scratch(file.with_name(f"{file.name}.new-{secrets.token_hex(4)}")) as scratch:
            try:
                _pull(runtime, exact, found, scratch, environ, say)
            except CommandFailed as error:
                if attempt == 2:
                    raise
                say(f"once more, as {error}")
            else:
                return images.settle(scratch / _PULLED, file)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A private folder beside the file to come, gone again at the end."""
    try:
        with images.room(folder.parent, "the image"):
            yield make_private(folder)
    finally:
        images.sweep(folder)


def _pull(
    runtime: Runtime,
    exact: Reference,
    found: Found,
    scratch: Path,
    environ: Mapping[str, str],
    say: Say,
) -> None:
    """Pull the image into the folder `scratch`."""
    login = None
    if found.login and not _knows(runtime, found.login) and runtimes.takes_logins(runtime):
        login = scratch / "login.json"
        write_private(login, registry.login_file(exact.host, found.login))
    argv = runtimes.pull_argv(runtime, exact, scratch / _PULLED, login=login)
    own = runtimes.pull_environment(runtime, environ, scratch=scratch, plain=found.plain)
    log = scratch / "log"
    child = process.spawn(argv, out=log, env=own, cwd=scratch)
    deadline = time.monotonic() + _LONGEST
    told = 0
    try:
        while not process.has_ended(child, within=0.2):
            told = _tell(log, told, say)
            if time.monotonic() > deadline:
                raise CommandFailed(f"{exact} was not pulled within {_LONGEST / 3600:g} hours.")
    finally:
        process.signal_group(child, signal.SIGKILL)
        process.terminate(child, patience=0)
    _tell(log, told, say)
    if child.returncode or not (scratch / _PULLED).exists():
        words = process.tail(log, lines=50)
        raise runtimes.explained(str(exact), words, folder=scratch.parent)


def _knows(runtime: Runtime, login: Login) -> bool:
    """Whether the program finds the login by itself."""
    return not login.origin or Path(login.origin).parent.name == f".{runtime.kind}"


def _tell(log: Path, told: int, say: Say) -> int:
    """Pass on the whole lines that came since, but for the empty ones."""
    with log.open("rb") as file:
        file.seek(told)
        text = file.read().decode(errors="replace")
    whole, end, _ = text.rpartition("\n")
    for line in whole.splitlines():
        if words := runtimes.phase(line):
            say(words)
    return told + len((whole + end).encode())


def _in_job(way: Way, wanted: Reference, environ: Mapping[str, str], say: Say) -> Image:
    """Have a job of the user's pull the image into the store, which its node shares."""
    name = f"job-{hashlib.sha256(str(wanted).encode()).hexdigest()[:16]}"
    with images.lock(way.store.own, name, patience=_QUEUED):
        folder = way.store.own / f"{name}.{secrets.token_hex(4)}"
        try:
            status = _job(way, wanted, make_private(folder), environ, say)
            words = process.tail(folder / "log", lines=1)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for meant in wanted.meant:
        if not status and (found := _entered(way.store, meant)):
            return found
    raise DownloadFailed(words or f"The job that should have pulled {wanted} did not.")


def _job(way: Way, wanted: Reference, folder: Path, environ: Mapping[str, str], say: Say) -> int:
    script = folder / "pull.sh"
    write_private(script, _script(way.job(wanted)), mode=0o700)
    argv = [
        *("sbatch", "--parsable", "--job-name=cromwell-userdb-pull", f"--comment=pull {wanted}"),
        *("--ntasks=1", "--cpus-per-task=2", f"--mem={_MEMORY_MB}M"),
        *(f"--chdir={folder}", f"--output={folder / 'log'}", "--open-mode=append", *way.sbatch),
        str(script),
    ]
    job = process.run(argv, env=slurm.scrubbed(environ)).strip().partition(";")[0]
    say(f"{wanted}: job {job} pulls it")
    try:
        return _awaited(job, wanted, folder, say)
    except BaseException:
        with contextlib.suppress(UserDBError):
            slurm.cancel([job])
        raise


def _script(command: Sequence[str]) -> str:
    """What the job does: the pull, and then its status beside, written whole or not at all."""
    return f"#!/bin/sh\n{shlex.join(command)}\necho $? >outcome.new && mv outcome.new outcome\n"


def _awaited(job: str, wanted: Reference, folder: Path, say: Say) -> int:
    """The status of the pull; raises CommandFailed where SLURM ended the job before it ended."""
    outcome, log = folder / "outcome", folder / "log"
    begin = time.monotonic()
    told, ended, asks, pause = 0, False, begin + 4, 8.0
    while (now := time.monotonic()) - begin < _QUEUED:
        told = _tell(log, told, say) if log.exists() else 0
        if outcome.exists():
            return int(outcome.read_text())
        if ended:
            state = slurm.jobs([job]).get(job)
            raise CommandFailed(
                f"Job {job}, which should have pulled {wanted}, ended"
                f"{f' as {state.state}' if state else ''}: {process.tail(log, lines=1)}"
            )
        if now > asks:
            asks, pause = now + pause, min(60, 2 * pause)
            # What a job wrote last may come some seconds after its end.
            ended = bool(slurm.job_ended(job))
            time.sleep(3 if ended else 0)
        time.sleep(0.5)
    raise CommandFailed(f"Job {job} did not pull {wanted} within {_QUEUED / 3600:g} hours.")
