"""A checkpoint's content: the state at the end of an epoch in full, written alike by everybody (docs/rules.md, 9).

A ledger that starts from it and takes in the later entries gives the same root as one that has folded everything. So
there is in it whatever later entries rest on, and nothing else: what each account holds, who was there in the last
two epochs with the keys they draw with, who vouches for whom, who acknowledged and witnessed whom and how often, which
recent blocks a later one looks back on, the sessions that go on, and where each author's log has come to.

Everything is sorted, so that one state has one content. What it costs is a function of how many people and coins
there are, not of how long they have played.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from consensus.checkpoint import Value
from consensus.concerts import SEEN_MAX
from consensus.ops import EpochField, LotRef, SessionOpen, session_id
from consensus.params import Params
from crdt.canonical import Canonical, digest, encode
from crdt.errors import Reason, Violation
from crdt.limits import CONTENT_MAX_BYTES
from crdt.types import (
    NO_ENTRY,
    BlockIdField,
    Digest,
    DigestField,
    EntryIdField,
    MicrosField,
    NetworkId,
    PlayerId,
    PlayerIdField,
    SeqField,
    SessionIdField,
    WindowField,
)

Micro = Annotated[int, Meta(ge=0, le=2**62)]
WeightField = Annotated[int, Meta(ge=0, le=2**40)]
CountField = Annotated[int, Meta(ge=1, le=2**40)]
KeyField = Annotated[bytes, Meta(min_length=32, max_length=32)]
HeldLots = tuple[LotRef, ...]  # ascending by block


class AccountPart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """One account at the end of the epoch, and what is coming in, free from the next one on."""

    player: PlayerIdField
    free: HeldLots
    staked: HeldLots
    leaving: tuple[tuple[EpochField, HeldLots], ...]
    coming: HeldLots


class PresencePart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """Somebody who was there in an epoch: the weight at its end, and the key to draw with."""

    player: PlayerIdField
    weight: WeightField
    vrf_key: KeyField


class AuthorPart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """Where an author's log has come to: its last entry that counts (32 zero bytes if there is none), and whether the
    log is cut, so that nothing later counts."""

    author: PlayerIdField
    epoch: EpochField
    seq: SeqField
    entry: EntryIdField
    is_cut: bool


class SessionPart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """A jam that is not over for long."""

    creator: PlayerIdField
    op: SessionOpen
    closed_t_us: MicrosField | None


class AckPart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """How often one player was acknowledged by another, by the last epoch of each generation up to the checkpoint."""

    player: PlayerIdField
    by: PlayerIdField
    counts: tuple[tuple[EpochField, CountField], ...]


class AcceptedPart(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """An accepted block that later ones look back on, and whose votes counted on it."""

    proposer: PlayerIdField
    window: WindowField
    block: BlockIdField
    voters: tuple[PlayerIdField, ...]


class Content(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, order=True):
    """S(b). `before` and `present` are the snapshots of the epoch before and of this one; `weights_before` those
    weights of S(b-1) that are not those of S(b)."""

    epoch: EpochField
    base: DigestField
    seeds: tuple[tuple[EpochField, DigestField], ...]  # from which epoch on which checkpoint makes the seed
    minted_micro: Micro
    burned_micro: Micro
    accounts: tuple[AccountPart, ...]
    before: tuple[PresencePart, ...]
    present: tuple[PresencePart, ...]
    weights_before: tuple[tuple[PlayerIdField, WeightField], ...]
    authors: tuple[AuthorPart, ...]
    sessions: tuple[SessionPart, ...]
    vouches: tuple[tuple[PlayerIdField, PlayerIdField], ...]
    acks: tuple[AckPart, ...]
    witnesses: tuple[tuple[PlayerIdField, PlayerIdField, SessionIdField], ...]
    reviews: tuple[tuple[EpochField, PlayerIdField], ...]  # in which epoch who was reported by enough
    accepted: tuple[AcceptedPart, ...]


_contents: Final[Canonical[Content]] = Canonical(Content, CONTENT_MAX_BYTES)


def voters_of(params: Params, start: Content | None) -> dict[PlayerId, int]:
    """Who votes on what follows a checkpoint, by weight: those present at its end; at first the founders, alike."""
    if start is None:
        return dict.fromkeys(params.founders, 1)
    return {somebody.player: somebody.weight for somebody in start.present if somebody.weight}


def total_of(account: AccountPart) -> int:
    """All that is in an account, and coming, micro-JAM."""
    return sum(lot.amount_micro for lots in _heaps(account) for lot in lots)


def _heaps(account: AccountPart) -> Iterator[HeldLots]:
    yield from (account.free, account.staked, account.coming)
    yield from (lots for _, lots in account.leaving)


def digest_of(network: NetworkId, content: bytes) -> Digest:
    """What is voted on: a hash of network and content."""
    return Digest(digest(b"symjam-state", network, content))


def value_of(network: NetworkId, content: Content) -> Value:
    """The value that a vote for this content names."""
    return Value(content.epoch, digest_of(network, encode(content)))


def pack(content: Content) -> bytes:
    """Its bytes."""
    return encode(content)


def unpack(raw: bytes) -> Content:
    """A content from foreign bytes whose digest was checked. Raises Violation for what nobody writes so: GARBAGE for
    other shapes, NON_CANONICAL for what is not sorted or there twice, BAD_PAYLOAD for what contradicts itself."""
    content = _contents.decode(raw)
    if not all(_ascends(part) for part in _sorted_parts(content)):
        raise Violation(Reason.NON_CANONICAL, "a checkpoint's parts are sorted, each thing there once")
    fault = next((fault for fault, found in faults(content) if found), None)
    if fault is not None:
        raise Violation(Reason.BAD_PAYLOAD, fault)
    return content


def _sorted_parts(content: Content) -> Iterator[Sequence[Any]]:
    """The keys of everything that ascends, so that no two things stand under one key."""
    yield [epoch for epoch, _ in content.seeds]
    yield [part.player for part in content.accounts]
    yield [part.player for part in content.before]
    yield [part.player for part in content.present]
    yield [player for player, _ in content.weights_before]
    yield [part.author for part in content.authors]
    yield [session_id(part.creator, part.op) for part in content.sessions]
    yield content.vouches
    yield [(part.player, part.by) for part in content.acks]
    yield content.witnesses
    yield content.reviews
    yield [(part.proposer, part.window) for part in content.accepted]
    for account in content.accounts:
        yield [release for release, _ in account.leaving]
        yield from ([lot.block for lot in lots] for lots in _heaps(account))
    yield from ([epoch for epoch, _ in part.counts] for part in content.acks)
    yield from (part.voters for part in content.accepted)


def faults(content: Content) -> Iterator[tuple[str, bool]]:
    """What would contradict itself, and whether it does in this content (docs/rules.md, 9)."""
    end, now = content.epoch, {part.player: part.weight for part in content.present}
    held = sum(total_of(account) for account in content.accounts)
    yield (
        "what accounts hold is not what was minted and not burned",
        (held != content.minted_micro - content.burned_micro),
    )
    yield "an account without coins", any(not total_of(account) for account in content.accounts)
    leaving = [(release, lots) for account in content.accounts for release, lots in account.leaving]
    yield "nothing leaves a stake", any(not lots for _, lots in leaving)
    yield "coins that have left the stake before", any(release < end for release, _ in leaving)
    yield "a seed that later ones have made void", sum(epoch <= end + 1 for epoch, _ in content.seeds) > 1
    yield "a weight that has not changed", any(now.get(p) == weight for p, weight in content.weights_before)
    yield "an entry of a later epoch", any(part.epoch > end for part in content.authors)
    yield "an author without entries whose log is not cut", any(_is_idle(part) for part in content.authors)
    yield "a vouch for oneself", any(who == whom for who, whom in content.vouches)
    yield "an acknowledgement of oneself", any(part.player == part.by for part in content.acks)
    yield "an acknowledger who never was one", any(not part.counts for part in content.acks)
    yield "a later acknowledgement", any(epoch > end for part in content.acks for epoch, _ in part.counts)
    yield "a witness of oneself", any(who == whom for who, whom, _ in content.witnesses)
    seen = Counter((who, whom) for who, whom, _ in content.witnesses)
    yield "more sessions of a witness than matter", any(times > SEEN_MAX for times in seen.values())
    yield "a later review", any(epoch > end for epoch, _ in content.reviews)
    yield "a block that nobody attested", any(not part.voters for part in content.accepted)
    yield "a vote on one's own block", any(part.proposer in part.voters for part in content.accepted)


def _is_idle(part: AuthorPart) -> bool:
    return part.entry == NO_ENTRY and (part.epoch, part.seq, part.is_cut) != (0, 0, True)


def _ascends(items: Sequence[Any]) -> bool:
    return all(one < other for one, other in pairwise(items))
