"""miniwdl's errors in plain words, each with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from WDL import Error

from cromwell_userdb.errors import WdlError

PROBLEMS = (
    Error.SyntaxError,
    Error.ImportError,
    Error.ValidationError,
    Error.MultipleValidationErrors,
)
_CERTAIN = (
    Error.SyntaxError,
    Error.ImportError,
    Error.NoSuchTask,
    Error.NoSuchCall,
    Error.NoSuchInput,
    Error.UnknownIdentifier,
    Error.MultipleDefinitions,
    Error.CircularDependencies,
)


def _singles(error: BaseException) -> Iterator[BaseException]:
    """The problems themselves: of several found, and of what an import hides."""
    if isinstance(error, Error.MultipleValidationErrors):
        for one in error.exceptions:
            yield from _singles(one)
    elif isinstance(error, Error.ImportError) and isinstance(error.__cause__, PROBLEMS):
        yield from _singles(error.__cause__)
    else:
        yield error


def sentences(error: BaseException) -> list[str]:
    """One line for each problem, in the order of the document."""
    found = sorted(_singles(error), key=lambda one: getattr(one, "pos", ()))
    return list(dict.fromkeys(f"{_place(one)}: {_words(one)}" for one in found))


def _place(error: Any) -> str:
    where = getattr(error, "pos", None)
    return f"{Path(where.abspath).name}:{where.line}:{where.column}" if where else "WDL"


def _words(error: Any) -> str:
    if isinstance(error, Error.NoSuchTask):
        name = str(error).rpartition(": ")[2]
        return f'no task or workflow is called "{name}".' + did_you_mean(name, _callables(error))
    if isinstance(error, Error.ImportError):
        cause = getattr(error.__cause__, "strerror", None) or error.__cause__
        return f"{_clean(error)}{f' ({cause})' if cause else ''}."
    if isinstance(error, Error.SyntaxError):
        return f"this does not parse: {_syntax(str(error))}"
    return f"{_clean(error)}."


def _clean(error: BaseException) -> str:
    line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".?")
    return line[:1].lower() + line[1:]


_LONGEST = 40
"""Characters that are shown of what does not parse: a file that is no WDL may be one token."""


def _syntax(words: str) -> str:
    """Lark's many lines about tokens, as one: what stood there."""
    found = re.search(r"Unexpected token Token\('(\S+)', (.+?)\)(?= at|$)", words)
    if found:
        shown = found[2].replace("\\n", "").strip()
        if len(shown) > _LONGEST:
            shown = f"{shown[:_LONGEST]}…{shown[0]}"
        return "the text ends too early." if found[1] == "$END" else f"{shown} is not expected."
    found = re.search(r"No terminal matches (.+?) in the current", words)
    if found:
        return f"{found[1]} is not expected."
    return words.splitlines()[0].rstrip(".") + "."


def _callables(error: Any) -> list[str]:
    """What a call could have named, as far as the text of the document tells."""
    text = error.source_text or ""
    return re.findall(r"(?m)^\s*(?:task|workflow)\s+(\w+)", text)


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """The end of a sentence about a misspelled `word`, "" when nothing is near."""
    close = difflib.get_close_matches(word, names, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def is_certain(error: WdlError) -> bool:
    """Whether every reader of WDL refuses this, not only miniwdl's strict checker."""
    cause = error.__cause__
    return cause is None or all(isinstance(one, _CERTAIN) for one in _singles(cause))
