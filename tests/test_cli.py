"""What strangers type, and what they get for it; no server is started here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cromwell_userdb import wdl
from cromwell_userdb.cli import files
from cromwell_userdb.errors import UsageError, WdlError

COMMAND = [sys.executable, "-m", "cromwell_userdb"]


def say(*words: str | Path) -> tuple[int, str]:
    """What a command ends with, and its words."""
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def inputs(tmp_path):
    def read(data: bytes, name: str = "inputs.json"):
        path = tmp_path / name
        path.write_bytes(data)
        return files.read_mapping(str(path), "inputs")

    return read


def test_inputs_may_begin_with_a_byte_order_mark(inputs):
    assert inputs(b'\xef\xbb\xbf{"w.x": 1}\r\n') == {"w.x": 1}


def test_inputs_are_utf_8_in_every_locale(tmp_path):
    path = tmp_path / "inputs.json"
    path.write_bytes('{"w.é": "ü"}'.encode())
    code = "import sys; from cromwell_userdb.cli import files"
    code += "; print(ascii(files.read_mapping(sys.argv[1], 'inputs')))"
    argv = [sys.executable, "-X", "utf8=0", "-c", code, str(path)]
    done = subprocess.run(
        argv, env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}, capture_output=True, text=True
    )
    assert done.stdout == "{'w.\\xe9': '\\xfc'}\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"w.x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"w.x: " + b"[" * 5_000 + b"]" * 5_000, "nested too deeply"),
        (b"\x80\x81", "no text in UTF-8"),
        (b"[1, 2]", "an object of names and values"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused_in_a_sentence(inputs, data, words):
    with pytest.raises(UsageError, match=words):
        inputs(data)


def test_inputs_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr(files, "LARGEST_INPUTS", 1 << 20)
    with pytest.raises(UsageError, match="more than 1 MB"):
        files.read_mapping("/dev/zero", "inputs")


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"\x80\xff", "no text in UTF-8"), (b"", "is empty"), (b"version 1.0\n", "is empty")],
)
def test_a_file_that_is_no_workflow_is_refused_in_a_sentence(tmp_path, text, words):
    (tmp_path / "w.wdl").write_bytes(text)
    with pytest.raises(WdlError, match=words):
        wdl.load(tmp_path / "w.wdl")


def test_a_template_that_was_not_filled_in_is_refused(tmp_path):
    (tmp_path / "w.wdl").write_text("version 1.0\nworkflow w { input { String s Int i = 1 } }\n")
    document = wdl.load(tmp_path / "w.wdl")
    assert wdl.check_inputs(document, wdl.template(document)) == [
        '"w.s" is <String>, as if to be filled in.'
    ]
