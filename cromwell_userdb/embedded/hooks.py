"""The back end's hooks at work on one call: submit, check-alive, kill."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Any

from cromwell_userdb import process
from cromwell_userdb.embedded.job import Place, Prepared
from cromwell_userdb.embedded.ledger import CallId
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.errors import CommandFailed, SettingError
from cromwell_userdb.process import Child
from cromwell_userdb.record import read_text

LOST = 79
"""Cromwell's return code of a job that is gone and left none."""

NO_ROOM = 86
"""Our return code of a job whose own found no room on the disk."""


def submit(provider: Provider, prepared: Prepared, call: CallId) -> Child:
    """Start the submit hook; in the background it is the job itself."""
    template = "submit"
    if prepared.attributes.image:
        template = "submit-docker"
        if not provider.has(template):
            raise SettingError(
                f"The task asks for the container {prepared.attributes.image}, but the back end "
                f"{provider.name} has no submit-docker."
            )
    text = provider.render(template, _names(provider, prepared, call))
    if provider.in_background:
        text = f"{_claim(prepared.place)}\n{text}"
    return _start(prepared.place, "submit", text)


def _claim(place: Place) -> str:
    """Shell: note who runs the job, or leave it to whoever was first."""
    return f"(set -C; echo $$ > {shlex.quote(str(place.execution / 'pid'))}) || exit 0"


def background_job(place: Place) -> int | None:
    """The pid of the job in the background, if it lives; a recycled pid is not it."""
    pid = read_text(place.execution / "pid").strip()
    own = os.fsencode(place.execution / "script.submit")
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes() if pid.isdigit() else b""
    except OSError:
        return None
    return int(pid) if own in words.split(b"\0") else None


def _names(provider: Provider, prepared: Prepared, call: CallId) -> dict[str, Any]:
    place = prepared.place
    docker_root = Path(provider.docker_root)
    inner = Place(docker_root / place.root.relative_to(provider.root))
    task = prepared.plan.task.name
    return {
        **prepared.attributes.hook,
        "job_name": f"cromwell_{call.workflow[:8]}_{task}",
        "cwd": str(place.root),
        "out": str(place.stdout),
        "err": str(place.stderr),
        "script": str(place.script),
        "job_shell": "/bin/bash",
        "docker": prepared.attributes.exact_image or prepared.attributes.image,
        "docker_cwd": str(inner.root),
        "docker_cid": str(place.execution / "docker_cid"),
        "docker_script": str(inner.script),
        "docker_out": str(inner.stdout),
        "docker_err": str(inner.stderr),
    }


def is_submitting(place: Place) -> bool:
    """Whether a submit hook that an engine before this one started is still at work."""
    own = os.fsencode(place.execution / "script.submit")
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if own in path.read_bytes().split(b"\0"):
                return True
    return False


def job_of(provider: Provider, place: Place) -> str:
    """The id that the submit hook printed; raises CommandFailed when there is none."""
    printed = read_text(place.execution / "stdout.submit")
    job = provider.job_id(printed)
    if job is None:
        words = (
            read_text(place.execution / "stderr.submit").strip()[-2000:] or printed.strip()[:200]
        )
        raise CommandFailed(f"The submit command gave no job id. It said: {words or 'nothing'}")
    return job


def check(provider: Provider, place: Place, job: str) -> Child | None:
    """Ask whether the job lives; None when the back end has no way to ask."""
    if not provider.has("check-alive"):
        return None
    return _start_anyhow(place, "check", provider.render("check-alive", {"job_id": job}))


def kill(provider: Provider, place: Place, job: str, *, image: str | None) -> Child | None:
    """Start the kill hook; None when the back end has none."""
    template = "kill-docker" if image and provider.has("kill-docker") else "kill"
    if not provider.has(template):
        return None
    names = {"job_id": job, "docker_cid": str(place.execution / "docker_cid")}
    return _start_anyhow(place, "kill", provider.render(template, names))


def _start(place: Place, name: str, text: str) -> Child:
    script = place.execution / f"script.{name}"
    # Begun anew each time: what an earlier asking said would be read as this one's answer.
    for stream in ("stdout", "stderr"):
        (place.execution / f"{stream}.{name}").unlink(missing_ok=True)
    script.write_text(f"#!/bin/bash\n{text}\n")
    return process.spawn(
        ["/bin/bash", script],
        out=place.execution / f"stdout.{name}",
        err=place.execution / f"stderr.{name}",
    )


def _start_anyhow(place: Place, name: str, text: str) -> Child:
    """As `_start`, but on a full disk without any file: what has to be done at all costs."""
    try:
        return _start(place, name, text)
    except OSError:
        script = str(place.execution / f"script.{name}")
        return process.spawn(["/bin/bash", "-c", text, script], out=Path(os.devnull))


def write_rc(place: Place, code: int) -> bool:
    """Write `rc` for a job that can't, unless it has one; False where the disk has no room."""
    beside = place.execution / f"rc.{os.getpid()}"
    try:
        beside.write_text(f"{code}\n")
        with contextlib.suppress(FileExistsError):
            os.link(beside, place.rc)
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
    return place.return_code() is not None
