"""Rendered files are what the golden files say; a missing golden file is written, and fails."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from cromwell_userdb import hocon, hooks, keys, render, traps
from cromwell_userdb.errors import SettingError

GOLDEN = Path(__file__).parent / "golden"
SNIPPET = 'system.job-rate-control.jobs = 7\nroot_of_mine = "/scratch"\n'

LOCAL = render.CromwellConf(
    url=render.jdbc_url(snapshot_isolation=True),
    password="not-a-secret",
    backend="local",
    root="/scratch/cromwell-userdb-ada-default",
    hooks="/home/ada/db/runs/3/hooks",
    workflow_logs="/home/ada/db/runs/3/workflow-logs",
    hashing="fingerprint",
    localization=("hard-link", "soft-link", "copy"),
    duplication=("soft-link", "copy"),
    concurrent_jobs=50,
    provider=hooks.template_values(containers=True) | {"marker": "END-0123456789abcdef"},
)
SLURM = replace(
    LOCAL,
    backend="slurm",
    url=render.jdbc_url(snapshot_isolation=False),
    concurrent_jobs=0,
    snippet=SNIPPET,
    snippet_origin="~/my.conf",
    provider=dict(LOCAL.provider) | {"memory_mb": 2000, "disks_as_tmp": True},
)
MIGRATION = replace(
    LOCAL,
    url=render.jdbc_url(snapshot_isolation=False, truncates=False),
    migrates=True,
    provider=dict(LOCAL.provider) | {"containers": False},
)
CONFS = {"local": LOCAL, "slurm": SLURM, "migration": MIGRATION}

HOSTILE = [
    'a "quoted" word',
    "it's",
    "two\nlines\r\n",
    "${HOME} ${?x} $(id) `id`",
    'three """ quotes',
    "back\\slash \\u0041 \\",
    "# no comment // nor here",
    "{ a = 1 }, [2]",
    "tab\tand bell\x07",
    "naïve ⊕ 🧬 \u2028",
    " ",
    "",
]


def same_as_golden(name: str, text: str) -> bool:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"{path} was missing and is written now: read it, and keep it")
    assert text == path.read_text()
    return True


@pytest.mark.parametrize("name", CONFS)
def test_a_configuration_is_what_the_golden_file_says(name):
    assert same_as_golden(f"cromwell.conf.{name}", render.cromwell_conf(CONFS[name]))


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_the_accounts_are_what_the_golden_file_says(flavour):
    text = render.init_sql(flavour=flavour, os_user="ada", secret="not'a\\secret")
    assert same_as_golden(f"init.sql.{flavour}", text)


def test_a_user_called_cromwell_has_one_account_for_both_ways_in():
    text = render.init_sql(flavour="mariadb", os_user="cromwell", secret="s")
    assert "VIA unix_socket OR mysql_native_password" in text
    assert text.count("ALTER USER") == 1


@pytest.mark.parametrize("name", CONFS)
def test_cromwell_knows_every_key_that_is_rendered(name):
    text = render.cromwell_conf(CONFS[name])
    tree = hocon.parse(text, origin=name)
    assert keys.lint(tree, used={"root_of_mine"}) == []
    assert all(name == "migration" and "updateSchema" in trap for trap in traps.traps(tree))


def test_no_template_renders_a_hole_and_no_value_is_idle():
    def is_needed(name: str, conf: render.CromwellConf) -> bool:
        values = asdict(conf) | dict(conf.provider)
        del values[name], values["provider"]
        try:
            render.environment().get_template("cromwell.conf.j2").render(values)
        except UndefinedError as error:
            return name in str(error)
        return False

    names = (asdict(SLURM) | dict(SLURM.provider)).keys() - {"provider"}
    assert [name for name in sorted(names) if not is_needed(name, SLURM)] == []


@pytest.mark.parametrize("template", ["my.cnf.j2", "init.sql.j2", "cromwell.conf.j2"])
def test_a_template_without_its_values_is_an_error(template):
    with pytest.raises(UndefinedError, match="is undefined"):
        render.environment().get_template(template).render()


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_a_hostile_value_comes_out_as_it_went_in(value):
    conf = replace(LOCAL, password=value, workflow_logs=value)
    tree = hocon.parse(render.cromwell_conf(conf), origin="c")
    assert hocon.get(tree, "database.db.password") == value
    assert hocon.get(tree, "workflow-options.workflow-log-dir") == value
    assert hocon.get(tree, "call-caching.enabled") is True


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_any_text_is_the_same_after_it_was_written_and_read(value):
    assert hocon.parse(f"a = {render.hocon(value)}\n", origin="c") == {"a": value}


@pytest.mark.parametrize("rate", [0, 1, 7, 20, 25, 1000])
def test_calls_start_at_the_rate_asked_for_and_a_few_at_a_time(rate):
    tree = hocon.parse(render.cromwell_conf(replace(LOCAL, job_rate=rate)), origin="c")
    jobs, per = (hocon.get(tree, f"system.job-rate-control.{key}") for key in ("jobs", "per"))
    assert 0.99 * rate * per <= jobs <= rate * per
    assert jobs <= max(1, rate // 10)


def test_a_snippet_wins_over_the_template_key_by_key():
    tree = hocon.parse(render.cromwell_conf(SLURM), origin="c")
    assert hocon.get(tree, "system.job-rate-control.jobs") == 7
    assert hocon.get(tree, "system.job-rate-control.per") == 0.1
    assert hocon.get(tree, "backend.providers.slurm.config.submit")


def test_the_name_of_a_snippet_is_never_read_as_configuration():
    conf = replace(SLURM, snippet_origin="x\ncall-caching.enabled = false")
    assert hocon.get(hocon.parse(render.cromwell_conf(conf), origin="c"), "call-caching.enabled")


def test_a_snippet_without_an_end_of_line_still_ends_one():
    conf = replace(LOCAL, snippet="webservice.port = 1", snippet_origin="x")
    assert render.cromwell_conf(conf).endswith("webservice.port = 1\n")


def test_a_template_of_the_users_own_comes_first_and_the_rest_stays(tmp_path):
    (tmp_path / "filesystems.conf.j2").write_text(
        '    filesystems.local.caching.hashing-strategy = {{ "x" + hashing | hocon }}\n'
    )
    tree = hocon.parse(render.cromwell_conf(LOCAL, own=tmp_path), origin="c")
    local = hocon.get(tree, "backend.providers.local.config")
    assert local["filesystems"] == {"local": {"caching": {"hashing-strategy": "xfingerprint"}}}
    assert local["root"] == LOCAL.root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ hashing }}\n{{ hashin }}\n", r"filesystems\.conf\.j2:2: 'hashin' is undefined"),
        ("{% if x %}\n", r"filesystems\.conf\.j2:1: Unexpected end of template"),
        ("{% include 'nowhere.j2' %}", r"filesystems\.conf\.j2:1: .*nowhere\.j2"),
        (b"\xff\xfe", r"utf-8"),
    ],
)
def test_a_template_of_the_users_own_that_does_not_render_is_one_sentence(tmp_path, text, words):
    path = tmp_path / "filesystems.conf.j2"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingError, match=words) as caught:
        render.cromwell_conf(LOCAL, own=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith("..")
