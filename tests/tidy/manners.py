"""What no code of this house does: swallow everything, print, leave notes to itself, go undocumented."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from tests.tidy.files import in_tests

# The guard at the edge of every task is the one place for a broad except. Elsewhere a line needs a reason here.
BROAD_EXCEPTS = {"node/mesh/guard.py": 2}
# Where stdout is the user's: the command line, and the benchmarks, which are one.
PRINTING = ("node/cli.py", "node/commands/", "node/__main__.py", "sim/people/judged.py", "bench/", "tests/")

_BROAD = {"Exception", "BaseException"}
_CATCHING = ast.ExceptHandler | ast.Call
# Written so that they do not match themselves.
_NOTES = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b")
_EXCUSES = re.compile(r"\b(?:for no[w]|simplifie[d]|placeholde[r])\b", re.IGNORECASE)


def _names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {"BaseException"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in parts
        if isinstance(part, ast.Name | ast.Attribute)
    }


def _is_broad(node: ast.ExceptHandler | ast.Call) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return bool(_names(node.type) & _BROAD)
    return "suppress" in _names(node.func) and any(_names(argument) & _BROAD for argument in node.args)


def broad_excepts(path: str, source: str) -> list[str]:
    """Handlers and suppressions of everything, beyond what is allowed for that path."""
    lines = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, _CATCHING) and _is_broad(node)]
    if len(lines) <= BROAD_EXCEPTS.get(path, 0):
        return []
    return [f"{path}:{line}: a broad except outside the guard" for line in sorted(lines)]


def prints(path: str, source: str) -> list[str]:
    """Calls of print where stdout is not the user's."""
    if path.startswith(PRINTING):
        return []
    return [
        f"{path}:{node.lineno}: print"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def notes_to_self(path: str, text: str) -> list[str]:
    """Marks of unfinished work, in any kind of file."""
    return [f"{path}:{n}: {found[0]}" for n, line in enumerate(text.splitlines(), 1) if (found := _NOTES.search(line))]


def excuses(path: str, source: str) -> list[str]:
    """Words in comments and strings that say that the code is not what it should be."""
    return [
        f"{path}:{token.start[0]}: {found[0]!r}"
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type in {tokenize.COMMENT, tokenize.STRING} and (found := _EXCUSES.search(token.string))
    ]


def undocumented(path: str, source: str) -> list[str]:
    """Public modules, classes, functions and methods without a docstring."""
    tree = ast.parse(source)
    if in_tests(path) or not tree.body:
        return []
    missing = [] if ast.get_docstring(tree) else [f"{path}:1: the module has no docstring"]
    return missing + [f"{path}:{node.lineno}: {node.name} has no docstring" for node in _public(tree)]


def _public(scope: ast.Module | ast.ClassDef) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    found: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in scope.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        decorators = set().union(*(_names(decorator) for decorator in node.decorator_list))
        if not ast.get_docstring(node) and not decorators & {"overload", "setter", "override"}:
            found.append(node)
        if isinstance(node, ast.ClassDef):
            found += _public(node)
    return found
