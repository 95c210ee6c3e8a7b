"""Merkle trees, the VRF, who is drawn, and verdicts."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from consensus import merkle, vrf
from consensus.ops import Vote, Why
from consensus.params import MAIN, SMALL
from consensus.selection import epoch_seed, input_of, tranche_of
from consensus.verdict import Ballot, Standing, decide, is_fabricated, is_riff_believed, quorum
from crdt.types import EntryId, Epoch, Window
from tests.consensus.test_vrf import NON_CANONICAL, SMALL_ORDER, VECTORS
from tests.vectors.encoding import ALICE, BOB, NETWORK
from tests.vectors.form import Case, File, case, though, under, verdict

IDS = [EntryId(hashlib.sha256(bytes([n])).digest()) for n in range(20)]


NAMES = ("merkle", "vrf", "selection", "verdicts")


def files() -> list[File]:
    """The files of this module."""
    return [
        File(
            "merkle",
            "Trees over entry ids (id n is SHA-256 of the byte n): roots, paths, and what is no proof.",
            _merkle(),
            ("root",),
        ),
        File("vrf", "ECVRF-EDWARDS25519-SHA512-TAI: outputs of proofs, and proofs that show nothing.", _vrf()),
        File("selection", "VRF inputs, and the tranche that an output draws one into.", _selection(), ("input",)),
        File(
            "verdicts", "Counted votes as [tranche, vote]; a verdict with what it rests on.", _verdicts(), ("quorum",)
        ),
    ]


def _merkle() -> list[Case]:
    cases = [
        case(f"root of {n}", {"ids": IDS[:n]}, lambda n=n: merkle.root_of(IDS[:n]))
        for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 20)
    ]
    cases = under("root", cases) + _paths()
    proofs = [(n, i) for n in (1, 2, 3, 5, 7, 8, 20) for i in sorted({0, n // 2, n - 1})]
    for size, index in proofs:
        path, root = merkle.prove(IDS[:size], index), merkle.root_of(IDS[:size])
        cases += under("inclusion", [_included(f"{index} of {size}", root, IDS[index], index, size, path)])
    root, path = merkle.root_of(IDS[:7]), merkle.prove(IDS[:7], 4)
    node = merkle.prove(IDS[:7], 6)[0]
    wrong = [
        ("another entry", root, IDS[5], 4, 7, path),
        ("another place", root, IDS[4], 5, 7, path),
        ("another size", root, IDS[4], 4, 5, path),
        ("a size with a path of the same shape: sizes are not proven", root, IDS[4], 4, 8, path),
        ("another root", merkle.root_of(IDS[:8]), IDS[4], 4, 7, path),
        ("a step less", root, IDS[4], 4, 7, path[:-1]),
        ("a step more", root, IDS[4], 4, 7, (*path, path[0])),
        ("steps in another order", root, IDS[4], 4, 7, path[::-1]),
        ("a step of 31 bytes", root, IDS[4], 4, 7, (path[0][:31], *path[1:])),
        ("no steps", root, IDS[4], 4, 7, ()),
        ("a place beyond", root, IDS[4], 7, 7, path),
        ("a place below", root, IDS[4], -1, 7, path),
        ("of nothing", root, IDS[0], 0, 0, ()),
        ("an inner node as an entry", root, EntryId(node), 1, 2, (merkle.prove(IDS[:7], 0)[-1],)),
        ("the root as an entry", root, EntryId(root), 0, 1, ()),
        ("the path of another place", root, IDS[4], 4, 7, merkle.prove(IDS[:7], 3)),
        ("a step of 33 bytes", root, IDS[4], 4, 7, (path[0] + b"\x00", *path[1:])),
        ("a leaf's hash as an entry", root, EntryId(merkle.root_of(IDS[4:5])), 4, 7, path),
        ("a negative size", root, IDS[4], 4, -7, path),
        ("a root of 31 bytes", root[:31], IDS[4], 4, 7, path),
        ("a tree of the same entries in another order", merkle.root_of(IDS[:7][::-1]), IDS[4], 4, 7, path),
        ("one bit of a step", root, IDS[4], 4, 7, (bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:])),
    ]
    return cases + under("inclusion", [_included(*one) for one in wrong])


def _paths() -> list[Case]:
    """How a path is found, and that there is none to a place that is none."""
    return under(
        "path",
        [
            case(f"to {index} of {size}", {"ids": IDS[:size], "index": index}, lambda n=size, i=index: _path(n, i))
            for size, index in ((5, 4), (5, 1), (5, 5), (5, -1), (0, 0))
        ],
    )


def _path(size: int, index: int) -> Any:
    return merkle.prove(IDS[:size], index)


def _included(name: str, root: bytes, entry: EntryId, index: int, size: int, path: Any) -> Case:
    given = {"root": root, "entry": entry, "index": index, "size": size, "path": path}
    return verdict(name, given, merkle.included(root, entry, index, size, path) or None, "not included")


def _vrf() -> list[Case]:
    cases = []
    for seed, public, alpha, proof, output in VECTORS:
        assert vrf.prove(bytes.fromhex(seed), bytes.fromhex(alpha)).hex() == proof
        cases.append(_verified("RFC 9381 B.3", bytes.fromhex(public), bytes.fromhex(alpha), bytes.fromhex(proof), seed))
        assert cases[-1]["expect"] == output
    seed, alpha = ALICE.vrf_seed(), b"a window"
    public, proof, order = vrf.public_key(seed), vrf.prove(seed, alpha), vrf.GROUP_ORDER
    s = int.from_bytes(proof[48:], "little")
    cases.append(_verified("one of our own", public, alpha, proof, seed.hex()))
    wrong = [
        ("another input", public, b"another", proof),
        ("no input", public, b"", proof),
        ("another's key", vrf.public_key(BOB.vrf_seed()), alpha, proof),
        ("another's proof", public, alpha, vrf.prove(BOB.vrf_seed(), alpha)),
        ("a byte less", public, alpha, proof[:-1]),
        ("a byte more", public, alpha, proof + b"\x00"),
        ("zeros", public, alpha, bytes(80)),
        ("a key of 31 bytes", public[:31], alpha, proof),
        ("one bit of gamma", public, alpha, bytes([proof[0] ^ 1]) + proof[1:]),
        ("one bit of c", public, alpha, proof[:32] + bytes([proof[32] ^ 1]) + proof[33:]),
        ("one bit of s", public, alpha, proof[:48] + bytes([proof[48] ^ 1]) + proof[49:]),
        ("s plus the group's order", public, alpha, proof[:48] + (s + order).to_bytes(32, "little")),
        ("s of all ones", public, alpha, proof[:48] + b"\xff" * 32),
        ("s of 0", public, alpha, proof[:48] + bytes(32)),
        ("c of 0", public, alpha, proof[:32] + bytes(16) + proof[48:]),
    ]
    cases += [_verified(*one) for one in wrong]
    for point in SMALL_ORDER + NON_CANONICAL:
        cases.append(_verified("a key that is none", bytes.fromhex(point), alpha, proof))
        cases.append(_verified("gamma that is no point of the group", public, alpha, bytes.fromhex(point) + proof[32:]))
    return cases


def _verified(name: str, public: bytes, alpha: bytes, proof: bytes, seed: str = "") -> Case:
    given = {"public": public, "alpha": alpha, "proof": proof} | ({"seed": seed} if seed else {})
    return verdict(name, given, vrf.verify(public, alpha, proof), "proves nothing")


def _selection() -> list[Case]:
    cases = []
    for params, window in ((SMALL, 0), (SMALL, 299), (SMALL, 300), (MAIN, 300)):
        epoch = params.epoch_of(Window(window))
        given = {
            "epoch_windows": params.epoch_windows,
            "network": NETWORK,
            "proposer": BOB.player,
            "window": window,
            "base": b"",
        }
        expect = {
            "epoch": epoch,
            "seed": epoch_seed(NETWORK, Epoch(epoch)),
            "alpha": input_of(params, NETWORK, BOB.player, Window(window)),
        }
        cases.append(verdict("input", given, expect))
    share = 2**64 // 100
    odds = [
        (7 * share - 1, 1, 100),
        (7 * share, 1, 100),
        (7 * share + 1, 1, 100),
        (21 * share, 1, 100),
        (21 * share + 5, 1, 100),
        (35 * share, 1, 100),
        (35 * share + 9, 1, 100),
        (2**64 - 1, 1, 100),
        (0, 1, 100),
        (0, 0, 100),
        (2**64 - 1, 1, 7),
        (2**64 - 1, 1, 8),
        (2**64 * 7 // 8, 1, 8),
        (2**63, 65_536, 10 * 65_536),
        (2**64 - 1, 98_304, 10 * 65_536),
        (2**64 - 1, 100, 100),
        (5, 101, 100),
        (5, -1, 100),
        (5, 0, 0),
        (5, 1, 0),
    ]
    others = [
        ((7, 21, 35), 2**64 * 35 // 36 + 1, 1, 36),
        ((7, 21, 35), 2**63, 1, 70),
        ((1, 1, 1), 2**63, 1, 2),
        ((2, 4, 6), 2**64 * 6 // 7, 1, 7),
        ((0, 0, 0), 0, 1, 1),
        ((7, 21, 35), 5, 1, -1),
        ((7, 21, 35), 5, -2, -1),
        ((7, 21, 35), 2**64 - 1, 1, 2**60),
    ]
    for sizes, value, weight, total in [*((MAIN.tranche_sizes, *one) for one in odds), *others]:
        output = value.to_bytes(8, "big") + bytes(56)
        given = {"tranche_sizes": sizes, "output": output, "weight": weight, "total": total}
        cases.append(case("tranche", given, lambda s=sizes, o=output, w=weight, t=total: _drawn(s, o, w, t)))
        if "expect" in cases[-1] and cases[-1]["expect"] is None:
            cases[-1] = verdict("tranche", given, None, "not drawn")
    return cases


def _drawn(sizes: tuple[int, ...], output: bytes, weight: int, total: int) -> int | None:
    return tranche_of(msgspec.structs.replace(MAIN, tranche_sizes=sizes), output, weight, total)


def _verdicts() -> list[Case]:
    yes, no, late = Vote.YES, Vote.NO, Vote.TOO_LATE
    cases = [case("quorum", {"quorum_of": 7, "eligible": n}, lambda n=n: quorum(MAIN, n)) for n in (-1, *range(9), 100)]
    doubt = (0, yes, True)
    votes: list[tuple[str, int, list[Any], bool]] = [
        ("nobody is eligible", 0, [], False),
        ("no votes", 3, [], False),
        ("one of one", 1, [(0, yes)], False),
        ("two of three", 3, [(0, yes)] * 2, False),
        ("one of three", 3, [(0, yes)], False),
        ("five of seven", 7, [(0, yes)] * 5, False),
        ("four of seven", 7, [(0, yes)] * 4, False),
        ("a no opens the next", 100, [(0, yes)] * 5 + [(0, no)], False),
        ("which has enough", 100, [(0, yes)] * 5 + [(0, no)] + [(1, yes)] * 2 + [(1, no)], False),
        ("too many no", 100, [(0, yes)] * 5 + [(0, no)] * 3, False),
        ("two to one", 100, [(0, yes)] * 6 + [(0, no)] * 3, False),
        ("a no in a tranche that is closed", 100, [(0, yes)] * 5 + [(1, no)] * 7, False),
        ("under review it counts", 100, [(0, yes)] * 5 + [(1, no)] * 7, True),
        ("too few yes open the next", 100, [(0, yes)] * 4 + [(1, yes)], False),
        ("and the last", 100, [(0, yes)] * 2 + [(1, yes)] * 2 + [(2, yes)], False),
        ("late opens nothing", 100, [(0, yes)] * 5 + [(0, late)] * 2, False),
        ("late and no reject", 100, [(0, late)] * 3 + [(1, no)] * 2, False),
        ("late alone rejects", 100, [(0, late)] * 5, False),
        ("four no", 100, [(0, no)] * 4, False),
        ("five no", 100, [(0, no)] * 5, False),
        ("accepted before rejected", 100, [(0, yes)] * 10 + [(0, no)] * 5, False),
        ("one no of one", 1, [(0, no)], False),
        ("a yes in a tranche that is closed", 100, [(0, yes)] * 3 + [(0, late)] * 5 + [(2, yes)] * 9, True),
        ("yes to no as three to two", 100, [(0, yes)] * 6 + [(1, no)] * 4, True),
        ("enough yes and too many no, in all tranches", 100, [(n, v) for n in range(3) for v in (yes, no)] * 3, False),
        ("yes of the last tranche only, nobody in the one before", 100, [(2, yes)] * 4, False),
        ("a doubt opens the next", 100, [(0, yes)] * 5 + [doubt] + [(1, no)] * 4, False),
        ("one doubt of six: the riff is believed", 100, [(0, yes)] * 5 + [doubt], False),
        ("all doubt the riff, and nobody the block", 7, [doubt] * 5, False),
        ("three doubts of eight", 100, [(0, yes)] * 5 + [doubt] * 3, False),
        ("a doubt in a tranche that is closed", 100, [(0, yes)] * 5 + [(1, yes, True)] * 7, False),
        ("doubts and no", 100, [(0, yes)] * 4 + [doubt] * 2 + [(1, no)] * 4, False),
    ]
    for name, eligible, ballots, reviewed in votes:
        found = decide(MAIN, eligible, [Ballot(*ballot) for ballot in ballots], reviewed)
        given = {
            "tranche_sizes": MAIN.tranche_sizes,
            "quorum_of": 7,
            "eligible": eligible,
            "votes": ballots,
            "under_review": reviewed,
        }
        expect = {**msgspec.to_builtins(found._asdict()), "riff": is_riff_believed(quorum(MAIN, eligible), found)}
        standing = found.standing.name.lower()
        one = verdict(name, given, {**expect, "standing": standing})
        cases += under("verdict", [though(one, "" if found.standing is Standing.LOCAL else standing)])
    return cases + _fabricated()


def _fabricated() -> list[Case]:
    yes, no, late = Vote.YES, Vote.NO, Vote.TOO_LATE
    bad, fair = (no, Why.ROOT_MISMATCH), (no, Why.REPLAY)
    given = [
        (2, [bad, bad]),
        (2, [bad, bad, (yes, Why.FINE)]),
        (2, [bad, bad, fair, fair]),
        (2, [bad]),
        (2, [fair, fair]),
        (0, []),
        (5, [bad] * 5),
        (5, [bad] * 4 + [fair]),
        (5, [bad] * 6 + [fair] * 3),
        (5, [bad] * 6 + [fair] * 4),
        (1, [(no, Why.RIFF_MISMATCH)]),
        (1, [(no, Why.MISSING)]),
        (1, [(yes, Why.ROOT_MISMATCH)]),
        (1, [(no, Why.QUALITY_MISMATCH)]),
        (1, [(no, Why.SLICE_MISMATCH)]),
        (1, [(no, Why.MALFORMED)]),
        (1, [(late, Why.LATE)]),
    ]
    return [
        verdict("fabricated", {"quorum": q, "votes": cast}, is_fabricated(q, cast) or None, "not fabricated")
        for q, cast in given
    ]
