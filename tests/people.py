"""Other people on this machine: their homes, and an interpreter that they may start.

The checkout may lie below a folder that is root's alone, so what these people run is a copy
of the package and of what it needs, in a folder that anybody may read.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import folders
import pytest
from cluster import PATH, Cluster, _make_user, as_user
from packaging.requirements import Requirement
from served import until

import cromwell_userdb

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Person:
    """An OS user with a home of 0700 and a short path, and the command to start.

    `host` is what this machine is called to what they start, "" for its own name.
    """

    name: str
    home: Path
    command: tuple[str, ...]
    host: str = field(default="", kw_only=True)

    def at(self, host: str) -> Self:
        """The same person, logged in to another host that shares all files."""
        return replace(self, host=host)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "USER": self.name,
            "LOGNAME": self.name,
            "PATH": PATH,
            "LANG": "C.UTF-8",
        }

    def run(
        self,
        *argv: str | Path,
        env: Mapping[str, str] | None = None,
        umask: int = 0o022,
        timeout: float = 120,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` as this person, at home; the caller looks at status and words."""
        renamed = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.host]
        return subprocess.run(
            [*(renamed if self.host else []), *as_user(self.name), *map(str, argv)],
            env={**self.environment, **(env or {})},
            cwd=self.home,
            umask=umask,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            input=stdin,
            check=False,
        )

    def userdb(
        self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `cromwell-userdb` as this person, at home."""
        return self.run(*self.command, *words, env=env, timeout=timeout)


@pytest.fixture(scope="session")
def public_python() -> Iterator[list[str]]:
    """The argv prefix of a Python that any user may start, our package importable in it."""
    interpreter = passable_interpreter()
    if interpreter is None:
        pytest.skip(f"needs a {VERSION} that other users may start")
    root = folders.made("python")
    yield [str(install(root, interpreter))]
    folders.gone(root)


@pytest.fixture
def alice(public_python: list[str]) -> Iterator[Person]:
    yield from _person("alice", public_python)


@pytest.fixture
def bob(public_python: list[str]) -> Iterator[Person]:
    yield from _person("bob", public_python)


def _person(name: str, python: list[str]) -> Iterator[Person]:
    if os.geteuid():
        pytest.skip("needs root")
    _make_user(name)
    home = folders.made(name)
    shutil.chown(home, name, name)
    yield Person(name, home, (*python, "-m", "cromwell_userdb"))
    folders.gone(home)


def passable_interpreter() -> Path | None:
    """This very Python, or the system's of the same version, if anybody may start it."""
    for path in (Path(sys.base_prefix) / "bin" / VERSION, Path("/usr/bin") / VERSION):
        real = path.resolve()
        if real.exists() and all(part.stat().st_mode & 0o001 for part in [real, *real.parents]):
            return path
    return None


def install(root: Path, interpreter: Path) -> Path:
    """Make an environment in `root` that holds our package and what it needs."""
    subprocess.run([interpreter, "-m", "venv", "--without-pip", root], check=True, timeout=60)
    library = root / "lib" / VERSION / "site-packages"
    for name in sorted(needed("cromwell-userdb")):
        copy_distribution(name, library)
    package = Path(cromwell_userdb.__file__).parent
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, library / package.name, ignore=leave)
    compileall.compile_dir(library, quiet=2)
    subprocess.run(["chmod", "-R", "a+rX", root], check=True, timeout=60)
    return root / "bin/python3"


def needed(name: str) -> set[str]:
    """The distributions that `name` needs at run time, itself left out."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for line in importlib.metadata.requires(waiting.pop()) or []:
            requirement = Requirement(line)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found.add(requirement.name)
                waiting.append(requirement.name)
    return found


def copy_distribution(name: str, library: Path) -> None:
    for file in importlib.metadata.files(name) or []:
        # Two that bring the same file at the top lose it when one of them is replaced.
        if ".." not in file.parts and "__pycache__" not in file.parts and file.locate().is_file():
            target = library / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)


@dataclass(frozen=True)
class Member(Person):
    """A person on a cluster."""

    slurm_conf: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "SLURM_CONF": str(self.slurm_conf)}


def on(cluster: Cluster, person: Person) -> Member:
    """The person, logged in to the cluster."""
    return Member(**vars(person), slurm_conf=cluster.conf)


@contextmanager
def gone_afterwards(member: Member) -> Iterator[Member]:
    """Whatever becomes of the block, nothing of the person's is left: no process and no job."""
    try:
        yield member
    finally:
        folders.sweep(member.home)
        member.run("scancel", f"--user={member.name}")
        until(lambda: not member.run("squeue", "--me", "-h").stdout.strip(), timeout=60)


@pytest.fixture
def member(cluster: Cluster, alice: Person) -> Iterator[Member]:
    """Alice, logged in to the cluster."""
    with gone_afterwards(on(cluster, alice)) as person:
        yield person


ON_THE_FULL_NODE = ("--leader-partition", "low", "--leader-time", "30")


def fill_a_node(member: Member) -> str:
    """Have a leader on that node wait, until the job that is returned is cancelled."""
    words = ("-p", "urgent", "-c", "64", "-o", "/dev/null", "--wrap", "sleep 600")
    job = member.run("sbatch", "--parsable", *words).stdout.strip()
    until(lambda: member.run("squeue", "-h", "-j", job, "-o", "%T").stdout == "RUNNING\n")
    return job


ENGINES = ["embedded", pytest.param("cromwell", marks=pytest.mark.jar)]
JAR = os.environ.get("CROMWELL_USERDB_CROMWELL", "")


def initialised(member: Member, engine: str = "cromwell" if JAR else "embedded") -> Member:
    """The person, with an instance and this engine: a Cromwell where there is one."""
    words = ("--cromwell", JAR) if engine == "cromwell" else ("--engine", "embedded")
    done = member.userdb("init", *words)
    assert done.returncode == 0, done.stderr
    return member
