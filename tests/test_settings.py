"""Settings: names, types, layers."""

import tomllib

import pytest

from cromwell_userdb.errors import SettingError
from cromwell_userdb.settings import (
    NAMES,
    Layer,
    Settings,
    check,
    from_environment,
    from_toml,
    resolve,
    to_toml,
)


def test_a_misspelled_setting_is_refused_with_the_likely_one():
    with pytest.raises(SettingError, match=r"my\.toml.*slurm\.partion.*slurm\.partition\?"):
        from_toml('[slurm]\npartion = "x"', origin="my.toml")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("server.idle_minutes", "soon", "a number"),
        ("server.idle_minutes", -1, "from 0 on"),
        ("run.concurrent_jobs", 1.5, "a whole number"),
        ("run.backend", "cloud", "auto, local, slurm"),
        ("server.allow_no_locks", "maybe", "true or false"),
        ("cache.localization", ["hard-link", "teleport"], "teleport"),
        ("slurm.partition", True, "text"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_words(name, value, word):
    with pytest.raises(SettingError, match=word):
        check(name, value, origin="here")


def test_the_first_layer_that_names_a_setting_wins_and_is_told():
    resolved = resolve(
        [
            Layer("command line", {"slurm.partition": "short"}),
            Layer("settings.toml", {"slurm.partition": "long", "slurm.account": "lab"}),
        ]
    )
    assert resolved.settings.slurm_partition == "short"
    assert resolved.origins == {"slurm.partition": "command line", "slurm.account": "settings.toml"}


def test_the_file_of_the_current_folder_may_not_name_programs():
    with pytest.raises(SettingError, match=r"server\.binary may not be set in the current folder"):
        from_toml('[server]\nbinary = "/tmp/evil"', origin="./x.toml", anywhere=True)


def test_each_path_of_a_list_has_to_mean_the_same_everywhere():
    assert from_toml('[container]\nsite_images = ["/a", "~/b"]', origin="x.toml")
    with pytest.raises(SettingError, match=r"site_images takes a whole path.*'b'"):
        from_toml('[container]\nsite_images = ["/a", "b"]', origin="x.toml")


def test_variables_of_the_environment_are_settings_too():
    environ = {"CROMWELL_USERDB_SERVER_IDLE_MINUTES": "3", "CROMWELL_USERDB_ROOT": "/x"}
    assert from_environment(environ) == {"server.idle_minutes": 3.0}


def test_what_is_written_as_toml_is_read_back_the_same():
    values = Settings().by_name() | {
        "slurm.extra": ('--comment="a\nb\\"', "--x"),
        "run.backend": "slurm",
    }
    assert from_toml(to_toml(values), origin="written") == values
    assert set(values) == set(NAMES)


def test_a_broken_file_is_named_with_its_line():
    with pytest.raises(SettingError, match=r"my\.toml.*line 1"):
        from_toml("[server\n", origin="my.toml")
    assert tomllib.loads(to_toml({})) == {}
