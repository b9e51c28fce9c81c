"""The rule against hidden state: what a module binds at its top level is a constant, and nobody changes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.helpers.architecture import Complaint, Source, complain, dotted, words

_CONSTANT: Final = re.compile(r"_{0,2}[A-Z][A-Z0-9_]*|__\w+__")
_CONTAINERS: Final = words(
    "list dict set bytearray deque defaultdict Counter OrderedDict ChainMap WeakValueDictionary WeakKeyDictionary "
    "WeakSet Queue SimpleQueue LifoQueue PriorityQueue Event Lock RLock Condition Semaphore local ContextVar "
    "count cycle iter"
)
_MUTATORS: Final = words(
    "add append appendleft clear difference_update discard extend extendleft insert intersection_update move_to_end "
    "pop popitem popleft remove reverse setdefault sort symmetric_difference_update update"
)


def modules_hold_no_state(source: Source) -> Iterator[Complaint]:
    """No `global`; a mutable value at module level is named like a constant or Final; nothing mutates a constant.

    A constant is recognised by its name (capitals), also when it is another module's: `theme.COLOURS["up"] = …`.
    """
    finals = set()
    for statement in _top_level(source.tree.body):
        for name, value, is_final in _bindings(statement):
            if is_final:
                finals.add(name)
            elif value is not None and _is_mutable(value) and not _CONSTANT.fullmatch(name):
                yield complain(
                    source, statement, f"module-level state: {name}; give it an owner, or make it a constant"
                )
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield complain(source, node, f"global {', '.join(node.names)}: state belongs to an object")
            continue
        for target in _changed(node):
            last = target.rpartition(".")[2]
            is_constant = _CONSTANT.fullmatch(last) and not last.startswith("__")
            if is_constant or target in finals:
                yield complain(source, node, f"the constant {target} is changed here")


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run at import, those inside if, try, with, for and while included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _top_level(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from _top_level(handler.body)


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None, bool]]:
    """Name, value and whether it is annotated Final, for each name the statement assigns."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value, False
            elif isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                for part, value in zip(target.elts, statement.value.elts, strict=False):
                    if isinstance(part, ast.Name):
                        yield part.id, value, False
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        annotation = statement.annotation
        outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        yield statement.target.id, statement.value, dotted(outer).rpartition(".")[2] == "Final"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp):
        return True
    return isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in _CONTAINERS


def _changed(node: ast.AST) -> Iterator[str]:
    """Dotted names whose value this node changes in place (or, by +=, rebinds)."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        targets = [target.value for target in node.targets if isinstance(target, ast.Subscript)]
    elif isinstance(node, ast.AugAssign):
        targets = [node.target.value if isinstance(node.target, ast.Subscript) else node.target]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
        targets = [node.func.value]
    for target in targets:
        if isinstance(target, ast.Name | ast.Attribute):
            yield dotted(target)
