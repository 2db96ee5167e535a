"""A real SLURM on this machine: munge, slurmdbd on a MariaDB, controller, nodes, two users.

Tests ask for the session fixture `cluster`. By hand, as root:

    python tests/cluster.py start FOLDER [USER:ACCOUNT ...]   prints the SLURM_CONF to use
    python tests/cluster.py stop FOLDER
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import folders
import pytest

PROGRAMS = ["slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "mariadb-install-db", "sbatch"]
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
NODES = 4
USERS = {"alice": "deptA", "bob": "deptB"}

SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={root}/munge/s
DbdHost=localhost
DbdPort={dbd_port}
SlurmUser=slurm
PidFile={root}/ctl/dbd.pid
LogFile={root}/ctl/dbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=x
StorageLoc=acct
"""

# AccountingStoragePass: AuthInfo is not used for the controller's link to slurmdbd.
# ReturnToService and NodeAddr keep names and restarts from taking nodes down.
SLURM_CONF = """\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctl_port}
SlurmUser=slurm
AuthType=auth/munge
AuthInfo=socket={munge}
StateSaveLocation={root}/ctl
SlurmctldPidFile={root}/ctl/ctld.pid
SlurmctldLogFile={root}/ctl/ctld.log
SlurmdPidFile={root}/d-%n.pid
SlurmdLogFile={root}/d-%n.log
SlurmdSpoolDir={root}/spool-%n
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={dbd_port}
AccountingStoragePass={munge}
AccountingStorageEnforce=associations,limits,qos
AccountingStoreFlags=job_comment
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=5
KillWait=5
SlurmdTimeout=15
MailProg=/bin/true
GresTypes=gpu
NodeName=DEFAULT CPUs=64 RealMemory=64000 TmpDisk=100000 State=UNKNOWN
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first_port}-{third_port}] Feature=old
NodeName=n4 NodeHostname={host} NodeAddr=127.0.0.1 Port={last_port} Feature=new Gres=gpu:a100:2
PartitionName=main Nodes=n[1-3] Default=YES DefaultTime=10 MaxTime=7-0 State=UP PreemptMode=OFF
PartitionName=short Nodes=n[1-3] MaxTime=10 State=UP PreemptMode=OFF
PartitionName=hold Nodes=n[1-3] State=DOWN PreemptMode=OFF
PartitionName=low Nodes=n4 MaxTime=60 State=UP PriorityTier=1
PartitionName=urgent Nodes=n4 MaxTime=60 State=UP PriorityTier=9 PreemptMode=OFF
"""


CGROUPS = {
    "ProctrackType": "proctrack/cgroup",
    "TaskPlugin": "task/cgroup",
    "JobAcctGatherType": "jobacct_gather/cgroup",
    "JobAcctGatherParams": "NoShared",
}
"""For a cluster whose kernel keeps jobs to their memory; only one of them on a machine."""


@dataclass(frozen=True)
class Cluster:
    """A running SLURM below `root`; `short` and friends are names of its partitions."""

    root: Path

    @property
    def conf(self) -> Path:
        return self.root / "slurm.conf"

    def home(self, user: str) -> Path:
        return self.root / "home" / user

    def environment(self, user: str) -> dict[str, str]:
        return {
            "SLURM_CONF": str(self.conf),
            "PATH": PATH,
            "HOME": str(self.home(user)),
            "USER": user,
            "LOGNAME": user,
            "LANG": "C.UTF-8",
        }

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        check: bool = True,
        stdin: str = "",
    ) -> str:
        """Run `argv` as `user` on this cluster and return its stdout."""
        done = self.popen(argv, user=user, env=env, timeout=timeout, stdin=stdin)
        if check and done.returncode:
            raise AssertionError(f"{argv} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def popen(
        self,
        argv: Sequence[str | Path],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` as `user`; the caller looks at status and words."""
        prefix = [] if user == "root" else as_user(user)
        return subprocess.run(
            [*prefix, *map(str, argv)],
            env={**self.environment(user), **(env or {})},
            cwd=self.home(user) if user != "root" else self.root,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            input=stdin,
            check=False,
        )

    def stop_controller(self) -> None:
        _end(self.root / "ctl/ctld.pid", patience=10)

    def lose_state(self) -> None:
        """Empty the StateSaveLocation of a controller that is stopped."""
        for path in (self.root / "ctl").iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not path.name.startswith(("dbd.", "ctld.")):
                path.unlink()

    def change(self, **conf: str) -> None:
        """Change slurm.conf, for daemons that are started later."""
        self.conf.write_text(_changed(self.conf.read_text(), conf))

    def configure(self, **conf: str) -> None:
        """Change slurm.conf, and have the daemons read it anew."""
        self.change(**conf)
        self.run(["scontrol", "reconfigure"])

    def start_controller(self, *options: str) -> None:
        _run([*as_user("slurm"), "slurmctld", *options], SLURM_CONF=str(self.conf))
        _wait(lambda: "UP" in self.run(["scontrol", "ping"], check=False), "slurmctld")

    @contextlib.contextmanager
    def frozen_controller(self) -> Iterator[None]:
        """The controller takes messages and answers none while the block runs."""
        pid = int((self.root / "ctl/ctld.pid").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop_accounting(self) -> None:
        _end(self.root / "ctl/dbd.pid", patience=10)

    def start_accounting(self) -> None:
        _start_slurmdbd(self.root)

    def forbid(self, what: str) -> None:
        """Have the accounting show nobody what is others', `what` being SLURM's PrivateData."""
        conf = self.root / "slurmdbd.conf"
        conf.write_text(_changed(conf.read_text(), {"PrivateData": what}))
        self.stop_accounting()
        self.start_accounting()


def as_user(user: str) -> list[str]:
    return ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]


def lacks() -> str:
    """Why no cluster can be started here; "" when one can."""
    if os.geteuid():
        return "needs root"
    missing = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    return f"needs {', '.join(missing)}" if missing else ""


def start(
    root: Path,
    *,
    users: Mapping[str, str] | None = None,
    min_job_age: int = 20,
    name: str = "hal",
    beside: Cluster | None = None,
    conf: Mapping[str, str] | None = None,
) -> Cluster:
    """Start everything below `root`, whose parents must be passable; about four seconds.

    One `beside` another shares its munge and its accounting. `conf` changes slurm.conf, or
    adds to it.
    """
    users = USERS if users is None else users
    cluster = Cluster(root)
    _folders(root, users)
    try:
        if not beside:
            _start_munged(root)
            _start_mariadb(root)
        _write_conf(root, name, beside, {"MinJobAge": str(min_job_age), **(conf or {})})
        if not beside:
            _start_slurmdbd(root)
        (root / "load").write_text(_associations(name, users))
        cluster.run(["sacctmgr", "-i", "load", root / "load"])
        cluster.start_controller()
        for node in range(1, NODES + 1):
            _run(["slurmd", "-N", f"n{node}"], SLURM_CONF=str(cluster.conf))
        _wait(lambda: _idle(cluster) == NODES, "nodes", timeout=60)
    except BaseException:
        stop(root)
        raise
    return cluster


def stop(root: Path) -> None:
    """End every process that `start` left below `root`, by pid, and remove the folder."""
    with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
        Cluster(root).run(["scancel", "--ctld", "-u", "root"], timeout=15)
    for pid_file in [*sorted(root.glob("d-*.pid")), root / "ctl/ctld.pid", root / "ctl/dbd.pid"]:
        _end(pid_file, patience=5)
    _end(root / "db/pid", patience=0)
    _end(root / "munge/pid", patience=5)
    _end_jobs(root)
    if (root / "slurm.conf").exists() and "proctrack/cgroup" in (root / "slurm.conf").read_text():
        _remove_cgroups()
    shutil.rmtree(root, ignore_errors=True)


def _folders(root: Path, users: Mapping[str, str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)
    for name, owner in [("ctl", "slurm"), ("db", "slurm"), ("munge", "munge")]:
        (root / name).mkdir()
        shutil.chown(root / name, owner, pwd.getpwnam(owner).pw_gid)
    (root / "home").mkdir()
    for user in users:
        _make_user(user)
        home = root / "home" / user
        home.mkdir(mode=0o700)
        shutil.chown(home, user, pwd.getpwnam(user).pw_gid)


def _make_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        _run(["useradd", "-M", "-U", "-s", "/bin/bash", user])


def _start_munged(root: Path) -> None:
    folder = root / "munge"
    key = folder / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    shutil.chown(key, "munge", pwd.getpwnam("munge").pw_gid)
    options = [f"--{name}={folder / name.split('-')[0]}" for name in ("pid-file", "seed-file")]
    argv = ["munged", f"--key-file={key}", f"--socket={folder}/s", f"--log-file={folder}/log"]
    _run([*as_user("munge"), *argv, *options])


def _start_mariadb(root: Path) -> None:
    db = root / "db"
    birth = ["mariadb-install-db", "--no-defaults", f"--datadir={db}", "--skip-test-db"]
    birth += ["--auth-root-authentication-method=normal", "--skip-name-resolve", "--force"]
    _run([*as_user("slurm"), *birth])
    serve = ["mariadbd", "--no-defaults", f"--datadir={db}", f"--socket={db}/s"]
    serve += [f"--pid-file={db}/pid", "--skip-networking", "--skip-log-bin"]
    serve += ["--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF"]
    subprocess.Popen(
        [*as_user("slurm"), *serve, f"--log-error={db}/err"],
        env={"PATH": PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    account = "CREATE USER slurm@localhost IDENTIFIED BY 'x'"
    grant = "GRANT ALL ON acct.* TO slurm@localhost"
    client = ["mariadb", "--no-defaults", "-uroot", "-S", str(db / "s"), "-e"]
    _wait(lambda: _succeeds([*client, "SELECT 1"]), "mariadbd")
    _run([*client, f"CREATE DATABASE acct; {account}; {grant}"])


def _write_conf(root: Path, name: str, beside: Cluster | None, conf: Mapping[str, str]) -> None:
    ports = free_ports(NODES + 2)
    first = beside.root if beside else root
    facts = {
        "root": root,
        "name": name,
        "munge": first / "munge/s",
        "host": socket.gethostname().split(".")[0],
        "dbd_port": _dbd_port(first) if beside else ports[0],
        "ctl_port": ports[1],
        "first_port": ports[2],
        "third_port": ports[4],
        "last_port": ports[-1],
    }
    if not beside:
        slurmdbd = root / "slurmdbd.conf"
        slurmdbd.write_text(SLURMDBD_CONF.format(**facts))
        slurmdbd.chmod(0o600)
        shutil.chown(slurmdbd, "slurm")
    (root / "slurm.conf").write_text(_changed(SLURM_CONF.format(**facts), conf))
    (root / "cgroup.conf").write_text("CgroupAutomount=yes\nConstrainRAMSpace=yes\n")
    # A GPU is a file; these two are everywhere, and nobody looks into them.
    devices = [f"NodeName=n4 Name=gpu Type=a100 File=/dev/{name}\n" for name in ("null", "zero")]
    (root / "gres.conf").write_text("".join(devices))


def _changed(text: str, conf: Mapping[str, str]) -> str:
    """The lines of a slurm.conf with other values for some names, and what is new before them."""
    lines = [line for line in text.splitlines() if line.partition("=")[0] not in conf]
    return "\n".join([*(f"{name}={value}" for name, value in conf.items()), *lines, ""])


def _dbd_port(root: Path) -> int:
    return int((root / "slurmdbd.conf").read_text().partition("DbdPort=")[2].split()[0])


def free_ports(count: int) -> range:
    """A row of TCP ports that nobody on this machine listens on."""
    # Two clusters that start at the same moment shall not find the same; from 32768 on the
    # kernel gives ports to whoever connects.
    for first in random.sample(range(10000, 32700, 50), 400):
        row = range(first, first + count)
        if all(_is_free(port) for port in row):
            return row
    raise RuntimeError("no row of free ports on this machine")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _start_slurmdbd(root: Path) -> None:
    env = {"MYSQL_UNIX_PORT": str(root / "db/s"), "SLURM_CONF": str(root / "slurm.conf")}
    _run([*as_user("slurm"), "slurmdbd"], **env)
    _wait(lambda: not _is_free(_dbd_port(root)), "slurmdbd")


def _associations(name: str, users: Mapping[str, str]) -> str:
    lines = [f"Cluster - '{name}'", "Parent - 'root'"]
    lines += ["User - 'root':DefaultAccount='root':AdminLevel='Administrator'"]
    lines += [f"Account - '{account}'" for account in sorted(set(users.values()))]
    for user, account in users.items():
        lines += [f"Parent - '{account}'", f"User - '{user}':DefaultAccount='{account}'"]
    return "\n".join(lines) + "\n"


def _idle(cluster: Cluster) -> int:
    return cluster.run(["sinfo", "-h", "-N", "-p", "main,low", "-o", "%t"]).split().count("idle")


def _run(argv: Sequence[str | Path], **env: str) -> None:
    """Daemons keep the streams they are born with, so none is a pipe to us."""
    with tempfile.TemporaryFile() as words:
        done = subprocess.run(
            list(map(str, argv)),
            env={"PATH": PATH, **env},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            timeout=60,
            check=False,
        )
        words.seek(0)
        assert done.returncode == 0, (argv, words.read().decode(errors="replace"))


def _succeeds(argv: Sequence[str]) -> bool:
    done = subprocess.run(argv, env={"PATH": PATH}, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def _wait(ready: Callable[[], bool], name: str, *, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not ready():
        assert time.monotonic() < deadline, f"{name} was not ready in {timeout:g} seconds"
        time.sleep(0.05)


def _end(pid_file: Path, *, patience: float) -> None:
    """TERM, wait, KILL: a slurmd without a controller may ignore TERM."""
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM if patience else signal.SIGKILL)
        deadline = time.monotonic() + (patience or 10)
        while _lives(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        if _lives(pid):
            os.kill(pid, signal.SIGKILL)
    pid_file.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _end_jobs(root: Path) -> None:
    """Jobs and their stepds outlive their slurmd; they are known by this cluster's SLURM_CONF."""
    mine = f"SLURM_CONF={root}/slurm.conf".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (folder / "environ").read_bytes().split(b"\0")
            in_job = any(name.startswith(b"SLURM_JOB_ID=") for name in variables)
            if mine in variables and (in_job or "slurmstepd" in (folder / "comm").read_text()):
                os.kill(int(folder.name), signal.SIGKILL)


def _remove_cgroups() -> None:
    """SLURM leaves its nodes' empty groups behind."""
    for top in Path("/sys/fs/cgroup").glob("*/slurm_n[1-4]"):
        for group in [*sorted(top.rglob("*/"), reverse=True), top]:
            with contextlib.suppress(OSError):
                group.rmdir()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if reason := lacks():
        pytest.skip(reason)
    root = folders.made("hal")
    try:
        started = start(root)
    except AssertionError:
        # Somebody else may have taken one of its ports meanwhile; a second time is a fault.
        started = start(root)
    yield started
    stop(root)


def main(argv: Sequence[str]) -> None:
    verb, folder, *users = argv
    if verb == "start":
        pairs = dict(pair.split(":") for pair in users)
        print(start(Path(folder), users={**USERS, **pairs}, min_job_age=300).conf)
    else:
        stop(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
