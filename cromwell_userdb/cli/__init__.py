"""The command line: options in, one call, lines or JSON out."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import __version__
from cromwell_userdb.errors import UserDBError

GROUPS = {
    "Every day": {
        "init": ("init", "Make your private database, once."),
        "run": ("run", "Run a workflow here, and follow it."),
        "list": ("answers", "List runs, the newest first."),
        "status": ("answers", "Show one run: its calls, what is longest."),
        "outputs": ("answers", "Show what a run produced."),
        "quickstart": ("quickstart", "See all of it in a minute, on bundled data."),
    },
    "Runs": {
        "submit": ("submit", "Run a workflow from a SLURM job of its own."),
        "resume": ("resume", "Finish a run that died, failed or was aborted."),
        "attach": ("follow", "Follow a run that goes on elsewhere."),
        "logs": ("logs", "Show the last words of a run's calls."),
        "abort": ("abort", "Abort a run, and its jobs with it."),
        "label": ("answers", "Show or set a run's labels."),
        "inputs": ("run", "Write the inputs a workflow takes, to be filled in."),
    },
    "Setting up": {
        "config": ("config", "Show, check and change settings."),
        "db": ("db", "Start, stop, inspect and remove the database."),
        "cluster": ("cluster", "Show what we believe of the SLURM cluster."),
        "engine": ("engine", "Choose and install the engine that runs workflows."),
        "images": ("images", "Show and fetch the images that tasks run in."),
        "sbatch-wrapper": ("submit", "Print the path of a script for sbatch."),
        "completion": ("completion", "Print what makes your shell complete commands."),
    },
}
_COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}
_HIDDEN = {"lead": ("lead", ""), "lead-here": ("lead", "")}
_COMMANDS |= _HIDDEN


class Commands(click.Group):
    """Loads a command's module only when it is asked for; shows every UserDBError as a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in _COMMANDS if name not in _HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"cromwell_userdb.cli.{_COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name.replace('-', '_')}_")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ' "cromwell-userdb --help" lists them.'
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in group.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not "".join(args).isascii():
            from cromwell_userdb.cli.place import spelt

            for word in args:
                spelt(word)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        # Both before click makes them a failure like any other.
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            sys.exit(130)
        except BrokenPipeError:
            # Whoever read us has seen enough, as in "list | head".
            _silence()
            sys.exit(0)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        if sys.stdout is None:  # closed by whoever called us
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as we live
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal in Latin 1 has no dash as long as ours; better a ? than no answer.
            sys.stdout.reconfigure(errors="replace")
        # Whatever others may do: nobody could work with files that are closed to themselves.
        os.umask(os.umask(0o077) & 0o077)
        try:
            return super().main(*args, **kwargs)
        except UserDBError as error:
            from cromwell_userdb.cli.place import at_home

            print(at_home(str(error)), file=sys.stderr)
            sys.exit(error.exit_code)
        except OSError as error:
            status = _explain(error)
            try:
                sys.stdout.flush()
            except OSError:
                _silence()
            sys.exit(status)
        except Exception as error:  # noqa: BLE001  # a bug, unless the database explains it
            if words := _of_database(error):
                print(words, file=sys.stderr)
                sys.exit(words.exit_code)
            sys.exit(_apologise())


def _silence() -> None:
    """Give up what is still to be printed: Python would try, and complain, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_database(error: Exception) -> UserDBError | None:
    """The sentence for an error of the database's, if it was ever talked to."""
    database = sys.modules.get("cromwell_userdb.database")
    return database.explained(error) if database else None


def _explain(error: OSError) -> int:
    """What the system refused, where; the traceback is kept, should it be a mistake of ours."""
    _keep_traceback()
    where = f"{error.filename}: " if error.filename else ""
    words = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        print(f"{where}{words}. Nothing is lost; make some room and do it again.", file=sys.stderr)
        return 5
    if error.errno == errno.EFBIG:
        words += ": this session's limit on files (ulimit -f) is too low"
    print(f"{where}{words}.", file=sys.stderr)
    return 2


def _apologise() -> int:
    """Say that it was a bug, and where its traceback is."""
    log = _keep_traceback()
    where = (
        f"Its details are in {log}; please send them along"
        if log
        else "Its details could not be written anywhere"
    )
    print(f"Sorry, that is a mistake in cromwell-userdb. {where}.", file=sys.stderr)
    return 1


def _keep_traceback() -> Path | None:
    """Put the traceback into the user's own log; None where that can't be written."""
    from cromwell_userdb.cli.place import state_folder

    try:
        log = state_folder() / "bugs.log"
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            log.chmod(0o600)
            file.write(f"{' '.join(sys.argv)}\n{traceback.format_exc()}\n")
    except OSError:
        return None
    return log


_DAY = """\
Workflows on your own private database.

  cromwell-userdb init                          once
  cromwell-userdb run workflow.wdl inputs.json  run it, and follow it
  cromwell-userdb list                          what ran, and what became of it
  cromwell-userdb status                        the newest run, call by call
  cromwell-userdb logs --failed                 the last words of what failed

New here: cromwell-userdb quickstart            more: cromwell-userdb --help"""


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, message="cromwell-userdb %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Run WDL workflows with Cromwell on a private database of your own.

    \b
    Examples:
      cromwell-userdb init
      cromwell-userdb run workflow.wdl inputs.json
    """
    if ctx.invoked_subcommand is None:
        click.echo(_DAY)
