"""Times, sizes and names as people say them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime


def duration(seconds: float) -> str:
    """A length of time, in the two units that matter.

    >>> duration(8.2), duration(840), duration(4920), duration(3600), duration(200000)
    ('8.2 s', '14 min', '1 h 22', '1 h', '2 d 7 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 9.95 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        rest = f" {minutes % 60:02d}" if minutes % 60 else ""
        return f"{minutes // 60} h{rest}"
    rest = f" {minutes % 1440 // 60} h" if minutes % 1440 >= 60 else ""
    return f"{minutes // 1440} d{rest}"


def moment(then: datetime, now: datetime) -> str:
    """A moment in local time, as short as it stays clear; both aware."""
    local, today = then.astimezone(), now.astimezone()
    days = (today.date() - local.date()).days
    if days == 0:
        return f"today {local:%H:%M}"
    if 0 < days < 7:
        return f"{local:%a %H:%M}"
    return f"{local:%Y-%m-%d}"


def size(count: float) -> str:
    """Bytes with their decimal unit.

    >>> size(900), size(89_000_000)
    ('900 B', '89 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def plural(count: int, noun: str) -> str:
    """
    >>> plural(1, "call"), plural(3, "call")
    ('1 call', '3 calls')
    """
    return f"{count} {noun}" if count == 1 else f"{count:,} {noun}s".replace(",", " ")


def called(name: str, shard: int | None) -> str:
    """A call as people type it.

    >>> called("align", 17)
    'align[17]'
    """
    return name if shard is None else f"{name}[{shard}]"


def shown(text: str) -> str:
    """Text from outside with its control characters made visible, so that it moves no cursor."""
    return "".join(
        repr(char)[1:-1] if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char
        for char in text
    )


def shortened(text: str, most: int = 40) -> str:
    """A text that somebody else made up, no wider than a column should be.

    >>> shortened("all of the samples", 9)
    'all of t…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def table(headers: Sequence[str], lines: Sequence[Sequence[str]], *, right: str = "") -> str:
    """Columns two spaces apart; headers in `right` stand right-aligned; no trailing blanks."""
    cells = [list(headers), *([shown(cell) for cell in line] for line in lines)]
    widths = [max(_width(line[column]) for line in cells) for column in range(len(headers))]
    aligned = set(right.split())
    return "\n".join(
        "  ".join(
            " " * (width - _width(cell)) + cell
            if header in aligned
            else cell + " " * (width - _width(cell))
            for cell, width, header in zip(line, widths, headers, strict=True)
        ).rstrip()
        for line in cells
    )


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
