"""The loop of a run: one thread starts what is ready, looks at what runs, notes what ended."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from WDL import Tree, Value

from cromwell_userdb.embedded.cache import FileHashes
from cromwell_userdb.embedded.caching import Caching
from cromwell_userdb.embedded.errors import EVALUATION, words_of
from cromwell_userdb.embedded.flow import Attempt, Flow, Numbers, as_json
from cromwell_userdb.embedded.graph import Graph, Ready
from cromwell_userdb.embedded.images import Images
from cromwell_userdb.embedded.job import Place, Plan, make, outputs_of, plan_of, prepare
from cromwell_userdb.embedded.jobs import KILLED, Ended, Jobs
from cromwell_userdb.embedded.ledger import CallId, Ledger
from cromwell_userdb.embedded.log import say, warn
from cromwell_userdb.embedded.options import Options
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.record import Record, failure, now
from cromwell_userdb.embedded.values import Library, Values
from cromwell_userdb.embedded.waking import waking
from cromwell_userdb.errors import Stopped

STARTS_A_TURN = 40
"""After so many calls the loop looks after the others, and writes."""

MADE_AHEAD = 200
"""Calls that may wait with their folders made for room among the jobs."""

FLUSH_SECONDS = 0.25

BLAMELESS = frozenset({82, 83})
"""Return codes of the hooks for a node that failed, and for jobs of higher priority."""

FREE_RETRIES = 10
"""Attempts that a call may lose so before its own retries are used up."""


@dataclass
class Driver:
    """Runs one workflow to its end; a signal may ask it to `stop` at any time."""

    provider: Provider
    options: Options
    ledger: Ledger
    record: Record
    resumes: bool = False
    images: Images | None = None
    clock: Callable[[], float] = time.monotonic
    is_stopping: bool = False
    is_aborted: bool = False
    _stirred: deque[Flow] = field(default_factory=deque)
    _queue: deque[Attempt] = field(default_factory=deque)
    _imageless: deque[Attempt] = field(default_factory=deque)
    _settled: int = 0
    _made: deque[Attempt] = field(default_factory=deque)
    _plans: dict[int, Plan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rate = self.options.jobs_per_second
        self.jobs = Jobs(self.provider, self.record, self.clock, rate)
        hashes = FileHashes(self.provider.hashing)
        self.caching = Caching(self.provider, self.options, self.ledger, self.record, hashes)

    def stop(self) -> None:
        """Ask the run to end: by abort, or leaving its jobs, as the configuration says."""
        self.is_stopping = True

    def run(self, root: Flow, inputs: Mapping[str, Any], version: str) -> str:
        """Run `root` to its end and return its status; raises Stopped with jobs left."""
        with waking() as rest:
            self._begin(root, inputs, version=version)
            self.ledger.flush()
            self._turn()
            while not root.is_over:
                self._wait(rest)
                self._turn()
        self.ledger.finish()
        return "Aborted" if self.is_aborted else "Failed" if root.failures else "Succeeded"

    def _turn(self) -> None:
        if self.is_stopping and not self.is_aborted:
            self._abort()
        self._advance()
        self._launch()
        self._launch_settled()
        self._submit()
        for ended in self.jobs.look():
            self._ended(ended)
        self._advance()
        self.ledger.flush(every=FLUSH_SECONDS)

    # Workflows

    def _begin(self, flow: Flow, inputs: Mapping[str, Any], *, version: str | None = None) -> None:
        parent = flow.parent
        self.record.started(
            flow.id,
            flow.workflow.name,
            inputs,
            root=str(flow.top.folder),
            parent=parent.id if parent else None,
            top=flow.top.id if parent else None,
            version=version,
        )
        self._stirred.append(flow)

    def _advance(self) -> None:
        """Let each workflow in which something happened go on, or end."""
        while self._stirred:
            flow = self._stirred.popleft()
            if not self._is_given_up(flow):
                try:
                    for ready in flow.graph.step():
                        self._enqueue(flow, ready)
                except EVALUATION as error:
                    flow.failures.append(failure(f"Failed to evaluate: {words_of(error)}"))
            if not flow.is_over and (flow.graph.is_done or not flow.live):
                self._end(flow)

    def _is_given_up(self, flow: Flow) -> bool:
        no_new = self.options.failure_mode == "NoNewCalls"
        return self.is_aborted or (no_new and bool(flow.failures))

    def _enqueue(self, flow: Flow, ready: Ready) -> None:
        call, callee = flow.call_id(ready), ready.call.callee
        flow.live += 1
        if isinstance(callee, Tree.Workflow):
            self._begin_below(flow, ready, call, callee)
        else:
            assert callee
            self._queue_up(Attempt(flow, ready, call, self._plan(callee)))

    def _queue_up(self, attempt: Attempt) -> None:
        attempt.enter("RequestingExecutionToken")
        self.record.queued(attempt.call, self.provider.name)
        if len(attempt.ready.shard) > 1:
            self.record.placed(attempt.call, attempt.place)
        self._queue.append(attempt)

    def _begin_below(self, flow: Flow, ready: Ready, call: CallId, callee: Tree.Workflow) -> None:
        id, folder = flow.below(ready)
        inputs = {one.name: one.value for one in ready.inputs}
        self.record.queued(call, None)
        self.record.sub_workflow(call, id, as_json(inputs))
        library = Library(callee.effective_wdl_version, folder / "execution")
        graph = Graph(callee, inputs, library)
        child = Flow(id, graph, folder, flow, ready.key, call, numbers=flow.numbers)
        self._begin(child, as_json(inputs))

    def _plan(self, task: Tree.Task) -> Plan:
        if id(task) not in self._plans:
            self._plans[id(task)] = plan_of(task)
        return self._plans[id(task)]

    def _end(self, flow: Flow) -> None:
        """End a workflow; how the run's own ends is told when its outputs are in their place."""
        flow.is_over = True
        if flow.parent is None:
            return
        if flow.graph.is_done and not flow.failures:
            self._succeed_below(flow, flow.parent)
        elif self.is_aborted:
            self.record.ended(flow.id, "Aborted", outputs={})
            self.record.aborted(_call_of(flow))
        else:
            self._fail_below(flow, flow.parent)
        flow.parent.live -= 1
        self._stirred.append(flow.parent)

    def _succeed_below(self, flow: Flow, parent: Flow) -> None:
        outputs = flow.graph.outputs()
        short = {one.name: one.value.json for one in outputs}
        named = {f"{flow.workflow.name}.{name}": value for name, value in short.items()}
        self.record.ended(flow.id, "Succeeded", outputs=named)
        self.record.done(_call_of(flow), short, return_code=None, events=_events_of(flow))
        assert flow.key
        parent.graph.finish(flow.key, outputs)

    def _fail_below(self, flow: Flow, parent: Flow) -> None:
        failures = [failure("Workflow failed", flow.failures)]
        self.record.ended(flow.id, "Failed", outputs={}, failures=failures)
        self.record.failed(
            _call_of(flow), failures, return_code=None, retried=False, events=_events_of(flow)
        )
        parent.failures += failures

    # Calls, from the queue to a job

    def _launch(self) -> None:
        """Take calls from the queue: out of the cache, or made ready to be submitted."""
        for _ in range(STARTS_A_TURN):
            if not self._can_launch:
                return
            attempt = self._queue.popleft()
            if self._is_given_up(attempt.flow):
                self._leave(attempt)
            else:
                self._start(attempt)

    @property
    def _can_launch(self) -> bool:
        ahead = len(self._made) + len(self._imageless)
        return bool(self._queue and ahead < MADE_AHEAD and not self.caching.must_wait)

    def _start(self, attempt: Attempt) -> None:
        attempt.enter("PreparingJob")
        try:
            attempt.prepared = prepare(
                attempt.plan,
                attempt.ready.inputs,
                attempt.place,
                self.provider,
                defaults=self.options.default_runtime_attributes,
                memory_factor=attempt.memory_factor,
            )
        except EVALUATION as error:
            self._fail(attempt, words_of(error), may_retry=False)
        else:
            self._go_on(attempt)

    def _go_on(self, attempt: Attempt) -> None:
        """Let a call whose inputs are known begin, once its image is known, too."""
        try:
            if self._waits_for_image(attempt):
                self._imageless.append(attempt)
                return
            self._note_prepared(attempt)
            if not self._take_up(attempt) and not self._take_from_cache(attempt):
                attempt.command, attempt.script = make(attempt.ready_prepared, self.provider)
                self._made.append(attempt)
        except EVALUATION as error:
            self._fail(attempt, words_of(error), may_retry=False)

    def _waits_for_image(self, attempt: Attempt) -> bool:
        """Whether the digest of the call's image has yet to be found; WdlError where none is."""
        attributes = attempt.ready_prepared.attributes
        if not self.images or not attributes.image:
            return False
        exact = self.images.exact(attributes.image)
        pinned = replace(attributes, exact_image=exact)
        attempt.prepared = replace(attempt.ready_prepared, attributes=pinned)
        return exact is None

    def _launch_settled(self) -> None:
        """Let those begin that waited for their images; who still waits is back in the line."""
        if self.images and self.images.look():
            self._settled = len(self._imageless)
        while self._settled and len(self._made) < MADE_AHEAD and not self.caching.must_wait:
            self._settled -= 1
            attempt = self._imageless.popleft()
            if self._is_given_up(attempt.flow):
                self._leave(attempt)
            else:
                self._go_on(attempt)

    def _note_prepared(self, attempt: Attempt) -> None:
        prepared, call = attempt.ready_prepared, attempt.call
        self.record.prepared(call, as_json(prepared.inputs), prepared.attributes, attempt.place)
        self.record.caching(call, self.caching.mode(attempt))
        attempt.enter("CallCacheReading")
        self.caching.hash(attempt)

    def _take_up(self, attempt: Attempt) -> bool:
        if not self.resumes or not attempt.place.script.exists():
            return False
        attempt.command, attempt.script = make(attempt.ready_prepared, self.provider)
        return self.jobs.take_up(attempt, attempt.script)

    def _take_from_cache(self, attempt: Attempt) -> bool:
        found = self.caching.find(attempt)
        if found:
            say(f"[UUID({attempt.call.workflow[:8]}){attempt.call}]: from the cache")
            self._done(attempt, found.outputs, found.return_code, found.place)
        return found is not None

    def _submit(self) -> None:
        while self._made and (self.jobs.have_room or self._is_given_up(self._made[0].flow)):
            attempt = self._made.popleft()
            if self._is_given_up(attempt.flow):
                self._leave(attempt)
                continue
            try:
                self.jobs.submit(attempt, attempt.script)
            except EVALUATION as error:
                self._fail(attempt, words_of(error), may_retry=False)

    # Calls that have ended

    def _ended(self, ended: Ended) -> None:
        attempt, code = ended.attempt, ended.code
        if self.is_aborted and code in (KILLED, None):
            self.record.aborted(attempt.call)
            self._leave(attempt)
        elif code is None:
            self._fail(attempt, ended.problem)
        elif problem := _problem(attempt, code):
            self._fail(attempt, problem, code=code)
        else:
            self._succeed(attempt, code)

    def _succeed(self, attempt: Attempt, code: int) -> None:
        say(f"[UUID({attempt.call.workflow[:8]}){attempt.call}]: return code {code}")
        try:
            outputs = outputs_of(attempt.ready_prepared)
        except EVALUATION as error:
            self._fail(attempt, f"Failed to evaluate job outputs: {words_of(error)}", code=code)
        else:
            self._done(attempt, outputs, code, attempt.place)

    def _done(self, attempt: Attempt, outputs: Values, code: int, place: Place) -> None:
        self._close(attempt)
        self.caching.keep(attempt, outputs, code, place)
        values = {one.name: one.value for one in outputs}
        if image := attempt.ready_prepared.attributes.exact_image:
            self.record.ran_in(attempt.call, image)
        self.record.done(attempt.call, as_json(values), return_code=code, events=attempt.events)
        attempt.flow.graph.finish(attempt.ready.key, outputs)
        self._leave(attempt)

    def _fail(
        self, attempt: Attempt, message: str, *, code: int | None = None, may_retry: bool = True
    ) -> None:
        self._close(attempt)
        again = None
        if may_retry and not self._is_given_up(attempt.flow):
            again = self._next(attempt, code)
        warn(f"{attempt.call.workflow[:8]}:{attempt.call}: {message}")
        failures = [failure(message)]
        self.record.not_reusable(attempt.call)
        self.record.failed(
            attempt.call,
            failures,
            return_code=code,
            retried=again is not None,
            events=attempt.events,
        )
        if again:
            self.record.retry_counted(again.call, again.retries, again.memory_factor)
            self._queue_up(again)
        else:
            attempt.flow.failures += failures
            self._leave(attempt)

    def _close(self, attempt: Attempt) -> None:
        attempt.enter("UpdatingJobStore")
        attempt.enter("Ended")
        if attempt.hashes:
            self.record.hashes(attempt.call, attempt.hashes)

    def _next(self, attempt: Attempt, code: int | None) -> Attempt | None:
        """The attempt after one that failed, if the task allows one.

        What befell the machine, and not the task, does not use up its retries.
        """
        if attempt.prepared is None:
            return None
        free = code in BLAMELESS and attempt.call.attempt - attempt.retries <= FREE_RETRIES
        retries = attempt.retries + (not free)
        if retries > attempt.prepared.attributes.max_retries:
            return None
        wants_more = attempt.place.wants_memory
        factor = self.options.memory_retry_multiplier if wants_more else 1.0
        return attempt.again(retries, attempt.memory_factor * factor)

    def _leave(self, attempt: Attempt) -> None:
        attempt.flow.live -= 1
        self._stirred.append(attempt.flow)

    # The end before the end, and waiting

    def _abort(self) -> None:
        self.ledger.hurry()
        if not self.options.abort_jobs:
            self.ledger.finish()
            raise Stopped("Stopped; jobs that run were left to themselves.")
        self.is_aborted = True
        say("Aborting: killing the jobs that run, and waiting for them.")
        for attempt in (*self._queue, *self._imageless, *self._made):
            self._leave(attempt)
        self._queue.clear()
        self._imageless.clear()
        self._settled = 0
        self._made.clear()
        if self.images:
            self.images.stop()
        for flow in {attempt.flow.top for attempt in self.jobs.running}:
            self.record.aborting(flow.id)
        self.jobs.kill()

    def _wait(self, rest: Callable[[float], None]) -> None:
        if not (self._stirred or self._can_launch or (self._made and self.jobs.have_room)):
            rest(min(FLUSH_SECONDS, self.jobs.wait))


def _problem(attempt: Attempt, code: int) -> str:
    """Why a job that ended with `code` has failed, "" if it has not."""
    attributes = attempt.ready_prepared.attributes
    if attributes.fail_on_stderr and (size := attempt.place.stderr.stat().st_size):
        return (
            f"stderr for job {attempt.call} has length {size} and 'failOnStderr' runtime "
            "attribute was true."
        )
    if attributes.return_codes is not None and code not in attributes.return_codes:
        return (
            f"Job {attempt.call} exited with return code {code} which has not been declared as a "
            "valid return code. See 'continueOnReturnCode' runtime attribute for more details."
        )
    return ""


def _call_of(flow: Flow) -> CallId:
    assert flow.call
    return flow.call


def _events_of(flow: Flow) -> dict[str, Any]:
    return {"SubWorkflowRunningState": (flow.born, now())}


def root_flow(
    id: str,
    workflow: Tree.Workflow,
    given: Mapping[str, Value.Base],
    root: Path,
    numbers: Numbers | None = None,
) -> Flow:
    """The run's own workflow, below the executions' `root`."""
    folder = root / workflow.name / id
    library = Library(workflow.effective_wdl_version, folder / "execution")
    return Flow(id, Graph(workflow, given, library), folder, numbers=numbers or {})
