"""What a real Cromwell answered to small documents, and the embedded engine asked the same."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from cromwell_userdb import wdl
from cromwell_userdb.embedded import frontend
from cromwell_userdb.embedded.driver import Driver, root_flow
from cromwell_userdb.embedded.errors import EVALUATION
from cromwell_userdb.embedded.ledger import Ledger
from cromwell_userdb.embedded.options import Options
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.record import Record

RECORDED = Path(__file__).parent / "recordings" / "semantics.json.gz"
CONFIG = {
    "run-in-background": True,
    "runtime-attributes": "Int cpu = 1\nString? docker",
    "submit": "/bin/bash ${script}",
}


def cases():
    return json.loads(gzip.decompress(RECORDED.read_bytes()))


@dataclass
class Tables:
    """A database that takes rows and has no answers."""

    rows: list = field(default_factory=list)

    def cursor(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def execute(self, sql, values=None):
        return 0

    def executemany(self, sql, rows):
        if "METADATA_ENTRY" in sql and "SUMMARY" not in sql:
            self.rows += rows

    def fetchall(self):
        return []

    def begin(self):
        pass

    commit = rollback = close = begin


def answer(text, inputs, folder, config=CONFIG):
    """What the embedded engine makes of a document: outputs or error, and its calls."""
    path = folder / "w.wdl"
    path.write_text(text)
    tables = Tables()
    found = {}
    try:
        document = frontend.document(frontend.Request(path))
        given = frontend.given_inputs(document, inputs)
        found = _run(document, given, tables, folder, config)
    except (*EVALUATION, wdl.WdlError) as error:
        found = {"error": str(error)}
    if calls := _calls(tables.rows):
        found["calls"] = calls
    return found


def _run(document, given, tables, folder, config):
    provider = Provider("local", {**config, "root": str(folder / "x")})
    ledger = Ledger(lambda: tables)
    options = Options(read_from_cache=False, write_to_cache=False)
    driver = Driver(provider, options, ledger, Record(ledger))
    id = "00000000-0000-4000-8000-000000000000"
    flow = root_flow(id, document.workflow, given, provider.root)
    status = driver.run(flow, {}, document.version)
    if status != "Succeeded":
        return {"error": json.dumps(flow.failures)}
    values = flow.graph.outputs()
    return {"outputs": {f"{document.name}.{one.name}": one.value.json for one in values}}


def _calls(rows):
    """Command line, runtime attributes and return code of each attempt, from the rows."""
    calls = {}
    for _, key, name, shard, attempt, value, _, _ in rows:
        if name is None:
            continue
        call = calls.setdefault((name, shard, attempt), {"attempt": attempt})
        if key in {"commandLine", "returnCode"}:
            call[key] = int(value) if key == "returnCode" else value
        elif key.startswith("runtimeAttributes:"):
            call.setdefault("runtimeAttributes", {})[key.partition(":")[2]] = value
    return list(calls.values())


def normal(value):
    """A value without what differs from run to run: where the run lies."""
    text = json.dumps(value, sort_keys=True)
    return re.sub(r'(/[^" ]*)?/w/[0-9a-f-]{36}/', "EXECUTIONS/", text)


def agrees(recorded, found):
    """Whether the engine answered as Cromwell did: an error is an error, whatever its words."""
    if "error" in recorded or "error" in found:
        return "error" in recorded and "error" in found
    if normal(recorded["outputs"]) != normal(found["outputs"]):
        return False
    return normal(recorded.get("calls", [])) == normal(found.get("calls", []))
