"""Files that people name on the command line: inputs, options, labels, imports."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from cromwell_userdb import network
from cromwell_userdb.errors import UsageError
from cromwell_userdb.record import make_private, write_private

LARGEST_INPUTS = 100 << 20
"""Bytes of inputs, options or labels that are read; /dev/zero has more."""


def read_inputs(
    source: str | None, given: Sequence[str] = (), *, types: Mapping[str, str]
) -> dict[str, Any]:
    """The inputs in a JSON or YAML file, `-` being stdin, then each ``name=value``.

    A value is text where its type in `types` is text; else what reads as JSON is that JSON.
    """
    inputs = {} if source is None else read_mapping(source, "inputs")
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"--input {word}: write it as name=value.")
        inputs[name] = text if types.get(name, "").rstrip("?") in _TEXTS else _read_value(text)
    return inputs


_TEXTS = {"String", "File", "Directory"}


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def read_mapping(source: str, what: str) -> dict[str, Any]:
    """An object in a file of JSON or YAML; `what` it is, for the sentence that refuses it."""
    text = _text(source, what)
    where = "standard input" if source == "-" else source
    try:
        value = _json(text, where) if text.lstrip().startswith("{") else _yaml(text, where)
    except json.JSONDecodeError as error:
        raise UsageError(f"{where}:{error.lineno}:{error.colno}: {error.msg}.") from error
    except RecursionError as error:
        raise UsageError(f"{where}: the {what} are nested too deeply to be read.") from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{where}: the {what} have to be an object of names and values.")
    _check_unicode(value, where)
    return value


def _check_unicode(value: Any, where: str) -> None:
    """Refuse half a pair of surrogates, which JSON can say and no file or database can hold."""
    try:
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise UsageError(f"{where}: {bad!r} is no character of Unicode.") from error
    except (TypeError, ValueError):
        # Names that are no text, or YAML that holds itself: the workflow's types refuse them.
        return


def _text(source: str, what: str) -> str:
    """Text in UTF-8, whatever the locale; a byte order mark is no part of it."""
    where = "standard input" if source == "-" else source
    try:
        with open(0 if source == "-" else source, "rb", closefd=source != "-") as file:
            data = file.read(LARGEST_INPUTS + 1)
        if len(data) > LARGEST_INPUTS:
            raise UsageError(f"{where}: {what} of more than {LARGEST_INPUTS >> 20} MB are refused.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: the {what} are no text in UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{where}: the {what} can't be read: {error.strerror}.") from error


def _json(text: str, where: str) -> Any:
    def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
            written = re.finditer(rf'"{re.escape(twice)}"\s*:', text)
            raise _twice(where, twice, [text.count("\n", 0, at.start()) + 1 for at in written])
        return found

    return json.loads(text, object_pairs_hook=once_each)


def _twice(where: str, name: str, lines: Sequence[int]) -> UsageError:
    """JSON and YAML leave open which of two values holds: whoever wrote it knows."""
    at = f" (lines {', '.join(map(str, lines))})" if lines else ""
    return UsageError(f"{where}: {name!r} is there twice{at}: take one of them out.")


_DEEPEST = 100
"""Levels of lists and mappings in YAML; nobody's inputs come near."""


def _yaml(text: str, where: str) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            # Python's own limit is not the same in every process, and late.
            self.depth += 1
            if self.depth > _DEEPEST:
                raise RecursionError
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            lines: dict[str, int] = {}
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                line = key.start_mark.line + 1
                if key.value in lines:
                    raise _twice(where, key.value, [lines[key.value], line])
                lines[key.value] = line
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "neither JSON nor YAML"
        raise UsageError(f"{where}{place}: {problem}.") from error


_RELATIVE_IMPORT = re.compile(r"""^\s*import\s+["']((?![^"']*://)[^"'/][^"']*)["']""", re.MULTILINE)


def fetch(url: str, folder: Path) -> Path:
    """Download the workflow at `url` into `folder`, and beside it what it imports from there.

    Imports that are not there may be in a zip or folder of imports: whoever reads them tells.
    """
    if not network.is_remote(url):
        raise UsageError(f"{url}: a workflow is a file, or an http or https address.")
    try:
        texts = {url: network.fetch(url)}
    except OSError as error:
        raise UsageError(f"{error}.") from error
    waiting = [url]
    while waiting:
        importer = waiting.pop()
        for found in _RELATIVE_IMPORT.finditer(texts[importer]):
            address = urljoin(importer, found[1])
            if address in texts:
                continue
            try:
                texts[address] = network.fetch(address)
                waiting.append(address)
            except OSError:
                _mirror(address, folder).unlink(missing_ok=True)
    for address, text in texts.items():
        copy = _mirror(address, folder)
        make_private(copy.parent)
        write_private(copy, text)
    return _mirror(url, folder)


def _mirror(url: str, folder: Path) -> Path:
    """Where what is at `url` lies below `folder`, so that relative imports stay true."""
    parts = [part for part in urlsplit(url).path.split("/") if part not in {"", ".", ".."}]
    return folder.joinpath(*parts) if parts else folder / "workflow.wdl"


def read_labels(source: str | None, given: Iterable[str]) -> dict[str, str]:
    """The labels in a JSON file, then each ``key=value``."""
    labels = {} if source is None else read_mapping(source, "labels")
    for word in given:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"--label {word}: write it as key=value.")
        labels[key] = value
    return {key: check_label(key, value) for key, value in labels.items()}


def check_label(key: str, value: Any) -> str:
    """Cromwell takes up to 255 characters on each side of a label."""
    from cromwell_userdb.runs import LABEL  # who reads a workflow beside has no runs

    if key in (LABEL, "cromwell-workflow-id"):
        raise UsageError(f"The label {key!r} is how a run is recognised: choose another.")
    if not isinstance(value, str):
        raise UsageError(f"The label {key!r} has to be text, not {value!r}.")
    if max(len(key), len(value)) > 255:
        raise UsageError(f"The label {key[:40]!r} is longer than the 255 characters it may have.")
    return value


def keep_sources(paths: Sequence[Path], folder: Path) -> dict[str, str]:
    """Copy a workflow and its imports below `folder`, where they find each other as before.

    Returns each path with that of its copy, as the folder has it.
    """
    if not paths:
        return {}
    above = os.path.commonpath([path.parent for path in paths])
    kept = {str(path): str(Path("sources") / path.relative_to(above)) for path in paths}
    for path, copy in kept.items():
        make_private((folder / copy).parent)
        write_private(folder / copy, Path(path).read_bytes())
    return kept


def pack_imports(places: Sequence[Path], bundle: Path) -> None:
    """Put the WDL files of folders and zips into one zip, as Cromwell's -p takes it."""
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as packed:
        bundle.chmod(0o600)
        for place in places:
            for name, text in _sources(place):
                packed.writestr(name, text)


def _sources(place: Path) -> Iterable[tuple[str, bytes]]:
    if place.is_dir():
        for path in sorted(place.rglob("*.wdl")):
            yield str(path.relative_to(place)), path.read_bytes()
        return
    try:
        with zipfile.ZipFile(place) as source:
            for name in source.namelist():
                if not name.endswith("/"):
                    yield name, source.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        words = getattr(error, "strerror", None) or error
        raise UsageError(f"{place}: neither a folder nor a zip of imports ({words}).") from error
