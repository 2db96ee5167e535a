"""``python -m cromwell_userdb.embedded run …``: Cromwell's command line on an engine of our own."""

from __future__ import annotations

import contextlib
import gc
import json
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from WDL import Value

from cromwell_userdb import database, hocon, metadata, wdl
from cromwell_userdb.embedded import finish, frontend
from cromwell_userdb.embedded.driver import Driver, root_flow
from cromwell_userdb.embedded.errors import EVALUATION, DatabaseAway, words_of
from cromwell_userdb.embedded.flow import Flow, Numbers
from cromwell_userdb.embedded.frontend import Request
from cromwell_userdb.embedded.images import Images, are_looked_up
from cromwell_userdb.embedded.ledger import PATIENCE, Ledger
from cromwell_userdb.embedded.log import also_to, fail, say, to_stdout, warn
from cromwell_userdb.embedded.options import Options, options_of
from cromwell_userdb.embedded.provider import Provider, provider_of
from cromwell_userdb.embedded.record import ENGINE, Failures, Record, failure
from cromwell_userdb.errors import Stopped, UserDBError
from cromwell_userdb.options import remarks
from cromwell_userdb.runs import LABEL

TERMINATED = 143
"""Cromwell's exit status after TERM, whether it aborted or left its jobs."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a workflow; the exit status is Cromwell's."""
    with to_stdout():
        return _main(sys.argv[1:] if argv is None else argv)


def _main(argv: Sequence[str]) -> int:
    try:
        request = frontend.parse(argv)
        config = frontend.configuration(request)
        with _ledger(request, config) as ledger:
            return _run(request, config, ledger)
    except DatabaseAway as error:
        fail(str(error))
        return error.exit_code
    except Stopped as error:
        fail(str(error))
        return TERMINATED
    except UserDBError as error:
        fail(str(error))
        return 1


def _run(request: Request, config: hocon.Tree, ledger: Ledger) -> int:
    say(f"SingleWorkflowRunnerActor: Version {ENGINE}")
    given_options = frontend.json_file(request, "options")
    labels = {k: str(v) for k, v in frontend.json_file(request, "labels").items()}
    provider = provider_of(config, given_options.get("backend"))
    options = options_of(given_options, config, dict(provider.config))
    id, resumes = _identity(request, ledger, labels)
    record = Record(ledger)
    record.submitted(id, frontend.submitted_files(request), labels)
    ledger.flush()
    say(f"SingleWorkflowRunnerActor: Workflow submitted UUID({id})")
    images = Images() if are_looked_up(config) else None
    driver = Driver(provider, options, ledger, record, resumes, images)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes ends no run
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: driver.stop())
    logs = options.log_folder
    with also_to(logs / f"workflow.{id}.log" if logs else None):
        for words in remarks(given_options, engine="embedded"):
            warn(words)
        try:
            status = _lead(request, provider, options, driver, id)
        except UserDBError:
            raise
        except Exception:  # a bug must not leave a run that looks alive, and its jobs
            driver.jobs.kill()
            words = (
                "The embedded engine has a bug; the traceback at the end of its log tells where."
            )
            record.refused(id, [failure(words)])
            ledger.finish()
            raise
    ledger.finish()
    say(f"SingleWorkflowRunnerActor workflow finished with status '{status}'.")
    if status == "Aborted":
        return TERMINATED
    return 0 if status == "Succeeded" else 1


def _lead(request: Request, provider: Provider, options: Options, driver: Driver, id: str) -> str:
    """Run the workflow to its end, tell the record, print the outputs; return the status."""
    try:
        document = frontend.document(request)
        given = frontend.given_inputs(document, frontend.json_file(request, "inputs"))
    except UserDBError as error:
        _refuse(driver.record, id, request, str(error))
        return "Failed"
    # What was loaded stays, and values have no cycles: the collector would only walk them.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    numbers = _numbers(driver.ledger, id) if driver.resumes else None
    flow = root_flow(id, document.workflow, given, provider.root, numbers)
    status = _drive(document, given, flow, driver)
    outputs: dict[str, Any] = {}
    failures: Failures = [failure("Workflow failed", flow.failures)] if flow.failures else []
    try:
        if status == "Succeeded":
            values = flow.graph.outputs()
            outputs = {f"{document.name}.{one.name}": one.value.json for one in values}
            finish.copy_outputs(values, options, provider.root)
        finish.copy_call_logs(flow.folder, options, provider.root)
    except EVALUATION as error:
        status = "Failed" if status == "Succeeded" else status
        failures = [*failures, failure(words_of(error))]
    driver.record.ended(id, status, outputs=outputs, failures=failures)
    driver.ledger.finish()
    _tell(status, failures, outputs, id)
    _write_metadata(request, driver.ledger, id)
    return status


def _drive(document: wdl.Document, given: dict[str, Value.Base], flow: Flow, driver: Driver) -> str:
    shown = frontend.shown_inputs(document, given)
    return driver.run(flow, shown, document.version)


def _refuse(record: Record, id: str, request: Request, words: str) -> None:
    causes = [failure(line) for line in words.splitlines()]
    failures = [failure("Workflow input processing failed", causes)]
    record.refused(id, failures)
    _tell("Failed", failures, {}, id)
    _write_metadata(request, record.ledger, id)


def _tell(status: str, failures: Failures, outputs: dict[str, Any], id: str) -> None:
    for one in failures:
        fail(f"Workflow {id} failed: {_flat(one)}")
    if status == "Succeeded":
        print(json.dumps({"outputs": outputs, "id": id}, indent=2), flush=True)
    elif status == "Failed":
        print(f"Workflow {id} transitioned to state Failed", file=sys.stderr)


def _flat(one: Any) -> str:
    causes = [_flat(cause) for cause in one["causedBy"]]
    return f"{one['message']}: {'; '.join(causes)}" if causes else str(one["message"])


def _write_metadata(request: Request, ledger: Ledger, id: str) -> None:
    path = request.file("metadata")
    if path is None:
        return
    ledger.finish()
    connection = ledger.connection()
    if connection is None:
        return
    text = json.dumps(metadata.tree(connection, id), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        warn(f"{path} can't be written: {error.strerror}. The database has the metadata.")


_UNFINISHED = """
SELECT S.WORKFLOW_EXECUTION_UUID FROM CUSTOM_LABEL_ENTRY L
JOIN WORKFLOW_METADATA_SUMMARY_ENTRY S USING (WORKFLOW_EXECUTION_UUID)
WHERE L.CUSTOM_LABEL_KEY = %s AND L.CUSTOM_LABEL_VALUE = %s
  AND S.WORKFLOW_STATUS IN ('Submitted', 'Running', 'Aborting')
  AND S.PARENT_WORKFLOW_EXECUTION_UUID IS NULL
ORDER BY S.SUBMISSION_TIMESTAMP DESC LIMIT 1
"""


def _identity(request: Request, ledger: Ledger, labels: dict[str, str]) -> tuple[str, bool]:
    """The workflow's id, and whether it goes on with one whose engine died."""
    if id := request.properties.get("cromwell.userdb.resumes"):
        return id, True
    run = labels.get(LABEL)
    connection = ledger.connection()
    if run and connection is not None:
        for (id,) in database.rows(connection, _UNFINISHED, (LABEL, run)):
            say(f"Going on with {id}, whose engine died.")
            return str(id), True
    return str(uuid.uuid4()), False


_NUMBERED = """
SELECT M.WORKFLOW_EXECUTION_UUID, M.CALL_FQN, M.JOB_SCATTER_INDEX, M.METADATA_VALUE
FROM METADATA_ENTRY M JOIN WORKFLOW_METADATA_SUMMARY_ENTRY S USING (WORKFLOW_EXECUTION_UUID)
WHERE (S.WORKFLOW_EXECUTION_UUID = %s OR S.ROOT_WORKFLOW_EXECUTION_UUID = %s)
  AND M.METADATA_KEY IN ('callRoot', 'subWorkflowId') AND M.JOB_RETRY_ATTEMPT = 1
  AND M.JOB_SCATTER_INDEX IS NOT NULL
"""


def _numbers(ledger: Ledger, id: str) -> Numbers:
    """The numbers that the shards of this run have had so far."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    connection = ledger.connection()
    if connection is not None:
        for workflow, call, number, mark in database.rows(connection, _NUMBERED, (id, id)):
            found.setdefault((workflow, call), {})[mark] = number
    return found


@contextlib.contextmanager
def _ledger(request: Request, config: hocon.Tree) -> Iterator[Ledger]:
    socket: Path = request.socket
    user = str(hocon.get(config, "database.db.user", "cromwell"))
    password = str(hocon.get(config, "database.db.password", ""))

    def connect() -> database.Connection:
        return database.connect(socket, user=user, password=password, database="cromwell")

    patience = request.properties.get("cromwell.userdb.patience")
    ledger = Ledger(connect, float(patience) if patience else PATIENCE)
    connect().close()  # at the start a missing database is an error, later it is waited for
    try:
        yield ledger
    finally:
        ledger.close()


if __name__ == "__main__":
    sys.exit(main())
