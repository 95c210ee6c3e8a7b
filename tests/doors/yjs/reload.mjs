// Loads updates and tells what came of it: one JSON question a line in, one JSON answer a line out.
import * as readline from 'node:readline'
import * as Y from 'yjs'

const b64 = bytes => Buffer.from(bytes).toString('base64')

readline.createInterface({ input: process.stdin }).on('line', line => {
  const { updates, merge } = JSON.parse(line)
  const given = updates.map(update => new Uint8Array(Buffer.from(update, 'base64')))
  const doc = new Y.Doc()
  for (const update of merge ? [Y.mergeUpdates(given)] : given) Y.applyUpdate(doc, update)
  process.stdout.write(JSON.stringify({
    update: b64(Y.encodeStateAsUpdate(doc)),
    vector: b64(Y.encodeStateVector(doc)),
    isWhole: doc.store.pendingStructs === null && doc.store.pendingDs === null
  }) + '\n')
})
