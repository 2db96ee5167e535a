"""The scheduler against miniwdl's own, over many documents and many orders of completion."""

from __future__ import annotations

import json
import logging
import random
import time

import pytest
import WDL
from WDL import Env

from cromwell_userdb import wdl
from cromwell_userdb.embedded.graph import Graph
from cromwell_userdb.embedded.values import Library, bound, use_cromwells_values

TASKS = """
task t { input { Int n Int k = 1 String? s }
  command {} output { Int o = n * 10 + k  Array[Int] xs = [n, k] String? echo = s } }
task sum { input { Array[Int] ns } command {} output { Int o = length(ns) } }
"""
BODIES = {
    "chain": """workflow w { input { Int n = 3 }
        call t as a { input: n = n } call t as b { input: n = a.o } call t as c { input: n = b.o }
        output { Int x = c.o Array[Int] y = a.xs } }""",
    "scatter": """workflow w { input { Int n = 4 }
        scatter (i in range(n)) { call t { input: n = i } Int twice = t.o * 2 }
        call sum { input: ns = twice }
        output { Array[Int] x = t.o Int y = sum.o Array[Array[Int]] z = t.xs } }""",
    "nested scatter": """workflow w { input { Int n = 3 }
        scatter (i in range(n)) { scatter (j in range(i)) { call t { input: n = i * 10 + j } }
          call sum { input: ns = t.o } }
        output { Array[Array[Int]] x = t.o Array[Int] y = sum.o } }""",
    "conditional": """workflow w { input { Boolean yes = true Int n = 1 }
        if (yes) { call t as a { input: n = n } } if (!yes) { call t as b { input: n = n } }
        Int either = select_first([a.o, b.o])
        output { Int? x = a.o Int? y = b.o Int z = either } }""",
    "mixed": """workflow w { input { Int n = 4 }
        scatter (i in range(n)) { if (i > 1) { call t { input: n = i } Int? deep = t.o }
          call sum { input: ns = select_all([t.o]) } }
        output { Array[Int?] x = t.o Array[Int] y = sum.o Array[Int?] z = deep } }""",
    "conditional scatter": """workflow w { input { Boolean yes = true Int n = 2 }
        if (yes) { scatter (i in range(n)) { call t { input: n = i } } }
        output { Array[Int]? x = t.o } }""",
    "cross section": """workflow w { input { Int n = 3 }
        call t as first { input: n = n }
        scatter (i in range(first.o / 10)) { call t as shard { input: n = i, k = first.o } }
        scatter (x in shard.o) { call t as after { input: n = x } }
        call sum { input: ns = flatten(after.xs) }
        output { Int x = sum.o Array[Int] y = after.o } }""",
    "empty": """workflow w { input { Array[Int] ns = [] }
        scatter (i in ns) { call t { input: n = i } } call sum { input: ns = t.o }
        output { Array[Int] x = t.o Int y = sum.o } }""",
    "no outputs": """workflow w { input { Int n = 2 }
        scatter (i in range(n)) { call t { input: n = i } } call sum { input: ns = t.o } }""",
    "no calls": """workflow w { input { Int n = 2 } Int m = n + 1 output { Int x = m * 2 } }""",
    "optional": """workflow w { input { String? s }
        call t { input: n = 1, s = s } output { String? x = t.echo } }""",
}
AFTER = """workflow w {
    call t as a { input: n = 1 } call t as b after a { input: n = 2 }
    scatter (i in range(2)) { call t as c after b { input: n = i } }
    call t as d after c { input: n = 4 }
    output { Int x = d.o } }"""
DOCUMENTS = {
    **{name: f"version 1.0\n{TASKS}{body}" for name, body in BODIES.items()},
    "after": f"version 1.1\n{TASKS}{AFTER}",
    "draft-2": """
      task t { Int n Int k = 1 command {} output { Int o = n + k } }
      workflow w { Int n = 3 scatter (i in range(n)) { call t { input: n = i } }
        output { t.o } }""",
}


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    use_cromwells_values()
    folder = tmp_path_factory.mktemp("wdl")

    def load(text):
        path = folder / f"{abs(hash(text))}.wdl"
        path.write_text(text)
        return wdl.load(path).workflow

    return load


def outputs_of(task, inputs, library):
    """What a task of these documents gives: its outputs know its inputs only."""
    values = {one.name: one.value for one in inputs}
    for decl in task.inputs if task.inputs is not None else task.postinputs:
        if decl.name not in values:
            given = decl.expr.eval(bound(values), stdlib=library) if decl.expr else None
            values[decl.name] = given or WDL.Value.Null()
    return bound(
        {d.name: d.expr.eval(bound(values), stdlib=library).coerce(d.type) for d in task.outputs}
    )


def text_of(values):
    return json.dumps(WDL.values_to_json(values), sort_keys=True)


def ours(workflow, library, order):
    graph = Graph(workflow, {}, library)
    ready = list(graph.step())
    seen = []
    while ready:
        call = ready.pop(order.randrange(len(ready)))
        seen.append((call.call.name, text_of(call.inputs)))
        graph.finish(call.key, outputs_of(call.call.callee, call.inputs, library))
        ready += graph.step()
    assert graph.is_done
    return WDL.values_to_json(graph.outputs()), sorted(seen)


def theirs(workflow, library, order):
    from WDL.runtime import config
    from WDL.runtime._workflow_state import StateMachine

    logger = logging.getLogger("state machine")
    logger.notice = logger.info
    machine = StateMachine(logger.name, "/tmp", workflow, Env.Bindings())
    machine._logger = logger
    settings = config.Loader(logger, [])
    running, seen = [], []
    while machine.outputs is None:
        while call := machine.step(settings, library):
            running.append(call)
        if running:
            call = running.pop(order.randrange(len(running)))
            name = machine.jobs[call.id].node.name
            seen.append((name, text_of(call.inputs)))
            machine.call_finished(call.id, outputs_of(call.callee, call.inputs, library))
    return WDL.values_to_json(machine.outputs), sorted(seen)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_same_calls_and_outputs_as_miniwdls_scheduler(load, name, seed, tmp_path):
    workflow = load(DOCUMENTS[name])
    library = Library(workflow.effective_wdl_version, tmp_path)
    expected = theirs(workflow, library, random.Random(seed))
    assert ours(workflow, library, random.Random(seed)) == expected


def seconds_for(load, width, tmp_path):
    workflow = load(
        f"version 1.0\n{TASKS}workflow w {{ scatter (i in range({width})) {{"
        " call t { input: n = i } call t as u { input: n = t.o } }"
        " call sum { input: ns = u.o } output { Int x = sum.o } }"
    )
    graph = Graph(workflow, {}, Library("1.0", tmp_path))
    nothing = bound({"o": WDL.Value.Int(1), "xs": WDL.Value.Null(), "echo": WDL.Value.Null()})
    start, ready = time.process_time(), list(graph.step())
    while ready:
        graph.finish(ready.pop().key, nothing)
        ready += graph.step()
    assert graph.outputs()["x"].value == 1
    return time.process_time() - start


def test_the_time_grows_with_the_calls_and_not_with_their_square(load, tmp_path):
    seconds_for(load, 100, tmp_path)
    assert seconds_for(load, 10_000, tmp_path) < 40 * seconds_for(load, 1_000, tmp_path)
