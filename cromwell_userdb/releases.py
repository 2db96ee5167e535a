"""Releases of Cromwell: which are known, how their jars come here, which ones are here."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache as remembered
from pathlib import Path
from typing import Any, BinaryIO

from cromwell_userdb import locks
from cromwell_userdb.errors import DownloadFailed, Held, NoSpace, UsageError
from cromwell_userdb.record import make_private

Progress = Callable[[int, int], None]
"""Told how many bytes are here, of how many; 0 where the sender does not say."""

_STALLED = 60
"""Seconds without a byte before a connection is given up."""

_ATTEMPTS = 5
_CHUNK = 1 << 16
"""Bytes; what a broken connection had sent of the last one is lost."""


@remembered
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("data").joinpath("releases.toml").read_text())


def known() -> dict[str, str]:
    """The sha256 of each release whose jar is known, the newest first."""
    return dict(_table()["sha256"])


def default() -> str:
    """The release to install when none is named."""
    return str(_table()["default"])


def url(version: str, template: str = "") -> str:
    """Where the jar of `version` is; `template` is another place, with ``{version}`` in it."""
    return (template or str(_table()["url"])).replace("{version}", version)


def place(cache: Path, version: str) -> Path:
    """Where the jar of `version` lies once it is installed."""
    return cache / "engines" / version / f"cromwell-{version}.jar"


def installed(cache: Path) -> dict[str, Path]:
    """Jars in the cache by version, the newest last."""
    jars = {path.parent.name: path for path in cache.glob("engines/*/cromwell-*.jar")}
    return {version: jars[version] for version in sorted(jars, key=_number)}


def _number(version: str) -> tuple[int, str]:
    found = re.match(r"\d+", version)
    return (int(found[0]) if found else 0, version)


def install(
    version: str,
    cache: Path,
    *,
    template: str = "",
    from_file: Path | None = None,
    sha256: str = "",
    verify: bool = True,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """The jar of `version` in the cache, downloaded or copied there unless it is already.

    A download that was cut goes on where it ended. What has not the right checksum is
    thrown away.
    """
    if not re.fullmatch(r"[\w.+-]+", version):
        raise UsageError(f"{version!r} is no version of Cromwell: say a number, such as 92.")
    wanted = (sha256 or known().get(version, "")).lower() if verify else ""
    if verify and not wanted:
        raise UsageError(
            f"Cromwell {version} is not among the releases whose checksum is known here "
            f"({', '.join(known())}): say it with --sha256, or take what comes with --no-verify."
        )
    jar = place(cache, version)
    make_private(jar.parent)
    with _part(jar) as file:
        if jar.is_file() and wanted in {"", _digest(jar)}:
            return jar
        if from_file:
            _copy(from_file, file, progress)
            _check(file, wanted, str(from_file))
        else:
            if not wanted:  # nothing would tell whether two halves belong together
                file.truncate(0)
            _fetch(url(version, template), file, wanted, progress, sleep)
        os.fsync(file.fileno())
        Path(file.name).replace(jar)
    return jar


@contextmanager
def _part(jar: Path) -> Iterator[BinaryIO]:
    """What is there of `jar` so far, open for more, for us alone; an empty one does not stay."""
    path = jar.with_suffix(".part")
    path.touch(mode=0o600)
    with path.open("ab+") as file:
        if not locks.take(file.fileno()):
            raise Held(f"Another command installs {jar.name} now: wait for it to end.")
        try:
            yield file
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoSpace(f"There is no room for {jar.name} in {jar.parent}.") from error
            raise
        finally:
            if path.exists() and not path.stat().st_size:
                path.unlink(missing_ok=True)


def _copy(source: Path, file: BinaryIO, progress: Progress | None) -> None:
    try:
        with source.open("rb") as jar:
            total = source.stat().st_size
            file.truncate(0)
            while chunk := jar.read(_CHUNK):
                file.write(chunk)
                if progress:
                    progress(file.tell(), total)
            file.flush()
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise UsageError(f"{source} can't be read: {error.strerror}.") from error


def _fetch(
    address: str,
    file: BinaryIO,
    wanted: str,
    progress: Progress | None,
    sleep: Callable[[float], None],
) -> None:
    """Bring `file` to its end, over several connections if need be, and check it."""
    here = before = file.seek(0, os.SEEK_END)
    pause = 1.0
    failures = 0
    while not _fetch_on(address, file, progress):
        gained, here = file.tell() > here, file.tell()
        failures = 0 if gained else failures + 1
        if failures >= _ATTEMPTS:
            raise DownloadFailed(
                f"{address} could not be reached, or broke off {_ATTEMPTS} times. What came is "
                "kept: run the same command again, or bring the jar along with --from."
            )
        sleep(pause if gained else pause * 2**failures)
    try:
        _check(file, wanted, address)
    except DownloadFailed:
        if not before:
            raise
        # The part that lay here was perhaps of another file.
        _fetch(address, file, wanted, progress, sleep)


def _fetch_on(address: str, file: BinaryIO, progress: Progress | None) -> bool:
    """One connection's worth of `address`; False when it broke off and may be tried again."""
    # Every command that needs an engine imports this module, and few download anything.
    from pooch import HTTPDownloader

    sink = _Sink(file, progress)
    download = HTTPDownloader(
        chunk_size=_CHUNK,
        timeout=_STALLED,
        headers={"Range": f"bytes={file.tell()}-", "Accept-Encoding": "identity"},
        hooks={"response": sink.begin},
    )
    try:
        download(address, sink, None)
    except OSError as error:  # which all errors of requests are
        status = getattr(getattr(error, "response", None), "status_code", 0)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise
        if status == 416:  # the whole file was here
            return True
        if 400 <= status < 500 and status not in {408, 429}:
            raise DownloadFailed(f"There is nothing at {address}: it answered {status}.") from error
        return False
    return sink.is_complete


class _Sink:
    """Where the bytes go: behind those that are here, if the sender understood the request."""

    def __init__(self, file: BinaryIO, progress: Progress | None) -> None:
        self._file = file
        self._progress = progress
        self._total = 0

    def begin(self, response: Any, **_: Any) -> None:
        if response.status_code == 200:
            self._file.truncate(0)
        self._file.seek(0, os.SEEK_END)
        length = int(response.headers.get("content-length") or 0)
        self._total = self._file.tell() + length if length else 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        if self._progress:
            self._progress(self._file.tell(), self._total)

    def flush(self) -> None:
        self._file.flush()

    @property
    def is_complete(self) -> bool:
        return not self._total or self._file.tell() >= self._total


def _check(file: BinaryIO, wanted: str, source: str) -> None:
    """Throw away what is not what it should be."""
    found = _digest(Path(file.name))
    if not wanted and not zipfile.is_zipfile(file.name):
        file.truncate(0)
        raise DownloadFailed(f"What came from {source} is no jar. Nothing was installed.")
    if wanted and found != wanted:
        file.truncate(0)
        raise DownloadFailed(
            f"{source} is not the release it should be: its sha256 is {found}, not {wanted}. "
            "Nothing was installed."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
