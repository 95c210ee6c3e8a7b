"""All files of vectors, by their names."""

from __future__ import annotations

from tests.vectors import contents, drawing, encoding, folding, hearing, paying, payloads, society, spending
from tests.vectors.form import text_of

MAKERS = (encoding, payloads, drawing, hearing, paying, society, spending, folding, contents)


def written() -> dict[str, str]:
    """Name and text of every file, worked out anew."""
    return {f"{file.name}.json": text_of(file) for maker in MAKERS for file in maker.files()}
