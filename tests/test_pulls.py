"""Images come into the store: once, by their digest, whole or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from registries import PASSWORD
from test_registry import kept_in

from cromwell_userdb import docker, images, pulls
from cromwell_userdb.docker import Containers
from cromwell_userdb.errors import CommandFailed, DownloadFailed, NoSpace
from cromwell_userdb.images import Store
from cromwell_userdb.pulls import Way
from cromwell_userdb.reference import parse
from cromwell_userdb.runtimes import Runtime

FAKE = """#!/bin/bash
# A program that pulls: it tells its name, what it was asked and what it knows, and makes a file.
[[ $* != *--help* ]] || exec echo "--authfile string"
echo "$*" >>"$ASKED"
[[ ! -v FAKE_SLOW ]] || sleep "$FAKE_SLOW"
[[ ! -v FAKE_BREAKS || -e $ASKED.broke ]] || { touch "$ASKED.broke"; exit 1; }
[[ ! -v FAKE_FAILS ]] || { echo "FATAL:   $FAKE_FAILS" >&2; exit 255; }
for word; do
    [[ $word != --authfile=* ]] || cp "${word#*=}" "$ASKED.login"
    [[ $word != *.sif ]] || file=$word
done
mkdir -p "$APPTAINER_TMPDIR/rootfs/sealed" && chmod 500 "$APPTAINER_TMPDIR/rootfs/sealed"
echo "INFO:    Creating SIF file..."
printf '#!/usr/bin/env run-singularity\\n\\0SIF_MAGIC\\0%s' "${*: -1}" >"$file"
"""


@pytest.fixture
def apptainer_here(tmp_path, monkeypatch) -> Runtime:
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    path = tmp_path / "bin/apptainer"
    path.parent.mkdir()
    path.write_text(FAKE)
    path.chmod(0o755)
    return Runtime("apptainer", path)


@pytest.fixture
def way(apptainer_here, tmp_path) -> Way:
    return Way(apptainer_here, Store(tmp_path / "own"))


@pytest.fixture
def asked(tmp_path):
    path = tmp_path / "asked"
    return lambda: path.read_text().splitlines() if path.exists() else []


def bring(way, name, said=None, **options):
    said = [] if said is None else said
    return pulls.bring(way, parse(name), dict(os.environ), say=said.append, **options)


def test_what_was_looked_up_is_what_is_pulled(way, registry, asked):
    digest, said = registry.push("lab/tool", "1"), []
    image = bring(way, f"{registry.host}/lab/tool:1", said)
    assert image.digest == digest
    assert asked()[0].endswith(f"docker://{registry.host}/lab/tool@{digest}")
    assert images.file_of(way.store.own, digest).exists()
    assert said[-1] == f"{registry.host}/lab/tool:1: creating SIF file"


def test_what_is_here_is_not_asked_for_again_unless_it_should(way, registry, asked):
    name = f"{registry.host}/lab/moving:1"
    old = registry.push("lab/moving", "1", "old")
    assert bring(way, name).digest == old
    new = registry.push("lab/moving", "1", "new")
    assert bring(way, name).digest == old
    assert bring(way, name, anew=True).digest == new
    assert bring(way, f"{registry.host}/lab/moving@{old}").digest == old
    assert len(asked()) == 2


def test_two_tags_of_one_image_are_one_file(way, registry, asked):
    registry.push("lab/twice", "1")
    registry.push("lab/twice", "latest")
    assert bring(way, f"{registry.host}/lab/twice:1").digest == (
        bring(way, f"{registry.host}/lab/twice").digest
    )
    assert len(asked()) == 1


def test_a_file_that_lies_there_by_its_digest_gets_its_name(way, asked):
    digest = f"sha256:{'ab' * 32}"
    images.file_of(images.make(way.store.own), digest).write_bytes(b"anything")
    assert bring(way, f"ubuntu:20.04@{digest}").digest == digest
    rows = images.answer(one for _, one in images.present(way.store))
    assert ("ubuntu", f"20.04@{digest}", digest) in rows
    assert not asked()


def test_a_name_that_cromwell_lengthened_is_found(way, registry):
    digest = registry.push("short", "1")
    assert bring(way, f"{registry.host}/library/short:1").digest == digest
    rows = images.answer(one for _, one in images.present(way.store))
    assert (f"{registry.host}/library/short", "1", digest) in rows


def test_a_pull_that_fails_leaves_nothing_and_says_why(way, registry, monkeypatch):
    registry.push("lab/bad", "1")
    monkeypatch.setenv("FAKE_FAILS", "While making image: packer failed")
    with pytest.raises(CommandFailed, match="could not be pulled: While making image: packer"):
        bring(way, f"{registry.host}/lab/bad:1")
    monkeypatch.setenv("FAKE_FAILS", "write: no space left on device")
    with pytest.raises(NoSpace):
        bring(way, f"{registry.host}/lab/bad:1")
    assert not list(images.verify(way.store, way.store.own, lambda *_: None))


def test_a_pull_that_broke_off_is_tried_once_more(way, registry, asked, monkeypatch):
    monkeypatch.setenv("FAKE_BREAKS", "1")
    digest = registry.push("lab/broken", "1")
    assert bring(way, f"{registry.host}/lab/broken:1").digest == digest
    assert len(asked()) == 2


def test_never_says_which_file_to_bring(way, registry, asked):
    never = Way(way.runtime, way.store, "never")
    with pytest.raises(DownloadFailed, match=r"apptainer pull .* images add image\.sif x:1"):
        bring(never, "x:1")
    assert not asked()


def test_a_login_of_another_program_is_handed_on_in_a_file(
    way, private, asked, monkeypatch, tmp_path
):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    monkeypatch.setenv("HOME", str(tmp_path))
    kept_in(tmp_path / ".docker/config.json", private.host)
    private.push("mine", "1")
    bring(way, f"{private.host}/mine:1")
    assert private.host in (tmp_path / "asked.login").read_text()
    assert (tmp_path / "asked.login").stat().st_mode & 0o077 == 0
    assert PASSWORD not in asked()[0]


def test_its_own_login_is_left_to_the_program(way, private, asked, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    monkeypatch.setenv("HOME", str(tmp_path))
    kept_in(tmp_path / ".apptainer/docker-config.json", private.host)
    private.push("mine", "1")
    bring(way, f"{private.host}/mine:1")
    assert "--authfile" not in asked()[0]


def puller(way: Way, name: str) -> subprocess.Popen[str]:
    """Another command that has the image pulled."""
    containers = Containers(way.runtime, way.store)
    argv = [*docker.command(sys.executable, containers), "pull", name]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_commands_pull_one_image_once(way, registry, asked, monkeypatch):
    registry.push("lab/both", "1")
    monkeypatch.setenv("FAKE_SLOW", "1")
    both = [puller(way, f"{registry.host}/lab/both:1") for _ in range(2)]
    words = [child.communicate(timeout=60) for child in both]
    assert [child.returncode for child in both] == [0, 0], words
    assert len(asked()) == 1


def test_what_a_killed_pull_left_is_swept_by_the_next(way, registry, asked, monkeypatch):
    digest = registry.push("lab/killed", "1")
    monkeypatch.setenv("FAKE_SLOW", "2")
    with puller(way, f"{registry.host}/lab/killed:1") as child:
        deadline = time.monotonic() + 30
        while not asked() and time.monotonic() < deadline:
            time.sleep(0.05)
        child.kill()
    monkeypatch.delenv("FAKE_SLOW")
    assert list(way.store.own.glob("*.new*"))
    assert bring(way, f"{registry.host}/lab/killed:1").digest == digest
    assert not list(images.verify(way.store, way.store.own, lambda *_: None))


def test_an_interrupted_pull_ends_the_program_and_leaves_nothing(way, registry, monkeypatch):
    registry.push("lab/interrupted", "1")
    monkeypatch.setenv("FAKE_SLOW", "20")

    def interrupt(words: str) -> None:
        if "pulling" in words:
            signal.setitimer(signal.ITIMER_REAL, 0.5)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            wanted = parse(f"{registry.host}/lab/interrupted:1")
            pulls.bring(way, wanted, dict(os.environ), say=interrupt)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begin < 10
    assert not list(way.store.own.glob("*.new*"))


PODMAN = """#!/bin/bash
# A program that keeps images itself, by tags and digests.
case $1 in
pull)
    echo "$2" >>"$ASKED"
    [[ $2 == docker.io/* ]] || { echo "Error: manifest unknown" >&2; exit 125; } ;;
images)
    printf 'docker.io/library/ubuntu\\t20.04\\tsha256:%064d\\n' 7
    printf 'docker.io/library/pinned\\t<none>\\tsha256:%064d\\n' 8
    printf '<none>\\t<none>\\t<none>\\n' ;;
esac
"""


@pytest.fixture
def podman(tmp_path, monkeypatch) -> Containers:
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    path = tmp_path / "podman"
    path.write_text(PODMAN)
    path.chmod(0o755)
    return Containers(Runtime("podman", path), Store(tmp_path / "own"), told=tmp_path / "told")


def test_a_program_that_keeps_images_itself_is_asked_in_cromwells_place(podman, asked):
    rows = list(docker.answer(podman))
    assert ("ubuntu", "20.04", f"sha256:{7:064}") in rows
    assert ("pinned", f"sha256:{8:064}", f"sha256:{8:064}") in rows
    docker.pull(podman, "ubuntu:20.04")
    assert asked() == ["docker.io/library/ubuntu:20.04"]
    docker.pull(podman, f"pinned:1@sha256:{8:064}")
    assert ("pinned", f"1@sha256:{8:064}", f"sha256:{8:064}") in docker.answer(podman)
    with pytest.raises(CommandFailed, match=r"quay\.io/x:1 could not be pulled: manifest unknown"):
        docker.pull(podman, "quay.io/x:1")


@pytest.mark.functional
def test_a_real_apptainer_pulls_what_the_registry_has(apptainer, registry, tmp_path):
    digest = registry.push("lab/real", "1", "so it is")
    way = Way(Runtime("apptainer", apptainer.program), Store(tmp_path / "own"))
    image = bring(way, f"{registry.host}/lab/real:1")
    file = images.file_of(way.store.own, digest)
    images.check_sif(file)
    argv = [apptainer.program, "inspect", file]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert f"{registry.host}/lab/real" in words
    assert image.bytes == file.stat().st_size


@pytest.mark.functional
def test_a_real_apptainer_pulls_with_the_users_own_login(apptainer, private, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    monkeypatch.setenv("HOME", str(tmp_path))
    kept_in(tmp_path / ".docker/config.json", private.host)
    digest = private.push("mine", "1")
    way = Way(Runtime("apptainer", apptainer.program), Store(tmp_path / "own"))
    assert bring(way, f"{private.host}/mine:1").digest == digest
    assert [path.name for path in way.store.own.glob("sha256-*")] == [
        images.file_of(Path(), digest).name
    ]
