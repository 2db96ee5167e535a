"""Installing a release from a server that is slow, cuts, lies or is not there at all."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cromwell_userdb import releases
from cromwell_userdb.errors import DownloadFailed, Held, NoSpace, UsageError


def a_jar(size: int) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as jar:
        jar.writestr("cromwell-version.conf", 'cromwell.version: "99"')
        jar.writestr("padding", bytes(i * i % 251 for i in range(size)))
    return data.getvalue()


JAR = a_jar(3_000_000)
SHA256 = hashlib.sha256(JAR).hexdigest()


class Shop(ThreadingHTTPServer):
    """Serves JAR at any path; `cuts` are the bytes after which connections break off."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.cuts: list[int] = []
        self.asked: list[tuple[str, str | None]] = []
        self.knows_ranges = True
        self.status = 200
        self.goods = JAR

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{{version}}/cromwell-{{version}}.jar"


class Answer(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        shop = self.server
        wanted = self.headers.get("Range")
        shop.asked.append((self.path, wanted))
        first = int(wanted[6:-1]) if wanted and shop.knows_ranges else 0
        if shop.status != 200 or first >= len(shop.goods):
            self.send_response(416 if shop.status == 200 else shop.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(shop.goods) - first))
        self.end_headers()
        cut = shop.cuts.pop(0) if shop.cuts else len(shop.goods)
        self.wfile.write(shop.goods[first : first + cut])
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(monkeypatch) -> Iterator[Shop]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Shop() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def install(shop, cache):
    """Installs Cromwell 99 from the shop without waiting between attempts."""

    def act(**options):
        defaults = {"template": shop.template, "sha256": SHA256, "sleep": lambda seconds: None}
        return releases.install("99", cache, **{**defaults, **options})

    return act


def starts(shop: Shop) -> list[int]:
    """The first byte that each request asked for."""
    return [int(wanted[6:-1]) for _, wanted in shop.asked if wanted]


def test_a_release_is_where_its_number_says():
    assert releases.url("92").endswith("/92/cromwell-92.jar")
    assert releases.url("92", "http://mirror/{version}.jar") == "http://mirror/92.jar"


def test_every_known_release_has_a_checksum_and_one_of_them_is_the_default():
    assert all(len(bytes.fromhex(digest)) == 32 for digest in releases.known().values())
    assert releases.default() in releases.known()
    assert list(releases.known()) == sorted(releases.known(), key=int, reverse=True)


def test_a_download_ends_whole_private_and_is_told_on_the_way(install, shop, cache):
    told: list[tuple[int, int]] = []
    jar = install(progress=lambda done, total: told.append((done, total)))
    assert jar.read_bytes() == JAR
    assert jar.stat().st_mode & 0o777 == 0o600
    assert jar.parent.stat().st_mode & 0o777 == 0o700
    assert told[-1] == (len(JAR), len(JAR))
    assert [path.name for path in jar.parent.iterdir()] == ["cromwell-99.jar"]
    assert releases.installed(cache) == {"99": jar}


def test_what_is_there_is_not_fetched_again(install, shop):
    install()
    install()
    assert len(shop.asked) == 1


def test_a_cut_connection_goes_on_where_it_ended(install, shop):
    shop.cuts = [1_000_000, 500_000]
    assert install().read_bytes() == JAR
    assert starts(shop) == [0, 15 << 16, 22 << 16]


def test_a_later_command_goes_on_where_an_earlier_one_gave_up(install, shop, cache):
    shop.cuts = [700_000, *[0] * 10]
    with pytest.raises(DownloadFailed, match="What came is kept"):
        install()
    shop.cuts = []
    assert install().read_bytes() == JAR
    assert starts(shop)[-1] == 10 << 16


def test_a_server_without_ranges_starts_over(install, shop):
    shop.knows_ranges = False
    shop.cuts = [1_000_000]
    assert install().read_bytes() == JAR


def test_a_part_of_something_else_is_thrown_away(install, cache):
    part = releases.place(cache, "99").with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert install().read_bytes() == JAR


def test_a_part_that_was_whole_already_is_only_checked(install, shop, cache):
    part = releases.place(cache, "99").with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(JAR)
    assert install().read_bytes() == JAR
    assert len(shop.asked) == 1


def test_a_wrong_checksum_leaves_nothing(install, cache):
    with pytest.raises(DownloadFailed, match="is not the release it should be"):
        install(sha256="0" * 64)
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_wrong_checksum_leaves_the_jar_that_was_there(install, shop):
    jar = install()
    shop.goods = JAR[::-1]
    with pytest.raises(DownloadFailed):
        install(sha256="0" * 64)
    assert jar.read_bytes() == JAR


def test_an_unknown_release_needs_a_checksum_or_a_word(install):
    with pytest.raises(UsageError, match=r"--sha256.*--no-verify"):
        install(sha256="")
    assert install(sha256="", verify=False).read_bytes() == JAR


def test_a_page_in_place_of_a_jar_is_refused_even_unverified(install, shop, cache):
    shop.goods = b"<html>please log in</html>"
    with pytest.raises(DownloadFailed, match="no jar"):
        install(sha256="", verify=False)
    assert not releases.installed(cache)


def test_a_release_that_is_not_there_is_not_asked_for_twice(install, shop):
    shop.status = 404
    with pytest.raises(DownloadFailed, match="answered 404"):
        install()
    assert len(shop.asked) == 1


def test_a_server_in_trouble_is_asked_again(install, shop):
    shop.status = 503
    with pytest.raises(DownloadFailed, match="broke off 5 times"):
        install()
    assert len(shop.asked) == 5


def test_nobody_there_is_said_in_one_sentence(install):
    with pytest.raises(DownloadFailed, match=r"could not be reached.*--from"):
        install(template="http://127.0.0.1:1/{version}.jar")


def test_the_proxy_of_the_environment_is_asked(install, shop, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{shop.server_port}")
    assert install(template="http://far.example/{version}.jar").read_bytes() == JAR
    assert shop.asked[0][0] == "http://far.example/99.jar"


def test_a_file_is_taken_where_there_is_no_internet(install, shop, tmp_path):
    (tmp_path / "brought.jar").write_bytes(JAR)
    jar = install(from_file=tmp_path / "brought.jar")
    assert jar.read_bytes() == JAR
    assert jar.stat().st_mode & 0o777 == 0o600
    assert not shop.asked


def test_a_file_is_checked_and_has_to_be_there(install, tmp_path):
    (tmp_path / "brought.jar").write_bytes(JAR[:-1])
    with pytest.raises(DownloadFailed, match=r"brought\.jar is not the release"):
        install(from_file=tmp_path / "brought.jar")
    with pytest.raises(UsageError, match="can't be read"):
        install(from_file=tmp_path / "nothing.jar")


def test_two_at_once_are_told_apart(install, cache):
    with releases._part(_folder(cache)), pytest.raises(Held, match="Another command"):
        install()


def _folder(cache: Path) -> Path:
    place = releases.place(cache, "99")
    place.parent.mkdir(parents=True)
    return place


def test_a_full_disk_is_called_so(install, monkeypatch):
    with pytest.raises(NoSpace, match="no room"):
        install(progress=_full)


def _full(done: int, total: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("version", ["../../etc", "", "92 ", "a/b"])
def test_a_version_is_no_path(cache, version):
    with pytest.raises(UsageError, match="is no version"):
        releases.install(version, cache)


def test_installed_ones_come_in_their_order(cache):
    for version in ("92", "100", "9"):
        jar = releases.place(cache, version)
        jar.parent.mkdir(parents=True)
        jar.touch()
    assert list(releases.installed(cache)) == ["9", "92", "100"]
