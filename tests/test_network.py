"""Imports over the network: only where they are allowed, only what comes whole and soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lab import Lab

from cromwell_userdb import files, network, wdl
from cromwell_userdb.embedded import frontend
from cromwell_userdb.errors import UsageError, WdlError

INNER = (
    "version 1.0\ntask say { command { echo far } output { String o = read_string(stdout()) } }\n"
)
OUTER = """version 1.0
import "{}" as inner
workflow middle {{ call inner.say output {{ String o = say.o }} }}
"""
PAGES = {
    "/lib/tasks/say.wdl": INNER,
    "/lib/middle.wdl": OUTER.format("tasks/say.wdl"),
    "/lib/local.wdl": OUTER.format("file:///etc/passwd"),
    "/lib/broken.wdl": "version 1.0\nworkflow",
    "/lib/bytes.wdl": "\udcff",
}
HUGE = "#" * (network.LARGEST + 1)


class Pages(BaseHTTPRequestHandler):
    """A site of some documents, one that never ends and one that leads elsewhere."""

    def do_GET(self) -> None:
        if self.path == "/lib/moved.wdl":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/lib/middle.wdl")
            self.end_headers()
            return
        if self.path == "/lib/endless.wdl":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"# more\n" * 100)
                time.sleep(0.02)
            return
        page = HUGE if self.path == "/lib/huge.wdl" else PAGES.get(self.path)
        self.send_response(404 if page is None else 200)
        self.end_headers()
        self.wfile.write((page or "").encode(errors="surrogateescape"))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def importing(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a workflow that imports a page of the site."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(page: str) -> Path:
        path = tmp_path / "w.wdl"
        path.write_text(
            f'version 1.0\nimport "{site}/lib/{page}" as far\n'
            "workflow w { call far.middle output { String o = middle.o } }\n"
        )
        return path

    return write


def test_what_is_allowed_is_fetched_and_so_is_what_it_imports(importing):
    path = importing("middle.wdl")
    document = wdl.load(path, network=True)
    assert document.calls == ("w.middle",)
    assert document.files == (path,)


def test_without_leave_an_import_is_refused_with_its_line_and_advice(importing):
    with pytest.raises(WdlError, match=r"w\.wdl:2:1: .*engine\.network_imports true"):
        wdl.load(importing("middle.wdl"))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("absent.wdl", "w.wdl:2:1: .*absent.wdl can't be fetched: Not Found"),
        ("broken.wdl", "broken.wdl:2:[19]: this does not parse"),
        ("bytes.wdl", "w.wdl:2:1: .*it is no text in UTF-8"),
        ("moved.wdl", "w.wdl:2:1: .*can't be fetched"),
        ("local.wdl", "local.wdl:2:1: .*is no address that a document from the network may"),
    ],
)
def test_what_can_not_be_imported_is_refused_with_its_line(importing, page, words):
    with pytest.raises(WdlError, match=words):
        wdl.load(importing(page), network=True)


def test_other_addresses_are_refused_even_with_leave(tmp_path):
    path = tmp_path / "w.wdl"
    path.write_text('version 1.0\nimport "gs://bucket/x.wdl"\nworkflow w { }\n')
    with pytest.raises(WdlError, match="a file, or an http or https address"):
        wdl.load(path, network=True)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"seconds": 0.3}, "longer than 0.3 seconds"), ({"largest": 2000}, "it is larger than")],
)
def test_an_endless_import_is_given_up(site: str, limits: dict, words: str):
    begun = time.monotonic()
    with pytest.raises(OSError, match=words):
        network.fetch(f"{site}/lib/endless.wdl", **limits)
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("allowed", ["true", "false"])
def test_the_engine_asks_its_property(importing, allowed: str):
    path = importing("middle.wdl")
    request = frontend.parse([f"-Dcromwell.userdb.network-imports={allowed}", "run", str(path)])
    if allowed == "true":
        assert frontend.document(request).name == "w"
    else:
        with pytest.raises(WdlError, match="network are off"):
            frontend.document(request)


@pytest.mark.functional
def test_a_run_imports_from_the_network_where_the_setting_allows_it(lab: Lab, importing):
    path = importing("middle.wdl")
    refused = lab.do("run", path)
    assert refused.returncode == 2
    assert "w.wdl:2:1: " in refused.stderr
    allowed = lab.do("run", path, CROMWELL_USERDB_ENGINE_NETWORK_IMPORTS="true")
    assert allowed.returncode == 0, allowed.stderr
    assert "far" in allowed.stdout
    kept = lab.root / "runs" / "1" / "sources" / "network"
    assert wdl.load(path, kept=kept).calls == ("w.middle",)  # and the setting is off


def test_a_workflow_at_an_address_brings_along_what_it_imports_from_there(site, tmp_path):
    path = files.fetch(f"{site}/lib/middle.wdl", tmp_path)
    assert wdl.load(path).calls == ("middle.say",)
    assert {copy.relative_to(tmp_path).as_posix() for copy in wdl.load(path).files} == {
        "lib/middle.wdl",
        "lib/tasks/say.wdl",
    }


def test_what_a_workflow_at_an_address_imports_may_be_brought_along(site, tmp_path, monkeypatch):
    monkeypatch.setitem(PAGES, "/lib/alone.wdl", OUTER.format("absent/say.wdl"))
    path = files.fetch(f"{site}/lib/alone.wdl", tmp_path / "cache")
    with pytest.raises(WdlError, match=r"alone\.wdl:2:1: failed to import absent/say\.wdl"):
        wdl.load(path)
    (tmp_path / "mine/absent").mkdir(parents=True)
    (tmp_path / "mine/absent/say.wdl").write_text(INNER)
    assert wdl.load(path, imports=[tmp_path / "mine"]).calls == ("middle.say",)


def test_a_workflow_that_is_too_large_is_refused_and_not_cut_short(site, tmp_path):
    with pytest.raises(UsageError, match=r"huge.wdl can't be fetched: it is larger than 10 MB\.$"):
        files.fetch(f"{site}/lib/huge.wdl", tmp_path)
    assert not list(tmp_path.iterdir())
