"""The workflow and the inputs that a command names, read beside all else that it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from cromwell_userdb import forks, reading
from cromwell_userdb.cli import place
from cromwell_userdb.cli.place import Place
from cromwell_userdb.forks import Beside
from cromwell_userdb.reading import Reading, Source
from cromwell_userdb.record import make_private

Reader = Callable[[], Reading]


def begin(where: Place, words: Mapping[str, Any]) -> tuple[Source, Reader]:
    """What the words of a command name, and what waits until that is read."""
    source = Source(
        path=local(words["wdl"]),
        inputs=words["inputs"] or words["inputs_option"],
        given=words["given"],
        imports=words["imports"],
        network=where.settings.engine_network_imports,
    )
    context = click.get_current_context(silent=True)
    begun = context.find_object(Beside) if context else None
    begun = begun or forks.beside("cromwell_userdb.wdl")
    return source, begun.do(reading.read, source)


def is_url(text: str) -> bool:
    return "://" in text


def local(text: str) -> Any:
    """The workflow as a file here; one at an address is fetched first."""
    if is_url(text):
        import hashlib

        from cromwell_userdb import files

        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return files.fetch(text, make_private(place.cache_folder() / "wdl" / digest))
    return place.absolute(text)
