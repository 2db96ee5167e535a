"""`run` and `inputs`: start a workflow and follow it, show what it takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cromwell_userdb.cli import place, screen
from cromwell_userdb.cli.follow import Interrupts, conclude, follow, tell_detached
from cromwell_userdb.cli.options import BACKEND, FILE, launched_options, order_options
from cromwell_userdb.cli.place import Place

if TYPE_CHECKING:
    from cromwell_userdb.cli.launch import Order
    from cromwell_userdb.instance import RunFolder
    from cromwell_userdb.runs import State


@click.command("run")
@order_options
@BACKEND
@click.option("--on-limit", type=click.Choice(["abort", "adopt"]), default="abort", hidden=True)
@launched_options
@place.options
def run_(
    detach: bool,
    quiet: bool,
    as_json: bool,
    place: Place,
    wait: bool,
    on_limit: str,
    backend: str | None,
    **words: Any,
) -> None:
    """Run a workflow here, and follow it to its end.

    WDL is a file or a URL; INPUTS is JSON or YAML, or - for standard input. Ctrl-C aborts
    the run and its jobs; Ctrl-\\ leaves the run to itself.

    \b
    Examples:
      cromwell-userdb run workflow.wdl inputs.json
      cromwell-userdb run workflow.wdl --input workflow.sample=NA12878 --detach
    """
    from cromwell_userdb.cli import sources

    # First, so that the rest is loaded while it is read.
    begun = sources.begin(place, words)
    from cromwell_userdb.cli import here, launch

    here.check_run(place)
    here.look_around(place)
    order = launch.order(place, begun=begun, **words, more_flags={"run.backend": backend})
    lost = None if quiet else offered_to_resume(order)
    with Interrupts() as interrupts:
        if lost:
            folder = take_up(order, lost, wait=wait)
        else:
            folder = launch.launch(order, wait=wait, quiet=quiet, on_limit=on_limit)
        if detach:
            tell_detached(folder, place, as_json=as_json)
        else:
            state = follow(folder, place, interrupts, quiet=quiet)
            conclude(folder, state, place, as_json=as_json)


def offered_to_resume(order: Order) -> State | None:
    """The run of this very workflow and these inputs that was lost, if it is to be resumed.

    At a terminal that is asked; elsewhere it is only told how.
    """
    from cromwell_userdb.cli import resume

    lost = resume.lost_twin(order)
    if lost is None:
        return None
    told = f"run {lost.run} of this workflow and these inputs was lost"
    if sys.stdin.isatty():
        return lost if click.confirm(f"{told}. Resume it", default=True, err=True) else None
    screen.note(
        f"{told}; its jobs are taken up by: cromwell-userdb resume {lost.run}{order.where.option}"
    )
    return None


def take_up(order: Order, lost: State, *, wait: bool) -> RunFolder:
    """Resume a run that was lost, instead of running the same from the start."""
    from cromwell_userdb.cli import resume

    old = order.where.instance.run(lost.run)
    wish = resume.wished(order.where, old, {}, flags={}, orphans="cancel", quiet=False)
    return resume.launched(wish, wait=wait)


@click.command("inputs")
@click.argument("wdl")
@click.option("-p", "--imports", multiple=True, type=FILE, help="A zip or folder of imports.")
def inputs_(wdl: str, imports: tuple[Path, ...]) -> None:
    """Write the inputs a workflow takes, to be filled in.

    \b
    Example:
      cromwell-userdb inputs workflow.wdl > inputs.json
    """
    from cromwell_userdb import wdl as language
    from cromwell_userdb.cli import sources

    network = place.find(None, None).settings.engine_network_imports
    document = language.load(sources.local(wdl), imports=imports, network=network)
    screen.answer(language.template(document))
