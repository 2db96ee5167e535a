"""Workflows over the network: fetched whole and soon, or not at all."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from urllib.parse import urljoin

LARGEST = 10 << 20
"""Bytes of one document; no workflow is as large."""

SECONDS = 30.0
"""For one document, from its name to its last byte."""

_CHUNK = 1 << 16


def is_remote(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def absolute(uri: str, importer: str) -> str:
    """The address of what a document at `importer` imports; raises OSError for a local file."""
    url = urljoin(importer, uri)
    if not is_remote(url):
        raise OSError(f"{uri} is no address that a document from the network may import")
    return url


def copy_of(url: str, folder: Path) -> Path:
    """Where `folder` keeps what was once fetched from an address."""
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()}.wdl"


def fetch(url: str, *, seconds: float = SECONDS, largest: int = LARGEST) -> str:
    """The text at `url`; proxies are heeded. Raises OSError with a sentence."""
    # It brings HTTP and TLS along, which few workflows need.
    from urllib.request import urlopen

    deadline = time.monotonic() + seconds
    found = bytearray()
    try:
        with urlopen(url, timeout=seconds) as answer:
            if not is_remote(answer.url):
                raise OSError(f"it leads to {answer.url}")
            while chunk := answer.read1(_CHUNK):
                found += chunk
                if len(found) > largest:
                    raise OSError(f"it is larger than {largest >> 20} MB")
                if time.monotonic() > deadline:
                    raise OSError(f"it took longer than {seconds:g} seconds")
        return found.decode()
    except UnicodeDecodeError as error:
        raise OSError(f"{url} can't be fetched: it is no text in UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or reason
        raise OSError(f"{url} can't be fetched: {words}") from error
