"""Every reason for which crdt/ refuses something is reached, by way of its public functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import crdt
from crdt.canonical import encode
from crdt.entry import client_id, first_body, open_entry, root_name, sign
from crdt.errors import Reason, Violation
from crdt.gate import entries_of
from crdt.limits import LOGS_PER_AUTHOR_MAX
from crdt.log import prove_equivocation
from crdt.replica import Replica
from crdt.shared import Root, Shared
from crdt.types import EntryId, Nonce
from crdt.yedit import decode_edit
from crdt.yupdate import decode_update, encode_append
from tests.crdt.authors import (
    ALICE,
    BOB,
    GIVER,
    JAM,
    LEDGER,
    NETWORK,
    OTHER_JAM,
    OTHER_NETWORK,
    chain,
    forge,
    key_of,
    stray,
)

TRUNK = chain(ALICE, 4)
BODY = TRUNK[0].body
NOTHING_ALLOWED = {"said": Root(False, lambda author, key, value: False)}
EDIT = b"\1\1\5\0\x08\1\4said\1w\1x\0"
PADDED = encode(BODY).replace(b"\xc4\x02/0", b"\xc5\x00\x02/0")


def replica() -> Replica:
    out = Replica(NETWORK, JAM)
    out.restore(iter(TRUNK[:3]))
    return out


def forked() -> Replica:
    out = replica()
    out.admit(chain(ALICE, 1, label=b"fork", after=TRUNK[0])[0], GIVER)
    return out


def full() -> Replica:
    out = Replica(NETWORK, JAM)
    for number in range(1, 514):
        out.admit(stray(ALICE, number), GIVER)
    return out


def crowded() -> Replica:
    out = replica()
    for number in range(LOGS_PER_AUTHOR_MAX + 1):
        out.admit(chain(BOB, 1, nonce=Nonce(number.to_bytes(8, "big")))[0], GIVER)
    return out


def appended(root: str, client: int) -> bytes:
    return encode_append(root, client, 0, [TRUNK[0].raw])


CLIENT, ROOT = client_id(JAM, key_of(ALICE)), root_name(key_of(ALICE))

WAYS: dict[Reason, Callable[[], object]] = {
    Reason.GARBAGE: lambda: open_entry(NETWORK, forge(ALICE, "words" * 20)),
    Reason.NON_CANONICAL: lambda: open_entry(NETWORK, ALICE.sign(encode(("symjam/entry/1", NETWORK, PADDED))) + PADDED),
    Reason.TRUNCATED: lambda: decode_update(b""),
    Reason.OVERSIZE: lambda: open_entry(NETWORK, bytes(50_000)),
    Reason.BAD_SIGNATURE: lambda: open_entry(NETWORK, forge(BOB, BODY)),
    Reason.WRONG_NETWORK: lambda: open_entry(OTHER_NETWORK, TRUNK[0].raw),
    Reason.WRONG_DOCUMENT: lambda: replica().admit(chain(ALICE, 1, OTHER_JAM)[0], GIVER),
    Reason.WRONG_CLIENT: lambda: entries_of(replica(), appended(ROOT, CLIENT ^ 1)),
    Reason.WRONG_PARENT: lambda: entries_of(replica(), appended("chat", CLIENT)),
    Reason.WRONG_ORIGIN: lambda: entries_of(replica(), b"\1\1\5\0\x43\5\1" + b"\xac\2" + bytes(300) + b"\0"),
    Reason.WRONG_PREV: lambda: replica().admit(stray(ALICE, 3), GIVER),
    Reason.WRONG_NONCE: lambda: open_entry(
        NETWORK, forge(ALICE, [1, NETWORK[:8], LEDGER, ALICE.player, b"restart!", 0, bytes(32), (), b""])
    ),
    Reason.DELETES: lambda: entries_of(replica(), b"\0\1\5\1\0\1"),
    Reason.GAP: full,
    Reason.FROZEN: lambda: forked().admit(TRUNK[3], GIVER),
    Reason.BAD_KEY: lambda: open_entry(
        NETWORK, forge(ALICE, [1, NETWORK[:8], JAM, bytes(32), bytes(8), 0, bytes(32), (), b""])
    ),
    Reason.BAD_PROOF: lambda: prove_equivocation(TRUNK[0], TRUNK[1]),
    Reason.FULL: crowded,
    Reason.BAD_PAYLOAD: lambda: Shared(NOTHING_ALLOWED).fault(5, ALICE.player, decode_edit(EDIT)),
}


@pytest.mark.parametrize("reason", WAYS)
def test_it_is_reached(reason: Reason) -> None:
    with pytest.raises(Violation) as caught:
        WAYS[reason]()
    assert caught.value.reason is reason


def test_no_reason_is_left_out() -> None:
    sources = [path.read_text() for path in Path(crdt.__file__).parent.glob("*.py") if path.name != "errors.py"]
    raised = {name for source in sources for name in re.findall(r"Violation\(Reason\.([A-Z_]+)", source)}
    assert raised == {reason.name for reason in WAYS}


def test_a_ledger_s_link_to_an_earlier_epoch_is_no_offence() -> None:
    entry = sign(ALICE, NETWORK, first_body(NETWORK, LEDGER, key_of(ALICE), b"", EntryId(b"e" * 32)))
    ledger = Replica(NETWORK, LEDGER)
    assert ledger.admit(ledger.open(entry.raw), GIVER).added == (entry,)
