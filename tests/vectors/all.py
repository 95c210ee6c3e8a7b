"""All files of vectors, by their names."""

from __future__ import annotations

from tests.vectors import (
    contents,
    drawing,
    effects,
    encoding,
    folding,
    forks,
    hearing,
    judging,
    paying,
    payloads,
    society,
    spending,
)
from tests.vectors.form import text_of

MAKERS = (encoding, payloads, drawing, hearing, judging, paying, society, spending, folding, effects, contents, forks)


def written() -> dict[str, str]:
    """Name and text of every file, worked out anew."""
    return {f"{file.name}.json": text_of(file) for maker in MAKERS for file in maker.files()}
