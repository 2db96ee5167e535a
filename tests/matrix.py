"""Other database servers than this machine's: from other Debian suites, in containers.

Each is unpacked from its suite's own packages, becomes an image of an engine that ends with
the tests, and lies in a container that `testcontainers` keeps. What the program is given is a
folder as an administrator might offer it: scripts with the server's names that go on inside the
container, so that the server is a child of ours, on our files, as it is under Apptainer.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, environment

CACHE = Path(__file__).parent.parent / "build" / "servers"
BUDGET = 600
"""Seconds that the making of one server may take, most of them a download."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("dockerd", "containerd", "runc", "debootstrap", "dpkg-deb", "nsenter", "setpriv")
SUPERFLUOUS = (
    *("share/doc", "share/man", "share/info", "share/locale", "share/perl*", "share/zoneinfo"),
    *("bin/perl*", "lib/*/perl*", "lib/*/libperl*", "bin/mysql?*", "bin/myisam*", "bin/i*"),
)


@dataclass(frozen=True)
class Release:
    """A server as a Debian suite has it, and its programs that a site would offer."""

    title: str
    suite: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.title.lower().replace(" ", "-")


_MARIADB = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb-upgrade")
MARIADB_10_5 = Release(
    "MariaDB 10.5", "bullseye", ("mariadb-server-core-10.5", "mariadb-client-core-10.5"), _MARIADB
)
MARIADB_11_8 = Release(
    "MariaDB 11.8", "trixie", ("mariadb-server-core", "mariadb-client-core"), _MARIADB
)
# No stable suite has a MySQL.
MYSQL_9 = Release("MySQL 9", "sid", ("mysql-server-core",), ("/usr/sbin/mysqld",))


def lacks() -> str:
    """What hinders this machine to have other servers, "" when nothing does."""
    if os.geteuid():
        return "needs root, for containers"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]
    if missing:
        return f"needs {', '.join(missing)}: apt-get install debootstrap docker.io"
    return ""


# From packages to one archive.


def archive(release: Release) -> Path:
    """The tar file of a small system with this server in it, made now if there is none yet."""
    path = CACHE / f"{release.name}-{release.suite}.tar"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as made:
            tree, beside = Path(made) / "tree", Path(made) / "tar"
            wanted = f"--include={','.join(release.packages)}"
            _do("debootstrap", "--variant=minbase", "--download-only", wanted, release.suite, tree)
            _unpack(tree)
            _do("tar", "-C", tree, "-cf", beside, ".")
            beside.rename(path)
    return path


def _unpack(tree: Path, *, leave: Sequence[str] = SUPERFLUOUS) -> None:
    """The packages' files without their scripts: nothing of that system is ever booted."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True, exist_ok=True)
        (tree / name).symlink_to(f"usr/{name}")
    excluded = [f"--exclude=./usr/{name}" for name in leave]
    packages = tree / "var/cache/apt/archives"
    plain = packages / "files.tar"
    for package in sorted(packages.glob("*.deb")):
        with plain.open("wb") as out:
            _do("dpkg-deb", "--fsys-tarfile", package, stdout=out)
        _do("tar", "-C", tree, "-xf", plain, "--keep-directory-symlink", *excluded)
        package.unlink()
    plain.unlink()
    shutil.rmtree(tree / "var/lib/apt", ignore_errors=True)
    _do("ldconfig", "-r", tree)


def _do(*argv: str | Path, stdout: Any = subprocess.PIPE) -> None:
    """Run a program, politely, to its end; a test fails with its words."""
    done = subprocess.run(
        ["nice", "-n", "10", *argv],
        env={"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=BUDGET,
        check=False,
    )
    words = ((done.stdout or b"") + done.stderr).decode(errors="replace")[-2000:]
    assert done.returncode == 0, f"{shlex.join(map(str, argv))}:\n{words}"


# An engine of our own, and in it one container for each server.


@dataclass(frozen=True)
class Docker:
    """The address of an engine, and the folder that its containers share with us."""

    address: str
    work: Path


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """Docker's engine, for these tests alone; nothing of it is left afterwards."""
    if reason := lacks():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="docker-", dir="/tmp"))
    work = Path(tempfile.mkdtemp(prefix="mx-", dir="/tmp"))
    log = folder / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(dockerd_argv(folder), env={"PATH": PATH}, stdout=out, stderr=out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{folder}/sock")
        # It would fetch an image to clean up after us, and there is no network to fetch it from.
        patch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        try:
            if not _answers(child):
                pytest.skip(f"Docker's engine does not start here:\n{log.read_text()[-2000:]}")
            yield Docker(f"unix://{folder}/sock", work)
        finally:
            child.terminate()
            child.wait(60)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(work, ignore_errors=True)


def dockerd_argv(folder: Path) -> list[str]:
    """An engine without networks, that shares nothing with another, and ends with us."""
    return [
        *("setpriv", "--pdeathsig", "TERM", "nice", "-n", "10", "dockerd"),
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        f"--host=unix://{folder}/sock",
        *("--bridge=none", "--iptables=false", "--ip6tables=false"),
        *("--ip-forward=false", "--ip-masq=false", "--log-level=warn"),
    ]


def _answers(child: subprocess.Popen[bytes]) -> bool:
    """Whether the engine at DOCKER_HOST answers in a minute."""
    from docker.errors import DockerException
    from testcontainers.core.docker_client import DockerClient

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(DockerException, OSError):
            return bool(DockerClient().client.ping())
        time.sleep(0.1)
    return False


@dataclass(frozen=True)
class Offer:
    """A server as a site offers it: the folder to name, and where its container sees files."""

    release: Release
    prefix: Path
    work: Path

    def lab(self, *words: str) -> Lab:
        """A new instance on this server; the first of a server also makes its template."""
        lab = self.empty_lab()
        done = lab.do("init", "--backend", "local", "--server", self.prefix, *words)
        assert done.returncode == 0, done.stderr
        return lab

    def empty_lab(self, cache: str = "cache") -> Lab:
        root = Path(tempfile.mkdtemp(dir=self.work)) / "db"
        return Lab(root, environment() | {"XDG_CACHE_HOME": str(self.work / cache)})


Offers = Callable[[Release], Offer]


@pytest.fixture(scope="session")
def offers(docker: Docker) -> Iterator[Offers]:
    """Gives each server that is asked for, in a container that lasts as long as the tests."""
    there: dict[str, Offer] = {}
    with contextlib.ExitStack() as containers:

        def offer(release: Release) -> Offer:
            if release.name not in there:
                pid = containers.enter_context(_container(release, docker))
                there[release.name] = _offer(release, docker.work, pid)
            return there[release.name]

        yield offer


@contextlib.contextmanager
def _container(release: Release, docker: Docker) -> Iterator[int]:
    """A container with the server in it, idle; the pid of its first process here."""
    from testcontainers.core.container import DockerContainer

    image = f"cromwell-userdb/{release.name}"
    container = DockerContainer(image).with_command(["sleep", "infinity"])
    container.with_kwargs(network_mode="none")
    container.with_volume_mapping(docker.work, str(docker.work), "rw")
    for path in ("/etc/passwd", "/etc/group"):
        # The server has to know whoever logs in by socket.
        container.with_volume_mapping(path, path, "ro")
    engine = container.get_docker_client().client
    engine.api.import_image_from_file(str(archive(release)), repository=image)
    with container:
        wrapped = container.get_wrapped_container()
        wrapped.reload()
        yield wrapped.attrs["State"]["Pid"]


def _offer(release: Release, work: Path, pid: int) -> Offer:
    """Scripts that go on in the container of process `pid`: same user, same pid, same signals.

    Its files only: a socket is told from others by /proc/net/unix, which a network has its own of.
    """
    prefix = work / release.name
    (prefix / "bin").mkdir(parents=True)
    for program in release.programs:
        script = prefix / "bin" / Path(program).name
        script.write_text(f'#!/bin/sh\nexec nsenter --target {pid} --mount -- {program} "$@"\n')
        script.chmod(0o755)
    (prefix / "share").symlink_to(f"/proc/{pid}/root/usr/share")
    return Offer(release, prefix, work)


# The same without an engine, for ordinary users.

ENTER = """\
#!/bin/sh
mount --bind /etc/passwd {tree}/etc/passwd && mount --rbind /tmp {tree}/tmp &&
exec chroot {tree} "$@"
"""
UNSHARE = """\
#!/bin/sh
export PATH={path}
exec unshare --user --map-current-user --keep-caps --mount -- {folder}/enter {program} "$@"
"""


@pytest.fixture(scope="session")
def open_mysql() -> Iterator[Path]:
    """A prefix whose MySQL anybody may start: it changes its root in a namespace of its own."""
    if reason := lacks():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="open-", dir="/tmp"))
    folder.chmod(0o755)
    tree, (program,) = folder / "tree", MYSQL_9.programs
    tree.mkdir()
    _do("tar", "-C", tree, "-xf", archive(MYSQL_9))
    (tree / "etc/passwd").touch()
    (folder / "bin").mkdir()
    script = UNSHARE.format(path=PATH, folder=folder, program=program)
    for path, text in {"enter": ENTER.format(tree=tree), "bin/mysqld": script}.items():
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    yield folder
    shutil.rmtree(folder)
