"""One account through one epoch, and the hash trees that its coins and the root rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from consensus.accounts import Account, Fate, Funding, digest_of, opened, slashed, spent
from consensus.chains import Source
from consensus.coins import NO_COINS, Coins
from consensus.hashtree import HashTree
from consensus.ops import LotRef, Spend, Stake, Transfer, Unstake
from consensus.params import SMALL
from crdt.types import BlockId, EntryId, Epoch, MicroJam, Seq
from tests.vectors.form import Case, File, though, under, verdict
from tests.vectors.paying import B, P

PARAMS = msgspec.structs.replace(SMALL, base_micro=100, unbond_epochs=2)
EPOCH = Epoch(10)
Held = dict[int, int]  # amounts by the number of a block


NAMES = ("accounts", "hashtree")


def files() -> list[File]:
    """The files of this module."""
    about = "An account through epoch 10 (base_micro 100, unbond_epochs 2): each operation funded or not, and the end."
    return [
        File("accounts", about, _accounts(), ("ends",)),
        File("hashtree", "The hash of a tree with these keys and values.", _trees(), ("hashtree",)),
    ]


def coins(held: Mapping[BlockId, int]) -> Coins:
    """Coins of these amounts by block."""
    found = NO_COINS
    for block, amount in sorted(held.items()):
        found = found.plus(block, amount)
    return found


def _held(held: Held) -> Coins:
    return coins({B[number]: amount for number, amount in held.items()})


def _lots(*named: tuple[int, int]) -> tuple[LotRef, ...]:
    return tuple(LotRef(B[number], MicroJam(amount)) for number, amount in named)


def _pay(*named: tuple[int, int]) -> Transfer:
    return Transfer(P[9], _lots(*named), "")


def _stake(*named: tuple[int, int]) -> Stake:
    return Stake(_lots(*named))


def _unstake(*named: tuple[int, int]) -> Unstake:
    return Unstake(_lots(*named))


def _accounts() -> list[Case]:
    some, no = Account(_held({1: 50, 2: 70})), Fate()
    at_stake = Account(
        NO_COINS, _held({1: 60, 3: 80}), ((Epoch(11), _held({0: 40, 2: 5})), (Epoch(12), _held({1: 30})))
    )
    given: list[tuple[str, Account, Held, list[Spend], Fate]] = [
        ("nothing", Account(), {}, [], no),
        ("what came in is free", some, {2: 5, 4: 1}, [], no),
        (
            "what left the stake is free",
            msgspec.structs.replace(
                at_stake, leaving=((Epoch(9), _held({5: 1})), (EPOCH, _held({5: 2})), (Epoch(11), _held({5: 4})))
            ),
            {5: 8},
            [],
            no,
        ),
        ("all of a lot", some, {}, [_pay((1, 50))], no),
        ("more than there is", some, {}, [_pay((1, 51))], no),
        ("what is not there", some, {}, [_pay((3, 1))], no),
        ("one lot of two is not there: nothing happens", some, {}, [_pay((1, 50), (2, 71))], no),
        ("the second finds less", some, {}, [_pay((1, 30)), _pay((1, 30)), _pay((1, 20))], no),
        ("spent and gone", some, {}, [_pay((1, 50)), _stake((1, 1))], no),
        ("staked is not free", some, {}, [_stake((1, 50)), _pay((1, 1))], no),
        (
            "staked and taken back at once",
            some,
            {},
            [_stake((1, 50)), _unstake((1, 20)), _unstake((1, 31)), _unstake((1, 30))],
            no,
        ),
        ("leaving is neither", at_stake, {}, [_pay((2, 5)), _unstake((2, 5)), _stake((0, 40))], no),
        ("unstaked beside what leaves then", at_stake, {}, [_unstake((1, 60)), _unstake((3, 1))], no),
        ("free is not staked", some, {}, [_unstake((1, 1))], no),
        ("what came in can be spent", Account(), {4: 9}, [_pay((4, 9))], no),
        ("one fabricated block", at_stake, {}, [], Fate(1)),
        ("two: the stake first, then what leaves, by release and block", at_stake, {}, [], Fate(2)),
        ("more than there is", at_stake, {}, [], Fate(9)),
        ("free coins are not burned", some, {}, [], Fate(3)),
        ("a cut chain", at_stake, {1: 1}, [], Fate(0, True)),
        ("fabricated and cut", at_stake, {}, [], Fate(1, True)),
        (
            "what is unstaked in the epoch is burned too",
            Account(NO_COINS, _held({1: 90})),
            {},
            [_unstake((1, 90))],
            Fate(1),
        ),
        (
            "what became free is safe",
            msgspec.structs.replace(at_stake, leaving=((EPOCH, _held({0: 40})),)),
            {},
            [],
            Fate(9),
        ),
    ]
    return [_case(*one) for one in given]


def _case(name: str, account: Account, incoming: Held, ops: list[Spend], fate: Fate) -> Case:
    told = through_the_epoch(account, _held(incoming), ops, fate)
    given = {
        "account": _shown(account),
        "incoming": list(_held(incoming).items()),
        "ops": ops,
        "fabricated": fate.fabricated,
        "cut": fate.is_cut,
    }
    one = though(verdict(name, given, told), "" if all(told["funded"]) else "unfunded")
    return under("spends" if ops else "ends", [one])[0]


def through_the_epoch(account: Account, incoming: Coins, ops: Iterable[Spend], fate: Fate) -> dict[str, Any]:
    """An account through epoch 10: which operations were funded, and the end."""
    now, funded = opened(account, EPOCH, incoming), []
    for nth, op in enumerate(ops):
        source = Source(EPOCH, Seq(0), nth, P[0], EntryId(bytes(32)))
        done = spent(PARAMS, now, source, op)
        funded.append(done.funding is Funding.FUNDED)
        now = done.after
    end = slashed(PARAMS, now, fate)
    burned = now.total_micro - end.total_micro
    return {"funded": funded, "account": _shown(end), "burned": burned, "digest": digest_of(EPOCH, end, NO_COINS)}


def _shown(account: Account) -> dict[str, Any]:
    leaving = [(release, list(coins.items())) for release, coins in account.leaving]
    return {"free": list(account.free.items()), "staked": list(account.staked.items()), "leaving": leaving}


def _trees() -> list[Case]:
    sets: list[Held] = [
        {},
        {0: 1},
        {0: 2},
        {1: 1},
        {0: 1, 1: 1},
        {0: 1, 1: 2},
        {n: n + 1 for n in range(12)},
        dict.fromkeys(range(11), 1),
    ]
    cases = []
    for held in sets:
        tree: HashTree[bytes, int] = HashTree()
        for number, amount in held.items():
            tree = tree.put(B[number], amount)
        back: HashTree[bytes, int] = HashTree()
        for number in reversed(range(12)):
            back = back.put(B[number], 7)
        for number in range(12):
            back = back.put(B[number], held[number]) if number in held else back.drop(B[number])
        assert back.digest() == tree.digest()
        cases.append(
            verdict(f"{len(held)} keys", {"leaves": [(B[n], amount) for n, amount in held.items()]}, tree.digest())
        )
    return cases
