"""The back end of a configuration, runtime attributes, options and arguments."""

from __future__ import annotations

import pytest

from cromwell_userdb import hocon
from cromwell_userdb.embedded import frontend
from cromwell_userdb.embedded.attributes import attributes_of
from cromwell_userdb.embedded.job import script_text
from cromwell_userdb.embedded.ledger import cells, fitting
from cromwell_userdb.embedded.localize import java_hash
from cromwell_userdb.embedded.options import options_of
from cromwell_userdb.embedded.provider import Provider, provider_of
from cromwell_userdb.errors import SettingError, UsageError, WdlError

SLURM = {
    "root": "/x",
    "runtime-attributes": "Int cpu = 1\nInt memory_mb = 100\nString? slurm_partition\nFloat? hours",
    "submit": 'hooks/submit ${cwd} ${script} ${cpu} ${memory_mb} ${"-p " + slurm_partition}',
    "job-id-regex": r"^(\d+).*",
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def slurm():
    return Provider("slurm", SLURM)


def test_a_hook_gets_what_was_asked_for_and_nothing_for_the_rest(slurm):
    names = {"cwd": "/x/call", "script": "/x/call/script", "slurm_partition": "short"}
    assert slurm.render("submit", names) == "hooks/submit /x/call /x/call/script 1 100 -p short"
    del names["slurm_partition"]
    assert slurm.render("submit", names) == "hooks/submit /x/call /x/call/script 1 100 "


@pytest.mark.parametrize(
    ("per", "rate"),
    [('"1 second"', 6), ("2 s", 3), ("500 ms", 12), ("3000", 2), ('"1 minute"', 0.1)],
)
def test_a_rate_of_jobs_is_over_any_duration(per, rate):
    config = hocon.parse(f"system.job-rate-control {{ jobs = 6, per = {per} }}", origin="c")
    assert options_of({}, config, {}).jobs_per_second == pytest.approx(rate)


@pytest.mark.parametrize("per", ["soon", '""', "0 s", "[1]"])
def test_a_rate_over_what_is_no_duration_is_refused(per):
    config = hocon.parse(f"system.job-rate-control {{ jobs = 6, per = {per} }}", origin="c")
    with pytest.raises(SettingError, match=r"job-rate-control\.per"):
        options_of({}, config, {})


@pytest.mark.parametrize(
    ("printed", "job"), [("355\n", "355"), ("12 submitted\nmore\n", "12"), ("error 3\n", None)]
)
def test_the_job_id_is_in_all_that_submit_printed(slurm, printed, job):
    assert slurm.job_id(printed) == job


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"runtime-attributes": "Int cpu = "}, "runtime-attributes of the back end does not parse"),
        ({"submit": ""}, "has no submit command"),
    ],
)
def test_a_broken_back_end_is_told_before_anything_starts(change, words):
    tree = {"backend": {"default": "s", "providers": {"s": {"config": {**SLURM, **change}}}}}
    with pytest.raises(SettingError, match=words):
        provider_of(tree)


def test_a_back_end_that_is_not_there_is_named():
    with pytest.raises(SettingError, match="no back end called 'gone'"):
        provider_of({}, "gone")


@pytest.mark.parametrize(
    ("memory", "shown", "mb"),
    [
        ("2 GB", "2.0 GB", 2048),
        ("2GiB", "2.0 GB", 2048),
        ("100 MB", "0.09765625 GB", 100),
        (1073741824, "1.0 GB", 1024),
        (None, "0.09765625 GB", 100),
    ],
)
def test_memory_is_binary_and_shown_in_gb(slurm, memory, shown, mb):
    attributes = attributes_of({"memory": memory}, slurm, version="1.0")
    assert attributes.shown["memory"] == shown
    assert attributes.hook["memory_mb"] == mb


@pytest.mark.parametrize(("version", "gpu"), [("1.1", {"gpu": True}), ("1.0", {})])
def test_gpus_and_disks_are_taken_as_each_version_writes_them(version, gpu):
    provider = Provider("slurm", {**SLURM, "runtime-attributes": "Boolean? gpu\nString? disks"})
    asked = {"gpu": True, "disks": ["local-disk 10 SSD", "/mnt 5 HDD"]}
    found = attributes_of(asked, provider, version=version).hook
    assert found == {**gpu, "disks": "local-disk 10 SSD, /mnt 5 HDD"}


def test_memory_grows_by_the_factor_of_its_retry(slurm):
    attributes = attributes_of({"memory": "1 GB"}, slurm, version="1.0", memory_factor=3.0)
    assert attributes.hook["memory_mb"] == 3072


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"cpu": "many"}, "cpu should be Int but is 'many'"),
        ({"cpu": 0}, "cpu should be 1 or more"),
        ({"maxRetries": "often"}, "maxRetries should be Int"),
        ({"failOnStderr": "perhaps"}, "failOnStderr should be Boolean"),
    ],
)
def test_a_bad_attribute_is_named_with_what_it_is(slurm, asked, words):
    with pytest.raises(WdlError, match=words):
        attributes_of(asked, slurm, version="1.0")


@pytest.mark.parametrize(
    ("asked", "version", "codes"),
    [
        ({}, "1.0", {0}),
        ({"continueOnReturnCode": [0, 3]}, "1.0", {0, 3}),
        ({"continueOnReturnCode": True}, "1.0", None),
        ({"returnCodes": "*"}, "1.1", None),
        ({"returnCodes": "*"}, "1.0", {0}),
    ],
)
def test_return_codes_are_read_as_each_version_has_them(slurm, asked, version, codes):
    found = attributes_of(asked, slurm, version=version).return_codes
    assert found == (None if codes is None else frozenset(codes))


def test_an_image_counts_only_where_the_back_end_runs_images(slurm):
    asked = {"docker": "ubuntu:20.04"}
    assert attributes_of(asked, slurm, version="1.0").image is None
    own = Provider("s", {**SLURM, "runtime-attributes": "String? docker"})
    assert attributes_of(asked, own, version="1.0").image == "ubuntu:20.04"


def test_options_come_before_the_configuration():
    config = hocon.parse(
        'call-caching.enabled = true, workflow-options.workflow-failure-mode = "NoNewCalls"'
        "\nsystem.job-rate-control { jobs = 20, per = 10 seconds }",
        origin="c",
    )
    given = {"workflow_failure_mode": "ContinueWhilePossible", "write_to_cache": False}
    options = options_of(given, config, {})
    assert options.failure_mode == "ContinueWhilePossible"
    assert (options.read_from_cache, options.write_to_cache) == (True, False)
    assert options.jobs_per_second == 2.0


@pytest.mark.parametrize(
    "given", [{"workflow_failure_mode": "Sometimes"}, {"memory_retry_multiplier": 0.5}]
)
def test_an_option_out_of_range_is_refused(given):
    with pytest.raises(UsageError, match="should be"):
        options_of(given, {}, {})


def test_arguments_are_cromwells():
    request = frontend.parse(["-Da.b=c", "run", "-i", "in.json", "-m", "m.json", "w.wdl"])
    assert request.properties == {"a.b": "c"}
    assert str(request.file("inputs")) == "in.json"
    assert str(request.workflow) == "w.wdl"


@pytest.mark.parametrize(
    "argv", [["w.wdl"], ["run"], ["run", "-i"], ["run", "-x", "w.wdl"], ["server"]]
)
def test_other_arguments_are_refused_with_the_usage(argv):
    with pytest.raises(UsageError, match="Usage: "):
        frontend.parse(argv)


def test_what_cannot_be_run_is_refused_by_name_and_line(tmp_path):
    path = tmp_path / "w.wdl"
    path.write_text(
        "version 1.2\ntask t { input { env String s } command <<< >>> }\n"
        "workflow w { call t { s = 'x' } }"
    )
    with pytest.raises(WdlError, match=r"w\.wdl:2:\d+: `env` of s is nothing that the embedded"):
        frontend.document(frontend.Request(path))


def test_the_folder_of_an_input_is_javas_hash_of_its_parent():
    assert java_hash("/etc") == 1500933
    assert java_hash("/data/alice/reads") == -984075112


def test_a_key_longer_than_the_column_keeps_its_beginning_and_stays_apart():
    long = "inputs:" + "x" * 300
    assert len(fitting(long)) <= 255
    assert fitting(long) != fitting(long + "y")


def test_names_in_keys_are_escaped():
    assert list(cells("outputs", {"a:b[0]": 1})) == [("outputs:a\\:b\\[0\\]", "1", "int")]


def test_a_script_quotes_its_folder_and_ends_with_its_return_code(tmp_path):
    script = script_text(tmp_path / "a b", "echo", ["*.txt"], epilogue="sync", scratch="/tmp")
    assert f"cd '{tmp_path}/a b' || exit 1" in script
    assert script.endswith("mv rc.tmp rc\n")
