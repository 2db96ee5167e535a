"""What SLURM's controller is asked, whatever a user has going."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from cluster import PATH
from lab import WDL
from people import Member

pytestmark = [
    pytest.mark.functional,
    pytest.mark.root,
    pytest.mark.slurm,
    pytest.mark.timeout(600),
]

JAR = os.environ.get("CROMWELL_USERDB_CROMWELL")
POLL_SECONDS = 4


@dataclass(frozen=True)
class Watched:
    """A person whose every squeue is noted, with its moment."""

    member: Member
    log: Path

    def userdb(self, *words: str | Path) -> str:
        path = f"{self.log.parent}:{PATH}"
        done = self.member.userdb(*words, env={"PATH": path}, timeout=400)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def questions(self) -> list[float]:
        return sorted(float(line.split()[0]) for line in self.log.read_text().splitlines())


@pytest.fixture
def watched(member: Member) -> Watched:
    programs = member.home / "programs"
    programs.mkdir()
    log = programs / "log"
    real = shutil.which("squeue", path=PATH)
    proxy = programs / "squeue"
    proxy.write_text(f'#!/bin/bash\necho "$EPOCHREALTIME $*" >>{log}\nexec {real} "$@"\n')
    proxy.chmod(0o755)
    log.touch()
    shutil.chown(log, member.name)
    return Watched(member, log)


def test_all_that_a_user_has_running_is_one_question_an_interval(watched: Watched) -> None:
    home = watched.member.home
    shutil.copy(WDL / "storm.wdl", home)
    # One of each engine, where there is a Cromwell.
    for name, engine in (("one", []), ("two", ["--cromwell", JAR] if JAR else [])):
        watched.userdb("init", "--name", name, *engine)
        watched.userdb("config", "set", "slurm.poll_seconds", str(POLL_SECONDS), "--name", name)
    begun: list[tuple[str, str]] = []
    for number in range(2):
        for name in ("one", "two"):
            given = home / f"{name}-{number}.json"
            given.write_text(json.dumps({"storm.sleeps": [9] * 3, "storm.marks": f"{given}.marks"}))
            begun.append(
                (name, watched.userdb("run", "storm.wdl", given, "--detach", "--name", name))
            )
    for name, run in begun:
        result = json.loads(watched.userdb("attach", run.strip(), "--json", "--name", name))
        assert result["state"] == "succeeded", result
    asked = watched.questions()
    assert len(asked) > 1
    # A second is what the hooks' clock can tell apart.
    assert min(after - before for before, after in pairwise(asked)) > POLL_SECONDS - 1
