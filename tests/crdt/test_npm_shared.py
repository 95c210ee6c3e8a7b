"""Real Yjs in Node.js sees the board that the nodes see, and what it edits passes the gate."""

from __future__ import annotations

import base64
import json
import subprocess

from crdt.shared import Shared
from jam.board import SHAPE, Assign, Change, Say, SetTempo, SetTitle, op_of, read
from tests.crdt.authors import ALICE, BOB
from tests.doors.npm import installed, needs_npm

EDIT = """
const Y = require('yjs')
const b64 = bytes => Buffer.from(bytes).toString('base64')
const input = JSON.parse(require('fs').readFileSync(0))
const doc = new Y.Doc()
Y.applyUpdate(doc, Buffer.from(input.update, 'base64'))
const [about, parts, chat] = [doc.getMap('about'), doc.getMap('parts'), doc.getArray('chat')]
const seen = {about: about.toJSON(), parts: parts.toJSON(), chat: chat.toArray()}
const pending = [doc.store.pendingStructs, doc.store.pendingDs]
const updates = []
doc.clientID = input.client
doc.on('update', update => updates.push(b64(update)))
about.set('title', 'from JavaScript')
about.set('tempo_mbpm', 123000)
chat.push([[1790000000000000, input.author, 'hello']])
parts.set('bass', '')
parts.delete('bass')
doc.transact(() => { about.set('chart', ''); chat.push([[7, input.author, 'again']]) })
console.log(JSON.stringify({seen, pending, updates, after: {about: about.toJSON(), chat: chat.toArray()}}))
"""

pytestmark = needs_npm


def test_yjs_sees_the_board_and_edits_it() -> None:
    shared = Shared(SHAPE)
    changes: list[Change] = [SetTitle("one"), SetTempo(99_000), Assign("bass", BOB.player), Say("hi"), SetTitle("two")]
    for change in changes:
        shared.add(7, BOB.player, shared.draft(7, BOB.player, op_of(change, BOB.player, 5)))
    client = 2**53 - 5
    question = {"update": base64.b64encode(shared.update()).decode(), "client": client, "author": ALICE.player.hex()}
    done = subprocess.run(
        ["node", "-e", EDIT],
        cwd=installed("yjs"),
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["pending"] == [None, None]
    assert answer["seen"] == {
        "about": {"title": "two", "tempo_mbpm": 99_000},
        "parts": {"bass": BOB.player.hex()},
        "chat": [[5, BOB.player.hex(), "hi"]],
    }
    for update in answer["updates"]:
        shared.add(client, ALICE.player, base64.b64decode(update))
    assert (shared.refused, shared.waiting()) == (0, 0)
    assert (shared.map("about"), shared.list("chat")) == (answer["after"]["about"], answer["after"]["chat"])
    board = read([shared])
    assert (board.title, board.tempo_mbpm, board.parts) == ("from JavaScript", 123_000, ())
    assert [line.text for line in board.lines] == ["hi", "hello", "again"]
