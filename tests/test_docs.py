"""The manual, the help and the advice in errors say what is true of the program."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cromwell_userdb import __version__, errors, settings
from cromwell_userdb.cli import main
from cromwell_userdb.cli.completion import SHELLS
from cromwell_userdb.instance import Instance, RunFolder

HOUSE = Path(__file__).parent.parent
DOCS = HOUSE / "docs"
REFERENCE = runpy.run_path(str(DOCS / "reference.py"))


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Every command and sub-command with the words that call it."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command, **command.context_settings)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walk(below, (*path, name))


COMMANDS = dict(walk(main, ("cromwell-userdb",)))
OPTIONS = {
    option
    for command in COMMANDS.values()
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
} | {"--help"}


def joined(text: str) -> list[str]:
    """The lines of `text` without what a shell does first, those that go on below in one."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    lines = [re.sub(r"^(\w+=\S+ )+", "", line.strip()) for line in lines]
    return [re.sub(r".*\$\((cromwell-userdb [^)]*)\).*", r"\1", line) for line in lines]


def parse(line: str) -> None:
    """Check that `line` is a command of ours, with options and arguments that it takes.

    Raises click.UsageError; an example's remark, after two spaces, and what a shell does with
    the output are left away.
    """
    command_line = re.split(r" {2,}| [|>]+ ", line, maxsplit=1)[0]
    words = shlex.split(command_line)
    command: click.Command = main
    context = click.Context(main, info_name=words.pop(0), **main.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, below, words = command.resolve_command(context, words)
        assert below is not None, line
        command = below
        context = command.context_class(command, info_name=name, parent=context)
    if words not in (["--help"], ["--version"]):
        command.make_context(context.info_name, words, parent=context.parent)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_with_an_example(path: str) -> None:
    text = COMMANDS[path].help or ""
    examples = [line for line in joined(text) if line.startswith(path)]
    assert re.search(r"^\s*Examples?:$", text, re.MULTILINE), text
    assert examples, text


@pytest.mark.parametrize("path", COMMANDS)
def test_the_examples_in_help_parse(path: str) -> None:
    for line in joined(COMMANDS[path].help or ""):
        if line.startswith("cromwell-userdb "):
            parse(line)


@pytest.mark.parametrize("path", COMMANDS)
def test_no_two_parameters_of_a_command_share_a_name(path: str) -> None:
    names = [parameter.name for parameter in COMMANDS[path].params]
    targets = {name for name in names if names.count(name) > 1}
    assert not {name for name in targets if not _are_one(COMMANDS[path], name)}


def _are_one(command: click.Command, name: str | None) -> bool:
    """Whether the parameters called `name` are meant to fill one value, as flags do."""
    same = [parameter for parameter in command.params if parameter.name == name]
    return all(isinstance(parameter, click.Option) for parameter in same)


MANUAL = [HOUSE / "README.rst", *sorted(DOCS.glob("*.rst"))]


@pytest.mark.parametrize("page", MANUAL, ids=lambda path: path.stem)
def test_the_commands_in_the_manual_parse(page: Path) -> None:
    text = page.read_text()
    blocks = [line for line in joined(text) if re.match(r"(\$ )?cromwell-userdb [a-z]", line)]
    inline = re.findall(r"``(cromwell-userdb [a-z][^`]*)``", text)
    for line in [*blocks, *inline]:
        parse(line.removeprefix("$ "))


@pytest.mark.parametrize("page", REFERENCE["PAGES"])
def test_the_reference_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text() == REFERENCE["PAGES"][page](), 'run "make reference"'


def test_every_command_is_in_the_manual() -> None:
    text = (DOCS / "commands.rst").read_text()
    assert not [path for path in COMMANDS if f"Usage: {path} " not in text and " " in path]


def test_every_setting_is_in_the_manual() -> None:
    listed = re.findall(r"^   \* - ``([\w.]+)``", (DOCS / "settings-table.txt").read_text(), re.M)
    assert tuple(listed) == settings.NAMES


def test_the_exit_codes_in_the_manual_are_those_of_the_errors() -> None:
    table = re.findall(r"^   \* - ([\d, ]+)$", (DOCS / "errors.rst").read_text(), re.MULTILINE)
    listed = {int(code) for codes in table for code in codes.split(",")}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert listed == {kind.exit_code for kind in kinds} | {0, 130, 143}


def test_the_manual_knows_every_file_of_an_instance() -> None:
    text = (DOCS / "files.rst").read_text()
    instance = Instance(Path("/i"))
    values = [*_paths(instance), *_paths(RunFolder(Path("/i/runs/12")))]
    assert not [path for path in values if not re.search(rf"\b{re.escape(path.name)}\b", text)]


def _paths(value: object) -> Iterator[Path]:
    for name, member in vars(type(value)).items():
        if isinstance(member, property) and isinstance(path := getattr(value, name), Path):
            yield path


def test_the_version_is_the_newest_in_the_changelog() -> None:
    versions = re.findall(r"^version (\S+)$", (HOUSE / "CHANGELOG.rst").read_text(), re.MULTILINE)
    assert versions[0] == __version__


def test_the_commands_of_the_readme_are_in_the_makefile() -> None:
    named = set(re.findall(r"^ +make (\w+)", (HOUSE / "README.rst").read_text(), re.MULTILINE))
    targets = re.findall(r"^([\w-]+):", (HOUSE / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= named <= set(targets)


def advice() -> Iterator[tuple[str, str]]:
    """Each sentence that the program may say, with where it stands."""
    for path in sorted((HOUSE / "cromwell_userdb").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                parts = [n.value for n in ast.walk(node.exc) if isinstance(n, ast.Constant)]
                words = "…".join(part for part in parts if isinstance(part, str))
                yield f"{path.name}:{node.lineno}", words


def test_errors_advise_only_what_there_is() -> None:
    wrong = []
    for where, words in advice():
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", words))
        commands = set(re.findall(r"cromwell-userdb ([a-z]+)", words))
        commands |= set(re.findall(r"\"([a-z]+)\" to ", words))
        known = {path.split()[1] for path in COMMANDS if " " in path}
        wrong += [f"{where}: {one}" for one in sorted(options - OPTIONS | commands - known)]
    assert not wrong


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_a_script_for_each_shell(shell: str) -> None:
    argv = [sys.executable, "-m", "cromwell_userdb", "completion", shell]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert "_CROMWELL_USERDB_COMPLETE" in done.stdout


def test_bash_completes_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "cromwell-userdb db st")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setenv("_CROMWELL_USERDB_COMPLETE", "bash_complete")
    argv = [sys.executable, "-m", "cromwell_userdb"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["plain,start", "plain,status", "plain,stop"]


def test_the_manual_builds_without_a_warning(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*argv, "-d", tmp_path / "trees", DOCS, tmp_path / "html"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
