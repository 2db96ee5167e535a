"""Calls as Cromwell makes them: a folder, its script, and the hooks that run it."""

from __future__ import annotations

import itertools
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeVar

from cromwell_userdb import hooks

RunAs = Callable[[Sequence[str | Path]], CompletedProcess[str]]

# Cromwell 92's own, as recorded, with our epilogue; shorter by the parts for cloud back ends.
SCRIPT = """\
#!/bin/bash

cd {here}
tmpDir=$(mktemp -d "$PWD"/tmp.XXXXXX)

export _JAVA_OPTIONS=-Djava.io.tmpdir="$tmpDir"
export TMPDIR="$tmpDir"


(
cd {here}

)


out{id}="${{tmpDir}}/out.$$" err{id}="${{tmpDir}}/err.$$"
mkfifo "$out{id}" "$err{id}"
trap 'rm "$out{id}" "$err{id}"' EXIT
touch '{here}/stdout' '{here}/stderr'
tee '{here}/stdout' < "$out{id}" &
tee '{here}/stderr' < "$err{id}" >&2 &
(
cd {here}


{command}
)  > "$out{id}" 2> "$err{id}"
echo $? > {here}/rc.tmp
(
cd {here}
r=$(cat rc.tmp 2>/dev/null); if [ "$r" = 137 ]; then echo 80 > rc.tmp; echo 0 > memory_retry_rc; fi
[ -s rc.tmp ] || mv -f .rc.full rc.tmp


)
mv {here}/rc.tmp {here}/rc
"""

SLURM_KEYS = [
    "cwd", "script", "name", "shell", "cpu", "memory_mb", "runtime_minutes", "time_minutes",
    "partition", "account", "qos", "constraint", "reservation", "time", "exclude", "extra",
    "gpu", "gpu_count", "accelerator_count", "gpu_type", "disks", "docker",
]  # fmt: skip
LOCAL_KEYS = [
    "cwd", "script", "shell", "cpu", "wanted_mb", "gpu", "gpu_count", "gpu_type", "docker",
]  # fmt: skip

_numbers = itertools.count()
T = TypeVar("T")


def wait_for(look: Callable[[], T], *, timeout: float = 30, pause: float = 0.1) -> T:
    """What `look` returns once it is true."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing in {timeout:g} seconds"
        time.sleep(pause)
    return found


@dataclass
class Call:
    """One call of `run`; `attributes` are the values that the template would put in."""

    run: Run
    cwd: Path
    attributes: Mapping[str, str]
    job: str = ""
    said: str = ""

    @property
    def here(self) -> Path:
        return self.cwd / "execution"

    @property
    def rc(self) -> int | None:
        try:
            return int((self.here / "rc").read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def stderr(self) -> str:
        path = self.here / "stderr"
        return path.read_text() if path.exists() else ""

    def write_submit(self, hook: str = "submit") -> Path:
        """The file that Cromwell writes from the template."""
        keys = SLURM_KEYS if hook == "submit" else LOCAL_KEYS
        lines = [f"{key}={self.attributes.get(key, '')}" for key in keys]
        script = self.here / "script.submit"
        asks = f". {self.run.hooks}/{hook} <<'END-7'"
        script.write_text("\n".join(["#!/bin/bash", asks, *lines, "END-7", ""]))
        return script

    def submit(self, hook: str = "submit") -> Call:
        done = self.run.run_as(["/bin/bash", self.write_submit(hook)])
        self.said = done.stderr
        found = re.fullmatch(r"(\d+)\n", done.stdout)
        if done.returncode == 0:
            assert found, (done.stdout, done.stderr)
            self.job = found[1]
        return self

    def check(self, hook: str = "check-alive") -> int:
        script = self.here / "script.check"
        script.write_text(f"#!/bin/bash\n. {self.run.hooks}/{hook} {self.job} $0\n")
        return self.run.run_as(["/bin/bash", script]).returncode

    def kill(self, hook: str = "kill") -> None:
        self.run.hook(hook, self.job, self.here / "script.kill")

    def end(self, *, timeout: float = 60, hook: str = "check-alive") -> int:
        """The call's return code, asking as Cromwell does, though more often."""

        def look() -> bool:
            assert self.check(hook) == 0
            return self.rc is not None

        wait_for(look, timeout=timeout, pause=0.5)
        return self.rc if self.rc is not None else -1


@dataclass
class Run:
    """A run's folders below `base`, and how to act as its owner."""

    base: Path
    run_as: RunAs
    owner: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def hooks(self) -> Path:
        return self.base / "runs/1/hooks"

    def install(self) -> Run:
        chosen = {"poll_seconds": 2, "look_seconds": 2, **self.settings}
        state = self.base / "state"
        self.base.mkdir(exist_ok=True)
        hooks.install(self.hooks, hooks.HookSettings(state=state, **chosen))  # type: ignore[arg-type]
        self._give()
        return self

    def _give(self) -> None:
        if self.owner:
            shutil.chown(self.base, self.owner, self.owner)
            for folder in (self.base / "executions", self.base / "runs"):
                for path in [folder, *folder.rglob("*")] if folder.exists() else []:
                    if path.owner() == "root":
                        shutil.chown(path, self.owner, self.owner)

    def open_to_others(self) -> list[Path]:
        """What the hooks keep for all calls, and others could open, were its folder not closed."""
        kept = [path for path in (self.base / "state").rglob("*") if path.is_file()]
        assert kept
        return [path for path in kept if path.stat().st_mode & 0o077]

    def hook(self, name: str, *arguments: str | Path) -> CompletedProcess[str]:
        return self.run_as([self.hooks / name, *arguments])

    def workflow(self, digit: int = 1) -> Path:
        """The folder of a workflow, named as Cromwell names it."""
        return self.base / f"executions/wf/{digit}e64fcef-2ff1-4124-b5dd-bb21f9edfecb"

    def call(
        self,
        command: str = "true",
        *,
        place: str = "",
        workflow: int = 1,
        inputs: Mapping[str, str] | None = None,
        **attributes: str,
    ) -> Call:
        """A call whose folder and script are there, not submitted yet.

        `inputs` are texts by their place below the call's `inputs`, such as "-12/reads".
        """
        cwd = self.workflow(workflow) / (place or f"call-t/shard-{next(_numbers)}")
        here = cwd / "execution"
        here.mkdir(parents=True)
        for name, text in (inputs or {}).items():
            file = cwd / "inputs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            command = command.replace(f"@{name}", str(file))
        script = here / "script"
        script.write_text(SCRIPT.format(here=here, command=command, id=f"{workflow}e64fcef"))
        given = {
            "cwd": str(cwd),
            "script": str(script),
            "name": "cromwell_5e64fcef_t",
            "shell": "/bin/bash",
            "cpu": "1",
            **attributes,
        }
        self._give()
        return Call(self, cwd, given)
