"""`quickstart`: the whole of it in a minute, on bundled data, each command shown first."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cromwell_userdb import process
from cromwell_userdb.cli import place, screen
from cromwell_userdb.cli.options import BACKEND, ENGINE
from cromwell_userdb.cli.place import Place, tilde
from cromwell_userdb.record import make_private, write_private

BUNDLED = Path(__file__).parent.parent / "quickstart"
SAMPLES = ("blood", "normal", "tumour")
NAME = "quickstart"


@click.command("quickstart")
@click.option("--root", metavar="DIR", help="Make the instance in this folder.")
@click.option("--name", metavar="NAME", help="Call the instance so.  [default: quickstart]")
@click.option("--install", is_flag=True, help="Download a server and Cromwell where missing.")
@ENGINE
@BACKEND
@click.option("--allow-root", is_flag=True, help="Even as root, as in a container.")
def quickstart_(
    root: str | None,
    name: str | None,
    install: bool,
    engine: str | None,
    backend: str | None,
    allow_root: bool,
) -> None:
    """See all of it in a minute: a database, a workflow, and the same again from the cache.

    Three small FASTQ files are counted, sample by sample, and merged into one table. It all
    happens in an instance of its own, which you can remove afterwards.

    \b
    Example:
      cromwell-userdb quickstart
    """
    where = place.find(root, name or (None if root else NAME))
    flags = [
        name for name, wanted in (("--install", install), ("--allow-root", allow_root)) if wanted
    ]
    for option, value in (("--engine", engine), ("--backend", backend)):
        flags += [option, value] if value else []
    screen.note("A workflow on a private database of your own, in four commands.\n")
    _do(where, "init", "--yes", *flags)
    wdl, inputs = _example(where)
    _do(where, "run", wdl, inputs)
    _show(where)
    screen.note("\nThe same again: nothing has changed, so nothing has to run.\n")
    _do(where, "run", wdl, inputs)
    _do(where, "list")
    _farewell(where, wdl, inputs)


def _example(where: Place) -> tuple[str, str]:
    """Copy the workflow and its data into the instance, where they can be looked at."""
    folder = make_private(where.instance.root / "example")
    for source in sorted(BUNDLED.iterdir()):
        target = folder / source.name
        # A file that is there already keeps its time, which the cache goes by.
        if not target.exists():
            write_private(target, source.read_bytes())
    inputs = folder / "inputs.json"
    fastqs = [str(folder / f"{sample}.fastq.gz") for sample in SAMPLES]
    write_private(inputs, json.dumps({"reads.fastqs": fastqs, "reads.min_quality": 25}, indent=2))
    return str(folder / "reads.wdl"), str(inputs)


def _do(where: Place, verb: str, *words: str) -> None:
    """Show a command as one would type it, then run it; leave with its status if it fails."""
    option = shlex.split(where.option)
    screen.note(
        "$ " + " ".join(["cromwell-userdb", verb, *option, *(tilde(word) for word in words)])
    )
    argv: Sequence[str] = [sys.executable, "-m", "cromwell_userdb", verb, *option, *words]
    status = process.call(argv, env=os.environ)
    if status:
        screen.note(f"\nThat did not work (exit code {status}); what it said is above.")
        sys.exit(status)
    screen.note("")


def _show(where: Place) -> None:
    """The table that the run produced."""
    from cromwell_userdb import runs

    numbers = runs.numbers(where.instance)
    outputs = runs.read_outputs(where.instance.run(numbers[-1])) or {}
    if path := outputs.get("reads.table"):
        screen.note("$ column -t " + tilde(path))
        rows = [line.split("\t") for line in Path(path).read_text().splitlines()]
        from cromwell_userdb.report.words import table

        print(table(rows[0], rows[1:], right=" ".join(rows[0][1:])), flush=True)


def _farewell(where: Place, wdl: str, inputs: str) -> None:
    option = where.option
    screen.note(
        f"""\
Now try:
  cromwell-userdb status{option}                what ran, call by call
  cromwell-userdb logs{option}                  what each call said
  cromwell-userdb run{option} {tilde(wdl)} \\
      --input reads.min_quality=30 -i {tilde(inputs)}
                                        another quality: only what it changes runs
  cromwell-userdb init                          your own instance

Everything is in {tilde(where.instance.root)}. Away with it, when you have seen enough:
  cromwell-userdb db remove{option}"""
    )
