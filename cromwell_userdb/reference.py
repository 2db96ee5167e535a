"""The names of images: what people write, where the registry is, how Cromwell asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cromwell_userdb.errors import UsageError

HUB = "docker.io"
"""The registry that is meant where none is named."""

_HUB_TOO = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}
_LIBRARY = "library/"

_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<host>localhost(?=[:/])|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:\d+/))"
    rf"(?P<port>:\d+)?/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>(?!sha256:)[\w][\w.-]{0,127}))?"
    # Cromwell writes a digest as if it were a tag.
    r"(?:[@:](?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Reference:
    """An image of a registry, by a tag, a digest or both; each spelling of a name is one value."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository as people write it.

        >>> parse("docker.io/library/ubuntu").name, parse("quay.io/a/b:1").name
        ('ubuntu', 'quay.io/a/b')
        """
        return self.path.removeprefix(_LIBRARY) if self.host == HUB else f"{self.host}/{self.path}"

    @property
    def version(self) -> str:
        """What follows the name: a tag, a digest, or both as ``tag@digest``."""
        return "@".join(filter(None, [self.tag, self.digest]))

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.name}{tag}{digest}"

    @property
    def full_name(self) -> str:
        """The repository with its registry, which no program takes for another."""
        return f"{self.host}/{self.path}"

    @property
    def server(self) -> str:
        """Host and port that answer for the registry."""
        return "registry-1.docker.io" if self.host == HUB else self.host

    @property
    def is_local(self) -> bool:
        """Whether the registry is on this very machine, where it may speak without TLS."""
        name = self.host.partition(":")[0]
        return name == "localhost" or name.startswith("127.")

    def at(self, digest: str) -> Reference:
        """The very image, whatever becomes of the tag."""
        return replace(self, tag="", digest=digest)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The repository as Cromwell may ask for it, whatever the task wrote.

        >>> parse("ubuntu").spellings
        ('ubuntu', 'library/ubuntu', 'docker.io/library/ubuntu', 'index.docker.io/library/ubuntu')
        >>> parse("localhost:5000/x").spellings
        ('localhost:5000/x', 'localhost:5000/library/x')
        """
        if self.host == HUB:
            names = [self.name, self.path, self.full_name, f"index.{self.full_name}"]
        elif "/" in self.path:
            names = [self.full_name]
        else:
            names = [self.full_name, f"{self.host}/{_LIBRARY}{self.path}"]
        return tuple(dict.fromkeys(names))

    @property
    def meant(self) -> tuple[Reference, ...]:
        """What Cromwell may mean by it: it puts "library" into names of other registries, too."""
        rest = self.path.removeprefix(_LIBRARY)
        if self.host == HUB or rest == self.path or "/" in rest:
            return (self,)
        return (self, replace(self, path=rest))


def parse(text: str) -> Reference:
    """The image that is meant by `text`; raises UsageError for what no registry can hold.

    >>> str(parse("docker://index.docker.io/ubuntu:20.04"))
    'ubuntu:20.04'
    """
    words = text.strip().removeprefix("docker://")
    found = _REFERENCE.fullmatch(words)
    if not found:
        raise UsageError(f"{text!r} is no name of an image{_why(words)}.")
    host = f"{found['host'] or ''}{found['port'] or ''}".lower()
    path = found["path"]
    if not host or host in _HUB_TOO:
        host = HUB
    if host == HUB and "/" not in path:
        path = _LIBRARY + path
    tag, digest = found["tag"] or "", found["digest"] or ""
    return Reference(host, path, tag if tag or digest else "latest", digest)


def _why(words: str) -> str:
    if "://" in words:
        return f": {words.partition(':')[0]} is no kind of registry that tasks can name"
    if "@" in words and not re.search(r"@sha256:[0-9a-f]{64}$", words):
        return ": what follows @ has to be sha256: and 64 hexadecimal digits"
    if words != words.lower() and _REFERENCE.fullmatch(words.lower()):
        return ": the name of a repository is written in small letters"
    return ', such as "ubuntu:22.04" or "quay.io/biocontainers/samtools:1.17--h00cdaf9_0"'
