"""What WDL promises, asked of `cromwell-userdb run`, construct by construct.

Each document of constructs/ has its inputs and the outputs that the specification of WDL makes it
have beside it, without the workflow's name. They run on the embedded engine, or on the Cromwell
that CROMWELL_USERDB_CROMWELL names; where that one differs, DIFFERENCES says so.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lab import Lab

pytestmark = pytest.mark.functional

CONSTRUCTS = Path(__file__).parent / "constructs"
DOCUMENTS = sorted(path.stem for path in CONSTRUCTS.glob("*.json"))
IS_CROMWELL = bool(os.environ.get("CROMWELL_USERDB_CROMWELL"))
DIFFERENCES = {
    "chained": "Cromwell can't use a task's input in another's default when its own is computed.",
    "empty_map": "Cromwell takes {} in a struct's member for an object, and for no map.",
    "json_map": "Cromwell writes the numbers of a map as text in JSON.",
}
"""Documents that a Cromwell fails, or answers otherwise, and why."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where documents find the files that their inputs name."""
    for name in ("a/x", "a/y", "b/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(f"{name}\n")
    return tmp_path


def outputs(lab: Lab, path: Path, *words: str | Path) -> dict[str, Any]:
    """The outputs of a workflow, without its name."""
    done = lab.do("run", path, *words, "--json")
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[2]: v for name, v in json.loads(done.stdout)["outputs"].items()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_construct_gives_what_the_specification_says(lab: Lab, folder: Path, name: str):
    text = (CONSTRUCTS / f"{name}.json").read_text().replace("{folder}", str(folder))
    case = json.loads(text)
    given = folder / "inputs.json"
    given.write_text(json.dumps({f"{name}.{k}": v for k, v in case.get("inputs", {}).items()}))
    if IS_CROMWELL and name in DIFFERENCES:
        with pytest.raises(AssertionError):
            assert outputs(lab, CONSTRUCTS / f"{name}.wdl", given) == case["outputs"]
    else:
        assert outputs(lab, CONSTRUCTS / f"{name}.wdl", given) == case["outputs"]


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_imports_are_found_in_a_zip_and_in_a_folder(lab: Lab, tmp_path: Path, kind: str):
    parts = CONSTRUCTS / "parts"
    if kind == "zip":
        parts = tmp_path / "parts.zip"
        with zipfile.ZipFile(parts, "w") as bundle:
            for path in sorted((CONSTRUCTS / "parts").rglob("*.wdl")):
                bundle.write(path, path.relative_to(CONSTRUCTS / "parts"))
    assert outputs(lab, CONSTRUCTS / "bundled.wdl", "-p", parts) == {"out": "here!"}


def test_a_volatile_task_is_run_each_time_and_another_is_not(lab: Lab, tmp_path: Path):
    path = tmp_path / "w.wdl"
    path.write_text(
        "version 1.0\ntask changing { meta { volatile: true } command { mktemp -u a.XXXXXXXX }"
        " output { String o = read_string(stdout()) } }\n"
        "task same { meta { volatile: false } command { mktemp -u b.XXXXXXXX }"
        " output { String o = read_string(stdout()) } }\n"
        "workflow w { call changing call same"
        " output { String changes = changing.o String stays = same.o } }\n"
    )
    first, second = outputs(lab, path), outputs(lab, path)
    assert first["changes"] != second["changes"]
    assert first["stays"] == second["stays"]


FAILING = {
    "a code that is not expected": ("command { exit 3 }", "exit code 3"),
    "words on stderr": ("command { echo oh >&2 } runtime { failOnStderr: true }", "oh"),
    "an output that is not there": ('command { } output { File o = "o.txt" }', r"o\.txt"),
    "what is no number": (
        "command { echo x } output { Int o = read_int(stdout()) }",
        "base 10: 'x'|input string",
    ),
    "nothing to select": (
        "input { Int? a } Int b = select_first([a]) command { echo ~{b} }",
        "select_first",
    ),
}


def test_what_can_not_succeed_fails_its_own_call_only(lab: Lab, tmp_path: Path):
    tasks = [f"task t{n} {{ {body} }}" for n, (body, _) in enumerate(FAILING.values())]
    calls = [f"call t{n}" for n in range(len(FAILING))]
    path = tmp_path / "failing.wdl"
    path.write_text(
        "\n".join(["version 1.0", *tasks, "task fine { command { } }"])
        + f"\nworkflow failing {{ {' '.join(calls)} call fine }}\n"
    )
    options = tmp_path / "options.json"
    options.write_text('{"workflow_failure_mode": "ContinueWhilePossible"}')
    done = lab.do("run", path, "-o", options)
    assert done.returncode == 1
    missing = [what for what, (_, words) in FAILING.items() if not re.search(words, done.stderr)]
    assert not missing, done.stderr
    assert "1 other call succeeded" in done.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [("cpu: 4096", "it asks for 4096 cores and "), ('memory: "900 TB"', "943718400 MB")],
    ids=["cores", "memory"],
)
def test_a_call_that_asks_for_more_than_the_machine_has_is_refused_in_words(
    lab: Lab, tmp_path: Path, asked: str, words: str
):
    path = tmp_path / "greedy.wdl"
    path.write_text(
        f"version 1.0\ntask greedy {{ command {{ echo '{words}' }} runtime {{ {asked} }} }}\n"
        "workflow w { call greedy }\n"
    )
    done = lab.do("run", path)
    assert done.returncode == 1
    assert "greedy could not be run" in done.stderr
    assert words in done.stderr
    assert "of this machine" in done.stderr
