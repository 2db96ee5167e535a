"""What holds for every test: a home of its own, what it needs, and no skips in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest_plugins = [
    "cluster",
    "served",
    "lab",
    "people",
    "recorded",
    "matrix",
    "disks",
    "apptainer",
    "registries",
]

IN_CI = bool(os.environ.get("CROMWELL_USERDB_CI"))
KEPT = {"CROMWELL_USERDB_CI", "CROMWELL_USERDB_CROMWELL"}
ON_DEMAND = ("jar", "matrix")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the home and the settings of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("XDG_", "CROMWELL_USERDB_")) and name not in KEPT:
                patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say at once what a test lacks."""
    # Not at the top: pytest first has to see to its assertions.
    from cluster import lacks

    from cromwell_userdb import binaries, errors

    try:
        binaries.find_server()
        no_server = ""
    except errors.NotFound as error:
        no_server = str(error)
    missing = {
        "root": "needs root" if os.geteuid() else "",
        "functional": no_server,
        "slurm": lacks(),
        "jar": "" if os.environ.get("CROMWELL_USERDB_CROMWELL") else "needs a Cromwell jar",
        "matrix": "" if "matrix" in config.option.markexpr else "runs on demand: -m matrix",
    }
    for item in items:
        for mark, reason in missing.items():
            if reason and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may be missing: a skip is a failure, but for what runs on demand."""
    from folders import sweep

    report = yield
    if report.failed and "lab" in item.fixturenames and (lab := item.funcargs.get("lab")):
        # The calls of a test that failed would keep the machine from those of the next.
        sweep(lab.root)
    expected = hasattr(report, "wasxfail") or any(map(item.get_closest_marker, ON_DEMAND))
    if IN_CI and report.skipped and not expected:
        report.outcome = "failed"
        reason = call.excinfo.value if call.excinfo else "no reason given"
        report.longrepr = f"skipped in CI, where nothing may be missing: {reason}"
    return report
