"""An instance as a user has it, and the command that they type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import folders
import pytest
from served import until

COMMAND = (sys.executable, "-m", "cromwell_userdb")
WDL = Path(__file__).parent / "wdl"


@dataclass(frozen=True)
class Lab:
    """A root and the engine to use there; `do` types a command."""

    root: Path
    environment: dict[str, str]

    def argv(self, verb: str, *words: str | Path) -> list[str]:
        return [*COMMAND, *verb.split(), "--root", str(self.root), *map(str, words)]

    def do(
        self,
        verb: str,
        *words: str | Path,
        stdin: str = "",
        cwd: Path | None = None,
        timeout: float = 120,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run `cromwell-userdb VERB --root ROOT WORDS` to its end."""
        return subprocess.run(
            self.argv(verb, *words),
            env={**self.environment, **environment},
            input=stdin,
            cwd=cwd or self.root.parent,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def begin(self, verb: str, *words: str | Path) -> subprocess.Popen[str]:
        """Start a command and leave it running; the test ends it."""
        return subprocess.Popen(
            self.argv(verb, *words),
            env=self.environment,
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self, verb: str, *words: str | Path) -> Any:
        """The JSON that a command answers with; it has to succeed."""
        done = self.do(verb, *words, "--json")
        assert done.returncode in (0, 1, 7), done.stderr
        return json.loads(done.stdout)

    def run(self, wdl: str, *words: str | Path) -> Any:
        """Run a workflow of tests/wdl and return its result as JSON."""
        return self.answer("run", WDL / wdl, *words)

    def state(self, number: int) -> dict[str, Any]:
        """What the run's leader wrote last; {} before it did."""
        try:
            return json.loads((self.root / "runs" / str(number) / "state.json").read_text())
        except FileNotFoundError:
            return {}

    def await_calls(self, number: int, running: int, *, timeout: float = 60) -> dict[str, Any]:
        """The state of a run once so many of its calls run."""

        def enough() -> bool:
            return sum(calls["running"] for calls in self.state(number).get("calls", ())) >= running

        until(enough, timeout=timeout)
        return self.state(number)


def environment() -> dict[str, str]:
    """What these tests' commands see: root is allowed, nothing of the caller's own."""
    kept = {name: value for name, value in os.environ.items() if name != "CROMWELL_USERDB_CI"}
    return kept | {"CROMWELL_USERDB_ALLOW_ROOT": "1", "NO_COLOR": "1"}


def made(*words: str) -> Lab:
    """A new lab below /tmp, where names are short enough for a socket."""
    lab = Lab(folders.made("lab") / "db", environment())
    done = lab.do("init", "--backend", "local", *words)
    assert done.returncode == 0, done.stderr
    return lab


def ended(lab: Lab) -> None:
    """End what runs in a lab, wait for it, and remove it."""
    folders.gone(lab.root.parent)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One instance for all tests of a module that leave it as it was."""
    lab = made()
    yield lab
    ended(lab)


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """An instance for a test that breaks it."""
    lab = made()
    yield lab
    ended(lab)
