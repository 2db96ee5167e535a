"""Registries of images, Debian's own: one that anybody may ask, and one that wants a login."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import socket
import ssl
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dxf
import pytest

USER, PASSWORD = "ada", "s3cret"
_HTPASSWD = "ada:$2y$05$9mEOYEQ5SGLjAB0RKa2x9.XGUDkeXUIC9dRMObZ9C3m35OQJm6aoi\n"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# What Cromwell's scripts call.
_TOOLS = [
    "bash", "cat", "chmod", "find", "ln", "ls", "mkdir", "mkfifo", "mktemp", "mv", "rm", "sh",
    "sync", "tee", "touch",
]  # fmt: skip
_MERGED = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"}


@dataclass(frozen=True)
class Registry:
    """A registry on this machine; `trust` are certificates, where it speaks TLS."""

    host: str
    trust: Path | None = None

    def push(self, name: str, tag: str, words: str = "hello") -> str:
        """Have it hold an image with one file, `/words`; returns its digest."""
        return self.push_tar(name, tag, _tar({"words": words.encode()}))

    def push_tools(self, name: str, tag: str) -> str:
        """Have it hold an image in which tasks run: this machine's bash and what scripts need."""
        return self.push_tar(name, tag, _tar(dict(_tools()), links=_MERGED))

    def push_tar(self, name: str, tag: str, tar: bytes) -> str:
        layer, config = gzip.compress(tar, 1, mtime=0), _config(tar)
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _described(_CONFIG, config),
            "layers": [_described(_LAYER, layer)],
        }
        text = json.dumps(manifest)
        with self.repository(name) as there:
            for blob in (layer, config):
                there.push_blob(data=iter([blob]), digest=dxf.hash_bytes(blob))
            there.set_manifest(tag, text)
        return dxf.hash_bytes(text.encode())

    @contextmanager
    def repository(self, name: str) -> Iterator[Any]:
        def log_in(there: Any, response: Any) -> None:
            there.authenticate(USER, PASSWORD, response=response)

        plain, trust = self.trust is None, str(self.trust or "")
        with dxf.DXF(self.host, name, auth=log_in, insecure=plain, tlsverify=trust) as there:
            yield there


def _tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return text.getvalue()


def _tools() -> Iterator[tuple[str, bytes]]:
    """Programs of this machine and what they are linked with, by their places in an image."""
    programs = [shutil.which(name) or "" for name in _TOOLS]
    words = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    for path in dict.fromkeys([*programs, *re.findall(r"/\S+\.so\S*", words)]):
        place = Path(path).parent.resolve() / Path(path).name
        yield str(place)[1:], place.read_bytes()


def _config(tar: bytes) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [dxf.hash_bytes(tar)]}
    facts = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    return json.dumps(facts).encode()


def _described(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": dxf.hash_bytes(blob), "size": len(blob)}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry without TLS and login, as they are on people's own machines."""
    folder = tmp_path_factory.mktemp("registry")
    with _serving(folder, {}) as host:
        yield Registry(host)


@pytest.fixture(scope="session")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that speaks TLS, by a certificate of its own, to those who log in."""
    folder = tmp_path_factory.mktemp("private")
    (folder / "htpasswd").write_text(_HTPASSWD)
    certificate(folder)
    options = {
        "tls": {"certificate": str(folder / "crt.pem"), "key": str(folder / "key.pem")},
        "auth": {"htpasswd": {"realm": "private", "path": str(folder / "htpasswd")}},
    }
    with _serving(folder, options) as host:
        yield Registry(host, folder / "crt.pem")


def certificate(folder: Path) -> ssl.SSLContext:
    """Make `crt.pem` and `key.pem` for this machine by its number."""
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    argv = ["openssl", "req", "-x509", *kind, "-subj", "/CN=localhost", "-addext", names]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "crt.pem")]
    subprocess.run([*argv, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt.pem", folder / "key.pem")
    return context


@contextmanager
def _serving(folder: Path, options: dict[str, Any]) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if not program:
        pytest.skip("needs a registry: apt-get install docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    http = {"addr": f"127.0.0.1:{port}", "secret": "none", **_only(options, "tls")}
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    settings = {"version": 0.1, "storage": storage, "http": http, **_only(options, "auth")}
    (folder / "config.yml").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        _await(port, child, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)


def _only(options: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: options[name]} if name in options else {}


def _await(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
