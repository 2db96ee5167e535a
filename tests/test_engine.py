"""Finding an engine and saying how it is started; nothing here starts one."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

import pytest

from cromwell_userdb import engine, java, releases
from cromwell_userdb.engine import Engine
from cromwell_userdb.errors import NotFound, UsageError
from cromwell_userdb.java import Java


def a_jar(path: Path, version: str = "92") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as jar:
        jar.writestr("other-version.conf", 'other.version: "1"')
        jar.writestr("cromwell-version.conf", f'cromwell.version: "{version}"\n')
    return path


def a_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    """An environment with a Java 17 on its PATH, and nothing else."""
    a_script(tmp_path / "jdk/bin/java", "#!/bin/sh\nexit 9\n")
    (tmp_path / "jdk/release").write_text('JAVA_VERSION="17.0.15"\n')
    return {"PATH": f"{tmp_path}/jdk/bin"}


@pytest.fixture
def find(cache, environ):
    def act(kind="auto", **options) -> Engine:
        return engine.find(kind, **{"environ": environ, "cache": cache} | options)

    return act


def test_a_named_jar_says_its_version_and_is_told_by_its_checksum(find, tmp_path):
    jar = a_jar(tmp_path / "c.jar", "93-c805f3c-SNAP")
    found = find(named=jar)
    assert (found.kind, found.jar, found.version) == ("cromwell", jar, "93-c805f3c-SNAP")
    assert found.sha256 == hashlib.sha256(jar.read_bytes()).hexdigest()
    assert found.java is not None
    assert found.java.version == "17.0.15"


def test_a_jar_is_read_once_and_again_when_it_changed(find, tmp_path, cache):
    jar = a_jar(tmp_path / "c.jar", "91")
    find(named=jar)
    book = (cache / "jars.json").read_text()
    find(named=jar)
    assert (cache / "jars.json").read_text() == book
    a_jar(jar, "92-changed")
    assert find(named=jar).version == "92-changed"


def test_the_environment_comes_before_path_and_path_before_the_cache(find, tmp_path, cache):
    named = a_jar(tmp_path / "named.jar", "90")
    by_variable = a_jar(tmp_path / "variable.jar", "91")
    wrapper = a_script(tmp_path / "bin/cromwell", f"#!/bin/sh\nexec java -jar {named}\n")
    environ = {
        "CROMWELL_USERDB_CROMWELL": str(by_variable),
        "PATH": f"{wrapper.parent}:{tmp_path}/jdk/bin",
    }
    a_jar(releases.place(cache, "92"))
    assert find(named=named, environ=environ).source == "named"
    assert find(environ=environ).jar == by_variable
    del environ["CROMWELL_USERDB_CROMWELL"]
    assert find(environ=environ).jar == named
    environ["PATH"] = f"{tmp_path}/jdk/bin"
    assert find(environ=environ).jar == releases.place(cache, "92")


def test_the_newest_of_the_cache_is_taken(find, cache):
    for version in ("92", "100", "91"):
        a_jar(releases.place(cache, version), version)
    assert find().version == "100"


def test_without_a_cromwell_it_is_the_embedded_one_or_a_sentence(find):
    assert find("auto").kind == "embedded"
    assert find("embedded").source == "asked for"
    with pytest.raises(NotFound, match="engine install"):
        find("cromwell")


def test_a_named_cromwell_that_is_not_there_is_never_passed_over(find, tmp_path):
    with pytest.raises(NotFound, match="no Cromwell at"):
        find("auto", named=tmp_path / "nothing.jar")


def test_a_kind_that_does_not_exist_is_refused(find):
    with pytest.raises(UsageError, match="auto, cromwell, embedded"):
        find("toil")


def test_a_jar_of_something_else_is_refused(find, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.jar", "w") as jar:
        jar.writestr("womtool-version.conf", 'version: "1"')
    with pytest.raises(NotFound, match="no jar of Cromwell's"):
        find(named=tmp_path / "x.jar")


def test_a_jar_that_was_cut_is_called_damaged(find, tmp_path):
    jar = a_jar(tmp_path / "c.jar")
    jar.write_bytes(jar.read_bytes()[:-30])
    with pytest.raises(NotFound, match="a damaged one"):
        find(named=jar)


FIND = """
import sys
from pathlib import Path
from cromwell_userdb import engine, errors
try:
    engine.find(named=Path(sys.argv[1]), environ={}, cache=Path("cache"))
except errors.NotFound as error:
    print(error)
"""


@pytest.mark.root
def test_a_jar_that_another_user_keeps_to_himself_is_no_traceback(bob):
    jar = a_jar(bob.home / "c.jar")
    jar.chmod(0o600)
    found = bob.run(bob.command[0], "-c", FIND, jar)
    assert found.stdout == f"{jar} can't be read by you: name another Cromwell with --cromwell.\n"


def test_a_cache_that_takes_nothing_costs_no_run(find, tmp_path):
    (tmp_path / "file").write_text("")
    assert find(named=a_jar(tmp_path / "c.jar"), cache=tmp_path / "file/cache").version == "92"


HOMEBREW = """#!/bin/bash
export JAVA_HOME="${JAVA_HOME:-/opt/openjdk@17}"
exec "${JAVA_HOME}/bin/java"  -jar "LIBEXEC/cromwell.jar" "$@"
"""
BIOCONDA = """#!/usr/bin/env python
jar_file = 'cromwell.jar'
java_args = [java, '-jar', os.path.join(jar_dir, jar_file)]
"""


def test_a_script_that_names_its_jar_is_read(find, tmp_path):
    jar = a_jar(tmp_path / "Cellar/libexec/cromwell.jar")
    text = HOMEBREW.replace("LIBEXEC", str(jar.parent))
    assert find(named=a_script(tmp_path / "bin/cromwell", text)).jar == jar


def test_a_link_to_a_script_leads_to_the_jar_beside_the_script(find, tmp_path):
    jar = a_jar(tmp_path / "share/cromwell-92-0/cromwell.jar")
    script = a_script(jar.with_name("cromwell.py"), BIOCONDA)
    link = tmp_path / "bin/cromwell"
    link.parent.mkdir()
    link.symlink_to(script)
    assert find(named=link).jar == jar


def test_a_module_says_where_its_jar_is(find, tmp_path, environ):
    jar = a_jar(tmp_path / "easybuild/cromwell.jar")
    environ["EBROOTCROMWELL"] = str(jar.parent)
    assert find(environ=environ).jar == jar


def test_an_executable_whose_jar_nobody_can_find_is_refused_and_the_jar_asked_for(find, tmp_path):
    script = a_script(tmp_path / "bin/cromwell", "#!/bin/sh\nexec docker run cromwell\n")
    with pytest.raises(NotFound, match="name the jar itself with --cromwell"):
        find(named=script)


def test_a_program_that_is_no_text_is_no_riddle(find, tmp_path):
    binary = a_script(tmp_path / "bin/cromwell", "")
    binary.write_bytes(b"\x7fELF" + bytes(range(256)) * 100)
    with pytest.raises(NotFound, match="name the jar itself"):
        find(named=binary)


def test_a_java_too_old_is_named(find, tmp_path, environ):
    (tmp_path / "jdk/release").write_text('JAVA_VERSION="11.0.2"\n')
    with pytest.raises(NotFound, match=r"jdk/bin/java \(PATH\) is Java 11\.0\.2"):
        find(named=a_jar(tmp_path / "c.jar"))


@pytest.fixture
def cromwell(tmp_path) -> Engine:
    return Engine(
        "cromwell",
        "92",
        "test",
        Path("/jars/cromwell.jar"),
        "0" * 64,
        Java(Path("/jdk/bin/java"), "17.0.15", "test"),
        tmp_path / "x.archive",
    )


def argv(chosen: Engine, **options: object) -> list[str]:
    return engine.argv(
        chosen,
        conf=Path("/i/runs/1/cromwell.conf"),
        socket=Path("/i/s"),
        arguments=["run", "-i", Path("/i/runs/1/inputs.json"), "/w/a b.wdl"],
        **options,
    )


def test_the_command_line_of_a_cromwell(cromwell):
    assert argv(cromwell) == [
        "/jdk/bin/java",
        *java.options(cromwell.java),
        "-XX:ErrorFile=/i/runs/1/hs_err.log",
        "-DLOG_MODE=STANDARD",
        "-Dconfig.file=/i/runs/1/cromwell.conf",
        "-Dcromwell.userdb.socket=/i/s",
        "-cp",
        f"/jars/cromwell.jar:{engine.OWN_JAR}",
        "cromwell.CromwellApp",
        *["run", "-i", "/i/runs/1/inputs.json", "/w/a b.wdl"],
    ]


def test_the_command_line_of_the_embedded_engine_is_the_same_but_for_java():
    assert argv(engine.embedded()) == [
        *[sys.executable, "-P", "-m", "cromwell_userdb.embedded"],
        "-Dconfig.file=/i/runs/1/cromwell.conf",
        "-Dcromwell.userdb.socket=/i/s",
        *["run", "-i", "/i/runs/1/inputs.json", "/w/a b.wdl"],
    ]


def test_properties_heap_and_size_are_passed_on(cromwell):
    words = argv(cromwell, heap_mb=4000, big=True, properties={"call-caching.enabled": "false"})
    assert "-Dcall-caching.enabled=false" in words
    assert "-Xmx4000m" in words
    assert "-XX:TieredStopAtLevel=1" not in words


def test_an_archive_is_used_as_soon_as_it_is_whole(cromwell):
    flag = f"-XX:SharedArchiveFile={cromwell.archive}"
    assert flag not in argv(cromwell)
    cromwell.archive.write_text("classes")
    part = cromwell.archive.with_suffix(".part")
    cromwell.archive.rename(part)
    java._settle(part, cromwell.archive)
    assert flag in argv(cromwell)
    cromwell.archive.write_text("clas")
    assert flag not in argv(cromwell)


def test_our_class_is_carried_by_the_package():
    with zipfile.ZipFile(engine.OWN_JAR) as jar:
        assert "UnixSocketFactory.class" in jar.namelist()


def test_the_environment_is_the_callers_without_what_would_bend_an_engine(cromwell):
    base = {"PATH": "/bin", "SLURM_CONF": "/s", "LOG_MODE": "PRETTY", "CLASSPATH": "/x.jar"}
    assert engine.environment(cromwell, base) == {"PATH": "/bin", "SLURM_CONF": "/s"}


def test_a_version_is_read_from_what_a_build_writes():
    assert engine.parse_version('cromwell.version: "92"') == "92"
    assert engine.parse_version('version { cromwell: "92-abc" }') == "unknown"
