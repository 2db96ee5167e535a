"""Registries of images: which digest a tag stands for, asked with the user's own login."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.auth
import dxf
import requests
from docker.errors import DockerException

from cromwell_userdb.errors import DownloadFailed
from cromwell_userdb.reference import Reference

_PATIENCE = 30
"""Seconds without a word from a registry."""

_PAUSES = (1.0, 5.0)
"""Seconds before a registry that is out of order is asked again."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")

_SILENCE = (requests.ConnectionError, requests.Timeout)
_DISTRUST = "CERTIFICATE_VERIFY_FAILED"


@dataclass(frozen=True)
class Login:
    """A name and password, and the file they are from, "" for the environment."""

    user: str
    password: str = field(repr=False)
    origin: str


@dataclass(frozen=True)
class Found:
    """What a registry has for a name: its digest; `plain` where it speaks without TLS."""

    digest: str
    plain: bool
    login: Login | None


def look_up(
    wanted: Reference,
    environ: Mapping[str, str],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """The digest that the registry has for `wanted` now; raises DownloadFailed with the reason."""
    own = login(wanted.host, environ)
    try:
        return _asked(wanted, own, sleep, plain=False)
    except _SILENCE as error:
        if wanted.is_local and _DISTRUST not in str(error):
            with contextlib.suppress(*_SILENCE):
                return _asked(wanted, own, sleep, plain=True)
        raise DownloadFailed(_unreachable(wanted, error)) from error


def _asked(
    wanted: Reference, own: Login | None, sleep: Callable[[float], None], *, plain: bool
) -> Found:
    registry = dxf.DXF(
        wanted.server,
        wanted.path,
        auth=_authentication(own),
        insecure=plain,
        tlsverify=_bundle(),
        timeout=_PATIENCE,
    )
    try:
        digest = _patiently(lambda: _digest(registry, wanted), sleep)
    except _SILENCE:
        raise
    except (dxf.exceptions.DXFUnauthorizedError, KeyError) as error:
        raise DownloadFailed(_refused(wanted, own)) from error
    except dxf.exceptions.DXFAuthInsecureError as error:
        raise DownloadFailed(
            f"{wanted.host} wants a login for {wanted} but speaks without TLS: a password would "
            "travel in the clear."
        ) from error
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise DownloadFailed(_answered(wanted, own, status)) from error
    except (requests.RequestException, dxf.exceptions.DXFError, ValueError) as error:
        raise DownloadFailed(
            f"{wanted.host} gave an answer about {wanted} that nobody understands ({error})."
        ) from error
    return Found(digest, plain, own)


def _digest(registry: Any, wanted: Reference) -> str:
    """The registry's own word for it, else the digest of what it sends."""
    version = wanted.digest or wanted.tag
    # No registry counts this one as a pull.
    digest, _ = registry.head_manifest_and_response(version)
    if wanted.digest:
        return wanted.digest
    if digest and _DIGEST.fullmatch(digest):
        return str(digest)
    _, response = registry.get_manifest_and_response(version)
    return f"sha256:{hashlib.sha256(response.content).hexdigest()}"


def _patiently(ask: Callable[[], str], sleep: Callable[[float], None]) -> str:
    """The answer of a registry that may be out of order for a moment."""
    for pause in _PAUSES:
        try:
            return ask()
        except requests.HTTPError as error:
            if error.response is None or error.response.status_code < 500:
                raise
        sleep(pause)
    return ask()


def _authentication(own: Login | None) -> Callable[[Any, requests.Response], None]:
    def authenticate(registry: Any, response: requests.Response) -> None:
        registry.authenticate(
            username=own.user if own else None,
            password=own.password if own else None,
            actions=["pull"],
            response=response,
        )

    return authenticate


def _bundle() -> str | bool:
    """The certificates that other programs of this machine trust; else those that came along."""
    paths = [ssl.get_default_verify_paths().cafile, *_BUNDLES]
    return next((path for path in paths if path and Path(path).is_file()), True)


def _unreachable(wanted: Reference, error: Exception) -> str:
    if _DISTRUST in str(error):
        return (
            f"{wanted.host} shows a certificate that this machine does not trust; if it is your "
            "site's own, have SSL_CERT_FILE name its authority."
        )
    return (
        f"{wanted.host} can't be reached from this machine, so {wanted} can't be pulled: pull it "
        "where there is a network (container.pull = job, or another machine), or add it as a file: "
        f"cromwell-userdb images add FILE {wanted}"
    )


def _refused(wanted: Reference, own: Login | None) -> str:
    if own:
        return (
            f"{wanted.host} has no {wanted.path}, or does not give it to {own.user} "
            f"(login from {own.origin})."
        )
    return (
        f"{wanted.host} has no {wanted.path}, or gives it only to those who log in: "
        f"apptainer registry login docker://{wanted.host}, docker login or podman login."
    )


def _answered(wanted: Reference, own: Login | None, status: int) -> str:
    if status == requests.codes.not_found:
        what = f"version {wanted.version} of {wanted.path}" if wanted.version else wanted.path
        return f"There is no such image: {wanted.host} has no {what}."
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        return _refused(wanted, own)
    if status == requests.codes.too_many_requests:
        more = "" if own else " or log in (apptainer registry login, docker login, podman login)"
        return f"{wanted.host} wants no more questions for a while: wait{more}."
    return f"{wanted.host} is out of order (it answered {status}): try again later."


def login(host: str, environ: Mapping[str, str]) -> Login | None:
    """The user's own login for the registry, as other programs have kept it."""
    for name in ("APPTAINER", "SINGULARITY"):
        user = environ.get(f"{name}_DOCKER_USERNAME")
        password = environ.get(f"{name}_DOCKER_PASSWORD")
        if user and password:
            return Login(user, password, "")
    for path in login_files(environ):
        if found := _login_in(path, host):
            return found
    return None


def login_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Apptainer, Singularity, Podman and Docker keep logins, in this order."""
    home = Path(environ.get("HOME") or Path("~").expanduser())
    yield home / ".apptainer/docker-config.json"
    yield home / ".singularity/docker-config.json"
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers/auth.json"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _login_in(path: Path, host: str) -> Login | None:
    """The login that one file has for the registry, or the program it names for that."""
    if not os.access(path, os.R_OK):
        return None
    try:
        known = docker.auth.load_config(config_path=str(path))
        found = known.resolve_authconfig(host) or {}
    except (DockerException, OSError, ValueError, AttributeError):
        return None
    user = found.get("username") or found.get("Username") or ""
    password = found.get("password") or found.get("Password") or ""
    return Login(user, password, str(path)) if user and password else None


def login_file(host: str, own: Login) -> str:
    """The text of a file that tells this one login to Apptainer."""
    both = base64.b64encode(f"{own.user}:{own.password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": both}}})
