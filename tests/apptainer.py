"""A real Apptainer, and a small image to run in it.

The machine's own is taken where there is one. Else root gets Debian sid's, as older systems have
none: its files and the C library that it is linked with lie in `CACHE`, and a link on PATH leads
there. Made once per machine, in some ten seconds:

    python tests/apptainer.py install     prints the image's path
    python tests/apptainer.py remove
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from matrix import PATH, SUPERFLUOUS, _do, _unpack

CACHE = Path("/var/cache/cromwell-userdb-tests/apptainer")
TREE = CACHE / "tree"
IMAGE = CACHE / "small.sif"
ARCHIVE = CACHE / "small.tar"
LINK = Path("/usr/local/bin/apptainer")
TOOLS = ("apt-get", "dpkg-deb", "patchelf", "mksquashfs", "unsquashfs")

# As few as there may be: its program and what that is linked with; and an image.
PROGRAM = ("apptainer", "libc6", "libseccomp2", "libsqlite3-0")
SYSTEM = ("bash", "coreutils")
LEFT_OUT = tuple(name for name in SUPERFLUOUS if not name.startswith("bin/"))


@dataclass(frozen=True)
class Apptainer:
    """The program, its version, and an image with bash and coreutils that anybody may read.

    `archive` is the same image for other programs to import.
    """

    program: Path
    version: str
    image: Path
    archive: Path


def lacks() -> str:
    """What hinders this machine to have an Apptainer, "" when nothing does."""
    if _found() and IMAGE.exists() and ARCHIVE.exists():
        return ""
    if os.geteuid():
        return "needs root, to install an Apptainer"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]
    if missing:
        return f"needs {', '.join(missing)}: apt-get install patchelf squashfs-tools"
    return ""


@pytest.fixture(scope="session")
def apptainer() -> Apptainer:
    """An Apptainer on this machine's PATH; it works for ordinary users, not for root."""
    if reason := lacks():
        pytest.skip(reason)
    return install()


def install() -> Apptainer:
    """Make what is missing, one at a time whoever asks."""
    if not (_found() and IMAGE.exists() and ARCHIVE.exists()):
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=CACHE) as made:
            fcntl.flock(lock, fcntl.LOCK_EX)
            Path(made).chmod(0o755)
            if not _found():
                _make_program(Path(made) / "program")
            if not (IMAGE.exists() and ARCHIVE.exists()):
                _make_image(Path(made) / "image")
    words = subprocess.run([_found(), "--version"], capture_output=True, text=True, check=True)
    return Apptainer(Path(_found()), words.stdout.split()[-1], IMAGE, ARCHIVE)


def _found() -> str:
    return shutil.which("apptainer", path=PATH) or ""


def _make_program(tree: Path) -> None:
    if not TREE.exists():
        _debian(tree, *PROGRAM, follow=False)
        _relink(tree)
        (own,) = tree.glob("usr/lib/*/apptainer")
        # It looks for its places from where its two programs are, as it was moved.
        for place in (tree / "usr", tree / "usr/lib"):
            (place / "etc").symlink_to(os.path.relpath(tree / "etc", place))
            (place / "var").symlink_to(os.path.relpath(tree / "var", place))
        for name in ("session", "container", "final", "overlay", "source"):
            (tree / "var/lib/apptainer/mnt" / name).mkdir(parents=True, exist_ok=True)
        # Without FUSE, which not every machine lets its users have, images are unpacked.
        for tool in ("mksquashfs", "unsquashfs"):
            (own / "bin" / tool).symlink_to(shutil.which(tool, path=PATH) or "")
        with (tree / "etc/apptainer/apptainer.conf").open("a") as conf:
            conf.write("binary path = /nonexistent\n")
        tree.rename(TREE)
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(TREE / "usr/bin/apptainer")


def _relink(tree: Path) -> None:
    """Have its programs use the tree's C library, as this machine's may be too old."""
    (loader,) = tree.glob("usr/lib/*/ld-linux*")
    final = TREE / loader.parent.relative_to(tree)
    for program in (tree / "usr/bin/apptainer", *tree.glob("usr/lib/*/apptainer/bin/starter")):
        _do(
            *("patchelf", "--set-interpreter", final / loader.name),
            *("--force-rpath", "--set-rpath", final, program),
        )


def _make_image(folder: Path) -> None:
    """A SIF as `apptainer build` makes one of a folder, for a user who is not root."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    _debian(tree, *SYSTEM, follow=True)
    for name in ("dev", "proc", "sys", "tmp", "home", "root", "var/tmp"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    for name in ("hosts", "resolv.conf", "passwd", "group", "localtime"):
        (tree / "etc" / name).touch()
    (tree / "etc/small-image").write_text("made by tests/apptainer.py\n")
    (tree / "usr/bin/sh").unlink(missing_ok=True)
    (tree / "usr/bin/sh").symlink_to("bash")
    _do("tar", "-C", tree, "-cf", folder / "new.tar", ".")
    for path in (folder, tree, *tree.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    environment = ["env", "HOME=/nonexistent", f"APPTAINER_TMPDIR={folder}"]
    _do(*user, *environment, _found(), "build", folder / "new.sif", tree)
    for made, kept in (("new.sif", IMAGE), ("new.tar", ARCHIVE)):
        os.chown(folder / made, 0, 0)
        (folder / made).chmod(0o644)
        (folder / made).rename(kept)


def _debian(tree: Path, *packages: str, follow: bool) -> None:
    """Unpack packages of Debian sid into `tree`; `follow` takes along what they depend on."""
    archives, lists = tree / "var/cache/apt/archives", tree / "var/lib/apt"
    for folder in (archives / "partial", lists / "lists/partial"):
        folder.mkdir(parents=True)
    sources = lists / "sources.list"
    sources.write_text(f"deb {_mirror()} sid main\n")
    (lists / "status").touch()
    options = {
        "Dir::State": lists,
        "Dir::State::status": lists / "status",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::Cache": archives.parent,
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _do(*apt, "update")
    if follow:
        _do(*apt, "install", "--yes", "--download-only", *packages)
    else:
        _do("env", "-C", archives, *apt, "download", *packages)
    _unpack(tree, leave=LEFT_OUT)


def _mirror() -> str:
    """Where this machine gets its Debian from."""
    wanted = ["--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"]
    done = subprocess.run(
        ["apt-get", "indextargets", *wanted], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[0]


def remove() -> None:
    """Take away what `install` made."""
    if LINK.is_symlink():
        LINK.unlink()
    shutil.rmtree(CACHE, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["install"]:
        print(install().image)
    elif sys.argv[1:] == ["remove"]:
        remove()
    else:
        sys.exit(__doc__)
