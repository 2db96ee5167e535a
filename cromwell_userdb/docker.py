"""The program `docker` that engines are given: it answers from the store, and has images pulled.

Cromwell asks it ``images --digests --format …`` for each image, waits five seconds for that
answer, and has what is missing brought by ``pull NAME:TAG``.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cromwell_userdb import images, pulled, runtimes
from cromwell_userdb.errors import UsageError, UserDBError
from cromwell_userdb.images import Store
from cromwell_userdb.reference import parse
from cromwell_userdb.runtimes import Runtime


@dataclass(frozen=True)
class Containers:
    """How a run has its images: by which program, from which store, pulled where.

    `pull` is here, job or never; `sbatch` are options of the job. What becomes of the pulls is
    told in the file `told`.
    """

    runtime: Runtime
    store: Store
    pull: str = "here"
    sbatch: tuple[str, ...] = ()
    told: Path | None = None


def command(python: Path | str, containers: Containers) -> list[str]:
    """The words before those of docker."""
    facts = {
        "kind": containers.runtime.kind,
        "program": str(containers.runtime.program),
        "own": str(containers.store.own),
        "sites": [str(folder) for folder in containers.store.sites],
        "pull": containers.pull,
        "sbatch": containers.sbatch,
        "told": str(containers.told or ""),
    }
    # -P: the current folder of a run holds whatever its user put there.
    return [str(python), "-P", "-m", "cromwell_userdb.docker", json.dumps(facts)]


def program_text(python: Path | str, containers: Containers) -> str:
    """The text of an executable that stands for docker on an engine's PATH."""
    package = Path(__file__).parent.parent
    installed = package.name in {"site-packages", "dist-packages"}
    # A checkout that nobody installed.
    found = f"PYTHONPATH={shlex.quote(str(package))}${{PYTHONPATH:+:$PYTHONPATH}} "
    words = shlex.join(command(python, containers))
    return f'#!/bin/sh\n{"" if installed else found}exec {words} "$@"\n'


def _containers(text: str) -> Containers:
    facts: dict[str, Any] = json.loads(text)
    return Containers(
        Runtime(facts["kind"], Path(facts["program"])),
        Store(Path(facts["own"]), tuple(map(Path, facts["sites"]))),
        facts["pull"],
        tuple(facts["sbatch"]),
        Path(facts["told"]) if facts["told"] else None,
    )


def main(argv: Sequence[str]) -> int:
    """Do what docker is asked; the status that it ends with."""
    containers, words = _containers(argv[0]), list(argv[1:])
    try:
        if words[:1] == ["images"]:
            _print_lines(answer(containers))
        elif words[:1] == ["pull"] and len(words) == 2:
            pull(containers, words[1])
        else:
            raise UsageError(
                f"This docker answers Cromwell's questions only, not {' '.join(words[:1])}."
            )
    except UserDBError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _print_lines(rows: Iterable[tuple[str, str, str]]) -> None:
    sys.stdout.write("".join("\t".join(row) + "\n" for row in rows))


def answer(containers: Containers) -> Iterable[tuple[str, str, str]]:
    """Repository, tag and digest of all images, as Cromwell names them."""
    if containers.runtime.takes_files:
        return images.answer(one for _, one in images.present(containers.store))
    here = runtimes.own_images(containers.runtime)
    return images.answer(
        images.Image(parse(name).name, tag, digest, "", 0, "", "", "")
        for name, tag, digest in [*here, *_pinned(containers, {row[2] for row in here})]
    )


def _pinned(containers: Containers, digests: set[str]) -> Iterable[tuple[str, str, str]]:
    """What was asked for by tag and digest: such programs remember only the digest."""
    for one in pulled.told(containers.told) if containers.told else ():
        wanted = parse(one.image)
        if one.step == pulled.DONE and wanted.tag and wanted.digest in digests:
            yield wanted.name, wanted.version, wanted.digest


def pull(containers: Containers, name: str) -> None:
    """Have the image pulled, and tell what becomes of it."""
    _tell(containers, name, pulled.BEGUN)
    try:
        _pull(containers, name)
    except UserDBError as error:
        _tell(containers, name, pulled.FAILED, str(error))
        raise
    _tell(containers, name, pulled.DONE)


def _pull(containers: Containers, name: str) -> None:
    from cromwell_userdb import pulls

    pulls.bring(
        way(containers), parse(name), os.environ, say=lambda words: print(words, flush=True)
    )


def way(containers: Containers) -> Any:
    """How images come here; in a job the same program brings them on its node."""
    from cromwell_userdb import pulls

    there = replace(containers, pull="here", told=None)
    return pulls.Way(
        containers.runtime,
        containers.store,
        containers.pull,
        lambda wanted: [*command(sys.executable, there), "pull", str(wanted)],
        containers.sbatch,
    )


def _tell(containers: Containers, name: str, step: str, words: str = "") -> None:
    if containers.told:
        pulled.tell(containers.told, name, step, words)


if __name__ == "__main__":
    # Whoever ends us ends the pull, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
