"""Real Yjs in Node.js loads what View writes and gives it back byte for byte."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from crdt.entry import client_id, root_name
from crdt.gate import entries_of
from crdt.replica import Replica
from crdt.types import Nonce
from crdt.view import View
from tests.crdt.authors import ALICE, GIVER, JAM, NETWORK, chain, key_of
from tests.crdt.worlds import replica_of
from tests.doors.npm import installed, needs_npm

LOAD = """
const Y = require('yjs')
const b64 = bytes => Buffer.from(bytes).toString('base64')
const input = JSON.parse(require('fs').readFileSync(0))
const doc = new Y.Doc()
Y.applyUpdate(doc, Buffer.from(input.update, 'base64'))
const arrays = {}
for (const root of input.roots) arrays[root] = doc.getArray(root).toArray().map(b64)
const writer = new Y.Doc()
writer.clientID = input.client
const live = []
writer.on('update', update => live.push(b64(update)))
for (const value of input.values) writer.getArray(input.root).push([new Uint8Array(Buffer.from(value, 'base64'))])
console.log(JSON.stringify({
  arrays,
  pending: [doc.store.pendingStructs, doc.store.pendingDs],
  update: b64(Y.encodeStateAsUpdate(doc)),
  vector: b64(Y.encodeStateVector(doc)),
  live,
  whole: b64(Y.encodeStateAsUpdate(writer)),
}))
"""

pytestmark = needs_npm


def ask(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "-e", LOAD],
        cwd=folder,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_yjs_sees_the_same_and_gives_the_same_bytes_back() -> None:
    entries = [e for number in (0, 3, 700) for e in chain(ALICE, number, nonce=Nonce(number.to_bytes(8, "big")))]
    replica = replica_of(JAM, [*entries, *chain(ALICE, 1, label=b"fork", after=entries[1])])
    view = View(replica)
    values = [entry.raw for entry in chain(ALICE, 5)]
    client, root = client_id(JAM, key_of(ALICE)), root_name(key_of(ALICE))
    question = {
        "update": b64(view.update()),
        "roots": [root_name(key) for key in replica.logs],
        "client": client,
        "root": root,
        "values": [b64(value) for value in values],
    }
    answer = ask(installed("yjs"), question)
    assert answer["arrays"] == {root_name(key): [b64(raw) for raw in view.array(key)] for key in replica.logs}
    assert answer["pending"] == [None, None]
    assert answer["update"] == b64(view.update())
    assert answer["vector"] == b64(view.state_vector())
    there = Replica(NETWORK, JAM)
    for update in answer["live"]:
        for entry in entries_of(there, base64.b64decode(update)):
            assert there.admit(entry, GIVER).added
    assert View(there).array(key_of(ALICE)) == values
    assert [entry.raw for entry in entries_of(there, base64.b64decode(answer["whole"]))] == values
