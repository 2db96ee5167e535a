"""What administrators fix and forbid in site.toml, and how that is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cromwell_userdb import modules, policy
from cromwell_userdb.errors import SettingError
from cromwell_userdb.settings import Layer, Value

SITE = "/etc/site.toml"


def resolve(site: dict[str, Value], **layers: dict[str, Value]) -> policy.Resolved:
    own = [Layer(origin, values) for origin, values in layers.items()]
    return policy.resolve([*own, Layer(SITE, site, is_site=True)])


LOCKED: dict[str, Value] = {
    "slurm.account": "lab",
    "site.locked": ("slurm.account", "run.job_rate"),
    "site.message": "Ask hpc@example.org.",
}


def test_a_locked_setting_is_the_sites_and_says_so():
    found = resolve(LOCKED, user={"slurm.account": "lab", "slurm.qos": "long"})
    assert (found.settings.slurm_account, found.settings.slurm_qos) == ("lab", "long")
    assert found.origins["slurm.account"] == SITE
    assert found.fixed == {"slurm.account", "run.job_rate"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"slurm.account": "mine"},
            f"user: slurm.account is fixed at lab by {SITE}. Ask hpc@example.org.",
        ),
        ({"run.job_rate": 99}, f"user: run.job_rate is fixed at 20 by {SITE}. Ask"),
        ({"site.message": "me"}, "user: site.message is for administrators"),
    ],
)
def test_who_says_otherwise_is_told_by_whom_it_is_fixed(given, sentence):
    with pytest.raises(SettingError) as refusal:
        resolve(LOCKED, user=given)
    assert str(refusal.value).startswith(sentence)


FORBIDDEN: dict[str, Value] = {
    "site.forbidden": ("slurm.partition=debug", "engine.kind = embedded", "cache.hashing=md5"),
}


@pytest.mark.parametrize(
    "given",
    [
        {"slurm.partition": "main,debug"},
        {"engine.kind": "embedded"},
        {"cache.hashing": "md5"},
    ],
)
def test_what_is_forbidden_is_refused_wherever_it_is_said(given):
    [name] = given
    with pytest.raises(SettingError, match=f"user: {name} = .* may not be, says {SITE}"):
        resolve(FORBIDDEN, user=given)
    assert resolve(FORBIDDEN, user={"slurm.partition": "debugger"})


def test_what_auto_came_to_may_be_forbidden_too():
    found = resolve(FORBIDDEN)
    policy.check_choice("engine.kind", "cromwell", found)
    with pytest.raises(SettingError, match=r"engine\.kind = embedded may not be"):
        policy.check_choice("engine.kind", "embedded", found)


@pytest.mark.parametrize(
    "rules", [{"site.locked": ("slurm.acount",)}, {"site.forbidden": ("slurm.acount=x",)}]
)
def test_a_rule_about_no_setting_is_a_mistake_of_the_site(rules):
    with pytest.raises(SettingError, match=r"Did you mean slurm\.account"):
        resolve(rules)


# --- as typed -------------------------------------------------------------------------------


def userdb(site: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CROMWELL_USERDB_SITE": str(site), "CROMWELL_USERDB_ALLOW_ROOT": "1"}
    return subprocess.run(
        [sys.executable, "-m", "cromwell_userdb", *words],
        env=env | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(
        '[slurm]\naccount = "lab"\n[site]\nlocked = ["slurm.account"]\n'
        'forbidden = ["slurm.partition=debug"]\nmessage = "Ask hpc@example.org."\n'
    )
    return path


def test_config_shows_what_is_fixed_and_will_not_change_it(site: Path):
    shown = userdb(site, "config", "show", "--origin").stdout.splitlines()
    [line] = [line for line in shown if line.startswith("slurm.account")]
    assert line.split(None, 2)[1:] == ["lab", f"{site} (fixed)"]
    facts = {
        one["name"]: one for one in json.loads(userdb(site, "config", "show", "--json").stdout)
    }
    assert [name for name, one in facts.items() if one["fixed"]] == ["slurm.account"]
    for words in (("slurm.account", "mine"), ("slurm.partition", "debug"), ("site.message", "x")):
        done = userdb(site, "config", "set", "--user", *words)
        assert done.returncode == 2
    assert "fixed" in userdb(site, "config", "set", "--user", "slurm.account", "x").stderr
    assert userdb(site, "config", "set", "--user", "slurm.partition", "short").returncode == 0


def test_a_variable_that_says_otherwise_is_named(site: Path):
    done = userdb(site, "config", "show", CROMWELL_USERDB_SLURM_ACCOUNT="mine")
    assert done.returncode == 2
    assert done.stderr.startswith("$CROMWELL_USERDB_SLURM_ACCOUNT: slurm.account is fixed at lab")


# --- modules, by the real module command -----------------------------------------------------


MODULES = pytest.mark.skipif(
    not Path("/usr/share/modules/init/bash").exists(), reason="needs environment-modules"
)


@pytest.fixture
def tree(tmp_path: Path) -> dict[str, str]:
    """An environment whose modules are ours."""
    for name, text in {
        "apptainer/1.3": "prepend-path PATH /opt/apptainer/bin\nsetenv APPTAINER yes\n",
        "java/17": "prepend-path PATH /opt/java/bin\nsetenv JAVA_HOME {a b}\n",
    }.items():
        path = tmp_path / "modules" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"#%Module1.0\n{text}")
    return {"PATH": os.environ["PATH"], "MODULEPATH": str(tmp_path / "modules")}


@MODULES
def test_modules_change_the_environment_as_they_would_a_shells(tree: dict[str, str]):
    changed = modules.load(["apptainer", "java/17"], tree)
    assert changed["PATH"].split(":")[:2] == ["/opt/java/bin", "/opt/apptainer/bin"]
    assert (changed["APPTAINER"], changed["JAVA_HOME"]) == ("yes", "a b")
    assert modules.are_loaded(["apptainer", "java"], changed)
    assert not modules.are_loaded(["java/21"], changed)


@MODULES
def test_a_module_that_is_not_there_is_named(tree: dict[str, str]):
    with pytest.raises(SettingError, match=r"run.modules: nono can't be loaded here: .*'nono'"):
        modules.load(["nono"], tree)
