"""The loop of a run: one thread starts what is ready, looks at what runs, notes what ended."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from WDL import Error, Tree, Value

from cromwell_userdb.embedded import cache, hooks
from cromwell_userdb.embedded.cache import FileHashes, Hashes, Hit
from cromwell_userdb.embedded.flow import Attempt, Flow, as_json
from cromwell_userdb.embedded.graph import Graph, Ready
from cromwell_userdb.embedded.job import Place, Plan, make, outputs_of, plan_of, prepare
from cromwell_userdb.embedded.ledger import KEY_LENGTH, CacheEntry, CallId, Ledger
from cromwell_userdb.embedded.log import say
from cromwell_userdb.embedded.options import Options
from cromwell_userdb.embedded.provider import Provider
from cromwell_userdb.embedded.record import Record, failure, now
from cromwell_userdb.embedded.values import Library, Values
from cromwell_userdb.errors import Stopped, UserDBError

EVALUATION = (Error.RuntimeError, ValueError, ArithmeticError, OSError, UserDBError)
"""What an expression, an input or an output of a user's workflow can raise."""

SUBMITTERS = 8
"""Submit hooks at work at once: more would only press the controller."""

STARTS_A_TURN = 40
"""After so many calls the loop looks after the others, and writes."""

FLUSH_SECONDS = 0.25
KILL_SECONDS = 60.0
RC_GRACE = 2.0
"""Seconds in which the `rc` of a job that has gone may still turn up, as on NFS."""


@dataclass
class Driver:
    """Runs one workflow to its end; `stop` may be set by a signal at any time."""

    provider: Provider
    options: Options
    ledger: Ledger
    record: Record
    resumes: bool = False
    clock: Callable[[], float] = time.monotonic
    stopping: bool = False
    aborted: bool = False
    _stirred: deque[Flow] = field(default_factory=deque)
    _queue: deque[Attempt] = field(default_factory=deque)
    _submitting: set[Attempt] = field(default_factory=set)
    _running: set[Attempt] = field(default_factory=set)
    _looks: list[tuple[float, int, Attempt]] = field(default_factory=list)
    _plans: dict[int, Plan] = field(default_factory=dict)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _budget: float = 0.0
    _budgeted: float = 0.0
    _wake: int = -1

    def __post_init__(self) -> None:
        self._hash_file = FileHashes(self.provider.hashing)
        self._budgeted = self.clock()

    def stop(self) -> None:
        """Ask the run to end: by abort, or leaving its jobs, as the configuration says."""
        self.stopping = True

    def run(self, root: Flow, inputs: Mapping[str, Any], version: str) -> str:
        """Run `root` to its end and return its status; raises Stopped with jobs left."""
        with self._listening():
            self._begin(root, inputs, version=version)
            self.ledger.flush()
            self._turn()
            while not root.is_over:
                self._wait()
                self._turn()
        self.ledger.finish()
        return "Aborted" if self.aborted else "Failed" if root.failures else "Succeeded"

    def _turn(self) -> None:
        if self.stopping and not self.aborted:
            self._abort()
        self._advance()
        self._launch()
        self._look()
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

    def _end(self, flow: Flow) -> None:
        flow.is_over = True
        outputs: dict[str, Any] = {}
        status = "Aborted" if self.aborted else "Failed"
        if flow.graph.is_done and not flow.failures:
            status = "Succeeded"
            outputs = {b.name: b.value.json for b in flow.graph.outputs()}
        failures = [failure("Workflow failed", flow.failures)] if flow.failures else []
        if flow.parent is None:
            return  # the run's own end is told when its outputs are where they belong
        prefix = flow.workflow.name + "."
        named = {prefix + name: value for name, value in outputs.items()}
        self.record.ended(flow.id, status, outputs=named, failures=failures)
        self._end_below(flow, status, outputs, failures)

    def _end_below(
        self, flow: Flow, status: str, outputs: Mapping[str, Any], failures: list[dict[str, Any]]
    ) -> None:
        parent, key, call = flow.parent, flow.key, flow.call
        assert parent and key and call
        parent.live -= 1
        events = {"SubWorkflowRunningState": (flow.born, now())}
        if status == "Succeeded":
            self.record.done(call, outputs, return_code=None, events=events)
            parent.graph.finish(key, flow.graph.outputs())
        elif status == "Aborted":
            self.record.aborted(call)
        else:
            self.record.failed(call, failures, return_code=None, retried=False, events=events)
            parent.failures.append(failures[0])
        self._stirred.append(parent)

    def _enqueue(self, flow: Flow, ready: Ready) -> None:
        call = flow.call_id(ready)
        flow.live += 1
        if isinstance(ready.call.callee, Tree.Workflow):
            self._begin_below(flow, ready, call)
            return
        assert isinstance(ready.call.callee, Tree.Task)
        attempt = Attempt(flow, ready, call, self._plan(ready.call.callee))
        self._queue_up(attempt)

    def _queue_up(self, attempt: Attempt) -> None:
        attempt.enter("RequestingExecutionToken")
        self.record.queued(attempt.call, self.provider.name)
        self._queue.append(attempt)

    def _begin_below(self, flow: Flow, ready: Ready, call: CallId) -> None:
        callee = ready.call.callee
        assert isinstance(callee, Tree.Workflow)
        id, folder = flow.below(ready)
        inputs = {one.name: one.value for one in ready.inputs}
        self.record.queued(call, None)
        self.record.sub_workflow(call, id, as_json(inputs))
        library = Library(callee.effective_wdl_version, folder / "execution")
        child = Flow(id, Graph(callee, inputs, library), folder, flow, ready.key, call)
        self._begin(child, as_json(inputs))

    def _plan(self, task: Tree.Task) -> Plan:
        if id(task) not in self._plans:
            self._plans[id(task)] = plan_of(task)
        return self._plans[id(task)]

    # Starting calls

    def _launch(self) -> None:
        for _ in range(STARTS_A_TURN):
            if not self._queue or not self._may_start():
                return
            attempt = self._queue.popleft()
            if self._is_given_up(attempt.flow):
                attempt.flow.live -= 1
                self._stirred.append(attempt.flow)
            else:
                self._start(attempt)

    def _is_given_up(self, flow: Flow) -> bool:
        no_new = self.options.failure_mode == "NoNewCalls"
        return self.aborted or (no_new and bool(flow.failures))

    def _may_start(self) -> bool:
        limit = self.provider.concurrent_jobs
        busy = len(self._running) + len(self._submitting)
        if limit is not None and busy >= limit:
            return self._is_given_up(self._queue[0].flow)
        if len(self._submitting) >= SUBMITTERS and not self.provider.in_background:
            return False
        # No answer about the cache is no miss.
        return not (self.options.read_from_cache and self.ledger.connection() is None)

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
            self._note_prepared(attempt)
            if self._take_from_cache(attempt):
                return
            self._submit(attempt)
        except EVALUATION as error:
            self._fail(attempt, words_of(error), may_retry=False)

    def _note_prepared(self, attempt: Attempt) -> None:
        prepared = attempt.ready_prepared
        self.record.prepared(
            attempt.call, as_json(prepared.inputs), prepared.attributes, attempt.place
        )
        self.record.caching(attempt.call, self._mode(attempt))

    def _mode(self, attempt: Attempt) -> str:
        """Cromwell's name for what the cache does for this attempt."""
        volatile = attempt.plan.task.meta.get("volatile") in (True, "true")
        read = self.options.read_from_cache and attempt.call.attempt == 1 and not volatile
        write = self.options.write_to_cache and not volatile
        if read:
            return "ReadAndWriteCache" if write else "ReadCache"
        return "WriteCache" if write else "CallCachingOff"

    def _submit(self, attempt: Attempt) -> None:
        place = attempt.place
        attempt.command, script = make(attempt.ready_prepared, self.provider)
        if self._take_up(attempt, script):
            return
        place.script.write_text(script)
        self.record.running(attempt.call, attempt.command)
        attempt.enter("RunningJob")
        attempt.born = self.clock()
        attempt.child = hooks.submit(self.provider, attempt.ready_prepared, attempt.call)
        if self.provider.in_background:
            self._runs(attempt, str(attempt.child.pid))
        else:
            self._submitting.add(attempt)

    def _take_up(self, attempt: Attempt, script: str) -> bool:
        """Go on with what an engine that died has left: a job that runs or has ended."""
        place = attempt.place
        if not self.resumes or _text(place.script) != script:
            return False
        job = self._old_job(place)
        if job is None and not place.rc.exists():
            return False
        attempt.enter("RunningJob")
        attempt.born = self.clock()
        self.record.running(attempt.call, attempt.command)
        self._runs(attempt, job or "unknown")
        return True

    def _old_job(self, place: Place) -> str | None:
        if self.provider.in_background:
            pid = hooks.background_job(place)
            return None if pid is None else str(pid)
        return self.provider.job_id(_text(place.execution / "stdout.submit"))

    def _runs(self, attempt: Attempt, job: str) -> None:
        attempt.job = job
        attempt.asked = self.clock()
        self.record.has_job(attempt.call, job)
        self._running.add(attempt)
        self._look_later(attempt)

    # Looking after jobs

    def _look(self) -> None:
        for attempt in [one for one in self._submitting if _has_ended(one)]:
            self._submitted(attempt)
        if self.provider.in_background:
            for attempt in [one for one in self._running if _has_ended(one)]:
                self._look_at(attempt)
        moment = self.clock()
        while self._looks and self._looks[0][0] <= moment:
            attempt = heapq.heappop(self._looks)[2]
            if attempt in self._running and self._look_at(attempt):
                self._look_later(attempt)

    def _look_later(self, attempt: Attempt) -> None:
        """The longer a job runs, the less often it is looked at: 5 ms to 5 s."""
        pause = min(5.0, max(0.005, (self.clock() - attempt.born) / 10))
        heapq.heappush(self._looks, (self.clock() + pause, next(self._order), attempt))

    def _submitted(self, attempt: Attempt) -> None:
        self._submitting.discard(attempt)
        assert attempt.child
        status, attempt.child = attempt.child.returncode, None
        try:
            job = hooks.job_of(self.provider, attempt.place)
        except UserDBError as error:
            self._fail(attempt, str(error))
            return
        if status:
            self._fail(attempt, f"The submit command ended with status {status} after {job}.")
            return
        self._runs(attempt, job)
        if self.aborted:
            self._kill(attempt)

    def _look_at(self, attempt: Attempt) -> bool:
        """Whether the job goes on."""
        code = attempt.place.return_code()
        if code is None:
            self._ask(attempt)
            return True
        if self.aborted and _is_busy(attempt) and self.clock() - attempt.asked < KILL_SECONDS:
            return True  # its kill hook is at work, or in the background the job itself
        self._running.discard(attempt)
        self._ended(attempt, code)
        return False

    def _ask(self, attempt: Attempt) -> None:
        """See whether a job without an `rc` still lives; if it has gone, write one for it."""
        if self.provider.in_background:
            gone = not _is_busy(attempt) and hooks.background_job(attempt.place) is None
        else:
            gone = self._is_said_to_be_gone(attempt)
        if not gone:
            attempt.gone_since = None
        elif attempt.gone_since is None:
            attempt.gone_since = self.clock()
        elif self.clock() - attempt.gone_since > self._grace:
            list(attempt.place.execution.iterdir())  # NFS looks again when it lists
            hooks.write_rc(attempt.place, hooks.LOST)

    def _is_said_to_be_gone(self, attempt: Attempt) -> bool:
        """Ask check-alive from time to time; what it said once, it need not say again."""
        if attempt.gone_since is not None:
            return True
        if _is_busy(attempt) or attempt.job is None:
            return False
        if attempt.child is not None:
            gone, attempt.child = attempt.child.returncode != 0, None
            return gone
        if self.clock() - attempt.asked >= self._patience:
            attempt.asked = self.clock()
            attempt.child = hooks.check(self.provider, attempt.place, attempt.job)
        return False

    @property
    def _patience(self) -> float:
        return math.inf if self.provider.patience is None else self.provider.patience

    @property
    def _grace(self) -> float:
        return RC_GRACE if self.provider.in_background else self.provider.patience or RC_GRACE

    def _ended(self, attempt: Attempt, code: int) -> None:
        self.record.job_ended(attempt.call)
        attributes = attempt.ready_prepared.attributes
        if self.aborted and code == 143:
            self.record.aborted(attempt.call)
            self._leave(attempt)
        elif attributes.fail_on_stderr and attempt.place.stderr.stat().st_size:
            size = attempt.place.stderr.stat().st_size
            self._fail(
                attempt,
                f"stderr for job {attempt.call} has length {size} and 'failOnStderr' runtime "
                "attribute was true.",
                code=code,
            )
        elif attributes.return_codes is not None and code not in attributes.return_codes:
            self._fail(
                attempt,
                f"Job {attempt.call} exited with return code {code} which has not been declared "
                "as a valid return code. See 'continueOnReturnCode' runtime attribute for more "
                "details.",
                code=code,
            )
        else:
            self._succeed(attempt, code)

    def _succeed(self, attempt: Attempt, code: int) -> None:
        try:
            outputs = outputs_of(attempt.ready_prepared)
        except EVALUATION as error:
            self._fail(attempt, f"Failed to evaluate job outputs: {words_of(error)}", code=code)
            return
        self._done(attempt, outputs, code, attempt.place)

    def _done(self, attempt: Attempt, outputs: Values, code: int, place: Place) -> None:
        attempt.enter("UpdatingJobStore")
        attempt.enter("Done")
        if attempt.hashes:
            self.record.hashes(attempt.call, attempt.hashes)
            if "Write" in self._mode(attempt):
                self._write_cache(attempt, attempt.hashes, outputs, code, place)
        values = {one.name: one.value for one in outputs}
        self.record.done(attempt.call, as_json(values), return_code=code, events=attempt.events)
        attempt.flow.graph.finish(attempt.ready.key, outputs)
        self._leave(attempt)

    def _fail(
        self, attempt: Attempt, message: str, *, code: int | None = None, may_retry: bool = True
    ) -> None:
        attempt.enter("UpdatingJobStore")
        attempt.enter("Failed")
        again = None
        if may_retry and not self._is_given_up(attempt.flow):
            again = self._next(attempt)
        say(f"{attempt.call.workflow[:8]}:{attempt.call}: {message}", level="WARN")
        failures = [failure(message)]
        if attempt.hashes:
            self.record.hashes(attempt.call, attempt.hashes)
        self.record.not_reusable(attempt.call)
        self.record.failed(
            attempt.call,
            failures,
            return_code=code,
            retried=again is not None,
            events=attempt.events,
        )
        if again:
            self.record.retry_counted(again.call, again.call.attempt - 1, again.memory_factor)
            self._queue_up(again)
        else:
            attempt.flow.failures += failures
            self._leave(attempt)

    def _next(self, attempt: Attempt) -> Attempt | None:
        """The attempt after one that failed, if the task allows one."""
        prepared = attempt.prepared
        if prepared is None or attempt.call.attempt > prepared.attributes.max_retries:
            return None
        wants_more = attempt.place.wants_memory
        factor = self.options.memory_retry_multiplier if wants_more else 1.0
        return attempt.again(attempt.memory_factor * factor)

    def _leave(self, attempt: Attempt) -> None:
        attempt.flow.live -= 1
        self._stirred.append(attempt.flow)

    # The cache

    def _take_from_cache(self, attempt: Attempt) -> bool:
        mode = self._mode(attempt)
        if mode == "CallCachingOff":
            return False
        attempt.enter("CallCacheReading")
        try:
            attempt.hashes = cache.hashes_of(attempt.ready_prepared, self.provider, self._hash_file)
        except OSError as error:
            say(f"{attempt.call} is not cached: {error}", level="WARN")
            return False
        if not mode.startswith("Read") or (self.resumes and attempt.place.script.exists()):
            return False
        hit = self._hit(attempt, attempt.hashes)
        self.record.cache_answered(attempt.call, hit.name if hit else None)
        return hit is not None

    def _hit(self, attempt: Attempt, hashes: Hashes) -> Hit | None:
        with self.ledger.using() as connection:
            if connection is None:
                return None
            age = self.options.max_age_days
            for hit in cache.hits(connection, hashes, max_age_days=age):
                try:
                    outputs = cache.take(
                        hit, attempt.ready_prepared, attempt.copy_place, self.provider.duplication
                    )
                except EVALUATION as error:
                    say(f"{attempt.call} can't use {hit.name}: {words_of(error)}", level="WARN")
                    continue
                self._done(attempt, outputs, hit.return_code or 0, attempt.copy_place)
                return hit
        return None

    def _write_cache(
        self, attempt: Attempt, hashes: Hashes, outputs: Values, code: int, place: Place
    ) -> None:
        leaves = [leaf for one in outputs for leaf in cache.simpletons(one.name, one.value)]
        if any(len(key) > KEY_LENGTH for key, _, _ in leaves):
            say(f"{attempt.call} is not cached: a key of its outputs is too long.", level="WARN")
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
                hashes=hashes,
                simpletons=tuple(leaves),
                detritus=tuple((key, str(path)) for key, path in detritus.items()),
            )
        )

    # The end before the end

    def _abort(self) -> None:
        if not self.options.abort_jobs:
            self.ledger.finish()
            raise Stopped("Stopped; jobs that run were left to themselves.")
        self.aborted = True
        say("Aborting: killing the jobs that run, and waiting for them.")
        for attempt in self._queue:
            attempt.flow.live -= 1
            self._stirred.append(attempt.flow)
        self._queue.clear()
        for attempt in list(self._running):
            self.record.aborting(attempt.flow.top.id)
            self._kill(attempt)

    def _kill(self, attempt: Attempt) -> None:
        hooks.write_rc(attempt.place, 143)
        attempt.asked = self.clock()
        if self.provider.in_background:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(attempt.job or 0), signal.SIGTERM)
            return
        image = attempt.ready_prepared.attributes.image
        job = attempt.job or ""
        attempt.child = hooks.kill(self.provider, attempt.place, job, image=image)
        self._look_later(attempt)

    # Waiting

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Let the end of a child, and a signal, end a wait at once."""
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        asleep = signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wake = read
        try:
            yield
        finally:
            signal.signal(signal.SIGCHLD, asleep)
            signal.set_wakeup_fd(woken)
            os.close(read)
            os.close(write)

    def _wait(self) -> None:
        if self._stirred or (self._queue and self._may_start()):
            return
        pause = FLUSH_SECONDS
        if self._looks:
            pause = min(pause, max(0.0, self._looks[0][0] - self.clock()))
        if select.select([self._wake], [], [], pause)[0]:
            os.read(self._wake, 4096)


def words_of(error: BaseException) -> str:
    """An error of WDL's in one line, with its place in the document."""
    where = getattr(error, "pos", None)
    words = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, OSError) and error.filename:
        words = f"{error.filename}: {error.strerror}"
    return f"{Path(where.abspath).name}:{where.line}:{where.column}: {words}" if where else words


def _has_ended(attempt: Attempt) -> bool:
    return attempt.child is not None and attempt.child.poll() is not None


def _is_busy(attempt: Attempt) -> bool:
    return attempt.child is not None and attempt.child.poll() is None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def root_flow(
    id: str, workflow: Tree.Workflow, given: Mapping[str, Value.Base], root: Path
) -> Flow:
    """The run's own workflow, below the executions' `root`."""
    folder = root / workflow.name / id
    library = Library(workflow.effective_wdl_version, folder / "execution")
    return Flow(id, Graph(workflow, given, library), folder)
