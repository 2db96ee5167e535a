"""What happens in a run, as the rows that Cromwell would have written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cromwell_userdb import __version__
from cromwell_userdb.embedded.attributes import Attributes
from cromwell_userdb.embedded.cache import Hashes
from cromwell_userdb.embedded.job import Place
from cromwell_userdb.embedded.ledger import CallId, Ledger, Summary

ENGINE = f"embedded-{__version__}"
"""What stands where Cromwell has its version."""

Failures = Sequence[Mapping[str, Any]]
"""Messages with their causes, as Cromwell nests them."""


def failure(message: str, causes: Failures = ()) -> dict[str, Any]:
    return {"message": message, "causedBy": list(causes)}


def iso(moment: datetime) -> str:
    """Cromwell's text of a moment."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Record:
    """Writes to `ledger`; workflows that have been told of are kept for their summaries."""

    ledger: Ledger
    _summaries: dict[str, Summary] = field(default_factory=dict)
    # Cromwell takes random numbers; a row of a resumed run must not meet an older one's.
    _numbers: Iterable[int] = field(
        default_factory=lambda: itertools.count(datetime.now().microsecond * 1000)
    )

    def submitted(self, workflow: str, files: Mapping[str, str], labels: Mapping[str, str]) -> None:
        moment = now()
        self._summarize(Summary(workflow, None, "Submitted", None, None, moment, None, None))
        self._put(workflow, {"submission": iso(moment), "status": "Submitted"})
        self._put(workflow, {"inputs": {}, "outputs": {}})
        for name, text in files.items():
            self.ledger.metadata(workflow, f"submittedFiles:{name}", text)
        for key, value in {**labels, "cromwell-workflow-id": f"cromwell-{workflow}"}.items():
            self.ledger.label(workflow, key, value)
        self._processing(workflow, "PickedUp")

    def started(
        self,
        workflow: str,
        name: str,
        inputs: Mapping[str, Any],
        *,
        root: str,
        parent: str | None = None,
        top: str | None = None,
        version: str | None = None,
    ) -> None:
        """A workflow begins; `top` is the root workflow's id where there is a `parent`."""
        moment = now()
        old = self._summaries.get(workflow)
        submission = old.submission if old else None
        self._summarize(Summary(workflow, name, "Running", moment, None, submission, parent, top))
        self._put(workflow, {"start": iso(moment), "status": "Running", "workflowName": name})
        if parent:
            self._put(workflow, {"parentWorkflowId": parent, "rootWorkflowId": top})
        if version:
            self._put(workflow, {"actualWorkflowLanguage": "WDL"})
            self._put(workflow, {"actualWorkflowLanguageVersion": version})
        self._put(workflow, {"inputs": dict(inputs), "workflowRoot": root})

    def refused(self, workflow: str, failures: Failures) -> None:
        """A workflow that could not begin: a failed one, as Cromwell has it."""
        self._put(workflow, {"start": iso(now())})
        self.ended(workflow, "Failed", outputs={}, failures=failures)

    def aborting(self, workflow: str) -> None:
        self._put(workflow, {"status": "Aborting"})

    def ended(
        self, workflow: str, status: str, *, outputs: Mapping[str, Any], failures: Failures = ()
    ) -> None:
        moment = now()
        self._summarize(self._summaries[workflow]._replace(status=status, end=moment))
        self._put(workflow, {"end": iso(moment), "status": status})
        if outputs:
            self._put(workflow, {"outputs": dict(outputs)})
        if self._summaries[workflow].parent is None:  # Cromwell tells a call's below at the call
            self._failures(workflow, failures)
            self._processing(workflow, "Finished")

    def queued(self, call: CallId, backend: str | None) -> None:
        facts = {"start": iso(now()), "executionStatus": "QueuedInCromwell"}
        self._put(call.workflow, facts | ({"backend": backend} if backend else {}), call)

    def prepared(
        self, call: CallId, inputs: Mapping[str, Any], attributes: Attributes, place: Place
    ) -> None:
        facts = {
            "inputs": dict(inputs),
            "runtimeAttributes": dict(attributes.shown),
            "stdout": str(place.stdout),
            "stderr": str(place.stderr),
            "callRoot": str(place.root),
        }
        self._put(call.workflow, facts, call)

    def placed(self, call: CallId, place: Place) -> None:
        """Where a shard's folder is, in one breath with its number: a resumed run keeps both."""
        self._put(call.workflow, {"callRoot": str(place.root)}, call)

    def caching(self, call: CallId, mode: str) -> None:
        facts = {"effectiveCallCachingMode": mode, "allowResultReuse": "Write" in mode}
        self._put(call.workflow, {"callCaching": facts}, call)

    def cache_answered(self, call: CallId, hit: str | None) -> None:
        result = f"Cache Hit: {hit}" if hit else "Cache Miss"
        self._put(call.workflow, {"callCaching": {"hit": bool(hit), "result": result}}, call)

    def running(self, call: CallId, command: str) -> None:
        self._put(call.workflow, {"executionStatus": "Running", "commandLine": command}, call)

    def has_job(self, call: CallId, job: str) -> None:
        self._put(call.workflow, {"jobId": job, "backendStatus": "Running"}, call)
        self.ledger.key_value(call, "sfs_job_id", job)

    def job_ended(self, call: CallId) -> None:
        self._put(call.workflow, {"backendStatus": "Done"}, call)

    def ran_in(self, call: CallId, image: str) -> None:
        self._put(call.workflow, {"dockerImageUsed": image}, call)

    def sub_workflow(self, call: CallId, workflow: str, inputs: Mapping[str, Any]) -> None:
        facts = {"executionStatus": "Running", "inputs": dict(inputs), "subWorkflowId": workflow}
        self._put(call.workflow, facts, call)

    def hashes(self, call: CallId, hashes: Hashes) -> None:
        for key, value in hashes.entries:
            # "input: String name" is "input:String name" here, its colons the key's own.
            kind, _, name = key.partition(": ")
            path = f"{kind}:{name}" if name else kind
            self.ledger.metadata(call.workflow, f"callCaching:hashes:{path}", value, call)

    def done(
        self,
        call: CallId,
        outputs: Mapping[str, Any],
        *,
        return_code: int | None,
        events: Mapping[str, tuple[datetime, datetime]],
    ) -> None:
        facts: dict[str, Any] = {"executionStatus": "Done", "end": iso(now())}
        if return_code is not None:
            facts["returnCode"] = return_code
        if outputs:
            facts["outputs"] = dict(outputs)
        self._put(call.workflow, facts, call)
        self._events(call, events)

    def failed(
        self,
        call: CallId,
        failures: Failures,
        *,
        return_code: int | None,
        retried: bool,
        events: Mapping[str, tuple[datetime, datetime]],
    ) -> None:
        facts: dict[str, Any] = {
            "executionStatus": "RetryableFailure" if retried else "Failed",
            "end": iso(now()),
            "retryableFailure": retried,
        }
        if return_code is not None:
            facts["returnCode"] = return_code
        self._put(call.workflow, facts, call)
        self._failures(call.workflow, failures, call)
        self._events(call, events)

    def aborted(self, call: CallId) -> None:
        facts = {"executionStatus": "Aborted", "end": iso(now()), "backendStatus": "Done"}
        self._put(call.workflow, facts, call)

    def not_reusable(self, call: CallId) -> None:
        self._put(call.workflow, {"callCaching": {"allowResultReuse": False}}, call)

    def retry_counted(self, call: CallId, failures: int, memory_factor: float) -> None:
        self.ledger.key_value(call, "FailedRetryCount", str(failures))
        if memory_factor != 1:
            self.ledger.key_value(call, "MemoryMultiplier", str(memory_factor))

    def _put(self, workflow: str, facts: Mapping[str, Any], call: CallId | None = None) -> None:
        for key, value in facts.items():
            self.ledger.metadata(workflow, key, value, call)

    def _summarize(self, summary: Summary) -> None:
        self._summaries[summary.workflow] = summary
        self.ledger.summary(summary)

    def _processing(self, workflow: str, description: str) -> None:
        facts = {
            "description": description,
            "cromwellId": ENGINE,
            "timestamp": iso(now()),
            "cromwellVersion": ENGINE,
        }
        self._put(workflow, {f"workflowProcessingEvents[{self._number()}]": facts})

    def _failures(self, workflow: str, failures: Failures, call: CallId | None = None) -> None:
        for one in failures:
            self._put(workflow, {f"failures[{self._number()}]": one}, call)

    def _events(self, call: CallId, events: Mapping[str, tuple[datetime, datetime]]) -> None:
        for description, (start, end) in events.items():
            facts = {
                "description": description,
                "startTime": iso(start),
                "endTime": iso(end),
            }
            self._put(call.workflow, {f"executionEvents[{self._number()}]": facts}, call)

    def _number(self) -> int:
        return next(iter(self._numbers))
