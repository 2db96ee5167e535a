"""`completion`: what makes a shell complete our commands and options."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cromwell_userdb.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", required=False, type=click.Choice(SHELLS))
@click.pass_context
def completion_(ctx: click.Context, shell: str | None) -> None:
    """Print what makes your shell complete commands.

    SHELL is bash, zsh or fish; without it, the shell you log in with.

    \b
    Examples:
      cromwell-userdb completion bash >> ~/.bashrc
      cromwell-userdb completion fish > ~/.config/fish/completions/cromwell-userdb.fish
    """
    from click.shell_completion import get_completion_class

    shell = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell)
    if kind is None or shell not in SHELLS:
        raise UsageError(f"There is no completion for {shell!r}: name bash, zsh or fish.")
    name = "cromwell-userdb"
    click.echo(kind(ctx.find_root().command, {}, name, "_CROMWELL_USERDB_COMPLETE").source())
