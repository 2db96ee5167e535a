"""A folder kept in one file, without the zeros that most of an empty database is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cromwell_userdb.record import make_private, write_private

_BLOCK = 4096


def pack(folder: Path, file: Path) -> None:
    """Write everything in `folder` into `file`: a line that lists it, then the bytes themselves."""
    listed: list[dict[str, Any]] = []
    kept = bytearray()
    for path in sorted(folder.rglob("*")):
        entry: dict[str, Any] = {"name": str(path.relative_to(folder))}
        if path.is_file():
            data = path.read_bytes()
            entry |= {"size": len(data), "parts": []}
            for start, end in _filled(data):
                entry["parts"].append([start, len(kept), end - start])
                kept += data[start:end]
        listed.append(entry)
    write_private(file, json.dumps(listed).encode() + b"\n" + kept)


def _filled(data: bytes) -> Iterator[tuple[int, int]]:
    """Where `data` is more than zeros: from and to, in whole blocks."""
    zeros, begin = bytes(_BLOCK), -1
    for place in range(0, len(data), _BLOCK):
        block = data[place : place + _BLOCK]
        if block != zeros[: len(block)]:
            begin = place if begin < 0 else begin
        elif begin >= 0:
            yield begin, place
            begin = -1
    if begin >= 0:
        yield begin, len(data)


def unpack(file: Path, folder: Path) -> None:
    """Make `folder` from `file`, a hole for every block of zeros; all is on the disk at the end."""
    head, _, rest = file.read_bytes().partition(b"\n")
    kept = memoryview(rest)
    listed = json.loads(head)
    folders = [folder, *(folder / entry["name"] for entry in listed if "size" not in entry)]
    for path in folders:
        make_private(path)
    files = [entry for entry in listed if "size" in entry]
    # On slow disks it is the number of syncs that takes time, not their size.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entry: _write(f"{folder}/{entry['name']}", entry, kept), files))
        list(pool.map(sync, folders))


def _write(path: str, entry: dict[str, Any], kept: memoryview) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        for place, start, size in entry["parts"]:
            os.pwrite(fd, kept[start : start + size], place)
        os.truncate(fd, entry["size"])
        os.fsync(fd)
    finally:
        os.close(fd)


def sync(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
