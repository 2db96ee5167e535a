"""The options that verbs share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from cromwell_userdb.cli.place import Command

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
ENGINE = click.option(
    "--engine", type=click.Choice(["auto", "cromwell", "embedded"]), help="What runs workflows."
)
BACKEND = click.option(
    "--backend", type=click.Choice(["auto", "local", "slurm"]), help="Where calls run."
)
COUNT = click.IntRange(min=1)
FILE = click.Path(path_type=Path)
_LANGUAGE = click.Choice(["WDL"], case_sensitive=False)
_VERSIONS = click.Choice(["draft-2", "1.0", "1.1", "cascades"])

_SLURM_FLAGS = (
    *(
        click.option(f"--slurm-{name}", metavar=name.upper(), help=f"{text} of the calls' jobs.")
        for name, text in (
            ("cluster", "Cluster"),
            ("partition", "Partition"),
            ("account", "Account"),
            ("qos", "Quality of service"),
            ("time", "Time limit"),
            ("constraint", "Features of nodes"),
            ("reservation", "Reservation"),
            ("exclude", "Nodes to leave out"),
        )
    ),
    click.option("--slurm-extra", multiple=True, metavar="OPTION", help="One more of sbatch's."),
)

_FLAGS = (
    click.argument("wdl"),
    click.argument("inputs", required=False),
    click.option("-i", "--inputs", "inputs_option", metavar="FILE", help="Inputs, JSON or YAML."),
    click.option("--input", "given", multiple=True, metavar="NAME=VALUE", help="One more input."),
    click.option("-o", "--options", metavar="FILE", help="Workflow options, JSON."),
    click.option("-l", "--labels", metavar="FILE", help="Labels, JSON."),
    click.option("--label", "more_labels", multiple=True, metavar="KEY=VALUE", help="One more."),
    click.option("-p", "--imports", multiple=True, type=FILE, help="A zip or folder of imports."),
    click.option("-m", "--metadata-output", type=FILE, help="Write Cromwell's metadata here."),
    click.option("-t", "--type", "kind", type=_LANGUAGE, help="Language of the workflow."),
    click.option("-v", "--type-version", type=_VERSIONS, help="Version of the language."),
    click.option("--run-name", metavar="TEXT", help="What to call this run in lists."),
    ENGINE,
    click.option("--cromwell", metavar="PATH", help="This cromwell.jar, for this run."),
    *_SLURM_FLAGS,
)


def order_options(command: Command) -> Command:
    """What `run` and `submit` take to say what is to be run."""
    return _with(_FLAGS, command)


def slurm_options(command: Command) -> Command:
    """What the jobs of a run's calls may be given, whatever the settings say."""
    return _with(_SLURM_FLAGS, command)


_FOLLOWED = (
    click.option("--quiet", is_flag=True, help="Show only how it ends."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)
_LAUNCHED = (
    click.option("--wait", is_flag=True, help="Wait while the database is served elsewhere."),
    click.option("--detach", is_flag=True, help="Give back the terminal at once."),
    *_FOLLOWED,
)


def followed_options(command: Command) -> Command:
    """How a verb that follows a run shows it."""
    return _with(_FOLLOWED, command)


def launched_options(command: Command) -> Command:
    """What a verb takes that leads a run from here, and follows it."""
    return _with(_LAUNCHED, command)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    """The command with these options, which its help shows in this order."""
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


ON_LIMIT = click.option(
    "--on-limit",
    type=click.Choice(["requeue", "adopt", "abort"]),
    default="requeue",
    show_default=True,
    help="Before the leader's time limit.",
)

_LEADER = (
    ON_LIMIT,
    click.option("--leader-time", metavar="TIME", help="Time limit of the leader's job."),
    click.option("--leader-partition", metavar="NAME", help="Partition of the leader's job."),
    click.option("--leader-memory", metavar="MB", type=int, help="Memory of the leader's job."),
)


def leader_options(command: Command) -> Command:
    """What a leader's job may be given, whatever the settings say."""
    return _with(_LEADER, command)


def leader_flags(words: dict[str, Any]) -> dict[str, Any]:
    """The settings that --leader-time and its like stand for, taken out of `words`."""
    return {
        "leader.time": words.pop("leader_time"),
        "leader.partition": words.pop("leader_partition"),
        "leader.memory_mb": words.pop("leader_memory"),
    }
