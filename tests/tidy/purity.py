"""What the pure rooms are kept free of: clocks, chance, I/O, globals, and floats in anything signed or folded.

The layers (tests/test_layers.py) keep out whole modules; this sees the calls that need no import, and the arithmetic.
"""

from __future__ import annotations

import ast

BANNED_IMPORTS = frozenset({
    "time", "datetime", "random", "secrets", "uuid", "os", "io", "pathlib", "tempfile", "socket", "threading",
    "asyncio", "multiprocessing", "subprocess", "trio",
})  # fmt: skip
BANNED_NAMES = frozenset({"nacl.utils"})
BANNED_CALLS = frozenset({"open", "print", "input", "id", "globals", "eval", "exec", "__import__"})
# What `math` has that returns integers.
INTEGER_MATH = frozenset({"isqrt", "gcd", "lcm", "comb", "prod"})


def is_pure(path: str) -> bool:
    """Whether a module is in a room without I/O."""
    if path.startswith("crdt/"):
        return not path.startswith("crdt/store/")
    return path.startswith(("consensus/", "node/engine/")) or path == "node/engine.py"


def is_integer(path: str) -> bool:
    """Whether what a module computes is signed or folded. Limits are neither."""
    return path != "crdt/limits.py" and is_pure(path) and not path.startswith("node/")


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def impure(path: str, source: str) -> list[str]:
    """Imports, calls and statements that reach outside the arguments."""
    found = []
    for node in ast.walk(ast.parse(source)):
        banned = [n for n in _imports(node) if n in BANNED_NAMES or n.split(".")[0] in BANNED_IMPORTS]
        found += [f"{path}:{getattr(node, 'lineno', 0)}: import of {name}" for name in banned]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
            found.append(f"{path}:{node.lineno}: call of {node.func.id}")
        if isinstance(node, ast.Global):
            found.append(f"{path}:{node.lineno}: global")
    return sorted(set(found))


def floats(path: str, source: str) -> list[str]:
    """Float literals and conversions, true division, and functions of math that return floats."""
    found = []
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"{path}:{line}: float {node.value}")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"{path}:{line}: true division")
        elif isinstance(node, ast.Name) and node.id in {"float", "complex"}:
            found.append(f"{path}:{line}: {node.id}")
        elif isinstance(node, ast.ImportFrom) and node.module == "math":
            found += [f"{path}:{line}: math.{a.name}" for a in node.names if a.name not in INTEGER_MATH]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "math":
            if node.attr not in INTEGER_MATH:
                found.append(f"{path}:{line}: math.{node.attr}")
        elif isinstance(node, ast.Import) and any(a.name in {"statistics", "cmath", "numpy"} for a in node.names):
            found.append(f"{path}:{line}: a module of floats")
    return found
