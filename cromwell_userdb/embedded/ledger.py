"""Rows on their way to Cromwell's tables: gathered, written in one transaction, never lost.

The database may go away and come back: rows wait for it, and the run goes on meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cromwell_userdb import database
from cromwell_userdb.database import Connection
from cromwell_userdb.embedded.cache import Hashes, Simpleton
from cromwell_userdb.embedded.errors import DatabaseAway
from cromwell_userdb.embedded.log import say, warn
from cromwell_userdb.embedded.values import java_double
from cromwell_userdb.errors import DatabaseError, NoSpace, NotRunning

PATIENCE = 60.0
"""Seconds that the database may be away, or write nothing, before the run stops."""

HASTE = 10.0
"""The same where the run is aborted."""

KEY_LENGTH = 255
"""Letters that a key of Cromwell's tables may have."""

_METADATA = """
INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, METADATA_KEY, CALL_FQN, JOB_SCATTER_INDEX,
  JOB_RETRY_ATTEMPT, METADATA_VALUE, METADATA_TIMESTAMP, METADATA_VALUE_TYPE)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_SUMMARY = """
INSERT INTO WORKFLOW_METADATA_SUMMARY_ENTRY (WORKFLOW_EXECUTION_UUID, WORKFLOW_NAME,
  WORKFLOW_STATUS, START_TIMESTAMP, END_TIMESTAMP, SUBMISSION_TIMESTAMP,
  PARENT_WORKFLOW_EXECUTION_UUID, ROOT_WORKFLOW_EXECUTION_UUID)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON DUPLICATE KEY UPDATE WORKFLOW_NAME = VALUES(WORKFLOW_NAME),
  WORKFLOW_STATUS = VALUES(WORKFLOW_STATUS), END_TIMESTAMP = VALUES(END_TIMESTAMP),
  START_TIMESTAMP = COALESCE(START_TIMESTAMP, VALUES(START_TIMESTAMP)),
  SUBMISSION_TIMESTAMP = COALESCE(SUBMISSION_TIMESTAMP, VALUES(SUBMISSION_TIMESTAMP))
"""
_LABEL = """
INSERT INTO CUSTOM_LABEL_ENTRY (CUSTOM_LABEL_KEY, CUSTOM_LABEL_VALUE, WORKFLOW_EXECUTION_UUID)
VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE CUSTOM_LABEL_VALUE = VALUES(CUSTOM_LABEL_VALUE)
"""
_KEY_VALUE = """
INSERT INTO JOB_KEY_VALUE_ENTRY (WORKFLOW_EXECUTION_UUID, CALL_FULLY_QUALIFIED_NAME, JOB_INDEX,
  JOB_ATTEMPT, STORE_KEY, STORE_VALUE)
VALUES (%s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE STORE_VALUE = VALUES(STORE_VALUE)
"""
_ENTRY = """
INSERT IGNORE INTO CALL_CACHING_ENTRY (WORKFLOW_EXECUTION_UUID, CALL_FULLY_QUALIFIED_NAME,
  JOB_INDEX, RETURN_CODE, ALLOW_RESULT_REUSE, JOB_ATTEMPT, CREATED_AT)
VALUES (%s, %s, %s, %s, 1, %s, UTC_TIMESTAMP(6))
"""
_AGGREGATION = """
INSERT INTO CALL_CACHING_AGGREGATION_ENTRY (CALL_CACHING_ENTRY_ID, BASE_AGGREGATION,
  INPUT_FILES_AGGREGATION) VALUES (%s, %s, %s)
"""
_HASH = """
INSERT INTO CALL_CACHING_HASH_ENTRY (CALL_CACHING_ENTRY_ID, HASH_KEY, HASH_VALUE)
VALUES (%s, %s, %s)
"""
_SIMPLETON = """
INSERT INTO CALL_CACHING_SIMPLETON_ENTRY (CALL_CACHING_ENTRY_ID, SIMPLETON_KEY, SIMPLETON_VALUE,
  WDL_TYPE) VALUES (%s, %s, %s, %s)
"""
_DETRITUS = """
INSERT INTO CALL_CACHING_DETRITUS_ENTRY (CALL_CACHING_ENTRY_ID, DETRITUS_KEY, DETRITUS_VALUE)
VALUES (%s, %s, %s)
"""


class CallId(NamedTuple):
    """One attempt of one call; `shard` is None outside of scatters."""

    workflow: str
    name: str
    shard: int | None
    attempt: int

    @property
    def job_index(self) -> int:
        """As the tables of jobs and of the cache have it."""
        return -1 if self.shard is None else self.shard

    def __str__(self) -> str:
        return f"{self.name}:{'NA' if self.shard is None else self.shard}:{self.attempt}"


class Summary(NamedTuple):
    """A workflow's row for those who list workflows."""

    workflow: str
    name: str | None
    status: str
    start: datetime | None
    end: datetime | None
    submission: datetime | None
    parent: str | None
    root: str | None


class CacheEntry(NamedTuple):
    """A call's results, to be found again by what made them."""

    call: CallId
    return_code: int
    hashes: Hashes
    simpletons: tuple[Simpleton, ...]
    detritus: tuple[tuple[str, str], ...]


@dataclass
class Ledger:
    """`connect` opens a new connection; it, and writing, may fail for `patience` seconds on end."""

    connect: Callable[[], Connection]
    patience: float = PATIENCE
    clock: Callable[[], float] = time.monotonic
    _connection: Connection | None = None
    _away_since: float | None = None
    _asked: float = float("-inf")
    _flushed: float = float("-inf")
    _metadata: list[tuple[Any, ...]] = field(default_factory=list)
    _summaries: dict[str, Summary] = field(default_factory=dict)
    _labels: list[tuple[Any, ...]] = field(default_factory=list)
    _values: list[tuple[Any, ...]] = field(default_factory=list)
    _entries: list[CacheEntry] = field(default_factory=list)
    _last: int = 0

    def metadata(self, workflow: str, key: str, value: Any, call: CallId | None = None) -> None:
        """Note `value`, as JSON has it, under `key`."""
        about = (call.name, call.shard, call.attempt) if call else (None, None, None)
        stamp = self._stamp()
        for name, text, kind in cells(key, value):
            self._metadata.append((workflow, fitting(name), *about, text, stamp, kind))

    def summary(self, summary: Summary) -> None:
        self._summaries[summary.workflow] = summary

    def label(self, workflow: str, key: str, value: str) -> None:
        self._labels.append((fitting(key), value[:255], workflow))
        self.metadata(workflow, f"labels:{escaped(key)}", value)

    def key_value(self, call: CallId, key: str, value: str) -> None:
        about = (call.workflow, call.name, call.job_index, call.attempt)
        self._values.append((*about, key, value[:255]))

    def cache(self, entry: CacheEntry) -> None:
        self._entries.append(entry)

    def connection(self) -> Connection | None:
        """The connection, opened if need be, or None while the database is away."""
        if self._connection is None and self.clock() - self._asked >= 1.0:
            self._asked = self.clock()
            try:
                self._connection = self.connect()
            except (NotRunning, DatabaseError) as error:
                self._lose(error)
            else:
                # A disk that is full lets everybody in, and writes nothing.
                if not self._waits:
                    self._found()
        return self._connection

    @contextlib.contextmanager
    def using(self) -> Iterator[Connection | None]:
        """The connection for a question; when it is lost on the way, the answer is none."""
        try:
            yield self.connection()
        except database.Error as error:
            self._lose(error)  # a full disk and a deadlock pass as well

    def flush(self, *, every: float = 0.0) -> None:
        """Write what waits, unless that was done in the last `every` seconds.

        Raises DatabaseAway when it has been so for too long.
        """
        if not self._waits or self.clock() - self._flushed < every:
            return
        with self.using() as connection:
            if connection is not None:
                with database.transaction(connection):
                    self._write(connection)
                self._flushed = self.clock()
                self._forget()
                self._found()

    def hurry(self) -> None:
        """Somebody wants to see the end: be less patient from now on."""
        self.patience = min(self.patience, HASTE)

    def finish(self) -> None:
        """Write all that waits, and wait for a database that is away; raises DatabaseAway."""
        while self._waits:
            self.flush()
            if self._waits:
                time.sleep(0.2)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(database.Error):
                self._connection.close()
            self._connection = None

    @property
    def _waits(self) -> bool:
        return bool(
            self._metadata or self._summaries or self._labels or self._values or self._entries
        )

    def _stamp(self) -> datetime:
        """A moment later than any before: of two rows with one key the later one holds."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return datetime.fromtimestamp(self._last / 1e6, UTC).replace(tzinfo=None)

    def _lose(self, error: Exception) -> None:
        self.close()
        now = self.clock()
        if self._away_since is None:
            self._away_since = now
            warn(
                "The database takes no rows; they wait for it, "
                f"{self.patience:g} seconds at most: {error}"
            )
        if now - self._away_since > self.patience:
            raise DatabaseAway(_last_words(error, self.patience)) from error

    def _found(self) -> None:
        if self._away_since is not None:
            say("The database takes rows again.")
        self._away_since = None

    def _forget(self) -> None:
        for waiting in (self._metadata, self._labels, self._values, self._entries):
            waiting.clear()
        self._summaries.clear()

    def _write(self, connection: Connection) -> None:
        database.execute_many(connection, _SUMMARY, list(self._summaries.values()))
        database.execute_many(connection, _LABEL, self._labels)
        for start in range(0, len(self._metadata), 5000):
            database.execute_many(connection, _METADATA, self._metadata[start : start + 5000])
        database.execute_many(connection, _KEY_VALUE, self._values)
        _write_entries(connection, self._entries)


def _last_words(error: Exception, patience: float) -> str:
    """Why the run stops, and what to do before it goes on."""
    explained = database.explained(error)
    if isinstance(explained, NoSpace):
        return (
            f"The disk of the database has been full for {patience:g} seconds. Jobs that run were "
            "left to themselves; make some room, and resume the run."
        )
    if isinstance(error, NotRunning) or explained:
        return (
            f"The database has been away for {patience:g} seconds. Jobs that run were left to "
            "themselves; resume the run when the database is back."
        )
    return (
        f"The database has refused to write for {patience:g} seconds: {error}. Jobs that run were "
        "left to themselves; resume the run when that is mended."
    )


def _write_entries(connection: Connection, entries: Sequence[CacheEntry]) -> None:
    aggregations: list[tuple[Any, ...]] = []
    hashes: list[tuple[Any, ...]] = []
    leaves: list[tuple[Any, ...]] = []
    remains: list[tuple[Any, ...]] = []
    for entry in entries:
        call = entry.call
        row = (call.workflow, call.name, call.job_index, entry.return_code, call.attempt)
        with connection.cursor() as cursor:
            # None is new when a commit got through whose answer was lost.
            if not cursor.execute(_ENTRY, row):
                continue
            id = cursor.lastrowid
        aggregations.append((id, entry.hashes.base, entry.hashes.files))
        pairs = (*entry.hashes.entries, *entry.hashes.extra)
        apart = {collated(key): (id, fitting(key), value) for key, value in pairs}
        hashes += apart.values()
        leaves += [(id, *leaf) for leaf in entry.simpletons]
        remains += [(id, *pair) for pair in entry.detritus]
    database.execute_many(connection, _AGGREGATION, aggregations)
    database.execute_many(connection, _HASH, hashes)
    database.execute_many(connection, _SIMPLETON, leaves)
    database.execute_many(connection, _DETRITUS, remains)


def cells(key: str, value: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Key, text and type of each row that Cromwell makes of a JSON value.

    >>> list(cells("outputs", {"w.xs": [2.5], "w.none": []}))
    [('outputs:w.xs[0]', '2.5', 'number'), ('outputs:w.none[]', None, None)]
    """
    if isinstance(value, dict):
        if not value:
            yield key, None, None
        for name, below in value.items():
            yield from cells(f"{key}:{escaped(str(name))}", below)
    elif isinstance(value, list):
        if not value:
            yield f"{key}[]", None, None
        for i, below in enumerate(value):
            yield from cells(f"{key}[{i}]", below)
    elif value is None:
        yield key, None, "null"
    elif isinstance(value, bool):
        yield key, str(value).lower(), "boolean"
    elif isinstance(value, int):
        yield key, str(value), "int"
    elif isinstance(value, float):
        yield key, java_double(value), "number"
    else:
        yield key, str(value), "string"


def fitting(key: str) -> str:
    """A key that fits: a longer one keeps its beginning."""
    if len(key) <= KEY_LENGTH:
        return key
    return f"{key[:220]}…{hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()}"


def collated(key: str) -> str:
    """What the tables compare of a key: no case, no accents, one letter for all beyond 16 bits."""
    letters = unicodedata.normalize("NFKD", key).casefold().rstrip(" ")
    return "".join(
        "?" if ord(letter) > 0xFFFF else letter
        for letter in letters
        if not unicodedata.combining(letter)
    )


def escaped(name: str) -> str:
    """A name as one step of a key."""
    for letter in ":[]":
        name = name.replace(letter, f"\\{letter}")
    return name
