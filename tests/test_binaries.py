"""Finding a database server among whatever a machine has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cromwell_userdb import binaries
from cromwell_userdb.errors import NotFound


def program(path: Path, banner: str) -> Path:
    """A server that tells its version, and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{banner}'\n")
    path.chmod(0o755)
    return path


MARIADB = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)"
OLD = "mysqld  Ver 10.3.39-MariaDB for Linux on x86_64 (MariaDB Server)"
MYSQL = "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))"


@pytest.mark.parametrize(
    ("banner", "flavour", "version"),
    [
        (MARIADB, "mariadb", (10, 11, 19)),
        ("mysqld  Ver 11.8.6-MariaDB-log for linux-systemd on x86_64", "mariadb", (11, 8, 6)),
        (MYSQL, "mysql", (9, 7, 4)),
        (
            "mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
            "mysql",
            (8, 0, 36),
        ),
    ],
)
def test_a_banner_tells_flavour_and_version(banner, flavour, version):
    assert binaries.parse_version(banner)[:2] == (flavour, version)


def test_what_prints_something_else_is_no_server():
    with pytest.raises(NotFound, match="calls itself"):
        binaries.parse_version("GNU coreutils 9.1\n")


def test_mariadb_comes_before_mysql_wherever_they_lie(tmp_path):
    program(tmp_path / "a/mysqld", MYSQL)
    wanted = program(tmp_path / "b/mariadbd", MARIADB)
    assert binaries.find_server(search=[tmp_path / "a", tmp_path / "b"]).path == wanted


def test_an_old_server_does_not_hide_a_good_one(tmp_path):
    program(tmp_path / "a/mariadbd", OLD)
    program(tmp_path / "b/mysqld", MYSQL)
    assert binaries.find_server(search=[tmp_path / "a", tmp_path / "b"]).title == "MySQL 9.7.4"


def test_a_server_too_old_is_named_with_what_is_needed(tmp_path):
    path = program(tmp_path / "mariadbd", OLD)
    with pytest.raises(NotFound, match=f"{path} is MariaDB 10.3.39; MariaDB 10.5 or newer"):
        binaries.find_server(search=[tmp_path])


def test_no_server_is_a_sentence_of_where_was_looked(tmp_path):
    with pytest.raises(NotFound, match=r"looked for mariadbd, mysqld on PATH.* init --install"):
        binaries.find_server(search=[tmp_path])


def test_the_prefix_of_an_installation_will_do(tmp_path):
    wanted = program(tmp_path / "sbin/mariadbd", MARIADB)
    assert binaries.find_server(tmp_path).path == wanted


def test_a_program_that_is_no_server_is_refused_in_its_own_words(tmp_path):
    path = program(tmp_path / "mariadbd", "hello")
    with pytest.raises(NotFound, match="calls itself 'hello'"):
        binaries.find_server(path)


def test_what_init_installed_is_looked_for_last(tmp_path):
    assert binaries.usual_places("/a:/b", cache=tmp_path)[-1] == tmp_path / "server/bin"


def test_an_empty_part_of_path_is_not_the_current_folder():
    assert Path() not in binaries.usual_places(":/a:")


def test_a_program_is_asked_once_and_again_when_it_changed(tmp_path):
    book, path = tmp_path / "book.json", tmp_path / "mariadbd"
    shutil.copy("/bin/echo", path)
    book.write_text(json.dumps({str(path): ["other", MARIADB]}))
    with pytest.raises(NotFound, match="calls itself"):
        binaries.inspect(path, book=book)
    looks = json.loads(book.read_text())[str(path)][0]
    book.write_text(json.dumps({str(path): [looks, MARIADB]}))
    assert binaries.inspect(path, book=book).title == "MariaDB 10.11.19"
    path.touch()
    with pytest.raises(NotFound, match="calls itself"):
        binaries.inspect(path, book=book)


def test_what_a_script_says_is_not_remembered(tmp_path):
    path = program(tmp_path / "mariadbd", MARIADB)
    binaries.inspect(path, book=tmp_path / "book.json")
    assert not (tmp_path / "book.json").exists()
