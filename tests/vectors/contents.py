"""A checkpoint's content: what is one, and each way in which bytes are none."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from consensus.concerts import SEEN_MAX
from consensus.content import (
    AcceptedPart,
    AccountPart,
    AckPart,
    AuthorPart,
    Content,
    PresencePart,
    SessionPart,
    digest_of,
    pack,
)
from consensus.ops import LotRef, SessionOpen, session_id
from crdt.canonical import encode
from crdt.limits import CONTENT_MAX_BYTES
from crdt.types import NO_ENTRY, Digest, EntryId, Epoch, MicroJam, Micros, NetworkId, Seq, SessionId, Window
from tests.vectors.answers.wire import RULES
from tests.vectors.encoding import NETWORK
from tests.vectors.form import Case, File, under
from tests.vectors.paying import B, P
from tests.vectors.reading import answered

NAMES = ("contents",)
END = Epoch(50)
AT = {name: nth for nth, name in enumerate(Content.__struct_fields__)}
Path = tuple[str | int, ...]


def files() -> list[File]:
    """The files of this module."""
    about = "Bytes as a checkpoint's content (docs/rules.md, 9), and bytes under the digest that was voted on."
    cases = [_case("content", name, raw) for name, raw in _good() + _bad()] + _saved()
    cases[0]["given"]["raw"] = pack(whole()).hex()
    return [File("contents", about, cases, shared=("raw",))]


def _lots(*named: tuple[int, int]) -> tuple[LotRef, ...]:
    return tuple(LotRef(B[number], MicroJam(amount)) for number, amount in named)


def _sessions() -> tuple[SessionPart, ...]:
    opened = [SessionOpen(title, 120_000, 4, 4, Micros(10**15), ("drums",)) for title in ("one", "two")]
    parts = [SessionPart(P[1], opened[0], None), SessionPart(P[2], opened[1], Micros(5_000_000))]
    return tuple(sorted(parts, key=lambda part: session_id(part.creator, part.op)))


def whole() -> Content:
    """One with something in every part. Who is in it never was; it is a content all the same."""
    first, second = SessionId(b"\x51" * 32), SessionId(b"\x52" * 32)
    accounts = (
        AccountPart(P[1], _lots((1, 40), (2, 2)), _lots((1, 7), (3, 9)), ((Epoch(51), _lots((2, 5))),), ()),
        AccountPart(P[2], (), (), ((Epoch(52), _lots((1, 1), (2, 1))), (Epoch(54), _lots((1, 3)))), _lots((4, 8))),
        AccountPart(P[4], (), (), (), _lots((5, 1), (6, 2))),
    )
    return Content(
        epoch=END,
        base=Digest(b"\x0b" * 32),
        seeds=((Epoch(49), Digest(b"\x05" * 32)), (Epoch(53), Digest(b"\x06" * 32))),
        minted_micro=100,
        burned_micro=21,
        accounts=accounts,
        before=(PresencePart(P[1], 65_536, bytes([1]) * 32), PresencePart(P[3], 0, bytes([3]) * 32)),
        present=(PresencePart(P[1], 65_540, bytes([1]) * 32), PresencePart(P[2], 9, bytes([2]) * 32)),
        weights_before=((P[1], 65_536), (P[3], 4)),
        authors=(
            AuthorPart(P[1], END, Seq(4), EntryId(b"\xe1" * 32), False),
            AuthorPart(P[2], Epoch(48), Seq(0), EntryId(b"\xe2" * 32), True),
            AuthorPart(P[3], Epoch(0), Seq(0), NO_ENTRY, True),
        ),
        sessions=_sessions(),
        vouches=((P[1], P[2]), (P[1], P[3]), (P[2], P[1])),
        acks=(
            AckPart(P[1], P[2], ((Epoch(39), 2), (END, 1))),
            AckPart(P[1], P[3], ((Epoch(39), 1),)),
            AckPart(P[2], P[1], ((END, 7),)),
        ),
        witnesses=((P[2], P[1], first), (P[2], P[1], second), (P[3], P[1], first)),
        reviews=((Epoch(48), P[2]), (END, P[1]), (END, P[2])),
        accepted=(
            AcceptedPart(P[1], Window(140), B[1], (P[2], P[3])),
            AcceptedPart(P[1], Window(142), B[2], (P[2],)),
            AcceptedPart(P[2], Window(141), B[3], (P[1], P[3])),
        ),
    )


def _plain() -> Any:
    return msgspec.msgpack.decode(pack(whole()))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[AT[step] if isinstance(step, str) else step]
    return value


def _put(path: Path, new: Any) -> bytes:
    """The bytes with another value in one place."""
    value = copy.deepcopy(_plain())
    last = path[-1]
    _at(value, path[:-1])[AT[last] if isinstance(last, str) else last] = new
    return encode(value)


def _crossed(*path: str | int) -> bytes:
    """The bytes with one list the other way round."""
    items = _at(_plain(), path)
    assert len(items) > 1, path
    return _put(path, items[::-1])


def _twice(path: Path, field: int, new: Any) -> bytes:
    """The bytes with the last of a list there again, another value in one field of it."""
    items = _at(_plain(), path)
    again = list(items[-1])
    again[field] = new
    return _put(path, [*items, again])


def _good() -> list[tuple[str, bytes]]:
    empty = Content(Epoch(0), Digest(bytes(32)), (), 0, 0, *((),) * 11)
    change = msgspec.structs.replace
    seen = tuple((P[2], P[1], SessionId(bytes([n]) * 32)) for n in range(SEEN_MAX))
    return [
        ("something in every part", pack(whole())),
        ("the state of nobody", pack(empty)),
        ("all is burned", pack(change(empty, minted_micro=2**62, burned_micro=2**62))),
        ("as many sessions of a witness as matter", pack(change(empty, witnesses=seen))),
        ("seeds that begin one after the other", pack(change(empty, seeds=((Epoch(1), B[1]), (Epoch(2), B[2]))))),
        ("one without a chain, of whom a fork was proven", pack(change(empty, authors=(whole().authors[2],)))),
    ]


def _bad() -> list[tuple[str, bytes]]:
    return _other_bytes() + _other_values() + _out_of_order() + _there_twice() + _contradictions()


def _other_bytes() -> list[tuple[str, bytes]]:
    raw, plain = pack(whole()), _plain()
    return [
        ("nothing", b""),
        ("a byte less", raw[:-1]),
        ("half of it", raw[: len(raw) // 2]),
        ("a byte more", raw + b"\x00"),
        ("an array with a longer head", b"\xdd\x00\x00" + raw[1:]),
        ("the epoch in two bytes", raw[:3] + b"\xcc" + raw[3:]),
        ("a part less", encode(plain[:-1])),
        ("a part more", encode([*plain, []])),
        ("a map", encode(dict(enumerate(plain)))),
        ("the unused code", b"\xc1" * 40),
        ("a nil for a list", _put(("reviews",), None)),
        ("oversize", bytes(CONTENT_MAX_BYTES + 1)),
    ]


def _other_values() -> list[tuple[str, bytes]]:
    given: list[tuple[str, Path, Any]] = [
        ("an epoch below 0", ("epoch",), -1),
        ("an epoch beyond 2^40", ("epoch",), 2**40 + 1),
        ("a base of 31 bytes", ("base",), bytes(31)),
        ("a seed of 33 bytes", ("seeds", 0, 1), bytes(33)),
        ("less than nothing minted", ("minted_micro",), -1),
        ("more minted than 2^62", ("minted_micro",), 2**62 + 1),
        ("less than nothing burned", ("burned_micro",), -1),
        ("a float", ("burned_micro",), 21.0),
        ("a player of 31 bytes", ("accounts", 0, 0), P[1][:31]),
        ("an amount of 0", ("accounts", 0, 1, 0, 1), 0),
        ("a negative amount", ("accounts", 0, 2, 0, 1), -7),
        ("an amount beyond 2^60", ("accounts", 2, 4, 0, 1), 2**60 + 1),
        ("a lot without an amount", ("accounts", 0, 1, 0), [B[1]]),
        ("an account without its last heap", ("accounts", 2), [P[4], [], [], []]),
        ("a negative weight", ("present", 0, 1), -1),
        ("a weight beyond 2^40", ("before", 0, 1), 2**40 + 1),
        ("a key of 33 bytes", ("present", 0, 2), bytes(33)),
        ("an earlier weight in text", ("weights_before", 0, 1), "65536"),
        ("a number beyond 2^53", ("authors", 0, 2), 2**53),
        ("1 for a cut", ("authors", 1, 4), 1),
        ("a session too slow", ("sessions", 0, 1, 2), 19_999),
        ("a session under another tag", ("sessions", 0, 1, 0), 3),
        ("a session closed before it began", ("sessions", 0, 2), -1),
        ("a vouch for two", ("vouches", 0), [P[1], P[2], P[3]]),
        ("acknowledged no times", ("acks", 0, 2, 0, 1), 0),
        ("a session id of 31 bytes", ("witnesses", 0, 2), bytes(31)),
        ("a review of a number", ("reviews", 0, 1), 7),
        ("a window beyond 2^40", ("accepted", 0, 1), 2**40 + 1),
        ("a voter of 31 bytes", ("accepted", 0, 3, 0), P[2][:31]),
    ]
    return [(name, _put(path, new)) for name, path, new in given]


def _out_of_order() -> list[tuple[str, bytes]]:
    lists: list[tuple[str, Path]] = [(f"{name} not in order", (name,)) for name, kind in _LISTS.items() if kind]
    lists += [
        ("free lots not in order", ("accounts", 0, 1)),
        ("staked lots not in order", ("accounts", 0, 2)),
        ("releases not in order", ("accounts", 1, 3)),
        ("leaving lots not in order", ("accounts", 1, 3, 0, 1)),
        ("coming lots not in order", ("accounts", 2, 4)),
        ("generations not in order", ("acks", 0, 2)),
        ("voters not in order", ("accepted", 0, 3)),
    ]
    return [(name, _crossed(*path)) for name, path in lists]


_LISTS = {name: name not in {"epoch", "base", "minted_micro", "burned_micro"} for name in AT}


def _there_twice() -> list[tuple[str, bytes]]:
    given: list[tuple[str, Path, int, Any]] = [
        ("two seeds from one epoch on", ("seeds",), 1, b"\x07" * 32),
        ("two accounts of one player", ("accounts",), 4, [[B[5], 1], [B[7], 2]]),
        ("two who were there before are one", ("before",), 1, 1),
        ("two who were there are one", ("present",), 1, 10),
        ("two earlier weights of one player", ("weights_before",), 1, 5),
        ("two ends of one log", ("authors",), 4, False),
        ("one session closed twice", ("sessions",), 2, 2**40),
        ("acknowledged by one in two places", ("acks",), 2, [[39, 1], [50, 7]]),
        ("two blocks of one window", ("accepted",), 2, B[4]),
        ("two free lots of one block", ("accounts", 0, 1), 1, 3),
        ("two staked lots of one block", ("accounts", 0, 2), 1, 10),
        ("two lots of one block are coming", ("accounts", 2, 4), 1, 3),
        ("two heaps leave in one epoch", ("accounts", 1, 3), 1, [[B[2], 3]]),
        ("two counts of one generation", ("acks", 0, 2), 1, 2),
    ]
    again: list[tuple[str, Path]] = [
        ("a vouch twice", ("vouches",)),
        ("a witness twice", ("witnesses",)),
        ("a review twice", ("reviews",)),
        ("a voter twice", ("accepted", 2, 3)),
    ]
    twice = [(name, _put(path, [*(items := _at(_plain(), path)), items[-1]])) for name, path in again]
    return [(name, _twice(path, field, new)) for name, path, field, new in given] + twice


def _contradictions() -> list[tuple[str, bytes]]:
    seen = [[P[2], P[1], bytes([n]) * 32] for n in range(SEEN_MAX + 1)]
    given: list[tuple[str, Path, Any]] = [
        ("more held than was minted", ("minted_micro",), 99),
        ("less held than was minted", ("minted_micro",), 101),
        ("burned and held", ("burned_micro",), 22),
        ("more burned than minted", ("burned_micro",), 101),
        ("an account without coins", ("accounts",), [*_plain()[AT["accounts"]], [P[5], [], [], [], []]]),
        ("nothing leaves a stake", ("accounts", 0, 3), [[51, [[B[2], 5]]], [52, []]]),
        ("coins that left the stake before", ("accounts", 0, 3, 0, 0), END - 1),
        ("a seed that a later one made void", ("seeds", 1, 0), END + 1),
        ("an earlier weight that is today's", ("weights_before", 0, 1), 65_540),
        ("an entry of a later epoch", ("authors", 0, 1), END + 1),
        ("a log without entries that is not cut", ("authors", 2, 4), False),
        ("a log without entries that ends at one", ("authors", 2, 2), 1),
        ("a log without entries that ends in an epoch", ("authors", 2, 1), 7),
        ("a vouch for oneself", ("vouches", 0), [P[1], P[1]]),
        ("an acknowledgement of oneself", ("acks", 0, 1), P[1]),
        ("an acknowledger who never was one", ("acks", 1, 2), []),
        ("an acknowledgement of a later epoch", ("acks", 2, 2, 0, 0), END + 1),
        ("a witness of oneself", ("witnesses", 2), [P[3], P[3], b"\x51" * 32]),
        ("more sessions of a witness than matter", ("witnesses",), seen),
        ("a review of a later epoch", ("reviews", 2, 0), END + 1),
        ("a block that nobody attested", ("accepted", 1, 3), []),
        ("a vote on one's own block", ("accepted", 1, 3), [P[1]]),
    ]
    return [(name, _put(path, new)) for name, path, new in given]


def _case(rule: str, name: str, raw: bytes, **given: Any) -> Case:
    """A case, its bytes told by what is other than in the first case."""
    base = pack(whole())
    told = {"network": NETWORK, **given, "raw": base}
    if raw != base:
        told |= {"raw": raw} if len(raw) < 100 else _instead(base, raw)
    one = answered(name, RULES["contents", rule], told)
    if raw == base or "instead" in told:
        del one["given"]["raw"]
    return under(rule, [one])[0]


def _instead(base: bytes, raw: bytes) -> dict[str, Any]:
    if not any(raw):
        return {"raw": b"", "zeros_after": len(raw)}
    head = _alike(base, raw)
    tail = _alike(base[head:][::-1], raw[head:][::-1])
    return {"instead": (head, len(base) - tail, raw[head : len(raw) - tail])}


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes two begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _saved() -> list[Case]:
    """What is fetched or saved is believed only under its digest."""
    raw = pack(whole())
    mine, other = digest_of(NETWORK, raw), pack(msgspec.structs.replace(whole(), base=Digest(bytes(32))))
    elsewhere = digest_of(NetworkId(NETWORK[::-1]), raw)
    given = [
        ("the content that was voted on", mine, raw),
        ("another content", mine, other),
        ("cut short", mine, raw[:-1]),
        ("one bit", mine, raw[:-1] + bytes([raw[-1] ^ 1])),
        ("voted on in another network", elsewhere, raw),
        ("a digest of 31 bytes", mine[:31], raw),
        ("no digest", b"", raw),
        ("what has its digest and is no content", digest_of(NETWORK, b"\xc1"), b"\xc1"),
    ]
    return [_case("saved", name, held, digest=digest) for name, digest, held in given]
