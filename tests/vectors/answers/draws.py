"""Merkle trees, the VRF, who is drawn, and verdicts."""

from __future__ import annotations

from typing import Any

import msgspec

from consensus import merkle, vrf
from consensus.ops import Vote, Why
from consensus.params import Params
from consensus.selection import epoch_seed, input_of, tranche_of
from consensus.verdict import Ballot, Standing, decide, is_fabricated, is_riff_believed, quorum
from crdt.types import BlockId, EntryId
from tests.vectors.reading import Refused, Rule, holds, params_of, typed

hexed = bytes.fromhex
Ids = tuple[EntryId, ...]


def _included(_: Params, given: Any) -> Any:
    root, entry, path = hexed(given["root"]), hexed(given["entry"]), [hexed(one) for one in given["path"]]
    return holds(merkle.included(root, entry, given["index"], given["size"], path), "not included")


def _input(_: Params, given: Any) -> Any:
    params = params_of({"epoch_windows": given["epoch_windows"]})
    network, proposer, window = hexed(given["network"]), hexed(given["proposer"]), given["window"]
    epoch = params.epoch_of(window)
    seed = epoch_seed(network, epoch, hexed(given["base"]))
    return {"epoch": epoch, "seed": seed, "alpha": input_of(params, network, proposer, window)}


def _tranche(_: Params, given: Any) -> Any:
    params = params_of({"tranche_sizes": given["tranche_sizes"]})
    return holds(tranche_of(params, hexed(given["output"]), given["weight"], given["total"]), "not drawn")


def _verdict(_: Params, given: Any) -> Any:
    params = params_of({name: given[name] for name in ("tranche_sizes", "quorum_of")})
    votes = typed(tuple[Ballot, ...], given["votes"])
    found = decide(params, given["eligible"], votes, given["under_review"])
    standing = found.standing.name.lower()
    believed = is_riff_believed(quorum(params, given["eligible"]), found)
    told = {**msgspec.to_builtins(found._asdict()), "riff": believed, "standing": standing}
    if found.standing is not Standing.LOCAL:
        raise Refused(standing, told)
    return told


def _fabricated(_: Params, given: Any) -> Any:
    votes = typed(tuple[tuple[Vote, Why], ...], given["votes"])
    return holds(is_fabricated(given["quorum"], votes), "not fabricated")


def _proves(_: Params, given: Any) -> Any:
    public, alpha, proof = (hexed(given[name]) for name in ("public", "alpha", "proof"))
    if "seed" in given:
        assert vrf.prove(hexed(given["seed"]), alpha) == proof
    return holds(vrf.verify(public, alpha, proof), "proves nothing")


RULES: dict[tuple[str, str], Rule] = {
    ("merkle", "root"): lambda _, g: merkle.root_of(typed(Ids, g["ids"])),
    ("merkle", "path"): lambda _, g: merkle.prove(typed(tuple[BlockId, ...], g["ids"]), g["index"]),
    ("merkle", "inclusion"): _included,
    ("vrf", ""): _proves,
    ("selection", "input"): _input,
    ("selection", "tranche"): _tranche,
    ("verdicts", "quorum"): lambda _, g: quorum(params_of({"quorum_of": g["quorum_of"]}), g["eligible"]),
    ("verdicts", "verdict"): _verdict,
    ("verdicts", "fabricated"): _fabricated,
}
