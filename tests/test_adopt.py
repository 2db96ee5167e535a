"""The hooks of a resumed run: a job is taken up, or has ended before there is another."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from calls import Call, Run, wait_for
from cluster import PATH, Cluster

pytestmark = [pytest.mark.functional, pytest.mark.timeout(240)]


class Resumed(Run):
    """The hooks of run 2, which resumes run 1."""

    @property
    def hooks(self) -> Path:
        return self.base / "runs/2/hooks"


@dataclass
class Pair:
    """A dead run's call, and the same call of the run that resumes it."""

    old: Call
    new: Call

    @property
    def times(self) -> int:
        """How often the call's command was begun."""
        try:
            return len((self.old.run.base / "marks" / self.old.cwd.name).read_text().split())
        except FileNotFoundError:
            return 0


@dataclass
class Scene:
    """Two runs in one folder, and what belongs to each of their calls."""

    run: Run
    resumed: Run
    hook: str = "submit"

    def __post_init__(self) -> None:
        for each in (self.run, self.resumed):
            each.install()
        (self.run.base / "marks").mkdir()
        self.tell("adopts", f"{self.run.base}/executions\n{self.run.workflow(1)}\n")
        self.own(self.run.base / "marks")

    def tell(self, name: str, text: str) -> None:
        """Write a file that lies beside the resumed run's hooks."""
        (self.resumed.hooks / name).write_text(text)

    def own(self, path: Path) -> None:
        if self.run.owner:
            shutil.chown(path, self.run.owner, self.run.owner)

    def pair(
        self,
        name: str,
        command: str = "sleep 5",
        *,
        new_command: str | None = None,
        inputs: dict[str, str] | None = None,
        new_inputs: dict[str, str] | None = None,
        new_place: str = "",
        place: str = "",
        **attributes: str,
    ) -> Pair:
        place = place or f"call-t/{name}"
        mark = f"echo x >> {self.run.base}/marks/{Path(place).name}; "
        old = self.run.call(mark + command, place=place, inputs=inputs, **attributes)
        new = self.resumed.call(
            mark + (command if new_command is None else new_command),
            place=new_place or place,
            workflow=2,
            inputs=inputs if new_inputs is None else new_inputs,
        )
        return Pair(old, new)

    def start(self, call: Call) -> Call:
        """Submit it as an engine does, which keeps what the hook said."""
        call.submit(self.hook)
        said = call.here / "stdout.submit"
        said.write_text(f"{call.job}\n")
        self.own(said)
        return call


# --- on SLURM --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def make_scene(cluster: Cluster) -> Iterator[Callable[..., Scene]]:
    made: list[Path] = []

    def make(**settings: object) -> Scene:
        base = cluster.home("alice") / f"resumed-{len(made)}"
        made.append(base)
        path = f"{_programs(base)}:{PATH}"
        run_as = lambda argv: cluster.popen(argv, user="alice", env={"PATH": path}, timeout=120)  # noqa: E731
        chosen = {"missing_seconds": 4, "patience": 60, **settings}
        run = Run(base, run_as, owner="alice", settings=chosen)
        return Scene(run, Resumed(base, run_as, owner="alice", settings={**chosen, "resumes": "1"}))

    yield make
    for user in ("alice", "bob"):
        cluster.run(["scancel", "-u", user])
    for base in made:
        shutil.rmtree(base, ignore_errors=True)


def _programs(base: Path) -> Path:
    """A folder with a squeue that gives no answer as long as there is a file `down`."""
    folder = base / "bin"
    folder.mkdir(parents=True)
    program = folder / "squeue"
    program.write_text(f'#!/bin/bash\n[[ -e {base}/down ]] && exit 1\nexec /usr/bin/squeue "$@"\n')
    program.chmod(0o755)
    return folder


LISTS = "write_lines_{}.tmp"
OLD_LIST, NEW_LIST = (LISTS.format(digit * 32) for digit in "ab")


@pytest.fixture(scope="module")
def scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()


@pytest.fixture(scope="module")
def pairs(cluster: Cluster, scene: Scene) -> dict[str, Pair]:
    """One pair of calls for each thing that can be found, the new ones submitted at once."""
    reads = {"-12/reads": "ACGT"}
    both = {"-12/reads": "ACGT", "7/reads": "TTTT"}
    read = "sleep 4; cat @-12/reads"
    pairs = {
        "running": scene.pair("running", "sleep 6; echo done > out; mkdir d; echo deep > d/f"),
        "waiting": scene.pair("waiting", "echo done > out", extra="--begin=now+9"),
        "finished": scene.pair("finished", "echo done > out; exit 0"),
        "failed": scene.pair("failed", "exit 3"),
        "refused": scene.pair("refused", "echo done > out"),
        "other script": scene.pair("other-script", "sleep 60", new_command="sleep 1"),
        "other script, waiting": scene.pair(
            "other-waiting", "sleep 60", new_command="sleep 1", extra="--begin=now+60"
        ),
        "same input": scene.pair("same-input", read, inputs=reads),
        "other input": scene.pair(
            "other-input", read, inputs=reads, new_inputs={"-12/reads": "TTTT"}
        ),
        "input changed in place": scene.pair("in-place", read, inputs=reads),
        "inputs exchanged": scene.pair(
            "exchanged",
            "sleep 4; cat @-12/reads @7/reads",
            new_command="sleep 4; cat @7/reads @-12/reads",
            inputs=both,
        ),
        "one input more": scene.pair("one-more", read, inputs=reads, new_inputs=both),
        "a list of inputs": scene.pair(
            "list", f"sleep 4; cat {OLD_LIST}", new_command=f"sleep 4; cat {NEW_LIST}", inputs=reads
        ),
        "another list": scene.pair(
            "another-list", f"sleep 4; cat {OLD_LIST}", new_command=f"sleep 4; cat {NEW_LIST}"
        ),
        "sub-workflow": scene.pair(
            "sub",
            "sleep 5; echo done > out",
            place="call-w/shard-2/w/11111111-2222-4333-8444-555555555555/call-u",
            new_place="call-w/shard-2/w/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/call-u",
        ),
        "answer lost": scene.pair("lost", "sleep 5; echo done > out"),
        "half written": scene.pair("half", "echo done > out"),
        "nobody's job": scene.pair("nobodys", "echo done > out"),
        "killed": scene.pair("killed", "sleep 300"),
        "second attempt": scene.pair(
            "second", "echo done > out", place="call-t/second", new_place="call-t/second/attempt-2"
        ),
    }
    _name_after(pairs["sub-workflow"].old, "1e64fcef", "11111111")
    _name_after(pairs["sub-workflow"].new, "2e64fcef", "aaaaaaaa")
    _write_lists(scene, pairs)
    _start_old(cluster, scene, pairs)
    _put_right(cluster, scene, pairs)
    scene.tell("failed", f"{pairs['refused'].old.cwd}\n")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda pair: scene.start(pair.new), pairs.values()))
    return pairs


def _name_after(call: Call, workflow: str, below: str) -> None:
    """Cromwell's scripts have the id of the innermost workflow in them."""
    script = call.here / "script"
    script.write_text(script.read_text().replace(f"out{workflow}", f"out{below}"))
    script.write_text(script.read_text().replace(f"err{workflow}", f"err{below}"))


def _write_lists(scene: Scene, pairs: dict[str, Pair]) -> None:
    for name in ("a list of inputs", "another list"):
        for call, list_name in ((pairs[name].old, OLD_LIST), (pairs[name].new, NEW_LIST)):
            text = f"{call.cwd}/inputs/-12/reads\n"
            if name == "another list":
                text = f"sample {list_name[12]}\n"
            (call.here / list_name).write_text(text)
            scene.own(call.here / list_name)


def _start_old(cluster: Cluster, scene: Scene, pairs: dict[str, Pair]) -> None:
    """Have the jobs of the dead run where they are to be when it is resumed."""
    with ThreadPoolExecutor(3) as pool:
        named = [
            pair for name, pair in pairs.items() if name not in ("half written", "nobody's job")
        ]
        list(pool.map(lambda pair: scene.start(pair.old), named))
    for name in ("finished", "failed", "refused", "second attempt"):
        wait_for(lambda name=name: (pairs[name].old.here / "rc").exists())
    for name, pair in pairs.items():
        if pair in named and "waiting" not in name:
            wait_for(lambda pair=pair: (pair.old.here / ".claim").exists())


def _put_right(cluster: Cluster, scene: Scene, pairs: dict[str, Pair]) -> None:
    """What else makes each of the pairs what it is."""
    for name in ("same input", "input changed in place"):
        old, new = (call.cwd / "inputs/-12/reads" for call in (pairs[name].old, pairs[name].new))
        new.unlink()
        os.link(old, new)
    (pairs["input changed in place"].new.cwd / "inputs/-12/reads").write_text("changed")
    (pairs["answer lost"].old.here / "stdout.submit").write_text("")
    argv = [
        "sbatch",
        "--parsable",
        "-t",
        "5",
        "-o",
        "/dev/null",
        "-D",
        "/tmp",
        "--wrap",
        "sleep 99",
    ]
    bobs = cluster.run(argv, user="bob").strip()
    pairs["nobody's job"].old.job = bobs
    pairs["nobody's job"].old.write_submit()
    (pairs["nobody's job"].old.here / "stdout.submit").write_text(f"{bobs}\n")


ADOPTED = ["running", "waiting", "finished", "same input", "a list of inputs", "sub-workflow"]
ANEW = [
    "failed", "refused", "other script", "other script, waiting", "other input",
    "input changed in place", "inputs exchanged", "one input more", "another list",
    "half written", "nobody's job", "second attempt",
]  # fmt: skip


@pytest.mark.slurm
@pytest.mark.parametrize("name", [*ADOPTED, "answer lost", "killed"])
def test_a_job_that_fits_is_taken_up(pairs: dict[str, Pair], name: str) -> None:
    pair = pairs[name]
    assert pair.new.job == pair.old.job, pair.new.said
    assert (pair.new.here / ".adopted").read_text() == f"{pair.old.cwd}\n"


@pytest.mark.slurm
@pytest.mark.parametrize("name", ANEW)
def test_any_doubt_makes_a_new_job(pairs: dict[str, Pair], name: str) -> None:
    pair = pairs[name]
    assert pair.new.job and pair.new.job != pair.old.job, pair.new.said
    assert not (pair.new.here / ".adopted").exists()


@pytest.mark.slurm
@pytest.mark.parametrize("name", [*ADOPTED, "answer lost"])
def test_a_call_taken_up_ends_well_and_ran_once(pairs: dict[str, Pair], name: str) -> None:
    pair = pairs[name]
    assert pair.new.end() == 0
    assert pair.times == 1
    for file in ("out", "d/f", "stdout"):
        old, new = pair.old.here / file, pair.new.here / file
        assert old.exists() == new.exists()
        assert not old.exists() or old.samefile(new)


@pytest.mark.slurm
@pytest.mark.parametrize("name", [name for name in ANEW if name != "failed"])
def test_of_two_jobs_of_a_call_one_was_over_before_the_other(
    cluster: Cluster, pairs: dict[str, Pair], name: str
) -> None:
    pair = pairs[name]
    assert pair.new.end() == 0
    if name in ("half written", "nobody's job", "other script, waiting"):
        assert pair.times == 1
        return
    row = ["sacct", "-n", "-X", "-P", "-o"]
    ended = wait_for(lambda: _known(cluster.run([*row, "end", "-j", pair.old.job]).strip()))
    began = wait_for(lambda: _known(cluster.run([*row, "start", "-j", pair.new.job]).strip()))
    assert ended <= began


def _known(moment: str) -> str:
    return "" if moment in ("", "Unknown", "None") else moment


@pytest.mark.slurm
def test_a_job_of_somebody_else_is_left_alone(cluster: Cluster, pairs: dict[str, Pair]) -> None:
    bobs = pairs["nobody's job"].old.job
    assert "RUNNING" in cluster.run(["squeue", "-h", "-j", bobs, "-o", "%T"])


@pytest.mark.slurm
def test_the_end_of_a_job_taken_up_is_told_with_slurms_reason(
    cluster: Cluster, pairs: dict[str, Pair]
) -> None:
    pair = pairs["killed"]
    cluster.run(["scancel", pair.new.job], user="alice")
    assert pair.new.end() == 84
    assert "ended as CANCELLED" in pair.new.stderr


@pytest.mark.slurm
def test_no_follower_outlives_its_work(
    cluster: Cluster, scene: Scene, pairs: dict[str, Pair]
) -> None:
    cluster.run(["scancel", pairs["killed"].new.job], user="alice")
    for pair in pairs.values():
        if pair.new.rc is None:
            pair.new.end()
    wait_for(lambda: not _processes(scene.resumed.hooks / "follow"))


def _processes(program: Path) -> list[str]:
    done = subprocess.run(
        ["pgrep", "-f", str(program)], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


@pytest.mark.slurm
def test_a_job_that_arrives_late_does_nothing(cluster: Cluster, scene: Scene) -> None:
    pair = scene.pair("late", "echo done > out")
    pair.old.write_submit()
    scene.start(pair.new)
    scene.start(pair.old)
    state = ["squeue", "-h", "-t", "all", "-j", pair.old.job, "-o", "%T"]
    wait_for(lambda: "COMPLETED" in cluster.run(state))
    assert (pair.new.end(), pair.times, pair.old.rc) == (0, 1, None)


@pytest.mark.slurm
def test_without_an_answer_of_slurm_nothing_is_done(scene: Scene) -> None:
    pair = scene.pair("no-answer", "sleep 2; echo done > out")
    scene.start(pair.old)
    wait_for(lambda: (pair.old.here / ".claim").exists())
    down = scene.run.base / "down"
    down.touch()
    with ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(scene.start, pair.new)
        wait_for(lambda: "Waiting for word of job" in pair.new.stderr)
        assert not submitting.done()
        down.unlink()
        submitting.result(timeout=60)
    assert pair.new.job == pair.old.job
    assert (pair.new.end(), pair.times) == (0, 1)


@pytest.mark.slurm
def test_a_run_that_died_while_it_resumed_is_resumed_again(scene: Scene) -> None:
    pair = scene.pair("twice", "sleep 3; echo done > out")
    scene.start(pair.old)
    scene.start(pair.new)
    third = scene.resumed.call(place="call-t/twice", workflow=3)
    (third.here / "script").write_text(
        (pair.new.here / "script")
        .read_text()
        .replace(str(pair.new.cwd), str(third.cwd))
        .replace("2e64fcef", "3e64fcef")
    )
    before = (scene.resumed.hooks / "adopts").read_text()
    root, first = before.split()
    scene.tell("adopts", f"{root}\n{scene.run.workflow(2)}\n{first}\n")
    scene.start(third)
    scene.tell("adopts", before)
    assert third.job == pair.old.job
    assert (third.end(), pair.times) == (0, 1)


@pytest.mark.slurm
def test_more_memory_and_time_are_asked_for(cluster: Cluster, scene: Scene) -> None:
    pair = scene.pair("shard-17", "sleep 30", place="call-big/shard-17")
    scene.tell("overrides", "big memory_mb 300\nbig[17] time 3\nother memory_mb 900\n")
    scene.start(pair.new)
    facts = cluster.run(["scontrol", "-o", "show", "job", pair.new.job])
    assert "MinMemoryNode=300M " in facts and "TimeLimit=00:03:00 " in facts


# --- on this machine -------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    run_as = lambda argv: subprocess.run(  # noqa: E731
        argv, capture_output=True, text=True, timeout=60, check=False, env={"PATH": PATH}
    )
    settings = {"cores": 8, "memory_mb": 8000}
    run = Run(tmp_path, run_as, settings=settings)
    resumed = Resumed(tmp_path, run_as, settings={**settings, "resumes": "1"})
    scene = Scene(run, resumed, hook="local-submit")
    yield scene
    for claim in tmp_path.rglob(".claim"):
        word = claim.read_text().split()[0]
        if word.isdigit():
            run.hook("local-kill", word)
    shutil.rmtree(resumed.hooks)


def begun(here: Scene, pair: Pair) -> None:
    here.start(pair.old)
    wait_for(lambda: pair.times == 1)


def test_a_session_here_is_taken_up_too(here: Scene) -> None:
    pair = here.pair("here", "sleep 2; echo done > out")
    begun(here, pair)
    here.start(pair.new)
    assert pair.new.job == pair.old.job
    assert pair.new.end(hook="local-check-alive") == 0
    assert (pair.times, (pair.new.here / "out").read_text()) == (1, "done\n")


def test_a_session_here_that_does_not_fit_has_ended_before_the_next(here: Scene) -> None:
    pair = here.pair("here", "sleep 77777", new_command="pgrep -fx 'sleep 77777'; true")
    begun(here, pair)
    here.start(pair.new)
    assert pair.new.job != pair.old.job
    assert pair.new.end(hook="local-check-alive") == 0
    assert (pair.new.here / "stdout").read_text() == ""


@pytest.mark.parametrize("image", ["lab/small@sha256:5f", "lab/small@sha256:00"])
def test_a_session_here_is_taken_up_only_in_the_same_image(here: Scene, image: str) -> None:
    pair = here.pair("here", "sleep 2", docker="lab/small@sha256:5f")
    begun(here, pair)
    new = here.start(replace(pair.new, attributes={**pair.new.attributes, "docker": image}))
    assert (new.job == pair.old.job) == (image == pair.old.attributes["docker"])


def test_what_is_left_of_a_session_here_is_ended_first(here: Scene) -> None:
    pair = here.pair("here", "sleep 88888")
    begun(here, pair)
    os.kill(int(pair.old.job), signal.SIGKILL)
    began = time.monotonic()
    here.start(pair.new)
    assert pair.new.job != pair.old.job
    assert time.monotonic() - began < 30
    sleeping = subprocess.run(["pgrep", "-fxc", "sleep 88888"], capture_output=True, check=False)
    assert int(sleeping.stdout) <= 1


def test_a_follower_that_died_is_started_again_by_a_check(here: Scene) -> None:
    pair = here.pair("here", "sleep 2; echo done > out")
    begun(here, pair)
    here.start(pair.new)
    for pid in wait_for(lambda: _processes(here.resumed.hooks / "follow")):
        os.kill(int(pid), signal.SIGKILL)
    here.tell("follow.turn", "0\n")
    assert pair.new.end(hook="local-check-alive") == 0
    assert (pair.new.here / "out").read_text() == "done\n"


def test_a_kill_reaches_a_session_that_was_taken_up(here: Scene) -> None:
    pair = here.pair("here", "sleep 99999")
    begun(here, pair)
    here.start(pair.new)
    pair.new.kill("local-kill")
    wait_for(lambda: not _processes(Path("sleep 99999")))


def test_another_machines_session_is_waited_for(here: Scene) -> None:
    pair = here.pair("here", "sleep 1")
    claim = pair.old.here / ".claim"
    pair.old.write_submit()
    claim.write_text("1 2 3 elsewhere\n")
    with ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(here.start, pair.new)
        wait_for(lambda: "Waiting for word of job 1" in pair.new.stderr)
        assert not submitting.done()
        (pair.old.here / "rc").write_text("0\n")
        submitting.result(timeout=30)
    assert (pair.new.job, pair.new.rc) == ("1", 0)
