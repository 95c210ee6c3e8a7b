"""What a checkpoint holds (docs/rules.md, 9), as the array that is encoded and voted on by its digest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consensus.ops import SessionClose, SessionOpen, session_id
from consensus.params import Params
from crdt.entry import Entry
from crdt.types import NO_ENTRY, PlayerId
from tests.consensus.reference import pay, people
from tests.consensus.reference.accounts import Lots
from tests.consensus.reference.entries import Said, place_of, said_by
from tests.consensus.reference.fold import Fold, acks_of, weights_then
from tests.consensus.reference.votes import first_pulses


def content_of(params: Params, entries: Iterable[Entry], whole: Fold, epoch: int) -> list[Any]:
    """S(epoch) of a network that has no final checkpoint yet."""
    entries = list(entries)
    said = said_by(params, entries, whole.cuts)
    end, witnesses = whole.ends[epoch], pay.witnesses_that_count(said)
    authors = _authors(entries, whole, epoch)
    known = sorted({author[0] for author in authors} | set(params.founders))
    now, before = (weights_then(params, whole, at, set(known)) for at in (epoch, epoch - 1))
    return [
        epoch,
        bytes(32),
        [],
        end.minted,
        end.burned,
        _accounts(whole, epoch),
        _present(params, said, whole, epoch - 1),
        _present(params, said, whole, epoch),
        [[player, before[player]] for player in known if before[player] != now[player]],
        authors,
        _sessions(params, said, epoch),
        sorted(people.vouches_at(said, epoch)),
        _acks(params, acks_of(params, whole, witnesses), epoch),
        _witnessed(witnesses, epoch),
        sorted((at, p) for at, p in whole.reviews if epoch - params.review_epochs < at <= epoch),
        _accepted(params, whole, epoch),
    ]


def _lots(lots: Lots) -> list[tuple[bytes, int]]:
    return sorted(lots.items())


def _accounts(whole: Fold, epoch: int) -> list[Any]:
    found = []
    for player, account in sorted(whole.ends[epoch].accounts.items()):
        if account.amounts:
            releases = sorted({release for release, _ in account.leaving})
            heaps = [{b: n for (at, b), n in account.leaving.items() if at == release} for release in releases]
            leaving = [[release, _lots(heap)] for release, heap in zip(releases, heaps, strict=True)]
            found.append([player, _lots(account.free), _lots(account.staked), leaving, _lots(account.coming)])
    return found


def _present(params: Params, said: list[Said], whole: Fold, epoch: int) -> list[Any]:
    pulses = first_pulses(said, params, epoch)
    weights = weights_then(params, whole, epoch, set(pulses))
    return [[player, weights[player], pulses[player].vrf_key] for player in sorted(pulses)]


def _authors(entries: list[Entry], whole: Fold, epoch: int) -> list[Any]:
    found = []
    for author in sorted({entry.body.author for entry in entries} | set(whole.cuts)):
        cut = whole.cuts.get(author)
        is_cut = cut is not None and cut[0] <= epoch
        mine = [e for e in entries if e.body.author == author and e.id in whole.entries and place_of(e)[0] <= epoch]
        last = max(mine, key=place_of, default=None)
        if last is not None:
            found.append([author, *place_of(last), last.id, is_cut])
        elif is_cut:
            found.append([author, 0, 0, NO_ENTRY, is_cut])
    return found


def _sessions(params: Params, said: list[Said], epoch: int) -> list[Any]:
    opened: dict[bytes, tuple[PlayerId, SessionOpen]] = {}
    for s in said:
        if isinstance(s.op, SessionOpen) and s.epoch <= epoch:
            opened.setdefault(session_id(s.author, s.op), (s.author, s.op))
    found = []
    for session, (creator, op) in sorted(opened.items()):
        closes = [
            s.op.t_us
            for s in said
            if isinstance(s.op, SessionClose) and (s.op.session, s.author) == (session, creator) and s.epoch <= epoch
        ]
        closed = min(closes, default=None)
        end_us = (epoch + 1) * params.epoch_windows * params.window_us
        if closed is None or op.t0_us + closed + params.keep_windows * params.window_us > end_us:
            found.append([creator, op, closed])
    return found


def _acks(params: Params, acks: dict[PlayerId, list[tuple[int, PlayerId]]], epoch: int) -> list[Any]:
    counts: dict[tuple[PlayerId, PlayerId], dict[int, int]] = {}
    half = params.ack_half_epochs
    for player, those in acks.items():
        for at, by in those:
            if at <= epoch:
                mine, last = counts.setdefault((player, by), {}), min(epoch, (at // half + 1) * half - 1)
                mine[last] = mine.get(last, 0) + 1
    return [[player, by, sorted(mine.items())] for (player, by), mine in sorted(counts.items())]


def _witnessed(witnesses: list[Said], epoch: int) -> list[Any]:
    pairs: dict[tuple[PlayerId, PlayerId], list[bytes]] = {}
    for s in witnesses:
        if s.epoch <= epoch:
            pairs.setdefault((s.author, s.op.performer), []).append(s.op.session)  # type: ignore[union-attr]
    most = len(pay.FAMILIARITY_Q16)
    return [[*pair, session] for pair, sessions in sorted(pairs.items()) for session in sorted(sessions)[:most]]


def _accepted(params: Params, whole: Fold, epoch: int) -> list[Any]:
    end = (epoch + 1) * params.epoch_windows
    mine: dict[PlayerId, list[Any]] = {}
    for block in sorted(whole.blocks.values(), key=lambda b: b.op.window):
        if block.standing == "accepted" and end - params.decay_horizon_windows <= block.op.window < end:
            part = [block.proposer, block.op.window, block.id, sorted(block.counted)]
            mine.setdefault(block.proposer, []).append(part)
    return [part for player in sorted(mine) for part in mine[player][-params.decay_blocks :]]
