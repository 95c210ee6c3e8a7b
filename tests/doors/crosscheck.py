"""Our Yjs decoder and encoder (crdt/yupdate.py) against Yjs itself, by the thousand.

python -m tests.doors.crosscheck [--count N] [--seed S]       (`make yjs-crosscheck COUNT=N SEED=S`)

Yjs makes updates from a seed: arrays, maps, text with formats, XML, nested types, sub-documents, deletions, undo,
merged, partial and pending ones. What a log can contain must be decoded as Yjs decodes it, all else must be a
Violation. The same updates are then damaged, which must lead to one or the other. And what our encoder makes, in any
pieces and order, Yjs must load with nothing pending and give back byte for byte.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crdt.errors import Reason, Violation
from crdt.yupdate import Append, Item, YId, decode_update, encode_appends, encode_state_vector
from tests.doors.npm import installed

TIMEOUT_S = 3_600
DAMAGES = 3  # of each update
# Why a sound update is refused: what is in it, never how it is written.
KINDS = frozenset({Reason.GARBAGE, Reason.DELETES, Reason.WRONG_PARENT, Reason.GAP})


class Tally(NamedTuple):
    """What was checked."""

    same: int  # decoded as Yjs does
    refused: Counter[str]
    damaged: int
    reloaded: int


def _raw(text: str) -> bytes:
    return base64.b64decode(text)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def run_node(folder: Path, program: str, question: object, lines: str = "") -> Iterator[dict[str, Any]]:
    """What a program of Node.js prints."""
    command = ["node", program, json.dumps(question)]
    done = subprocess.run(
        command, cwd=folder, input=lines, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return (json.loads(line) for line in done.stdout.splitlines())


def _item(shown: Sequence[Any]) -> Item:
    at, origin, right, parent, values = shown
    stands_in = YId(*parent) if isinstance(parent, list) else parent
    return Item(YId(*at), origin and YId(*origin), right and YId(*right), stands_in, tuple(map(_raw, values)))


def check_one(said: dict[str, Any]) -> str:
    """One update: empty when it was decoded as Yjs does, else why it was refused. AssertionError when neither."""
    raw = _raw(said["update"])
    try:
        decoded = decode_update(raw)
    except Violation as violation:
        assert said.get("items") is None, f"refused ({violation}), but Yjs reads it: {said}"
        assert violation.reason in KINDS or said["way"] == "v2", f"taken for damaged ({violation}): {said}"
        return str(violation.reason)
    if said["way"] != "v2":  # bytes of another encoding may happen to be an update
        assert said["items"] is not None, f"decoded, but Yjs reads something else: {said}"
        assert decoded.items == tuple(_item(item) for item in said["items"]), said
        assert decoded.deletes == said["deletes"], said
    return ""


def damage(raw: bytes, chance: random.Random) -> bytes:
    """A bit flipped, a byte lost, added or doubled, or the end cut off."""
    out = bytearray(raw)
    at = chance.randrange(len(out))
    match chance.randrange(5):
        case 0:
            out[at] ^= 1 << chance.randrange(8)
        case 1:
            del out[at]
        case 2:
            out.insert(at, chance.randrange(256))
        case 3:
            out[at:at] = out[at : at + chance.randrange(1, 30)]
        case _:
            del out[at:]
    return bytes(out)


def check_updates(folder: Path, count: int, seed: int) -> tuple[int, Counter[str], int]:
    """Yjs's updates, whole and damaged."""
    chance = random.Random(seed)
    same, damaged, refused = 0, 0, Counter[str]()
    for said in run_node(folder, "updates.mjs", {"count": count, "seed": seed}):
        why = check_one(said)
        if why:
            refused[why] += 1
        else:
            same += 1
        for _ in range(DAMAGES):
            try:
                decode_update(damage(_raw(said["update"]), chance))
            except Violation:
                damaged += 1
    return same, refused, damaged


def _appends(chance: random.Random) -> list[Append]:
    """Whole logs of a few clients."""
    clients = chance.sample([1, 127, 128, 2**32 - 1, 2**53 - 1, *(chance.getrandbits(53) for _ in range(3))], 3)
    return [
        Append(f"log:{n:x}", client, 0, [chance.randbytes(chance.randrange(90)) for _ in range(chance.randrange(1, 9))])
        for n, client in enumerate(clients)
    ]


def _pieces(append: Append, chance: random.Random) -> list[Append]:
    """The same in pieces, some of which overlap."""
    count = len(append.values)
    cuts = sorted({0, count, *(chance.randrange(count) for _ in range(3))})
    out = []
    for start, stop in itertools.pairwise(cuts):
        begin = max(0, start - chance.randrange(2))
        out.append(append._replace(clock=begin, values=append.values[begin:stop]))
    return out


def check_encoder(folder: Path, count: int, seed: int) -> int:
    """Updates of our encoder in Yjs's hands."""
    chance = random.Random(seed)
    questions, wanted = [], []
    for _ in range(count):
        logs = _appends(chance)
        pieces = [piece for log in logs for piece in _pieces(log, chance)]
        chance.shuffle(pieces)
        groups = [[piece] for piece in pieces] if chance.random() < 0.5 else [logs]
        updates = [_b64(encode_appends(group)) for group in groups]
        questions.append(json.dumps({"updates": updates, "merge": chance.random() < 0.3}))
        vector = encode_state_vector({log.client: len(log.values) for log in logs})
        wanted.append((_b64(encode_appends(logs)), _b64(vector)))
    answers = list(run_node(folder, "reload.mjs", {}, "\n".join(questions)))
    assert len(answers) == count
    for answer, (update, vector) in zip(answers, wanted, strict=True):
        assert answer == {"update": update, "vector": vector, "isWhole": True}
    return count


def crosscheck(folder: Path, count: int, seed: int) -> Tally:
    """All of it."""
    same, refused, damaged = check_updates(folder, count, seed)
    return Tally(same, refused, damaged, check_encoder(folder, max(1, count // 4), seed))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.doors.crosscheck", description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="updates made by Yjs")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tally = crosscheck(installed("yjs"), given.count, given.seed)
    print(f"{tally.same} updates decoded as Yjs does, {tally.refused.total()} refused: {dict(tally.refused)}")
    print(f"{tally.damaged} damaged ones refused, {tally.reloaded} of ours reloaded and given back byte for byte")
    return 0


if __name__ == "__main__":
    sys.exit(main())
