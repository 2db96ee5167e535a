"""`config`: which layer wins, who may say what, and what becomes of the files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cromwell_userdb import settings as names
from cromwell_userdb.cli import main

PARTITION = "slurm.partition"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class World:
    """A home with an instance in it, and a current folder; `run` says a command there."""

    home: Path
    work: Path
    capture: pytest.CaptureFixture[str]

    @property
    def root(self) -> Path:
        return self.home / ".local/share/cromwell-userdb/default"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def user_file(self) -> Path:
        return self.home / ".config/cromwell-userdb/settings.toml"

    @property
    def local_file(self) -> Path:
        return self.work / "cromwell-userdb.toml"

    def run(self, *words: str | Path) -> Said:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)), prog_name="cromwell-userdb")
        said = self.capture.readouterr()
        assert "Traceback" not in said.err
        assert "mistake in cromwell-userdb" not in said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    def get(self, name: str) -> str:
        said = self.run("config", "get", name)
        assert said.code == 0, said.err
        return said.out.strip()

    def origin(self, name: str) -> str:
        shown = json.loads(self.run("config", "show", "--json").out)
        return next(row["origin"] for row in shown if row["name"] == name)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def world(tmp_path, monkeypatch, capsys):
    home, work = tmp_path / "home", tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    monkeypatch.delenv("CROMWELL_USERDB_CROMWELL", raising=False)
    made = World(home, work, capsys)
    made.root.mkdir(parents=True, mode=0o700)
    write(made.root / "instance.json", '{"flavour": "mariadb"}')
    return made


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Make $EDITOR a script: its body gets the file's name as $1."""

    def make(body: str) -> None:
        script = write(tmp_path / "editor", f"#!/bin/sh\n{body}\n")
        script.chmod(0o700)
        monkeypatch.setenv("EDITOR", str(script))
        monkeypatch.delenv("VISUAL", raising=False)

    return make


# --- which layer wins


def test_each_layer_wins_over_the_one_below_and_is_named(world, tmp_path, monkeypatch):
    site = tmp_path / "site.toml"
    monkeypatch.setenv("CROMWELL_USERDB_SITE", str(write(site, "")))
    assert (world.get(PARTITION), world.origin(PARTITION)) == ("", "default")
    layers = {
        site: str(site),
        world.user_file: "~/.config/cromwell-userdb/settings.toml",
        world.settings: "~/.local/share/cromwell-userdb/default/settings.toml",
        world.local_file: "cromwell-userdb.toml",
    }
    for number, (path, shown) in enumerate(layers.items()):
        write(path, f'[slurm]\npartition = "p{number}"\n')
        assert (world.get(PARTITION), world.origin(PARTITION)) == (f"p{number}", shown)
    monkeypatch.setenv("CROMWELL_USERDB_SLURM_PARTITION", "env")
    variable = "$CROMWELL_USERDB_SLURM_PARTITION"
    assert (world.get(PARTITION), world.origin(PARTITION)) == ("env", variable)


def test_a_flag_wins_over_the_environment(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_RUN_BACKEND", "slurm")
    assert 'default = "slurm"' in world.run("config", "render").out
    assert 'default = "local"' in world.run("config", "render", "--backend", "local").out


def test_calls_that_wait_on_this_machine_are_processes_and_limited(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_LOCAL_CORES", "6")
    said = world.run("config", "render", "--backend", "local").out
    assert "concurrent-job-limit = 112\n" in said


def test_layers_add_up_where_they_speak_of_different_settings(world):
    write(world.user_file, '[slurm]\naccount = "lab"\n')
    write(world.settings, '[slurm]\npartition = "long"\n')
    assert (world.get("slurm.account"), world.get(PARTITION)) == ("lab", "long")


def test_another_root_has_settings_of_its_own(world, tmp_path):
    write(world.settings, '[slurm]\npartition = "mine"\n')
    other = tmp_path / "other"
    write(other / "settings.toml", '[slurm]\npartition = "theirs"\n')
    assert world.run("config", "get", PARTITION, "--root", other).out == "theirs\n"


def test_the_old_name_for_the_jar_is_a_setting_too(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_CROMWELL", "/opt/cromwell.jar")
    assert world.get("engine.cromwell") == "/opt/cromwell.jar"
    assert world.origin("engine.cromwell") == "$CROMWELL_USERDB_CROMWELL"


def test_show_prints_every_setting_once_and_its_meaning(world):
    lines = world.run("config", "show").out.splitlines()
    assert [line.split()[0] for line in lines] == ["setting", *names.NAMES]
    assert all(len(line.split(None, 2)) == 3 for line in lines)


# --- the file of the current folder


@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666])
def test_a_file_here_that_others_may_write_is_not_read_and_show_says_so(world, bits):
    write(world.local_file, '[slurm]\npartition = "evil"\n').chmod(bits)
    said = world.run("config", "show")
    assert "evil" not in said.out
    assert "./cromwell-userdb.toml is not read: others may write it" in said.err


def test_a_file_here_that_is_a_link_is_not_read(world, tmp_path):
    world.local_file.symlink_to(write(tmp_path / "x.toml", '[slurm]\npartition = "evil"\n'))
    assert world.get(PARTITION) == ""
    assert "is not read" in world.run("config", "show").err


def test_a_fifo_here_keeps_nobody_waiting(world):
    os.mkfifo(world.local_file, 0o600)
    assert world.get(PARTITION) == ""


@pytest.mark.root
def test_a_file_here_of_somebody_else_is_not_read(world):
    write(world.local_file, '[slurm]\npartition = "evil"\n')
    os.chown(world.local_file, 65534, 65534)
    assert "it belongs to somebody else" in world.run("config", "show").err
    assert world.get(PARTITION) == ""


@pytest.mark.parametrize(
    "name",
    [
        "server.binary",
        "engine.cromwell",
        "engine.java",
        "engine.kind",
        "engine.url",
        "run.executions",
        "run.copy_outputs_to",
        "template.dir",
        "template.snippet",
    ],
)
def test_a_file_here_may_name_no_program_template_or_place(world, name):
    section, key = name.split(".")
    value = "cromwell" if name == "engine.kind" else "/tmp/evil"
    write(world.local_file, f'[{section}]\n{key} = "{value}"\n')
    said = world.run("config", "show")
    assert said.code == 2
    assert f"cromwell-userdb.toml: {name} may not be set in the current folder" in said.err


def test_a_deleted_folder_to_stand_in_hinders_nothing(world, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert world.run("config", "set", PARTITION, "long").code == 0
    assert world.get(PARTITION) == "long"
    said = world.run("config", "lint", "my.conf")
    assert said.code == 2
    assert "my.conf: there is no such place from here" in said.err


@pytest.mark.root
def test_a_folder_that_may_not_be_read_hinders_nothing(alice):
    closed = alice.home / "closed"
    script = f'mkdir {closed} && cd {closed} && chmod 000 {closed} && exec "$@"'
    words = ["config", "set", "--user", PARTITION, "long"]
    done = alice.run("sh", "-c", script, "sh", *alice.command, *words)
    assert done.returncode == 0, done.stderr
    assert (alice.home / ".config/cromwell-userdb/settings.toml").exists()


@pytest.mark.root
def test_a_settings_file_that_is_there_and_may_not_be_read_is_told(alice):
    path = write(alice.home / ".config/cromwell-userdb/settings.toml", "")
    path.chmod(0o000)
    for folder in (path, path.parent, path.parent.parent):
        os.chown(folder, *(alice.home.stat().st_uid, alice.home.stat().st_gid))
    done = alice.userdb("config", "show")
    assert done.returncode == 2
    assert "~/.config/cromwell-userdb/settings.toml can't be read: Permission denied" in done.stderr


# --- names that are wrong


@pytest.mark.parametrize(
    "words",
    [
        ("get", "slurm.partion"),
        ("set", "slurm.partion", "x"),
        ("set", "slurm.partion", "x", "y"),
        ("set", "--unset", "slurm.partion"),
        ("set", "--user", "slurm.Partition", "x"),
        ("get", "partition"),
    ],
)
def test_an_unknown_setting_is_told_with_the_one_that_is_meant(world, words):
    said = world.run("config", *words)
    assert said.code == 2
    assert said.err.endswith(f"Did you mean {PARTITION}?\n")
    assert not world.settings.exists()


@pytest.mark.parametrize("layer", ["settings", "user_file", "local_file", "site"])
def test_an_unknown_setting_in_a_file_is_told_with_the_file(world, layer, tmp_path, monkeypatch):
    path = tmp_path / "site.toml" if layer == "site" else getattr(world, layer)
    write(path, '[slurm]\npartion = "x"\n')
    if layer == "site":
        monkeypatch.setenv("CROMWELL_USERDB_SITE", str(path))
    said = world.run("config", "show")
    assert said.code == 2
    assert path.name in said.err
    assert f"Did you mean {PARTITION}?" in said.err


def test_an_unknown_variable_of_ours_is_told_with_the_one_that_is_meant(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_SLURM_PARTION", "x")
    said = world.run("config", "show")
    assert said.code == 2
    assert "Did you mean CROMWELL_USERDB_SLURM_PARTITION?" in said.err


def test_a_site_file_that_is_not_there_is_told(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_SITE", "/nowhere/site.toml")
    assert "names /nowhere/site.toml, which is not there" in world.run("config", "show").err


def test_a_relative_path_in_a_file_is_refused_as_it_means_something_else_everywhere(world):
    write(world.settings, '[template]\nsnippet = "my.conf"\n')
    said = world.run("config", "show")
    assert said.code == 2
    assert "template.snippet takes a whole path" in said.err


# --- set


def test_what_is_set_is_in_a_file_of_ours_alone_whatever_the_umask(world):
    before = os.umask(0)
    try:
        assert world.run("config", "set", "--user", PARTITION, "long").code == 0
        assert world.run("config", "set", "slurm.account", "lab").code == 0
    finally:
        os.umask(before)
    assert mode(world.user_file) == mode(world.settings) == 0o600
    assert mode(world.user_file.parent) == 0o700
    assert world.user_file.read_text() == '[slurm]\npartition = "long"\n'
    assert not list(world.root.glob(".settings*"))


@pytest.mark.parametrize("value", ['a "b" \\ c', "two\nlines", "naïve 🧬", "$(id) `id` ${x}", "-x"])
def test_a_hostile_value_is_kept_as_it_is(world, value):
    assert world.run("config", "set", "--", PARTITION, value).code == 0
    assert json.loads(world.run("config", "get", PARTITION, "--json").out) == value


def test_comments_and_order_outlive_a_change(world):
    write(world.settings, '# mine\n[slurm]\n# why\naccount = "lab"\n\n[run]\njob_rate = 5\n')
    world.run("config", "set", PARTITION, "long")
    world.run("config", "set", "slurm.account", "other")
    world.run("config", "set", "cache.hashing", "md5")
    world.run("config", "set", "--unset", "run.job_rate")
    assert world.settings.read_text() == (
        '# mine\n[slurm]\n# why\naccount = "other"\npartition = "long"\n\n[run]\n\n'
        '[cache]\nhashing = "md5"\n'
    )


def test_comments_outlive_another_engine(world):
    write(world.settings, "# mine\n[engine]\n# once\ncromwell = '/x.jar'\nheap_mb = 1500\n")
    assert world.run("engine", "use", "embedded").code == 0
    assert world.settings.read_text() == (
        '# mine\n[engine]\n# once\nheap_mb = 1500\nkind = "embedded"\n'
    )


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_settings_that_are_wrong_keep_nobody_from_the_database(world, verb):
    write(world.settings, "[run\n")
    said = world.run("db", verb)
    assert said.code == 0
    assert "settings.toml: Expected" in said.err


def test_a_file_in_a_style_that_is_not_ours_is_changed_all_the_same(world):
    write(world.settings, 'slurm.account = "lab"\nslurm.extra = [\n  "--x",\n  "--y",\n]\n')
    assert world.run("config", "set", PARTITION, "long").code == 0
    assert (world.get("slurm.account"), world.get("slurm.extra")) == ("lab", "--x,--y")
    assert world.get(PARTITION) == "long"


def test_a_list_is_several_words_or_one_with_commas(world):
    world.run("config", "set", "cache.localization", "soft-link", "copy")
    assert world.get("cache.localization") == "soft-link,copy"
    world.run("config", "set", "cache.localization", "copy,hard-link")
    assert world.get("cache.localization") == "copy,hard-link"
    world.run("config", "set", "slurm.extra", "--", "--gres=gpu:1", "--mail-type=END,FAIL")
    both = ["--gres=gpu:1", "--mail-type=END,FAIL"]
    assert json.loads(world.run("config", "get", "slurm.extra", "--json").out) == both
    world.run("config", "set", "slurm.extra", "--", ", ".join(both))
    assert json.loads(world.run("config", "get", "slurm.extra", "--json").out) == both


def test_a_path_from_here_becomes_a_whole_one(world):
    write(world.work / "my.conf", "webservice.port = 1\n")
    assert world.run("config", "set", "template.snippet", "my.conf").code == 0
    assert world.get("template.snippet") == str(world.work / "my.conf")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("template.snippet", "nowhere.conf", "can't be read: No such file"),
        ("template.dir", "nowhere", "there is no "),
        ("server.binary", "nowhere/mariadbd", "there is no "),
        ("run.executions", "with space", "are safe in Cromwell's scripts"),
        ("run.backend", "cloud", "takes auto, local, slurm, not 'cloud'"),
        ("run.backend", "slrum", "takes auto, local, slurm, not 'slrum'"),
        ("server.idle_minutes", "soon", "takes a number from 0 on, not 'soon'"),
        ("server.idle_minutes", "nan", "takes a number from 0 on, not 'nan'"),
        ("server.idle_minutes", "inf", "takes a number from 0 on, not 'inf'"),
        ("server.buffer_pool_mb", "1e3", "takes a whole number from 0 on, not '1e3'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_written(world, name, value, words):
    said = world.run("config", "set", name, value)
    assert said.code == 2
    assert words in said.err
    assert not world.settings.exists()


def test_a_snippet_that_is_no_hocon_is_refused_with_its_line(world):
    write(world.work / "my.conf", "a = 1\nb {\n")
    said = world.run("config", "set", "template.snippet", "my.conf")
    assert said.code == 2
    assert "my.conf:3:1: the text ends too early" in said.err


def test_a_value_that_another_layer_hides_is_told_to_be_hidden(world, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_SLURM_PARTITION", "env")
    said = world.run("config", "set", PARTITION, "long")
    assert "In force is env, from $CROMWELL_USERDB_SLURM_PARTITION." in said.err


def test_unset_takes_a_setting_away_and_says_when_there_was_none(world):
    world.run("config", "set", PARTITION, "long")
    assert "unset" in world.run("config", "set", "--unset", PARTITION).err
    assert world.get(PARTITION) == ""
    again = world.run("config", "set", "--unset", PARTITION)
    assert (again.code, "was not set" in again.err) == (0, True)


@pytest.mark.parametrize(
    "words",
    [
        ("set", PARTITION),
        ("set", "--unset", PARTITION, "x"),
        ("set", PARTITION, "two", "words"),
        ("set", "--user", "--name", "x", PARTITION, "y"),
    ],
)
def test_a_muddled_set_is_refused(world, words):
    assert world.run("config", *words).code == 2


@pytest.mark.parametrize("words", [("set", PARTITION, "x"), ("edit",), ("render",), ("lint",)])
def test_what_needs_an_instance_says_how_to_make_one(world, words):
    said = world.run("config", *words, "--name", "other")
    assert said.code == 4
    assert "cromwell-userdb init --name other" in said.err


TEXTS = [name for name, value in names.Settings().by_name().items() if value == ""]
VALUES = st.one_of(st.none(), st.text().map(lambda text: f"/{text}"))


@settings(deadline=None)
@given(
    begin=st.sampled_from(
        ["", names.commented(), "# [slurm]\n", 'slurm.qos = "x"\n', "[run]\n#\n"]
    ),
    changes=st.lists(st.tuples(st.sampled_from(TEXTS), VALUES), max_size=8),
)
def test_whatever_is_set_and_unset_the_file_says_just_that(begin, changes):
    text, wanted = begin, names.from_toml(begin, origin="begin")
    for name, value in changes:
        text = names.edited(text, name, value, origin="changed")
        wanted.pop(name, None)
        wanted |= {} if value is None else {name: value}
        assert names.from_toml(text, origin="changed") == wanted


# --- edit


def test_an_edited_file_is_kept_whole_and_private(world, editor):
    editor('echo \'[slurm]\npartition = "long" # mine\' > "$1"')
    assert world.run("config", "edit").code == 0
    assert world.settings.read_text() == '[slurm]\npartition = "long" # mine\n'
    assert mode(world.settings) == 0o600


def test_a_first_edit_shows_every_setting_with_its_meaning_and_none_in_force(
    world, editor, tmp_path
):
    editor(f'cp "$1" {tmp_path}/seen')
    assert "Nothing changed" in world.run("config", "edit").err
    seen = (tmp_path / "seen").read_text()
    assert names.from_toml(seen, origin="seen") == {}
    assert all(f"# {names.describe(name)}\n" in seen for name in names.NAMES)
    assert not world.settings.exists()


def test_a_line_of_the_first_edit_is_what_set_changes(world):
    write(world.settings, names.commented())
    world.run("config", "set", PARTITION, "long")
    lines = world.settings.read_text().splitlines()
    assert lines[lines.index('partition = "long"') - 1] == "# partition"
    assert len(lines) == len(names.commented().splitlines())


def test_a_mistake_in_an_edit_is_told_and_the_text_kept_beside(world, editor):
    write(world.settings, '[slurm]\npartition = "long"\n')
    editor('sed -i s/partition/partion/ "$1"')
    said = world.run("config", "edit")
    draft = world.root / "settings.toml.draft"
    assert said.code == 2
    assert f"Did you mean {PARTITION}?" in said.err
    assert "settings.toml.draft" in said.err
    assert "partion" in draft.read_text()
    assert mode(draft) == 0o600
    assert world.get(PARTITION) == "long"


def test_a_broken_file_can_be_mended(world, editor):
    write(world.settings, "[slurm\n")
    assert world.run("config", "show").code == 2
    editor("echo '[slurm]' > \"$1\"")
    assert world.run("config", "edit").code == 0
    assert world.run("config", "show").code == 0


def test_a_file_that_changed_while_it_was_edited_is_left_alone(world, editor):
    write(world.settings, "[slurm]\n")
    editor(f"echo '[run]' > {world.settings}; echo '[cache]' > \"$1\"")
    said = world.run("config", "edit")
    assert said.code == 2
    assert "was changed by somebody else" in said.err
    assert world.settings.read_text() == "[run]\n"


def test_an_editor_that_fails_changes_nothing(world, editor):
    editor('echo x > "$1"; exit 1')
    said = world.run("config", "edit")
    assert said.code == 2
    assert "the editor, did not end well" in said.err
    assert not world.settings.exists()


def test_the_users_own_file_is_edited_without_an_instance(world, editor):
    editor("echo '[run]\njob_rate = 3' > \"$1\"")
    assert world.run("config", "edit", "--user").code == 0
    assert world.get("run.job_rate") == "3"


# --- render and lint


@pytest.fixture
def snippet(world):
    """Put a snippet over the instance's configuration."""

    def put(text: str) -> Path:
        path = write(world.work / "my.conf", text)
        write(world.settings, f'[template]\nsnippet = "{path}"\n[run]\nbackend = "local"\n')
        return path

    return put


def test_render_shows_what_a_run_gets_but_the_password(world, snippet):
    write(world.root / "secret", "s3cret")
    snippet("webservice.port = 81\n")
    said = world.run("config", "render")
    assert said.code == 0
    assert 'password = "(hidden)"' in said.out
    assert "s3cret" not in said.out
    assert said.out.endswith("webservice.port = 81\n\n")
    assert "innodb_snapshot_isolation=ON" in said.out


def test_lint_knows_every_key_of_ours(world):
    for backend in ("local", "slurm"):
        write(world.settings, f'[run]\nbackend = "{backend}"\n')
        said = world.run("config", "lint", "--json")
        assert said.code == 0
        assert json.loads(said.out) == {"problems": [], "regrets": []}


def test_lint_tells_problems_and_regrets_apart(world, snippet):
    snippet("call-caching.enabled = false\nsystm.x = 1\n")
    said = world.run("config", "lint")
    assert said.code == 2
    assert "my.conf: beware: call-caching.enabled is false" in said.err
    assert "my.conf: systm: Cromwell knows no such key. Did you mean system?" in said.err


def test_what_is_only_regrettable_is_no_error(world, snippet):
    snippet("call-caching.enabled = false\n")
    assert world.run("config", "lint").code == 0


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("webservice.port = 1\n", 0, "Cromwell knows every key"),
        ("mine = /x\nbackend.providers.local.config.root = ${mine}\n", 0, "knows every key"),
        ("webservice.prot = 1\n", 2, "Did you mean webservice.port?"),
        ("webservice {\n}}\n", 2, "my.conf:2:2: "),
        ("a = ${nowhere}\n", 2, "nowhere"),
        ('include "other.conf"\n', 2, "by its whole path"),
    ],
)
def test_a_part_of_a_configuration_is_linted_without_an_instance(world, text, code, words):
    write(world.work / "my.conf", text)
    said = world.run("config", "lint", "my.conf", "--name", "none")
    assert (said.code, words in said.err) == (code, True), said.err


def test_a_file_that_is_no_text_is_told(world):
    (world.work / "my.conf").write_bytes(b"\xff\xfe\x00")
    said = world.run("config", "lint", "my.conf")
    assert said.code == 2
    assert "is no UTF-8 text" in said.err


def test_a_template_of_the_users_own_is_rendered_and_linted(world):
    own = world.work / "templates"
    write(own / "filesystems.conf.j2", "    filesystems.local.localisation = [copy]\n")
    world.run("config", "set", "run.backend", "local")
    assert world.run("config", "set", "template.dir", "templates").code == 0
    said = world.run("config", "lint")
    assert said.code == 2
    assert "Did you mean backend.providers.local.config.filesystems.local.localization?" in said.err


def test_a_template_with_a_hole_is_told_with_its_line(world):
    write(world.work / "templates/filesystems.conf.j2", "\n{{ hashin | hocon }}\n")
    world.run("config", "set", "run.backend", "local")
    world.run("config", "set", "template.dir", "templates")
    said = world.run("config", "render")
    assert said.code == 2
    assert "filesystems.conf.j2:2: 'hashin' is undefined" in said.err


def test_a_snippet_or_template_that_anybody_may_write_is_refused(world, snippet):
    snippet("webservice.port = 1\n").chmod(0o646)
    said = world.run("config", "render")
    assert (said.code, "chmod o-w" in said.err) == (2, True)
    own = write(world.work / "templates/filesystems.conf.j2", "\n")
    own.chmod(0o666)
    write(world.settings, f'[template]\ndir = "{own.parent}"\n')
    said = world.run("config", "render")
    assert (said.code, "chmod o-w" in said.err) == (2, True)


@pytest.mark.parametrize("text", ["systm.x = 1\n", "a {\n"])
def test_a_run_is_refused_before_anything_starts(world, snippet, text, monkeypatch):
    monkeypatch.setenv("CROMWELL_USERDB_ALLOW_ROOT", "1")
    snippet(text)
    write(world.work / "w.wdl", "version 1.0\nworkflow w {}\n")
    said = world.run("run", "w.wdl", "--engine", "embedded")
    assert said.code == 2
    assert "my.conf" in said.err
    assert sorted(path.name for path in world.root.iterdir()) == ["instance.json", "settings.toml"]


def test_nothing_heavy_is_imported_where_nothing_is_put_over(world):
    code = (
        "import sys\nfrom cromwell_userdb.cli import main\n"
        "try: main(['config', 'show'])\nexcept SystemExit: pass\n"
        "print(sorted({'pyhocon', 'jinja2', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
