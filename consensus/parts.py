"""Which document of a jam a moment belongs to (SPEC 3: documents are bounded).

A jam goes on in a new document with every epoch, as the ledger does: part p of a session holds what was played in
the p-th epoch after the one in which it began. So a window lies in one part whole, everyone knows in which without
being told, a block names one document, and how old a document is can be read off its name and the session's t0.
"""

from __future__ import annotations

from consensus.events import Event
from consensus.facts import SessionFacts
from consensus.params import Params
from crdt.types import DocumentName, Micros, Window, jam_document


def part_of(params: Params, session: SessionFacts, window: Window) -> int:
    """The part in which a window of a session lies; negative before the session began."""
    began = params.epoch_of(params.window_at(session.op.t0_us))
    return params.epoch_of(window) - began


def document_at(params: Params, session: SessionFacts, t_us: int) -> DocumentName:
    """The document for what is played at a session time. Misuse beyond the last part there can be."""
    window = params.window_at(session.op.t0_us + t_us)
    return jam_document(session.id, part_of(params, session, window))


def by_document(
    params: Params, session: SessionFacts, events: tuple[Event, ...]
) -> dict[DocumentName, tuple[Event, ...]]:
    """Events by the document that they belong in, in the order given."""
    out: dict[DocumentName, list[Event]] = {}
    for event in events:
        out.setdefault(document_at(params, session, event.t_us), []).append(event)
    return {document: tuple(inside) for document, inside in out.items()}


def is_past(params: Params, session: SessionFacts, part: int, now_us: int) -> bool:
    """Whether a part is so old that nobody need keep its payloads, and nodes no longer reconcile it."""
    return now_us >= ends_us(params, session, part) + params.keep_windows * params.window_us


def ends_us(params: Params, session: SessionFacts, part: int) -> Micros:
    """The moment, on the session's clock in Unix time, after which nothing more belongs into a part."""
    began = params.epoch_of(params.window_at(session.op.t0_us))
    return params.window_start_us(Window((began + part + 1) * params.epoch_windows))
