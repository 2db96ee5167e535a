"""What a workflow's tasks will ask for, as far as it is known before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from WDL import Env, Error, Expr, StdLib, Tree, Value

from cromwell_userdb.wdl.inputs import Mismatch, value_of
from cromwell_userdb.wish import UNKNOWN, Wish

_UNKNOWABLE = (Error.RuntimeError, Error.ValidationError, Mismatch, NotImplementedError)


def wishes(
    workflow: Tree.Workflow, inputs: Mapping[str, Any], *, perhaps: bool = False
) -> list[Wish]:
    """One for each task and set of values, of all calls that are sure to be reached.

    A call in a section whose condition only the run will tell is left out, unless `perhaps`.
    """
    scope = _Scope.of(workflow, inputs, f"{workflow.name}.", {})
    found = list(_of_workflow(workflow, scope, perhaps=perhaps))
    return [wish for number, wish in enumerate(found) if wish not in found[:number]]


@dataclass(frozen=True)
class _Scope:
    """The declarations that one workflow or task sees, and what is known of their values.

    `inputs` is the whole inputs JSON, in which those of this scope begin with `prefix`; `bound`
    are the values that a call gives.
    """

    decls: Mapping[str, Tree.Decl]
    inputs: Mapping[str, Any]
    prefix: str
    bound: Mapping[str, Value.Base | None]
    library: StdLib.Base
    found: dict[str, Value.Base | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        node: Tree.Workflow | Tree.Task,
        inputs: Mapping[str, Any],
        prefix: str,
        bound: Mapping[str, Value.Base | None],
    ) -> _Scope:
        further = node.body if isinstance(node, Tree.Workflow) else node.postinputs
        decls = [*(node.inputs or []), *(one for one in further if isinstance(one, Tree.Decl))]
        library = StdLib.Base(node.effective_wdl_version)
        return cls({one.name: one for one in decls}, inputs, prefix, bound, library)

    def value(self, name: str) -> Value.Base | None:
        """What `name` stands for, None where only the run will tell."""
        if name not in self.found:
            self.found[name] = None  # as long as we look, and for good where it needs itself
            self.found[name] = self._look(name)
        return self.found[name]

    def _look(self, name: str) -> Value.Base | None:
        if name in self.bound:
            return self.bound[name]
        if name not in self.decls:
            return None
        decl = self.decls[name]
        try:
            if self.prefix + name in self.inputs:
                return value_of(decl.type, self.inputs[self.prefix + name])
            if decl.expr is not None:
                value = self.evaluated(decl.expr)
                return None if value is None else value.coerce(decl.type)
        except _UNKNOWABLE:
            return None
        return Value.Null() if decl.type.optional else None

    def evaluated(self, expr: Expr.Base) -> Value.Base | None:
        environment: Env.Bindings[Value.Base] = Env.Bindings()
        for name in _names_in(expr):
            value = self.value(name)
            if value is None:
                return None
            environment = environment.bind(name, value)
        try:
            return expr.eval(environment, stdlib=self.library)
        except _UNKNOWABLE:
            return None


def _names_in(expr: Any) -> set[str]:
    if isinstance(expr, Expr.Ident):
        return {str(expr.name)}
    return {name for below in getattr(expr, "children", ()) for name in _names_in(below)}


def _of_workflow(workflow: Tree.Workflow, scope: _Scope, *, perhaps: bool) -> Iterator[Wish]:
    for call in _reached(workflow.body, scope, perhaps=perhaps):
        bound = {name: scope.evaluated(expr) for name, expr in call.inputs.items()}
        callee = call.callee
        assert callee
        below = _Scope.of(callee, scope.inputs, f"{scope.prefix}{call.name}.", bound)
        if isinstance(callee, Tree.Task):
            yield _of_task(callee, below, call.name)
        else:
            yield from _of_workflow(callee, below, perhaps=perhaps)


def _reached(
    body: Sequence[Tree.WorkflowNode], scope: _Scope, *, perhaps: bool
) -> Iterator[Tree.Call]:
    for node in body:
        if isinstance(node, Tree.Call):
            yield node
        elif isinstance(node, Tree.Conditional):
            value = scope.evaluated(node.expr)
            if perhaps if value is None else value.value:
                yield from _reached(node.body, scope, perhaps=perhaps)
        elif isinstance(node, Tree.Scatter):
            over = scope.evaluated(node.expr)
            if over is None or over.value:
                yield from _reached(node.body, scope, perhaps=perhaps)


def _of_task(task: Tree.Task, scope: _Scope, call: str) -> Wish:
    # Cromwell leaves these two out before WDL 1.1.
    unread = {"gpu", "container"} if task.effective_wdl_version in {"draft-2", "1.0"} else set()
    values = {n: scope.evaluated(expr) for n, expr in task.runtime.items() if n not in unread}
    return Wish(
        task=task.name,
        values={name: UNKNOWN if one is None else one.json for name, one in values.items()},
        lines={
            name: f"{Path(expr.pos.abspath).name}:{expr.pos.line}"
            for name, expr in task.runtime.items()
        },
        call=call,
    )
