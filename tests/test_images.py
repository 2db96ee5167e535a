"""The store of images: found by name and digest, whole at any moment, shared without harm."""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cromwell_userdb import images
from cromwell_userdb.errors import Held, NoSpace, NotPrivate, UsageError
from cromwell_userdb.images import Store, file_of
from cromwell_userdb.reference import parse

SIF = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0" + bytes(600)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "own")


def sif(path: Path, words: bytes = b"") -> Path:
    path.write_bytes(SIF + words)
    return path


def add(store, tmp_path, name, *, link=False, words=b""):
    return images.add(store, sif(tmp_path / "x.sif", words), parse(name), link=link)


def answers(store):
    return set(images.answer(one for _, one in images.present(store)))


def test_an_added_file_is_known_by_its_own_digest_and_is_ours_alone(store, tmp_path):
    image = add(store, tmp_path, "lab/tool:1")
    file = file_of(store.own, image.digest)
    assert image.digest == image.sha256 == images.sha256_of(tmp_path / "x.sif")
    assert file.read_bytes() == SIF
    assert store.own.stat().st_mode & 0o777 == 0o700
    assert images.find(store, parse("lab/tool:1")) == image


def test_a_digest_in_the_name_is_the_images_own(store, tmp_path):
    digest = f"sha256:{'ab' * 32}"
    add(store, tmp_path, f"ubuntu:20.04@{digest}")
    assert file_of(store.own, digest).exists()
    assert images.find(store, parse(f"elsewhere@{digest}"))
    assert ("ubuntu", f"20.04@{digest}", digest) in answers(store)


def test_cromwell_finds_an_image_however_it_asks(store, tmp_path):
    digest = add(store, tmp_path, "ubuntu:20.04").digest
    for name in ("ubuntu", "library/ubuntu", "docker.io/library/ubuntu"):
        for tag in ("20.04", digest, f"20.04@{digest}"):
            assert (name, tag, digest) in answers(store)


def test_another_image_of_cromwells_longer_name_is_not_hidden(store, tmp_path):
    short = add(store, tmp_path, "localhost:5000/x:1", words=b"short").digest
    assert ("localhost:5000/library/x", "1", short) in answers(store)
    long = add(store, tmp_path, "localhost:5000/library/x:1", words=b"long").digest
    assert ("localhost:5000/library/x", "1", long) in answers(store)
    assert ("localhost:5000/x", "1", short) in answers(store)


def test_a_tag_that_moved_leaves_the_old_image_findable_by_its_digest(store, tmp_path):
    old = add(store, tmp_path, "lab/tool:1", words=b"old")
    new = add(store, tmp_path, "lab/tool:1", words=b"new")
    assert images.find(store, parse("lab/tool:1")) == new
    assert images.find(store, parse(f"lab/tool@{old.digest}")).digest == old.digest


def test_a_link_is_left_alone_by_remove(store, tmp_path):
    image = add(store, tmp_path, "lab/tool:1", link=True)
    file = file_of(store.own, image.digest)
    assert file.readlink() == tmp_path / "x.sif"
    assert images.forget(store.own, [image]) == [file]
    assert (tmp_path / "x.sif").read_bytes() == SIF
    assert not images.present(store)


def test_a_file_goes_with_its_last_name(store, tmp_path):
    one, other = add(store, tmp_path, "lab/tool:1"), add(store, tmp_path, "lab/tool:2")
    assert not images.forget(store.own, [one])
    assert images.find(store, parse("lab/tool:2"))
    assert images.forget(store.own, [other]) == [file_of(store.own, one.digest)]


def test_a_sites_folder_comes_first_and_is_only_read(tmp_path):
    add(Store(tmp_path / "site"), tmp_path, "lab/tool:1", words=b"site")
    (tmp_path / "site").chmod(0o555)
    store = Store(tmp_path / "own", (tmp_path / "site",))
    mine = add(store, tmp_path, "lab/tool:1", words=b"mine")
    assert images.find(store, parse("lab/tool:1")).digest != mine.digest
    assert images.find(store, parse(f"lab/tool@{mine.digest}")) == mine


def test_what_is_opened_to_a_group_stays_so(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2775)
    image = add(Store(folder), tmp_path, "lab/tool:1", words=os.urandom(9))
    index, locks = folder / images.INDEX, folder / ".locks"
    assert file_of(folder, image.digest).stat().st_mode & 0o444 == 0o444
    assert (index.stat().st_mode & 0o777, locks.stat().st_mode & 0o7777) == (0o664, 0o2775)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b" + bytes(600), "is an archive.*docker-archive"),
        (bytes(257) + b"ustar" + bytes(300), "is an archive"),
        (b"hello", "is no image"),
        (None, "is a folder.*apptainer build"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_do(store, tmp_path, content, words):
    path = tmp_path / "x"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        images.add(store, path, parse("x"), link=False)
    assert not store.own.exists()


def test_many_at_once_are_all_in_the_index(store, tmp_path):
    def one(number):
        file = sif(tmp_path / f"{number}.sif", str(number).encode())
        return images.add(store, file, parse(f"lab/tool:{number}"), link=False)

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(one, range(24)))
    assert {image.tag for _, image in images.present(store)} == {one.tag for one in added}


def test_a_reader_meets_a_whole_index_whenever_the_writer_is_killed(store, tmp_path):
    script = (
        "import sys; from pathlib import Path; from cromwell_userdb import images\n"
        "from cromwell_userdb.images import Store; from cromwell_userdb.reference import parse\n"
        "for number in range(10**6): images.add(Store(Path(sys.argv[1])), Path(sys.argv[2]),"
        " parse(f'lab/tool:{number % 50}'), link=False)"
    )
    file = sif(tmp_path / "x.sif")
    for moment in (0.01, 0.05, 0.09):
        child = subprocess.Popen([sys.executable, "-c", script, store.own, file])
        deadline = time.monotonic() + 30
        while not images.listed(store.own) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moment)
        child.kill()
        child.wait(10)
        assert json.loads((store.own / images.INDEX).read_text())["images"]
        add(store, tmp_path, "lab/after")
        assert images.find(store, parse("lab/after"))
        (store.own / images.INDEX).unlink()


def test_a_lock_that_is_held_for_too_long_is_said_with_its_place(store):
    with (
        images.lock(store.own, "sha256-71cd", patience=60),
        pytest.raises(Held, match="Another command works on sha256-71cd"),
        images.lock(store.own, "sha256-71cd", patience=0.1),
    ):
        pass


def test_a_folder_that_anybody_may_fill_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(NotPrivate, match=r"Anybody may put images into .*/open: chmod o-w"):
        images.check(Store(tmp_path / "own", (tmp_path / "open",)))


@pytest.mark.root
@pytest.mark.parametrize("closed", ["site", f"site/{images.INDEX}"])
def test_a_folder_that_is_closed_to_us_is_said(tmp_path, closed):
    with tempfile.TemporaryDirectory() as above:
        site = Store(Path(above, "site"))
        add(site, tmp_path, "lab/tool:1")
        for path in (Path(above), site.own):
            path.chmod(0o755)
        Path(above, closed).chmod(0)
        os.seteuid(65534)
        try:
            with pytest.raises(UsageError, match=r"/site can't be looked at: permission denied\.$"):
                images.check(Store(Path(above, "own"), (site.own,)))
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": [{"name": "x"}]}'])
def test_a_broken_index_is_an_empty_one(store, text):
    images.make(store.own)
    (store.own / images.INDEX).write_text(text)
    assert not images.listed(store.own)


def test_verify_tells_what_changed_went_or_was_never_ours(store, tmp_path):
    changed = add(store, tmp_path, "lab/changed:1", words=b"1")
    gone = add(store, tmp_path, "lab/gone:1", words=b"2")
    add(store, tmp_path, "lab/good:1", words=b"3")
    file_of(store.own, changed.digest).write_bytes(SIF + b"4")
    file_of(store.own, gone.digest).unlink()
    (store.own / "holiday.jpg").touch()
    (store.own / f"{file_of(store.own, 'sha256:' + 'cd' * 32).name}.new").mkdir()
    found = {one.file.name: one.words for one in images.verify(store, store.own, lambda *_: None)}
    assert "is not what it was" in found.pop(file_of(store.own, changed.digest).name)
    assert "is not there" in found.pop(file_of(store.own, gone.digest).name)
    assert found.pop("holiday.jpg").startswith("none of ours")
    assert list(found.values()) == ["left by a pull that broke off"]


def test_a_pull_that_goes_on_is_no_stray(store):
    stem = f"sha256-{'cd' * 32}"
    with images.lock(store.own, stem, patience=1):
        (store.own / f"{stem}.sif.new").mkdir()
        assert not list(images.verify(store, store.own, lambda *_: None))


@pytest.mark.root
@pytest.mark.functional
def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(small_disk, tmp_path):
    store = Store(small_disk / "own")
    add(store, tmp_path, "lab/small:1")
    with pytest.raises(NoSpace, match="no room for"):
        add(store, tmp_path, "lab/big:1", words=os.urandom(64_000_000))
    assert [image.tag for _, image in images.present(store)] == ["1"]
    assert not list(images.verify(store, store.own, lambda *_: None))
