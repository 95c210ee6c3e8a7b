"""Presets, encoding, ids, entries, payloads, contents: what the bytes say."""

from __future__ import annotations

from typing import Any

from consensus.content import digest_of, unpack
from consensus.events import decode_events
from consensus.ops import Block, SessionOpen, block_id, decode_ops, session_id
from consensus.params import Params, network_id
from crdt.canonical import encode
from crdt.entry import Entry, LogKey, client_id, open_entry, root_name
from crdt.errors import Reason
from crdt.keys import Identity, is_valid_player
from crdt.log import prove_equivocation
from crdt.replica import Replica
from crdt.types import PlayerId, ledger_epoch
from node.engine.record import checkpoint_in
from tests.vectors import encoding
from tests.vectors.reading import Refused, Rule, holds, typed

hexed = bytes.fromhex
GIVER = PlayerId(b"\x07" * 32)


def raw_of(given: Any) -> bytes:
    """The bytes: with the zeros after them that are left out, and with some `instead` of those from here to there."""
    raw = hexed(given["raw"]) + bytes(given.get("zeros_after", 0))
    start, stop, other = given.get("instead", (0, 0, ""))
    return raw[:start] + hexed(other) + raw[stop:]


def _preset(_: Params, given: Any) -> Any:
    params = typed(Params, given)
    return {"network": network_id(params), "raw": encode(params)}


def _content(_: Params, given: Any) -> Any:
    raw = raw_of(given)
    content = unpack(raw)
    return {"digest": digest_of(hexed(given["network"]), raw), "content": content}


def _saved(_: Params, given: Any) -> Any:
    found = checkpoint_in(hexed(given["network"]), hexed(given["digest"]) + raw_of(given))
    return holds(found is not None, "not what was voted on")


def _opened(given: Any, name: str) -> list[Entry]:
    return [open_entry(hexed(given["network"]), hexed(raw)) for raw in given[name]]


def _proof(_: Params, given: Any) -> Any:
    found = prove_equivocation(*_opened(given, "pair"))
    body = found.first.body
    return {"author": body.author, "document": body.document, "seq": found.seq, "ids": [entry.id for entry in found]}


def _log_of(_: Params, given: Any) -> Any:
    replica = Replica(hexed(given["network"]), given["document"])
    for raw in given["held"]:
        replica.admit(replica.open(hexed(raw)), GIVER)
    for pair in given["proofs"]:
        replica.freeze(prove_equivocation(*_opened({**given, "pair": pair}, "pair")))
    entry = replica.open(hexed(given["raw"]))
    done = replica.admit(entry, GIVER)
    log = replica.log(entry.log)
    told = {"length": len(log), "head": log.head, "frozen_at": log.frozen_at}
    if done.held:
        raise Refused("held until those before it come", told)
    if done.equivocation is not None:
        raise Refused("fork", told)
    if not done.added:
        raise Refused("known", told)
    return told


def _operations(_: Params, given: Any) -> Any:
    ops, skipped = decode_ops(hexed(given["payload"]))
    if skipped and not ops:
        raise Refused("skipped")
    return {"ops": ops, "skipped": skipped} if skipped else ops


def _log(given: Any) -> LogKey:
    return LogKey(hexed(given["author"]), hexed(given["nonce"]))


RULES: dict[tuple[str, str], Rule] = {
    ("parameters", ""): _preset,
    ("encoding", ""): lambda _, g: encoding.shaped(g["shape"]).decode(hexed(g["raw"])),
    ("ids", "player of a seed"): lambda _, g: Identity(hexed(g["seed"])).player,
    ("ids", "seed of the VRF key"): lambda _, g: Identity(hexed(g["seed"])).vrf_seed(),
    ("ids", "session"): lambda _, g: session_id(hexed(g["creator"]), typed(SessionOpen, g["op"])),
    ("ids", "block"): lambda _, g: block_id(hexed(g["proposer"]), typed(Block, g["op"])),
    ("ids", "client id"): lambda _, g: client_id(g["document"], _log(g)),
    ("ids", "root name"): lambda _, g: root_name(_log(g)),
    ("ids", "root name under a nonce"): lambda _, g: root_name(_log(g)),
    ("ids", "ledger document"): lambda _, g: holds(ledger_epoch(g["document"]), "no ledger document"),
    ("ids", "key of a player"): lambda _, g: holds(is_valid_player(hexed(g["player"])), str(Reason.BAD_KEY)),
    ("entries", ""): lambda _, g: encoding.opened(hexed(g["network"]), raw_of(g)),
    ("contents", "content"): _content,
    ("contents", "saved"): _saved,
    ("forks", "proof"): _proof,
    ("forks", "log"): _log_of,
    ("operations", ""): _operations,
    ("events", ""): lambda _, g: holds(decode_events(raw_of(g)) or None, "no events"),
}
