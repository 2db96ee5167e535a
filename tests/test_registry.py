"""Registries: what they have for a name, with the user's own login, in words where they refuse."""

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from registries import PASSWORD, USER, certificate

from cromwell_userdb.errors import DownloadFailed
from cromwell_userdb.reference import parse
from cromwell_userdb.registry import Login, login, look_up

BOTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def kept_in(path, host, both=BOTH):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {host: {"auth": both}}}))


def test_the_digest_of_a_tag_is_the_registrys(registry):
    digest = registry.push("team/tool", "1.0")
    found = look_up(parse(f"{registry.host}/team/tool:1.0"), {})
    assert (found.digest, found.plain) == (digest, True)
    assert look_up(parse(f"{registry.host}/team/tool@{digest}"), {}).digest == digest


@pytest.mark.parametrize("name", ["team/tool:2.0", "team/nothing:1.0", f"x@sha256:{'0' * 64}"])
def test_what_is_not_there_is_said_so(registry, name):
    registry.push("team/tool", "1.0")
    with pytest.raises(DownloadFailed, match=f"There is no such image: {registry.host} has no"):
        look_up(parse(f"{registry.host}/{name}"), {})


def test_a_registry_that_nobody_reaches_is_said_with_a_way_on():
    words = r"127\.0\.0\.1:9 can't be reached.*container\.pull.*images add FILE 127"
    with pytest.raises(DownloadFailed, match=words):
        look_up(parse("127.0.0.1:9/x"), {})


@pytest.mark.parametrize(
    "path",
    [
        ".docker/config.json",
        ".apptainer/docker-config.json",
        ".singularity/docker-config.json",
        ".config/containers/auth.json",
    ],
)
def test_a_login_is_taken_from_where_programs_keep_it(private, monkeypatch, tmp_path, path):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    digest = private.push("mine", "1")
    kept_in(tmp_path / path, private.host)
    found = look_up(parse(f"{private.host}/mine:1"), {"HOME": str(tmp_path)})
    assert (found.digest, found.plain) == (digest, False)
    assert found.login and found.login.origin == str(tmp_path / path)
    assert PASSWORD not in repr(found)


def test_who_has_no_login_is_told_how_to_get_one(private, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    private.push("mine", "1")
    with pytest.raises(DownloadFailed, match="only to those who log in: apptainer registry login"):
        look_up(parse(f"{private.host}/mine:1"), {"HOME": str(tmp_path)})


def test_a_login_that_is_refused_is_named_without_its_password(private, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(private.trust))
    kept_in(tmp_path / ".docker/config.json", private.host, base64.b64encode(b"ada:old").decode())
    with pytest.raises(DownloadFailed, match=r"not give it to ada \(login from .*config\.json\)"):
        look_up(parse(f"{private.host}/mine:1"), {"HOME": str(tmp_path)})


def test_a_certificate_that_nobody_vouches_for_is_no_missing_network(private, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(DownloadFailed, match="certificate that this machine does not trust"):
        look_up(parse(f"{private.host}/mine:1"), {})


def test_the_hubs_login_is_found_under_its_old_address(tmp_path):
    kept_in(tmp_path / ".docker/config.json", "https://index.docker.io/v1/")
    found = login(parse("ubuntu").host, {"HOME": str(tmp_path)})
    assert found == Login(USER, PASSWORD, str(tmp_path / ".docker/config.json"))


def test_a_program_that_keeps_logins_is_asked(tmp_path, monkeypatch):
    helper = tmp_path / "docker-credential-safe"
    helper.write_text(f'#!/bin/sh\necho \'{{"Username": "{USER}", "Secret": "{PASSWORD}"}}\'\n')
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = tmp_path / ".docker/config.json"
    config.parent.mkdir()
    config.write_text('{"credHelpers": {"quay.io": "safe"}}')
    assert login("quay.io", {"HOME": str(tmp_path)}) == Login(USER, PASSWORD, str(config))


@pytest.mark.parametrize("text", ["", "no JSON", '{"auths": {"quay.io": {"auth": "??"}}}', "[]"])
def test_a_broken_file_of_logins_is_no_login(tmp_path, text):
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(text)
    assert login("quay.io", {"HOME": str(tmp_path)}) is None


class Hub(http.server.BaseHTTPRequestHandler):
    """A registry that gives tokens to whoever asks, as the great public ones do."""

    seen: list[tuple[str, str]]
    status = 200
    digest = f"sha256:{'ab' * 32}"

    def do_HEAD(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        if self.status != 200:
            self.answer(self.status)
        elif self.headers.get("Authorization") == "Bearer t0ken":
            self.answer(200, **{"Docker-Content-Digest": self.digest})
        else:
            place = f"https://{self.headers['Host']}/token"
            words = f'Bearer realm="{place}",service="hub",scope="repository:a/b:pull"'
            self.answer(401, **{"WWW-Authenticate": words})

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        self.answer(200, json.dumps({"token": "t0ken"}))

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[str]:
    context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "crt.pem"))
    monkeypatch.setattr(Hub, "seen", [], raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_token_is_asked_for_where_a_registry_wants_one(hub):
    assert look_up(parse(f"{hub}/a/b:1"), {}).digest == f"sha256:{'ab' * 32}"
    asked = [path.partition("?")[0] for path, _ in Hub.seen]
    assert asked == ["/v2/a/b/manifests/1", "/token", "/v2/a/b/manifests/1"]
    assert not Hub.seen[1][1]


def test_the_login_is_shown_only_to_who_gives_the_token(hub, tmp_path):
    kept_in(tmp_path / ".docker/config.json", hub)
    look_up(parse(f"{hub}/a/b:1"), {"HOME": str(tmp_path)})
    assert [words.partition(" ")[0] for _, words in Hub.seen] == ["", "Basic", "Bearer"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (429, "no more questions for a while: wait or log in"),
        (403, "only to those who log in"),
        (503, r"out of order \(it answered 503\)"),
    ],
)
def test_each_refusal_has_its_own_words(hub, monkeypatch, status, words):
    monkeypatch.setattr(Hub, "status", status)
    pauses: list[float] = []
    with pytest.raises(DownloadFailed, match=words):
        look_up(parse(f"{hub}/a/b:1"), {}, sleep=pauses.append)
    assert len(pauses) == (2 if status == 503 else 0)


@pytest.mark.parametrize("digest", ["", "sha256:../../../tmp/x", "sha512:abcd"])
def test_a_digest_that_is_none_is_made_from_what_comes(hub, monkeypatch, digest):
    monkeypatch.setattr(Hub, "digest", digest)
    own = hashlib.sha256(json.dumps({"token": "t0ken"}).encode()).hexdigest()
    assert look_up(parse(f"{hub}/a/b:1"), {}).digest == f"sha256:{own}"
