"""The store of images: files named by their digest, and an index that tells their names."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from cromwell_userdb import locks
from cromwell_userdb.errors import NoSpace, NotPrivate, UsageError
from cromwell_userdb.record import make_private, read_json, write_private
from cromwell_userdb.reference import Reference, parse

INDEX = "index.json"
_FORMAT = 1
_LOCKS = ".locks"
_FILE = re.compile(r"sha256-[0-9a-f]{64}\.sif")
_CHUNK = 1 << 22

_CLONE = 0x40049409
"""FICLONE of linux/fs.h: a copy that shares its blocks."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Image:
    """An image under one of its names.

    `tag` is what followed the name: a tag, a digest, or both as ``tag@digest``. `digest` is the
    registry's where one is known, else the file's own, which is `sha256` in any case.
    """

    name: str
    tag: str
    digest: str
    file: str
    bytes: int
    sha256: str
    when: str
    origin: str


@dataclass(frozen=True)
class Store:
    """The user's own folder, and those of others that are looked into first."""

    own: Path
    sites: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        return (*self.sites, self.own)


def file_of(folder: Path, digest: str) -> Path:
    """Where an image with this digest lies; the hooks know it, too.

    >>> str(file_of(Path("/images"), "sha256:71cd"))
    '/images/sha256-71cd.sif'
    """
    return folder / f"{digest.replace(':', '-')}.sif"


def listed(folder: Path) -> list[Image]:
    """What the folder's index tells, whether or not the files are there."""
    facts = read_json(folder / INDEX)
    rows = facts.get("images", []) if isinstance(facts, dict) else []
    known = [one.name for one in fields(Image)]
    with contextlib.suppress(KeyError, TypeError):
        return [Image(**{name: row[name] for name in known}) for row in rows]
    return []


def present(store: Store) -> list[tuple[Path, Image]]:
    """The images that can be run, each with the folder whose index tells of it."""
    here = (pair for folder in store.folders for pair in ((folder, one) for one in listed(folder)))
    return [(folder, one) for folder, one in here if located(store, one.digest)]


def located(store: Store, digest: str) -> Path | None:
    """The file with this digest, in whichever folder."""
    files = (file_of(folder, digest) for folder in store.folders)
    return next((file for file in files if file.exists()), None)


def find(store: Store, wanted: Reference) -> Image | None:
    """The image that is meant, under the very name; by its digest under any."""
    images = [one for _, one in present(store)]
    same = [one for one in images if one.name == wanted.name]
    if not wanted.digest:
        return next((one for one in same if one.tag == wanted.tag), None)
    return next((one for one in [*same, *images] if one.digest == wanted.digest), None)


def answer(images: Iterable[Image]) -> Iterator[tuple[str, str, str]]:
    """Repository, tag and digest of each image in each way that Cromwell may ask for it.

    Its own names come first: what one is also called never hides what another is called.
    """
    told = set()
    known = [(parse(one.name).spellings, one) for one in images]
    plain = [(names[0], one) for names, one in known]
    others = [(name, one) for names, one in known for name in names[1:]]
    for name, one in [*plain, *others]:
        both = () if one.digest in one.tag else (f"{one.tag}@{one.digest}",)
        for tag in (one.tag, one.digest, *both):
            if (name, tag) not in told:
                told.add((name, tag))
                yield name, tag, one.digest


def put(
    store: Store,
    wanted: Reference,
    digest: str,
    *,
    origin: str,
    sha256: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Image:
    """Enter a file that lies in one of the folders, in our own index, under a name."""
    file = located(store, digest)
    assert file
    images = (one for folder in store.folders for one in listed(folder))
    known = next((one for one in images if one.digest == digest), None)
    size = file.stat().st_size
    if known and known.bytes == size:
        sha256 = sha256 or known.sha256
    image = Image(
        name=wanted.name,
        tag=wanted.version,
        digest=digest,
        file=str(file) if file.parent != store.own else file.name,
        bytes=size,
        sha256=sha256 or sha256_of(file),
        when=now().isoformat(timespec="seconds"),
        origin=origin,
    )
    _change(store.own, lambda images: _with(images, image))
    return image


def _with(images: list[Image], new: Image) -> list[Image]:
    """The images with one more; what had its name before can still be found by its digest."""
    kept = []
    for one in images:
        if (one.name, one.tag) != (new.name, new.tag):
            kept.append(one)
        elif one.digest != new.digest:
            kept.append(replace(one, tag=one.digest))
    unique = {(one.name, one.tag): one for one in [*kept, new]}
    return list(unique.values())


def forget(folder: Path, unwanted: Iterable[Image]) -> list[Path]:
    """Take images out of the index, and away what no name leads to any more.

    What a link of the store leads to stays. Returns the files that went.
    """
    names = {(one.name, one.tag) for one in unwanted}
    gone = []
    for digest in {one.digest for one in unwanted}:
        file = file_of(folder, digest)
        with lock(folder, file.stem, patience=60):
            left = _change(
                folder, lambda images: [one for one in images if (one.name, one.tag) not in names]
            )
            if digest not in {one.digest for one in left} and os.path.lexists(file):
                file.unlink()
                gone.append(file)
    return gone


def last_files(folder: Path, unwanted: Iterable[Image]) -> list[Path]:
    """The files that would go with these images, as no other name leads to them."""
    going = {(one.name, one.tag) for one in unwanted}
    left = {one.digest for one in listed(folder) if (one.name, one.tag) not in going}
    files = {file_of(folder, one.digest) for one in unwanted if one.digest not in left}
    return sorted(file for file in files if os.path.lexists(file))


def sweep(path: Path) -> None:
    """Take away a file, or a folder with all that is in it, some of it sealed."""
    if path.is_symlink() or path.is_file():
        return path.unlink(missing_ok=True)
    for above, names, _ in os.walk(path):
        for below in (Path(above, name) for name in names):
            if not below.is_symlink():
                with contextlib.suppress(OSError):
                    below.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _change(folder: Path, change: Callable[[list[Image]], list[Image]]) -> list[Image]:
    """Rewrite the index under its lock; returns the images that are in it now."""
    with lock(folder, "index", patience=60):
        images = sorted(change(listed(folder)), key=lambda one: (one.name, one.tag))
        facts = {"format": _FORMAT, "images": [asdict(one) for one in images]}
        text = json.dumps(facts, indent=1) + "\n"
        write_private(folder / INDEX, text, mode=mode_in(folder))
        return images


def make(folder: Path) -> Path:
    """The folder, made for us alone where it is missing; whoever wants to share it opens it."""
    try:
        make_private(folder)
        lay = folder / _LOCKS
        if not lay.is_dir():
            lay.mkdir(exist_ok=True)
            lay.chmod(folder.stat().st_mode & 0o7777)
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise UsageError(
            f"{folder} can't hold images: {str(error.strerror).lower()}; container.images names "
            "another folder."
        ) from error
    return folder


def check(store: Store) -> Store:
    """Refuse folders that we can't read, or into which anybody could lay an image for us to run."""
    for folder in filter(_is_readable, store.folders):
        if folder.stat().st_mode & 0o002:
            raise NotPrivate(f"Anybody may put images into {folder}: chmod o-w {folder}")
    return store


def _is_readable(folder: Path) -> bool:
    """False where there is none yet; raises UsageError where it is closed to us."""
    try:
        listed(folder)
        return folder.is_dir()
    except OSError as error:
        raise UsageError(
            f"The images in {folder} can't be looked at: {str(error.strerror).lower()}."
        ) from error


def mode_in(folder: Path) -> int:
    """The mode of a file there: read and written by those who may do so with the folder."""
    return folder.stat().st_mode & 0o666


@contextlib.contextmanager
def lock(
    folder: Path, name: str, *, patience: float, waiting: Callable[[], None] = lambda: None
) -> Iterator[bool]:
    """Hold the folder's lock of this name, against all nodes; raises Held when patience ends.

    False on a file system that has no locks: there two may do the same work, each to its own
    files.
    """
    refusal = (
        f"Another command works on {name} in {folder} and does not end; look for it on the other "
        "nodes, too."
    )
    path, mode = make(folder) / _LOCKS / name, mode_in(folder)
    with locks.exclusive(
        path, patience, refusal=refusal, mode=mode, pause=0.2, waiting=waiting
    ) as alone:
        yield alone


def sha256_of(file: Path, progress: Progress | None = None) -> str:
    """The digest of the file's own content."""
    digest, size, done = hashlib.sha256(), file.stat().st_size, 0
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if progress:
                progress(done, size)
    return f"sha256:{digest.hexdigest()}"


def check_sif(file: Path) -> None:
    """Refuse what is no image that Apptainer runs, with how to make one of it."""
    try:
        if file.is_dir():
            raise UsageError(f"{file} is a folder: make a file of it, apptainer build x.sif {file}")
        with file.open("rb") as image:
            begin = image.read(512)
    except OSError as error:
        raise UsageError(f"{file} can't be read: {str(error.strerror).lower()}.") from error
    if begin[32:41] == b"SIF_MAGIC" or begin.startswith(b"hsqs"):
        return
    if begin[257:262] == b"ustar" or begin.startswith(b"\x1f\x8b"):
        raise UsageError(
            f"{file} is an archive: make an image of it, "
            f"apptainer build x.sif docker-archive:{file}"
        )
    raise UsageError(f"{file} is no image of Apptainer's (a SIF file).")


def add(
    store: Store,
    file: Path,
    wanted: Reference,
    *,
    link: bool,
    progress: Progress | None = None,
) -> Image:
    """Take the user's own file in under a name, as a copy or as a link.

    Its digest is the one in the name, where there is one: whoever gives it knows the registry's.
    """
    file = file.absolute()
    check_sif(file)
    sha256 = sha256_of(file, progress)
    digest = wanted.digest or sha256
    place = file_of(make(store.own), digest)
    with lock(store.own, place.stem, patience=600):
        if not located(store, digest):
            new = place.with_name(f"{place.name}.new")
            new.unlink(missing_ok=True)
            if link:
                new.symlink_to(file)
                new.replace(place)
            else:
                with room(store.own, str(file)):
                    _copy(file, new)
                    settle(new, place)
        return put(store, wanted, digest, origin=str(file), sha256=sha256)


@contextlib.contextmanager
def room(folder: Path, what: str) -> Iterator[None]:
    """Say in a sentence that the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"There is no room for {what} in {folder}.") from error
        raise


def settle(new: Path, file: Path) -> None:
    """Have a finished image at its place, whatever happens to the machine."""
    fd = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(fd, mode_in(file.parent))
        os.fsync(fd)
    finally:
        os.close(fd)
    new.replace(file)


def _copy(source: Path, target: Path) -> None:
    """With shared blocks where the file system can: a second name would change with the first."""
    try:
        with source.open("rb") as old, target.open("xb") as new:
            try:
                fcntl.ioctl(new, _CLONE, old.fileno())
            except OSError:
                shutil.copyfileobj(old, new, _CHUNK)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Problem:
    """What verify found; `stray` is a file that nothing leads to."""

    file: Path
    words: str
    stray: bool = False


def verify(
    store: Store, folder: Path, progress: Callable[[Image, int, int], None]
) -> Iterator[Problem]:
    """What in one of the folders is not as its index tells."""
    images = {one.digest: one for one in listed(folder)}
    for digest, one in images.items():
        file = file_of(folder, digest)
        if not (found := file if file.exists() else located(store, digest)):
            link = f", a link to {file.readlink()}," if file.is_symlink() else ""
            yield Problem(file, f"{one.name}:{one.tag}{link} is not there")
        elif sha256_of(found, functools.partial(progress, one)) != one.sha256:
            yield Problem(file, f"{one.name}:{one.tag} is not what it was on {one.when[:10]}")
    yield from strays(folder)


def strays(folder: Path) -> Iterator[Problem]:
    """What lies in the folder and no name leads to; what somebody works on is none."""
    known = {file_of(folder, one.digest).name for one in listed(folder)} | {INDEX, _LOCKS}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.name not in known and not _is_busy(folder, file):
            yield _stray(file)


def _is_busy(folder: Path, file: Path) -> bool:
    """Whether a pull or an addition goes on whose file it is."""
    return locks.is_held(folder / _LOCKS / file.name.partition(".")[0])


def _stray(file: Path) -> Problem:
    if _FILE.fullmatch(file.name):
        return Problem(file, "no name leads to it", stray=True)
    if file.name.startswith(("sha256-", "job-")):
        return Problem(file, "left by a pull that broke off", stray=True)
    return Problem(file, 'none of ours; "images add" takes an image in')
