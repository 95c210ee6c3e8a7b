"""`make vectors`: write tests/vectors/*.json."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.vectors.all import written

FOLDER = Path(__file__).parent


def main() -> int:
    """Write every file, and take away what is no longer made."""
    texts = written()
    for old in FOLDER.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in sorted(texts.items()):
        (FOLDER / name).write_text(text)
        print(f"{name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
