from __future__ import annotations

import zipfile

import pytest
import WDL

from cromwell_userdb import wdl
from cromwell_userdb.errors import WdlError

COHORT = """version 1.0
struct Sample { String name Array[File] reads }
task align { input { Sample s Int threads = 2 } command {} output { File bam = "x.bam" } }
workflow variants {
  input { Array[Sample] samples File reference Float ratio = 0.5 String? note }
  scatter (s in samples) { call align { input: s = s } }
  output { Array[File] bams = align.bam }
}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def load(tmp_path):
    def load(text, name="variants.wdl", **more):
        path = tmp_path / name
        path.write_text(text)
        return wdl.load(path, **more)

    return load


def test_a_document_tells_what_it_needs_and_gives(load):
    document = load(COHORT)
    assert (document.name, document.version) == ("variants", "1.0")
    assert document.calls == ("variants.align",)
    assert document.outputs == (("variants.bams", "Array[File]"),)
    assert wdl.Input("variants.ratio", "Float", False, "0.5") in document.inputs
    assert wdl.Input("variants.align.threads", "Int", False, "2") in document.inputs


def test_a_template_names_what_has_to_be_given(load):
    assert wdl.template(load(COHORT)) == {
        "variants.samples": [{"name": "<String>", "reads": "<Array[File]>"}],
        "variants.reference": "<File>",
    }


def test_a_template_half_filled_in_is_refused_part_by_part(load):
    document = load(COHORT)
    inputs = wdl.template(document) | {"variants.reference": "/ref.fa"}
    inputs["variants.samples"] = [{"name": "<String>", "reads": ["/a.fq"]}]
    assert wdl.check_inputs(document, inputs) == [
        '"variants.samples" has <String>, as if to be filled in.'
    ]


def test_good_inputs_give_no_problem(load):
    inputs = {
        "variants.samples": [{"name": "a", "reads": ["/a.fq"]}],
        "variants.reference": "/ref.fa",
        "variants.ratio": 1,
        "variants.note": None,
        "variants.align.threads": "4",
    }
    assert wdl.check_inputs(load(COHORT), inputs) == []


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        (
            {"variants.refrence": "/r"},
            '"variants.refrence" is no input of variants.wdl. Did you mean variants.reference?',
        ),
        (
            {"reference": "/r"},
            '"reference" is no input of variants.wdl. Did you mean variants.reference?',
        ),
        ({"variants.ratio": "half"}, "\"variants.ratio\" should be Float but is 'half'."),
        ({"variants.ratio": None}, '"variants.ratio" should be Float but is null.'),
        (
            {"variants.samples": [{"name": "a", "reads": ["/a", 3]}]},
            '"variants.samples[0].reads[1]" should be File but is 3.',
        ),
        (
            {},
            '"variants.reference" (File) is missing: variants.wdl has no default for it.',
        ),
    ],
)
def test_a_wrong_input_is_named(load, inputs, problem):
    assert problem in wdl.check_inputs(load(COHORT), inputs)


@pytest.mark.parametrize(
    ("body", "words", "certain"),
    [
        (
            "task align { command {} }\nworkflow w { call aling }",
            'bad.wdl:3:14: no task or workflow is called "aling". Did you mean align?',
            True,
        ),
        ("workflow w { call", "bad.wdl:2:14: this does not parse: the text ends too early.", True),
        ("a" * 99, f"bad.wdl:2:1: this does not parse: '{'a' * 39}…' is not expected.", True),
        ('import "gone.wdl"\nworkflow w {}', r"bad.wdl:2:1: failed to import gone.wdl", True),
        ('import "http://x/y.wdl"\nworkflow w {}', "imports over the network are off", True),
        ("workflow w { Float f = 1e7 }", "this does not parse", True),
        ("workflow w { Int x = 2147483648 }", "bad.wdl:2:22: 2147483648 is too great", False),
        ("workflow w { Objects o }", "bad.wdl:2:14: unknown type Objects", False),
        ('workflow w { String s = "a" + true }', "bad.wdl:2:25: + does not take", False),
        (
            "workflow w { input { Int? n } Int m = n }",
            "bad.wdl:2:31: m is Int but is given Int?, which may be empty; use select_first",
            False,
        ),
        ("task t { command {} }", "tasks but no workflow", True),
    ],
)
def test_a_document_that_cannot_run_is_refused_with_its_line(load, body, words, certain):
    with pytest.raises(WdlError) as caught:
        load("version 1.0\n" + body, "bad.wdl")
    assert words in str(caught.value)
    assert wdl.is_certain(caught.value) is certain


def test_several_problems_are_several_lines(load):
    with pytest.raises(WdlError) as caught:
        load("version 1.0\nworkflow w {\nInt a = [1] + 1\nInt b = [1] + 2\n}", "bad.wdl")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["3", "4"]


def test_imports_are_found_in_a_folder_and_in_a_zip(load, tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sub.wdl").write_text("version 1.0\nworkflow sub { }\n")
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as bundle:
        bundle.write(tmp_path / "lib" / "sub.wdl", "sub.wdl")
    text = 'version 1.0\nimport "sub.wdl" as s\nworkflow w { call s.sub }'
    assert load(text, imports=[tmp_path / "lib"]).calls == ("w.sub",)
    assert load(text, imports=[tmp_path / "lib.zip"]).calls == ("w.sub",)


def test_a_file_that_is_no_zip_of_imports_is_refused(load, tmp_path):
    (tmp_path / "lib.zip").write_text("no zip")
    with pytest.raises(WdlError, match=r"lib\.zip: neither a folder nor a zip"):
        load(COHORT, imports=[tmp_path / "lib.zip"])


def test_the_parser_is_kept_in_a_folder_of_the_user_alone(load):
    load(COHORT)
    folder = wdl.grammar_folder()
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert wdl.grammar_folder() == folder


def test_what_is_kept_of_a_parser_is_private_too(load, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(WDL._parser, "_lark_cache", {})
    load(COHORT)
    folder = wdl.grammar_folder()
    assert folder is not None
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_grammar_folder_that_others_can_write_is_not_used(load):
    folder = wdl.grammar_folder()
    assert folder is not None
    folder.chmod(0o777)
    assert wdl.grammar_folder() is None


def test_each_file_that_is_not_there_is_named_with_its_place(load, tmp_path):
    there = tmp_path / "there"
    there.touch()
    inputs = {
        "w.f": "https://example.org/reads",
        "w.fs": [str(there), "/nope/1"],
        "w.m": {"k": "/nope/2"},
        "w.s": {"a": str(there), "b": ["nope-3"]},
        "w.o": "file:///nope/4",
        "w.p": {"Left": f"{there}/below", "Right": 1},
        "w.t": "/nope/5",
    }
    document = load(
        "version 1.0\nstruct S { File a Array[File]? b }\nworkflow w { input { File f Array[File] "
        "fs Map[String, File] m S s File? o Pair[File, Int] p String t } }\n"
    )
    assert wdl.check_inputs(document, inputs) == []
    assert wdl.check_files(document, inputs) == [
        '"w.fs[1]": the file /nope/1 is not there.',
        '"w.m.k": the file /nope/2 is not there.',
        '"w.s.b[0]": the file nope-3 is not there.',
        '"w.o": the file /nope/4 is not there.',
        f'"w.p.left": the file {there}/below can\'t be read: not a directory.',
    ]


def test_of_many_absent_files_some_are_named_and_the_rest_is_counted(load):
    document = load("version 1.0\nworkflow w { input { Array[File] fs } }\n")
    said = wdl.check_files(document, {"w.fs": [f"/nope/{i}" for i in range(10_000)]})
    assert (len(said), said[-1]) == (21, "and 9980 more files.")
