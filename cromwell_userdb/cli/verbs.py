"""Groups of commands, whose help has the whole sentence of each."""

from __future__ import annotations

import click


class Verbs(click.Group):
    """Click cuts a sentence where its line ends; this breaks the line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        verbs = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        rows = [(name, verb.get_short_help_str(limit=1000)) for name, verb in verbs]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
