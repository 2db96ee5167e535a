"""The scheduler of one workflow instance: which calls are ready, what they gave, what comes out.

Each node is visited once for each of its shards, whatever the number of calls; nothing here
touches a file or a process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from WDL import Env, StdLib, Tree, Type, Value

from cromwell_userdb.embedded.values import Values, bound

Path = tuple[int, ...]
"""The index in each enclosing scatter, the outermost first."""

Key = tuple[str, Path]
"""A node of the workflow, and which shard of it."""

_NOTHING: Values = Env.Bindings()


@dataclass
class Node:
    """A node waiting for `left` others; `variables` are those of the enclosing scatters."""

    key: Key
    tree: Tree.WorkflowNode
    needs: list[Key]
    variables: Values
    left: int = 0


@dataclass(frozen=True)
class Ready:
    """A call whose inputs are known."""

    key: Key
    call: Tree.Call
    inputs: Values

    @property
    def shard(self) -> Path:
        return self.key[1]


@dataclass
class Graph:
    """One run of `workflow`; `given` are its inputs, those of its calls as ``call.name``."""

    workflow: Tree.Workflow
    given: Mapping[str, Value.Base]
    library: StdLib.Base
    unfinished: int = 0
    _done: dict[Key, Values] = field(default_factory=dict)
    _waiting: dict[Key, list[Node]] = field(default_factory=dict)
    _ready: deque[Node] = field(default_factory=deque)
    _calls: dict[Key, Node] = field(default_factory=dict)
    _by_call: dict[str, dict[str, Value.Base]] = field(default_factory=dict)
    _kinds: dict[str, dict[str, Tree.Decl]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nodes = {node.workflow_node_id: node for node in _all_nodes(self.workflow)}
        self._declared = {b.name: b.value for b in self.workflow.available_inputs}
        for name, value in self.given.items():
            call, dot, below = name.partition(".")
            if dot:
                self._by_call.setdefault(call, {})[below] = value
        for tree in _top(self.workflow):
            needs: list[Key] = [] if self._is_given(tree) else [(d, ()) for d in _needs(tree)]
            self._add(tree, (), needs, _NOTHING)

    def step(self) -> Iterator[Ready]:
        """Evaluate all that can be, and yield each call that has become ready."""
        while self._ready:
            node = self._ready.popleft()
            if isinstance(node.tree, Tree.Call):
                self._calls[node.key] = node
                yield Ready(node.key, node.tree, self._inputs_of(node, node.tree))
            else:
                self._evaluate(node)

    def finish(self, key: Key, outputs: Values) -> None:
        """Tell the graph what the call at `key` gave, by its own names."""
        node = self._calls.pop(key)
        assert isinstance(node.tree, Tree.Call)
        self._settle(node, outputs.wrap_namespace(node.tree.name))

    @property
    def is_done(self) -> bool:
        return not self.unfinished

    def outputs(self) -> Values:
        """The workflow's outputs, in their order; without an output section all of its calls'."""
        if self.workflow.outputs is not None:
            found = [self._done[(o.workflow_node_id, ())] for o in self.workflow.outputs]
        else:
            found = [self._done[(tree.workflow_node_id, ())] for tree in self._outermost_calls()]
        return bound({one.name: one.value for values in found for one in values})

    def _outermost_calls(self) -> Iterator[Tree.WorkflowNode]:
        for tree in self.workflow.body:
            if isinstance(tree, Tree.Call):
                yield tree
            elif isinstance(tree, Tree.WorkflowSection):
                for gather in tree.gathers.values():
                    if isinstance(gather.final_referee, Tree.Call):
                        yield gather

    def _is_given(self, tree: Tree.WorkflowNode) -> bool:
        # By identity: an output of draft-2 may have the name of an input.
        return (
            isinstance(tree, Tree.Decl)
            and tree.name in self.given
            and self._declared.get(tree.name) is tree
        )

    def _add(
        self, tree: Tree.WorkflowNode, path: Path, needs: list[Key], variables: Values
    ) -> None:
        node = Node((tree.workflow_node_id, path), tree, needs, variables)
        self.unfinished += 1
        for key in needs:
            if key not in self._done:
                node.left += 1
                self._waiting.setdefault(key, []).append(node)
        if not node.left:
            self._ready.append(node)

    def _settle(self, node: Node, values: Values) -> None:
        self._done[node.key] = values
        self.unfinished -= 1
        for waiter in self._waiting.pop(node.key, ()):
            waiter.left -= 1
            if not waiter.left:
                self._ready.append(waiter)

    def _environment(self, node: Node) -> Values:
        return Env.merge(node.variables, *(self._done[key] for key in node.needs))

    def _evaluate(self, node: Node) -> None:
        tree = node.tree
        if isinstance(tree, Tree.Gather):
            self._settle(node, self._gathered(node, tree))
        elif isinstance(tree, Tree.WorkflowSection):
            self._expand(node, tree)
            self._settle(node, _NOTHING)
        else:
            assert isinstance(tree, Tree.Decl)
            self._settle(node, _NOTHING.bind(tree.name, self._value(node, tree)))

    def _value(self, node: Node, decl: Tree.Decl) -> Value.Base:
        if self._is_given(decl):
            return self.given[decl.name]
        if decl.expr is None:
            return Value.Null()
        return decl.expr.eval(self._environment(node), stdlib=self.library).coerce(decl.type)

    def _inputs_of(self, node: Node, call: Tree.Call) -> Values:
        environment = self._environment(node)
        kinds = self._declared_by(call)
        found = {
            name: expr.eval(environment, stdlib=self.library) for name, expr in call.inputs.items()
        }
        answer = {}
        for name, value in {**found, **self._by_call.get(call.name, {})}.items():
            decl = kinds.get(name)
            if decl is not None:
                empty = isinstance(value, Value.Null)
                if empty and decl.expr is not None and not decl.type.optional:
                    continue  # the callee's own default
                value = value if empty and decl.type.optional else value.coerce(decl.type)
            answer[name] = value
        return bound(answer)

    def _declared_by(self, call: Tree.Call) -> dict[str, Tree.Decl]:
        if call.name not in self._kinds:
            assert call.callee
            self._kinds[call.name] = {b.name: b.value for b in call.callee.available_inputs}
        return self._kinds[call.name]

    def _expand(self, node: Node, section: Tree.WorkflowSection) -> None:
        path = node.key[1]
        value = section.expr.eval(self._environment(node), stdlib=self.library)  # type: ignore[attr-defined]
        if isinstance(section, Tree.Scatter):
            shards = [
                ((*path, i), Env.Bindings(Env.Binding(section.variable, item), node.variables))
                for i, item in enumerate(value.value)
            ]
        else:
            shards = [(path, node.variables)] if value.coerce(Type.Boolean()).value else []
        for below, variables in shards:
            for tree in section.body:
                needs = [(n, below[: self._nodes[n].scatter_depth]) for n in _needs(tree)]
                self._add(tree, below, needs, variables)
        for inner, gather in section.gathers.items():
            self._add(gather, path, [(inner, below) for below, _ in shards], node.variables)

    def _gathered(self, node: Node, gather: Tree.Gather) -> Values:
        leaf = gather.final_referee
        names = (
            [one.name for one in leaf.effective_outputs]
            if isinstance(leaf, Tree.Call)
            else [leaf.name]
        )
        shards = [{b.name: b.value for b in self._done[key]} for key in node.needs]
        return bound(
            {name: _collected(gather.section, [shard[name] for shard in shards]) for name in names}
        )


def _collected(section: Tree.WorkflowSection, values: list[Value.Base]) -> Value.Base:
    if isinstance(section, Tree.Scatter):
        return Value.Array(values[0].type if values else Type.Any(), values)
    return values[0] if values else Value.Null()


def _top(workflow: Tree.Workflow) -> list[Tree.WorkflowNode]:
    return [*(workflow.inputs or []), *workflow.body, *(workflow.outputs or [])]


def _needs(tree: Tree.WorkflowNode) -> list[str]:
    return sorted(tree.workflow_node_dependencies)


def _all_nodes(workflow: Tree.Workflow) -> Iterator[Tree.WorkflowNode]:
    stack: list[Tree.WorkflowNode] = _top(workflow)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Tree.WorkflowSection):
            stack.extend(node.body)
            stack.extend(node.gathers.values())
