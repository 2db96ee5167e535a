"""The call cache in a run: whether a call may use it, what it finds, what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import WDL

from cromwell_userdb.embedded import cache
from cromwell_userdb.embedded.cache import FileHashes, Hashes
from cromwell_userdb.embedded.errors import EVALUATION, words_of
from cromwell_userdb.embedded.flow import Attempt
from cromwell_userdb.embedded.job import Place
from cromwell_userdb.embedded.ledger import KEY_LENGTH, CacheEntry, Ledger, collated
from cromwell_userdb.embedded.log import warn
from cromwell_userdb.embedded.options import Options
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.record import Record
from cromwell_userdb.embedded.values import Values


class Found(NamedTuple):
    """Outputs from the cache, their files at `place`."""

    outputs: Values
    return_code: int
    place: Place


@dataclass
class Caching:
    """Reads and writes Cromwell's tables of cached calls as `options` allow."""

    provider: Provider
    options: Options
    ledger: Ledger
    record: Record
    hash_file: FileHashes

    @property
    def must_wait(self) -> bool:
        """Whether there is nobody to ask: no answer is no miss."""
        return self.options.read_from_cache and self.ledger.connection() is None

    def mode(self, attempt: Attempt) -> str:
        """Cromwell's name for what the cache does for this attempt."""
        said = attempt.plan.task.meta.get("volatile")
        volatile = isinstance(said, WDL.Expr.Boolean) and said.value
        read = self.options.read_from_cache and attempt.call.attempt == 1 and not volatile
        write = self.options.write_to_cache and not volatile
        if read:
            return "ReadAndWriteCache" if write else "ReadCache"
        return "WriteCache" if write else "CallCachingOff"

    def hash(self, attempt: Attempt) -> None:
        """Work out what counts for the call, unless the cache is off for it."""
        if self.mode(attempt) == "CallCachingOff":
            return
        try:
            attempt.hashes = cache.hashes_of(attempt.ready_prepared, self.provider, self.hash_file)
        except OSError as error:
            warn(f"{attempt.call} is not cached: {words_of(error)}")

    def find(self, attempt: Attempt) -> Found | None:
        """The newest result that fits and whose files are still there."""
        if attempt.hashes is None or not self.mode(attempt).startswith("Read"):
            return None
        found, name = self._hit(attempt, attempt.hashes)
        self.record.cache_answered(attempt.call, name)
        return found

    def _hit(self, attempt: Attempt, hashes: Hashes) -> tuple[Found | None, str | None]:
        place = attempt.copy_place
        with self.ledger.using() as connection:
            if connection is None:
                return None, None
            found = cache.hits(
                connection,
                hashes,
                max_age_days=self.options.max_age_days,
                below=self.options.cache_prefixes,
            )
            for hit in found:
                try:
                    outputs = cache.take(
                        hit, attempt.ready_prepared, place, self.provider.duplication
                    )
                except EVALUATION as error:
                    warn(f"{attempt.call} can't use {hit.name}: {words_of(error)}")
                else:
                    return Found(outputs, hit.return_code or 0, place), hit.name
        return None, None

    def keep(self, attempt: Attempt, outputs: Values, code: int, place: Place) -> None:
        """Leave the call's results for others, if the cache may be written for it."""
        if attempt.hashes is None or "Write" not in self.mode(attempt):
            return
        leaves = [leaf for one in outputs for leaf in cache.simpletons(one.name, one.value)]
        if not _are_storable([key for key, _, _ in leaves]):
            warn(f"{attempt.call} is not cached: the tables can't tell keys of its outputs apart.")
            return
        detritus = {
            "callRootPath": place.root,
            "script": place.script,
            "stdout": place.stdout,
            "stderr": place.stderr,
            "returnCode": place.rc,
        }
        self.ledger.cache(
            CacheEntry(
                call=attempt.call,
                return_code=code,
                hashes=attempt.hashes,
                simpletons=tuple(leaves),
                detritus=tuple((key, str(path)) for key, path in detritus.items()),
            )
        )


def _are_storable(keys: list[str]) -> bool:
    """Whether the tables can hold these keys side by side."""
    short = all(len(key) <= KEY_LENGTH for key in keys)
    return short and len({collated(key) for key in keys}) == len(keys)
