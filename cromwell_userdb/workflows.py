"""Workflows as Cromwell's tables know them: found, listed, labelled.

The journal (METADATA_ENTRY) is the truth. The summary is an index of it that lags behind by a
second, for ever where an engine was killed, and may be wrong where two engines wrote at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cromwell_userdb import database
from cromwell_userdb.database import Connection, columns, execute, rows
from cromwell_userdb.errors import UsageError
from cromwell_userdb.journal import ENDS, Entry, greatest, moment, newest

_KEYS = (
    "workflowName",
    "status",
    "submission",
    "start",
    "end",
    "parentWorkflowId",
    "rootWorkflowId",
)

_FACTS = """
    SELECT WORKFLOW_EXECUTION_UUID, METADATA_KEY, METADATA_VALUE, METADATA_VALUE_TYPE
      FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %(ids)s AND METADATA_KEY IN %(keys)s AND CALL_FQN IS NULL
     ORDER BY METADATA_TIMESTAMP, METADATA_JOURNAL_ID
"""

_STATUS = """
    SELECT METADATA_VALUE FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s AND METADATA_KEY = 'status' AND CALL_FQN IS NULL
"""

_LABELLED = """
    SELECT WORKFLOW_EXECUTION_UUID FROM CUSTOM_LABEL_ENTRY
     WHERE CUSTOM_LABEL_KEY = %s AND CUSTOM_LABEL_VALUE = %s
     ORDER BY CUSTOM_LABEL_ENTRY_ID
"""

# No index begins with the key: only the newest rows are looked at, as those of a
# workflow that the summary does not know yet must be.
_LABELLED_LATELY = """
    SELECT WORKFLOW_EXECUTION_UUID FROM METADATA_ENTRY
     WHERE METADATA_JOURNAL_ID > (SELECT MAX(METADATA_JOURNAL_ID) - 200000 FROM METADATA_ENTRY)
       AND METADATA_KEY = %s AND METADATA_VALUE = %s
     ORDER BY METADATA_JOURNAL_ID LIMIT 1
"""

_LABELS = """
    SELECT METADATA_KEY, METADATA_VALUE FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s AND METADATA_KEY LIKE 'labels:%%' AND CALL_FQN IS NULL
     ORDER BY METADATA_TIMESTAMP, METADATA_JOURNAL_ID
"""

_RECENT = """
    SELECT s.WORKFLOW_EXECUTION_UUID FROM WORKFLOW_METADATA_SUMMARY_ENTRY s
     WHERE {orphans}
       AND (%(name)s IS NULL OR s.WORKFLOW_NAME = %(name)s)
       AND (%(key)s IS NULL OR EXISTS (
            SELECT 1 FROM CUSTOM_LABEL_ENTRY l
             WHERE l.WORKFLOW_EXECUTION_UUID = s.WORKFLOW_EXECUTION_UUID
               AND l.CUSTOM_LABEL_KEY = %(key)s AND l.CUSTOM_LABEL_VALUE = %(value)s))
     ORDER BY s.WORKFLOW_METADATA_SUMMARY_ENTRY_ID DESC LIMIT %(limit)s
"""

_UNSUMMARISED = """
    SELECT DISTINCT m.WORKFLOW_EXECUTION_UUID
      FROM SUMMARY_QUEUE_ENTRY q JOIN METADATA_ENTRY m USING (METADATA_JOURNAL_ID)
      LEFT JOIN WORKFLOW_METADATA_SUMMARY_ENTRY s USING (WORKFLOW_EXECUTION_UUID)
     WHERE s.WORKFLOW_EXECUTION_UUID IS NULL
"""

_SUMMARY = """
    SELECT WORKFLOW_EXECUTION_UUID, {columns} FROM WORKFLOW_METADATA_SUMMARY_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %s
"""

_CHILDREN = """
    SELECT METADATA_VALUE FROM METADATA_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID IN %s AND METADATA_KEY = 'subWorkflowId'
       AND METADATA_VALUE IS NOT NULL
     ORDER BY METADATA_JOURNAL_ID
"""

_STORED_LABELS = """
    SELECT CUSTOM_LABEL_KEY, CUSTOM_LABEL_VALUE FROM CUSTOM_LABEL_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s
"""

_ADD_LABEL = """
    INSERT INTO METADATA_ENTRY (WORKFLOW_EXECUTION_UUID, METADATA_KEY, METADATA_VALUE,
                                METADATA_TIMESTAMP, METADATA_VALUE_TYPE)
    VALUES (%s, %s, %s, UTC_TIMESTAMP(6), 'string')
"""

_QUEUE_LAST = "INSERT INTO SUMMARY_QUEUE_ENTRY (METADATA_JOURNAL_ID) VALUES (LAST_INSERT_ID())"

_KNOWN_LABEL = """
    SELECT CUSTOM_LABEL_ENTRY_ID FROM CUSTOM_LABEL_ENTRY
     WHERE WORKFLOW_EXECUTION_UUID = %s AND CUSTOM_LABEL_KEY = %s FOR UPDATE
"""

_CHANGE_LABEL = """
    UPDATE CUSTOM_LABEL_ENTRY SET CUSTOM_LABEL_VALUE = %s WHERE CUSTOM_LABEL_ENTRY_ID = %s
"""

_NEW_LABEL = """
    INSERT INTO CUSTOM_LABEL_ENTRY (WORKFLOW_EXECUTION_UUID, CUSTOM_LABEL_KEY, CUSTOM_LABEL_VALUE)
    VALUES (%s, %s, %s)
"""

_COLUMNS = {
    "name": "WORKFLOW_NAME",
    "status": "WORKFLOW_STATUS",
    "submitted": "SUBMISSION_TIMESTAMP",
    "started": "START_TIMESTAMP",
    "ended": "END_TIMESTAMP",
    "parent": "PARENT_WORKFLOW_EXECUTION_UUID",
    "root": "ROOT_WORKFLOW_EXECUTION_UUID",
}
"""Fields of a Workflow in the summary; old releases lack some."""


@dataclass(frozen=True)
class Workflow:
    """Times are aware, in UTC; what Cromwell has not written yet is None.

    A workflow that was refused has no name. Sub-workflows have a parent, a root, and no
    submission.
    """

    id: str
    name: str | None = None
    status: str | None = None
    submitted: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    parent: str | None = None
    root: str | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDS


def status(connection: Connection, id: str) -> str | None:
    """The status by the journal, as Cromwell counts; None before its first row is there."""
    if not columns(connection, "METADATA_ENTRY"):
        return None
    return greatest(text for (text,) in rows(connection, _STATUS, (id,)))


def get(connection: Connection, id: str) -> Workflow | None:
    """One workflow by its whole id, None where the tables know nothing of it."""
    return next(iter(_read(connection, [id])), None)


def find_by_label(connection: Connection, key: str, value: str) -> str | None:
    """Id of the first workflow that bears the label, also before the summary knows it."""
    if not columns(connection, "METADATA_ENTRY"):
        return None
    found = rows(connection, _LABELLED, (key, value)) or rows(
        connection, _LABELLED_LATELY, (f"labels:{key}", value)
    )
    return str(found[0][0]) if found else None


def recent(
    connection: Connection,
    limit: int = 20,
    *,
    name: str | None = None,
    label: tuple[str, str] | None = None,
    deep: bool = False,
) -> list[Workflow]:
    """Newest first; sub-workflows only when `deep`.

    A workflow whose engine died before its first summary is there too, unless one is asked
    for by `name` or `label`.
    """
    known = columns(connection, "WORKFLOW_METADATA_SUMMARY_ENTRY")
    if not known:
        return []
    orphans = "1" if deep or _COLUMNS["parent"] not in known else f"s.{_COLUMNS['parent']} IS NULL"
    key, value = label or (None, None)
    values = {"name": name, "key": key, "value": value, "limit": limit}
    ids = [id for (id,) in rows(connection, _RECENT.format(orphans=orphans), values)]
    if name is None and label is None and columns(connection, "SUMMARY_QUEUE_ENTRY"):
        ids += [id for (id,) in rows(connection, _UNSUMMARISED)]
    found = [one for one in _read(connection, ids) if deep or one.parent is None]
    return sorted(found, key=_age, reverse=True)[:limit]


def children(connection: Connection, id: str, *, deep: bool = False) -> list[Workflow]:
    """Sub-workflows in the order of their start; those of sub-workflows too when `deep`."""
    return _read(connection, descendants(connection, id, deep=deep))


def descendants(connection: Connection, id: str, *, deep: bool = True) -> list[str]:
    """Ids of the sub-workflows below `id`, one question for each level."""
    if not columns(connection, "METADATA_ENTRY"):
        return []
    found: dict[str, None] = {}
    level = [id]
    while level:
        below = [child for (child,) in rows(connection, _CHILDREN, (level,))]
        level = [child for child in dict.fromkeys(below) if child not in found]
        found |= dict.fromkeys(level)
        if not deep:
            break
    return list(found)


def labels(connection: Connection, id: str) -> dict[str, str]:
    """Labels by the journal; Cromwell's own "cromwell-workflow-id" is among them."""
    if not columns(connection, "METADATA_ENTRY"):
        return {}
    found = rows(connection, _LABELS, (id,))
    return {key.removeprefix("labels:"): value or "" for key, value in found}


def set_label(connection: Connection, id: str, key: str, value: str) -> None:
    """Write what Cromwell writes for a label: the journal, its queue, and the table of labels."""
    if not key or len(key) > 255 - len("labels:") or len(value) > 255:
        raise UsageError(
            f"The label {key[:40]!r} can't be kept: "
            "a key has 1 to 248 characters, a value up to 255."
        )
    queued = columns(connection, "SUMMARY_QUEUE_ENTRY")
    with database.transaction(connection):
        execute(connection, _ADD_LABEL, (id, f"labels:{key}", value))
        # A pending older value must not come over this one at the next summary.
        if queued:
            execute(connection, _QUEUE_LAST)
        if rows(connection, _SUMMARY.format(columns="WORKFLOW_STATUS"), ([id],)):
            _put_label(connection, id, key, value)


def repair_summary(connection: Connection, id: str) -> bool:
    """Bring the summary to what the journal says; False when it was so, or others are at it.

    Call again: an engine that writes at the same moment wins.
    """
    known = columns(connection, "WORKFLOW_METADATA_SUMMARY_ENTRY")
    truth = next(iter(_from_journal(connection, [id])), None) if known else None
    if truth is None:
        return False
    try:
        with database.transaction(connection):
            return _write_summary(connection, truth, known)
    except database.Error as error:
        if error.args[0] in _COLLISIONS:
            return False
        raise


_COLLISIONS = {1020, 1205, 1213, 1062}
"""Record changed since last read, lock wait, deadlock, duplicate key: somebody else wrote."""


def _write_summary(connection: Connection, truth: Workflow, known: set[str]) -> bool:
    names = [field for field, column in _COLUMNS.items() if column in known]
    chosen = ", ".join(_COLUMNS[name] for name in names)
    wanted = [_stored(getattr(truth, name)) for name in names]
    found = rows(connection, _SUMMARY.format(columns=chosen) + " FOR UPDATE", ([truth.id],))
    missing = _missing_labels(connection, truth.id)
    if found and list(found[0][1:]) == wanted and not missing:
        return False
    if found:
        changes = ", ".join(f"{_COLUMNS[name]} = %s" for name in names)
        sql = f"UPDATE WORKFLOW_METADATA_SUMMARY_ENTRY SET {changes}"
        execute(connection, f"{sql} WHERE WORKFLOW_EXECUTION_UUID = %s", [*wanted, truth.id])
    else:
        sql = f"INSERT INTO WORKFLOW_METADATA_SUMMARY_ENTRY ({chosen}, WORKFLOW_EXECUTION_UUID)"
        execute(connection, f"{sql} VALUES %s", ([*wanted, truth.id],))
    for key, value in missing.items():
        _put_label(connection, truth.id, key, value)
    return True


def _missing_labels(connection: Connection, id: str) -> dict[str, str]:
    stored = {key.casefold(): value for key, value in rows(connection, _STORED_LABELS, (id,))}
    # The table takes keys that differ by case alone for one: the last of them holds.
    wanted = {key.casefold(): (key, value) for key, value in labels(connection, id).items()}
    return dict(pair for name, pair in wanted.items() if stored.get(name) != pair[1])


def _put_label(connection: Connection, id: str, key: str, value: str) -> None:
    known = rows(connection, _KNOWN_LABEL, (id, key))
    if known:
        execute(connection, _CHANGE_LABEL, (value, known[0][0]))
    else:
        execute(connection, _NEW_LABEL, (id, key, value))


def _read(connection: Connection, ids: Sequence[str]) -> list[Workflow]:
    """The workflows in the order of `ids`; from the summary where the journal was pruned."""
    found = {one.id: one for one in _from_journal(connection, ids)}
    rest = [id for id in ids if id not in found]
    found |= {one.id: one for one in _from_summary(connection, rest)}
    return [found[id] for id in ids if id in found]


def _from_journal(connection: Connection, ids: Sequence[str]) -> list[Workflow]:
    if not ids or not columns(connection, "METADATA_ENTRY"):
        return []
    entries: dict[str, list[Entry]] = defaultdict(list)
    for id, *fields in rows(connection, _FACTS, {"ids": list(ids), "keys": _KEYS}):
        entries[id].append(Entry(None, None, None, *fields))
    return [_workflow(id, entries[id]) for id in entries]


def _workflow(id: str, entries: Iterable[Entry]) -> Workflow:
    facts = newest(entries)
    return Workflow(
        id=id,
        name=facts.get("workflowName"),
        status=facts.get("status"),
        submitted=moment(facts.get("submission")),
        started=moment(facts.get("start")),
        ended=moment(facts.get("end")),
        parent=facts.get("parentWorkflowId"),
        root=facts.get("rootWorkflowId"),
    )


def _from_summary(connection: Connection, ids: Sequence[str]) -> list[Workflow]:
    known = columns(connection, "WORKFLOW_METADATA_SUMMARY_ENTRY") if ids else set()
    if not known:
        return []
    chosen = ", ".join(column if column in known else "NULL" for column in _COLUMNS.values())
    found = rows(connection, _SUMMARY.format(columns=chosen), (list(ids),))
    return [Workflow(id, *(_loaded(field) for field in fields)) for id, *fields in found]


def _loaded(field: Any) -> Any:
    return field.replace(tzinfo=UTC) if isinstance(field, datetime) else field


def _stored(field: Any) -> Any:
    return field.astimezone(UTC).replace(tzinfo=None) if isinstance(field, datetime) else field


def _age(one: Workflow) -> datetime:
    return one.submitted or one.started or datetime.min.replace(tzinfo=UTC)
