"""The argument that names a run, where -1 is the newest and no option."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_MARK = "\x00"


class OnRun(click.Command):
    """A command whose argument may be a number below zero, as in `logs -1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [self._marked(args, at) for at in range(len(args))])

    def _marked(self, args: list[str], at: int) -> str:
        valued = at > 0 and any(
            args[at - 1] in option.opts and not option.is_flag
            for option in self.params
            if isinstance(option, click.Option)
        )
        is_number = re.fullmatch(r"-\d+", args[at]) and not valued
        return _MARK + args[at] if is_number else args[at]


class _Run(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "run"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value.removeprefix(_MARK)


def run_argument(*, newest: bool) -> Callable[[Command], Command]:
    """The argument RUN; `newest` makes it the last run where it is left out."""
    if newest:
        return click.argument("run", type=_Run(), default="-1", metavar="[RUN]")
    return click.argument("run", type=_Run(), metavar="RUN")
