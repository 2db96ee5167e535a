"""Templates to text: one function per file, and no template ever renders a hole."""

from __future__ import annotations

from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined


def environment(own: Path | None = None) -> Environment:
    """The templates of the package; those in the folder `own` come first."""
    loaders = [FileSystemLoader(own)] if own else []
    return Environment(
        loader=ChoiceLoader([*loaders, PackageLoader("cromwell_userdb")]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
