"""The birth of an instance, its refusals, and what is left of a birth that was killed."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import mounted

from cromwell_userdb import database, disk, provision, register, schema, server, startup
from cromwell_userdb.errors import NoSpace, NotPrivate, StartFailed, UsageError
from cromwell_userdb.instance import Instance

BIRTH = """
import sys
from pathlib import Path
from cromwell_userdb import binaries, provision
from cromwell_userdb.instance import Instance
provision.birth(
    Instance(Path(sys.argv[1])), binaries.find_server(Path(sys.argv[2])),
    cache=Path(sys.argv[3]), allow_root=True,
)
"""


@pytest.fixture
def refuses(folder, program, templates):
    """Gives birth below a folder that something is wrong with; the sentence comes back."""

    def refused(root: Path, kind: type[Exception], **options: bool) -> str:
        with pytest.raises(kind) as caught:
            provision.birth(
                Instance(root), program, cache=templates, **{"allow_root": True} | options
            )
        assert not (root / "instance.json").exists()
        return str(caught.value)

    return refused


@pytest.mark.functional
def test_a_birth_leaves_everything_private_whatever_the_umask(born, folder):
    before = os.umask(0)
    try:
        instance = born(folder / "i")
    finally:
        os.umask(before)
    modes = {
        path: path.stat().st_mode & 0o777 for path in [instance.root, *instance.root.rglob("*")]
    }
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


@pytest.mark.functional
def test_a_template_may_have_all_that_the_embedded_engine_needs(folder, program, templates):
    if program.flavour == "mysql":
        pytest.skip("MariaDB's templates only")
    instance, maker = Instance(folder / "i"), schema.Maker("embedded", schema.BUNDLED)
    tables = register.script() + schema.script(maker)
    provision.birth(instance, program, cache=templates, allow_root=True, tables=tables)
    startup.start(instance, program)
    with server.connect(instance) as connection:
        assert register.is_migrated(connection) and schema.is_current(connection, maker)
        assert [made for made, _ in schema.history(connection)] == [maker]
    server.stop(instance)


@pytest.mark.functional
def test_twice_is_as_good_as_once(born, folder):
    once = born(folder / "i")
    before = once.facts.read_text(), once.secret.read_text()
    again = born(folder / "i")
    assert (again.facts.read_text(), again.secret.read_text()) == before


@pytest.mark.functional
def test_a_fresh_instance_takes_less_than_20_mb(served, program):
    limit = {"mariadb": 20, "mysql": 80}[program.flavour]
    assert sum(size for _, size in server.belongings(served)) < limit << 20


@pytest.mark.functional
def test_the_secret_is_24_random_bytes_and_nobody_elses(born, folder):
    first, second = (born(folder / name).secret.read_text().strip() for name in "ab")
    assert first != second
    assert len(first) == 32


@pytest.mark.functional
def test_two_births_at_once_end_in_one_instance(folder, program, templates, born):
    argv = [sys.executable, "-c", BIRTH, folder / "i", program.path, templates]
    both = [subprocess.Popen(argv) for _ in range(2)]
    assert [child.wait(60) for child in both] == [0, 0]
    instance = born(folder / "i")
    assert not list(instance.root.glob(".*"))
    assert startup.start(instance, program).state == "running"


@pytest.mark.functional
def test_two_births_with_no_template_yet_make_one(folder, program, born):
    argv = [sys.executable, "-c", BIRTH]
    both = [
        subprocess.Popen([*argv, folder / name, program.path, folder / "cache"]) for name in "ab"
    ]
    assert [child.wait(60) for child in both] == [0, 0]
    assert len(list((folder / "cache/datadir").glob("[!.]*"))) == 1


@pytest.mark.functional
@pytest.mark.parametrize("cache", ["no template yet", "a template"])
def test_a_birth_killed_at_any_moment_is_completed_by_the_next(
    folder, program, templates, cache, born
):
    moments = random.Random(4)
    for number in range(5):
        root, place = folder / str(number), folder / "cache"
        if cache == "no template yet":
            shutil.rmtree(place, ignore_errors=True)
        else:
            place = templates
        argv = [sys.executable, "-c", BIRTH, root, program.path, place]
        child = subprocess.Popen(argv, start_new_session=True)
        time.sleep(moments.uniform(0.12, 0.5 if place != templates else 0.3))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert subprocess.run(argv, timeout=60).returncode == 0
        assert not list(root.glob(".*"))
    instance = born(folder / "4")
    assert startup.start(instance, program).state == "running"


@pytest.mark.functional
def test_data_without_a_finished_birth_are_kept(served, program, templates):
    with server.connect(served) as connection:
        database.execute(connection, "CREATE TABLE cromwell.kept (n INT)")
    server.stop(served)
    served.facts.unlink()
    provision.birth(served, program, cache=templates, allow_root=True)
    startup.start(served, program)
    with server.connect(served) as connection:
        assert database.tables(connection, "cromwell") == {"kept"}


@pytest.mark.functional
def test_an_instance_that_lost_its_data_says_so(instance, program, templates):
    shutil.rmtree(instance.datadir)
    with pytest.raises(UsageError, match="are gone"):
        startup.start(instance, program)
    with pytest.raises(UsageError, match=r"begin anew: .* --root /"):
        provision.birth(instance, program, cache=templates, allow_root=True)


@pytest.mark.functional
def test_damaged_data_are_named(instance, program):
    (instance.datadir / "ibdata1").write_bytes(b"")
    with pytest.raises(StartFailed, match="may be damaged"):
        startup.start(instance, program)


def test_a_folder_with_other_things_in_it_is_refused(folder, refuses):
    for name in ("thesis.tex", ".bashrc", ".data.old"):
        (folder / name).touch()
        assert f"holds things that are no instance's ({name})" in refuses(folder, UsageError)
        (folder / name).unlink()


def test_a_parent_that_everybody_can_write_is_refused(folder, refuses):
    folder.chmod(0o777)
    assert f"chmod o-w {folder}" in refuses(folder / "i", NotPrivate)


def test_a_root_that_can_not_be_made_is_refused(refuses):
    assert "permission denied. Choose another --root" in refuses(Path("/sys/i"), UsageError)


def test_a_link_in_the_place_of_the_root_is_refused(folder, refuses):
    (folder / "elsewhere").mkdir()
    (folder / "i").symlink_to(folder / "elsewhere")
    assert "is no folder" in refuses(folder / "i", NotPrivate)


@pytest.mark.root
def test_a_folder_of_somebody_else_is_refused(folder, refuses):
    (folder / "i").mkdir()
    os.chown(folder / "i", 65534, 65534)
    assert "belongs to nobody" in refuses(folder / "i", NotPrivate)


@pytest.mark.root
def test_root_has_to_say_so(folder, refuses):
    assert "--allow-root" in refuses(folder / "i", UsageError, allow_root=False)


def test_an_unsafe_place_is_refused(folder, refuses):
    assert "only letters, digits" in refuses(folder / "a b", UsageError)


def test_a_path_too_long_for_a_socket_is_refused(folder, refuses):
    assert "Choose a shorter --root" in refuses(folder / ("x" * 100), UsageError)


def test_a_disk_without_locks_is_refused_unless_told_so(folder, refuses, monkeypatch):
    def no_locks(*args: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", no_locks)
    assert "--allow-no-locks" in refuses(folder / "i", UsageError)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with mounted("32m") as place:
        yield place


@pytest.mark.root
def test_a_disk_too_small_is_refused_with_what_is_left(small_disk, refuses):
    said = refuses(small_disk / "i", NoSpace)
    assert f"The disk is full ({small_disk}): 31 MB" in said or "32 MB left" in said
    assert "where 64 MB are needed" in said


def test_the_probe_tells_what_a_disk_can_do(folder):
    probed = disk.probe(folder)
    assert probed.locks and probed.hard_links and probed.soft_links
    assert 0 < probed.fsync < 5 and probed.free > 0 and probed.type
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("fsync", "expected"), [(0.0001, 1), (0.005, 2)])
def test_a_slow_disk_is_synced_once_a_second(fsync, expected):
    assert disk.Probe(True, fsync, True, 0, "nfs4", True, True).trx_commit == expected


@pytest.mark.functional
def test_an_instance_of_a_newer_version_is_refused(instance):
    instance.facts.write_text(json.dumps({"format": 99}))
    with pytest.raises(UsageError, match="made by a newer version"):
        disk.facts(instance)


@pytest.mark.functional
def test_a_place_with_a_long_name_is_served_through_a_short_link(folder, program, templates):
    from served import end

    instance = Instance(folder / "/".join(["long"] * 22), runtime=folder / "run")
    try:
        provision.birth(instance, program, cache=templates, allow_root=True)
        startup.start(instance, program)
        assert str(instance.socket).startswith(str(folder / "run"))
        assert server.status(instance).connections == 0
        assert server.connect(instance).ping() is None
    finally:
        end(instance)
