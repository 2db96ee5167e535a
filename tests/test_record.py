"""Facts on disk: whole, private, and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

from cromwell_userdb import record


def test_a_cache_of_our_own_is_private_from_the_first_folder_we_make(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = os.umask(0)
    try:
        folder = record.own_cache("grammar")
    finally:
        os.umask(before)
    assert folder
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.parents[:2])} == {0o700}


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert record.own_cache("grammar") is None
