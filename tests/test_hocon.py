from __future__ import annotations

import pytest

from cromwell_userdb import hocon
from cromwell_userdb.errors import SettingError

CONF = """
include required(classpath("application"))
database { db { user = "cromwell", password = "p#w", numThreads = 6 } }
backend.providers.slurm.config {
  runtime-attributes = "Int cpu = 1\\nString? queue"
  submit = "hooks/submit ${cwd} ${script}"
  job-id-regex = "^(\\\\d+).*"
}
system.job-rate-control { jobs = 20, per = 1 second }
root = "/a"
below = ${root}"/b"
"""


@pytest.fixture
def tree():
    return hocon.parse(CONF, origin="cromwell.conf")


def test_strings_come_as_cromwell_reads_them(tree):
    config = hocon.get(tree, "backend.providers.slurm.config")
    assert config["runtime-attributes"] == "Int cpu = 1\nString? queue"
    assert config["submit"] == "hooks/submit ${cwd} ${script}"
    assert config["job-id-regex"] == r"^(\d+).*"


def test_a_duration_is_its_seconds_and_a_reference_its_value(tree):
    assert hocon.get(tree, "system.job-rate-control.per") == 1.0
    assert tree["below"] == "/a/b"


def test_flatten_names_each_leaf_by_its_path(tree):
    assert ("database.db.password", "p#w") in list(hocon.flatten(tree))


def test_put_sets_a_path_that_was_not_there(tree):
    hocon.put(tree, "a.b.c", "x")
    assert hocon.get(tree, "a.b.c") == "x"
    assert hocon.get(tree, "a.b.c.d", "none") == "none"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a {\n b = 1", "c.conf:2:7: HOCON ends to make sense"),
        ("a = ${nope}", "c.conf: .*nope"),
        ('include required(file("/nowhere/x"))', "c.conf: .*nowhere"),
    ],
)
def test_a_broken_text_is_one_sentence_with_its_place(text, words):
    with pytest.raises(SettingError, match=words) as caught:
        hocon.parse(text, origin="c.conf")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        (r'"\u00e9\ud83e\uddec\/"', "é🧬/"),
        (r'"\u0022\u005c\u000a"', '"\\\n'),
        (r'"\\u0041"', r"\u0041"),
        (r'"""\u0041"""', r"\u0041"),
        ('"# \\u0041" # "\\u0042"', "# A"),
    ],
)
def test_every_escape_of_a_quoted_string_is_resolved(quoted, value):
    assert hocon.parse(f"a = {quoted}\n", origin="c")["a"] == value


def test_the_names_that_a_text_refers_to_are_those_outside_of_quotes_and_comments():
    assert hocon.references('a = ${b.c}"/${d}" # ${e}\nf = ${?g}') == {"b", "g"}


@pytest.mark.parametrize("line", ['include "x.conf"', ' include required(file("x.conf"))'])
def test_a_relative_include_is_refused_as_cromwell_would_not_find_it(line):
    with pytest.raises(SettingError, match=r"s\.conf: include 'x\.conf' by its whole path"):
        hocon.check(f"a = 1\n{line}\n", origin="s.conf")


def test_a_part_may_refer_to_what_the_whole_has():
    hocon.check("a = ${elsewhere}\n", origin="s.conf")
