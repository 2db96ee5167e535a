"""What a process may use of its machine, as the kernel's files tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cromwell_userdb import machine


@pytest.fixture
def group(tmp_path):
    """Puts this process into a control group, with limits by folder; the least comes back."""

    def put(line: str, limits: dict[str, str]) -> int | None:
        (tmp_path / "cgroup").write_text(f"12:cpu,cpuacct:/elsewhere\n{line}\n")
        for name, text in limits.items():
            file = tmp_path / "fs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        return machine.memory_limit(tmp_path / "cgroup", tmp_path / "fs")

    return put


def test_the_least_limit_on_the_way_up_counts(group):
    limits = {"job/memory.max": "2000", "job/step/memory.max": "max", "memory.max": "3000"}
    assert group("0::/job/step", limits) == 2000


def test_the_older_kind_of_groups_is_read_too(group):
    limits = {"memory/slurm/job_1/memory.limit_in_bytes": "1000"}
    assert group("5:memory:/slurm/job_1/step_0", limits) == 1000


def test_no_limit_is_none(group):
    assert group("0::/", {"memory.max": "max"}) is None
    assert machine.memory_limit(Path("/nowhere"), Path("/nowhere")) is None


def test_a_machine_has_at_least_one_core_and_some_memory():
    assert machine.Machine.here().cores >= 1
    assert machine.Machine.here().memory > 1 << 20
