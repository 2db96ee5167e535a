"""Programs from a conda channel: one made by hand, as no real one can be had in the tests."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from cromwell_userdb import engine, provision
from cromwell_userdb import java as javas
from cromwell_userdb.errors import NotFound

RELEASE = 'JAVA_VERSION="21.0.8"\n'
BANNER = "mysqld  Ver 9.7.4 for Linux on x86_64 (made by hand)"


@pytest.fixture
def channel(tmp_path: Path) -> str:
    """A conda channel that holds one package, whose server tells its version only."""
    rattler = pytest.importorskip("rattler", reason="needs the extra managed")
    place = tmp_path / "channel"
    subdir = str(rattler.Subdir.current())
    _package(place / subdir, "mysql-server", "9.7.4", subdir, {"bin/mysqld": _saying(BANNER)})
    files = {"lib/jvm/bin/java": _saying("a Java made by hand"), "lib/jvm/release": RELEASE}
    _package(place / subdir, "openjdk", "21.0.8", subdir, files)
    (place / "noarch").mkdir()

    import asyncio

    from rattler.index import index_fs

    asyncio.run(index_fs(place))
    return f"file://{place}"


def _saying(words: str) -> str:
    return f"#!/bin/sh\necho '{words}'\n"


def _package(place: Path, name: str, version: str, subdir: str, files: dict[str, str]) -> None:
    built = place.parent.parent / name
    (built / "info").mkdir(parents=True)
    for path, text in files.items():
        (built / path).parent.mkdir(parents=True, exist_ok=True)
        (built / path).write_text(text)
        (built / path).chmod(0o755)
    index = {
        "name": name,
        "version": version,
        "build": "0",
        "build_number": 0,
        "depends": [],
        "subdir": subdir,
        "timestamp": 1700000000000,
    }
    listed = [{"_path": path, "path_type": "hardlink"} for path in files]
    (built / "info/index.json").write_text(json.dumps(index))
    (built / "info/paths.json").write_text(json.dumps({"paths": listed, "paths_version": 1}))
    (built / "info/files").write_text("".join(f"{path}\n" for path in files))
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place / f"{name}-{version}-0.tar.bz2", "w:bz2") as archive:
        archive.add(built, arcname="")


def test_a_server_is_installed_from_a_channel_and_found_again(tmp_path, channel):
    said: list[str] = []
    installed = provision.install_server(tmp_path / "cache", channel=channel, progress=said.append)
    assert installed.title == "MySQL 9.7.4"
    assert installed.path == tmp_path / "cache/server/bin/mysqld"
    assert "fetching 1 packages" in said[0]
    assert provision.install_server(tmp_path / "cache", channel="nowhere") == installed


def test_an_installation_that_was_interrupted_is_done_again(tmp_path, channel):
    half = provision.installed_server(tmp_path / "cache")
    (half / "bin").mkdir(parents=True)
    (half / "bin/mysqld").touch()
    assert provision.install_server(tmp_path / "cache", channel=channel).version == (9, 7, 4)


def test_a_channel_without_a_server_is_a_sentence(tmp_path):
    pytest.importorskip("rattler", reason="needs the extra managed")
    (tmp_path / "noarch").mkdir()
    with pytest.raises(NotFound, match="server"):
        provision.install_server(tmp_path / "cache", channel=f"file://{tmp_path}")


def test_a_channel_that_can_not_be_reached_is_one_sentence(tmp_path):
    pytest.importorskip("rattler", reason="needs the extra managed")
    with pytest.raises(NotFound, match="use one of your own") as caught:
        provision.install_server(tmp_path / "cache", channel="http://127.0.0.1:9/nowhere")
    assert "\n" not in str(caught.value)


def test_a_java_is_installed_from_a_channel_and_found_by_its_release(tmp_path, channel):
    java = engine.install_java(tmp_path / "cache", channel=channel)
    assert (java.version, java.path.name) == ("21.0.8", "java")
    found = javas.find(environ={"PATH": "/nowhere"}, cache=tmp_path / "cache")
    assert found.path == java.path
