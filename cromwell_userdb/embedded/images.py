"""The digests of images, asked of a program `docker` as a Cromwell asks it, without waiting."""

from __future__ import annotations

import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cromwell_userdb import hocon, process
from cromwell_userdb.embedded.log import say, warn
from cromwell_userdb.errors import StartFailed, UsageError, WdlError
from cromwell_userdb.process import Child
from cromwell_userdb.record import read_text
from cromwell_userdb.reference import Reference, parse

_FORM = r'{{printf "%s\t%s\t%s" .Repository .Tag .Digest}}'
_LIST = ("docker", "images", "--digests", "--format", _FORM)


def are_looked_up(config: hocon.Tree) -> bool:
    """Whether the configuration wants the digest of each image that a task names by its tag."""
    wanted = hocon.get(config, "docker.hash-lookup.enabled", False)
    method = hocon.get(config, "docker.hash-lookup.method", "")
    return hocon.is_true(wanted) and method == "local"


@dataclass
class _Question:
    """What is asked for one image: a list, a pull where it is not in it, and a list again."""

    wanted: Reference
    folder: Path
    child: Child | None = None
    is_pull: bool = False
    was_pulled: bool = False

    def ask(self, *argv: str) -> None:
        for name in ("out", "err"):
            (self.folder / name).unlink(missing_ok=True)
        self.is_pull = "pull" in argv
        self.was_pulled = self.was_pulled or self.is_pull
        self.child = process.spawn(argv, out=self.folder / "out", err=self.folder / "err")

    def answer(self) -> str:
        """The digest in the list that came, "" where it does not have the image."""
        for line in read_text(self.folder / "out").splitlines():
            name, _, rest = line.partition("\t")
            tag, _, digest = rest.partition("\t")
            if name in self.wanted.spellings and tag in (self.wanted.version, self.wanted.digest):
                return digest
        return ""


@dataclass
class Images:
    """What has been asked in a run, and what is being asked; each image once."""

    _known: dict[str, str] = field(default_factory=dict)
    _missing: dict[str, str] = field(default_factory=dict)
    _asked: dict[str, _Question] = field(default_factory=dict)

    def exact(self, image: str) -> str | None:
        """The image by its digest, None while that is being found out; WdlError for none."""
        if image in self._missing:
            raise WdlError(f"The image {image} can't be had: {self._missing[image]}")
        if image not in self._known and image not in self._asked:
            self._ask(image)
            return self.exact(image) if image in self._missing else None
        return self._known.get(image)

    def _ask(self, image: str) -> None:
        try:
            wanted = parse(image)
        except UsageError as error:
            self._missing[image] = str(error)
            return
        question = _Question(wanted, Path(tempfile.mkdtemp(prefix="images-")))
        self._asked[image] = question
        self._begin(image, question, *_LIST)

    def _begin(self, image: str, question: _Question, *argv: str) -> None:
        try:
            question.ask(*argv)
        except (StartFailed, OSError) as error:
            self._close(image, missing=str(error))

    def look(self) -> bool:
        """Go on with what has been answered; whether that settled any image."""
        before = len(self._asked)
        for image, question in list(self._asked.items()):
            if question.child is not None and question.child.poll() is not None:
                self._go_on(image, question, question.child.returncode)
        return len(self._asked) < before

    def _go_on(self, image: str, question: _Question, status: int) -> None:
        if status:
            self._close(image, missing=_last_line(question.folder / "err"))
        elif question.is_pull:
            self._begin(image, question, *_LIST)
        elif digest := question.answer():
            self._close(image, known=f"{question.wanted.name}@{digest}")
        elif question.was_pulled:
            self._close(image, missing="it was pulled, and is not there")
        else:
            say(f"Attempting to pull {image}")
            self._begin(image, question, "docker", "pull", _as_asked(question.wanted))

    def _close(self, image: str, *, known: str = "", missing: str = "") -> None:
        question = self._asked.pop(image)
        shutil.rmtree(question.folder, ignore_errors=True)
        if known:
            self._known[image] = known
        else:
            self._missing[image] = missing
            warn(f"The image {image} can't be had: {missing}")

    def stop(self) -> None:
        """Ask no more: a pull may take longer than anybody waits for an abort."""
        for image, question in list(self._asked.items()):
            if question.child is not None:
                process.signal_group(question.child, signal.SIGTERM)
            self._close(image, missing="the run was aborted")


def _as_asked(wanted: Reference) -> str:
    """As Cromwell writes it: a digest stands where a tag would."""
    return f"{wanted.name}:{wanted.digest or wanted.tag}"


def _last_line(path: Path) -> str:
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it gave no reason"
