"""`make reference`: write docs/reference anew."""

from __future__ import annotations

from tests.reference import pages

for path, text in pages().items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path.name)
