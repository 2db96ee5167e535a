"""Writes the pages that the program knows best: `make reference`; a test compares them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from cromwell_userdb.cli import GROUPS, main
from cromwell_userdb.settings import Settings, Value, describe

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "tests" / "recordings"
WIDTH = 80
WRITTEN = '.. Written by "make reference"; do not change it by hand.\n\n'


def commands() -> str:
    """Every command's help, in the order of `--help`."""
    text = f"{WRITTEN}{_heading('Commands', '=')}\n"
    text += "Each takes ``--help``. Answers go to stdout, the rest to stderr.\n"
    for title, group in GROUPS.items():
        text += "\n" + _heading(title, "-")
        for name in group:
            command = main.get_command(click.Context(main), name)
            assert command is not None
            text += "".join(_entries(command, f"cromwell-userdb {name}"))
    return text


def _entries(command: click.Command, path: str) -> Iterator[str]:
    label = path.removeprefix("cromwell-userdb ").replace(" ", "-")
    yield f"\n.. _command-{label}:\n\n{_heading(path.removeprefix('cromwell-userdb '), '~')}\n"
    yield f".. code-block:: text\n\n{_indented(_help(command, path))}"
    if isinstance(command, click.Group):
        for name, below in sorted(command.commands.items()):
            yield from _entries(below, f"{path} {name}")


def _help(command: click.Command, path: str) -> str:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    return command.get_help(context)


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}".rstrip() + "\n" for line in text.splitlines())


def settings() -> str:
    """A table of every setting, its default and its meaning."""
    text = f"{WRITTEN}.. list-table::\n   :header-rows: 1\n   :widths: 30 15 55\n\n"
    text += "   * - setting\n     - default\n     - meaning\n"
    free = {
        known.name.replace("_", ".", 1): known.metadata["anywhere"] for known in fields(Settings)
    }
    for name, value in Settings().by_name().items():
        marked = "" if free[name] else " \\*"
        text += f"   * - ``{name}``{marked}\n     - {_shown(value)}\n     - {describe(name)}\n"
    return text


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return f"``{str(value).lower()}``"
    if isinstance(value, tuple):
        return " ".join(f"``{part}``" for part in value) or "–"
    return f"``{value}``" if value != "" else "–"


def embedded_differences() -> str:
    """A table of the documents to which the embedded engine answers otherwise than a Cromwell."""
    cases = json.loads(gzip.decompress((RECORDINGS / "semantics.json.gz").read_bytes()))
    text = f"{WRITTEN}.. list-table::\n   :header-rows: 1\n   :widths: 60 40\n\n"
    text += "   * - difference\n     - where: number of the case, WDL, expression\n"
    for difference in json.loads((RECORDINGS / "differences.json").read_text()):
        places = [_place(number, cases[number]) for number in difference["cases"]]
        text += f"   * - {_plain(difference['reason'])}\n     - | "
        text += "\n       | ".join(places) + "\n"
    return text


def _place(number: int, case: dict[str, Any]) -> str:
    first, *rest = case["wdl"].splitlines()
    version = first.removeprefix("version ") if first.startswith("version ") else "draft-2"
    output = next(line for line in rest if line.startswith("output {"))
    expression = output.partition("=")[2].rpartition("}")[0].strip()
    given = f" with ``{json.dumps(case['inputs'])}``" if case.get("inputs") else ""
    return f"{number}, {version}: ``{expression}``{given}"


def _plain(words: str) -> str:
    """Text in which a backslash is one."""
    return words.replace("\\", "\\\\")


PAGES = {
    "commands.rst": commands,
    "settings-table.txt": settings,
    "embedded-differences.txt": embedded_differences,
}

if __name__ == "__main__":
    for page, write in PAGES.items():
        (HERE / page).write_text(write())
