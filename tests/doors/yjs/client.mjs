// An unmodified Yjs client with y-websocket, steered from outside: commands come in and events go out as JSON lines.
import * as readline from 'node:readline'
import WebSocket from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const { url, name, token, again } = JSON.parse(process.argv[2])
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n')
const b64 = bytes => Buffer.from(bytes).toString('base64')
const raw = text => new Uint8Array(Buffer.from(text, 'base64'))

const doc = new Y.Doc()
const params = token === null ? {} : { token }
const provider = new WebsocketProvider(url, name, doc, {
  params,
  WebSocketPolyfill: WebSocket,
  disableBc: true,
  maxBackoffTime: 200
})
provider.on('status', ({ status }) => say('status', { status }))
provider.on('sync', synced => { if (synced) say('synced') })
provider.on('connection-error', event => say('error', { message: event.message }))
provider.on('connection-close', event => {
  if (!again) provider.shouldConnect = false
  say('closed', { code: event?.code, reason: event?.reason })
})
doc.on('update', (update, origin) => { if (origin === provider) say('update', { at: performance.timeOrigin + performance.now() }) })
console.warn = text => say('warned', { text })

const commands = {
  state: () => ({
    arrays: Object.fromEntries([...doc.share.keys()].map(root => [root, doc.getArray(root).toArray().map(b64)])),
    update: b64(Y.encodeStateAsUpdate(doc)),
    vector: b64(Y.encodeStateVector(doc)),
    pending: [doc.store.pendingStructs, doc.store.pendingDs]
  }),
  apply: ({ update }) => { Y.applyUpdate(doc, raw(update)) },
  push: ({ root, values }) => { doc.getArray(root).push(values) },
  pushBytes: ({ root, values }) => { doc.getArray(root).push(values.map(raw)) },
  remove: ({ root, index }) => { doc.getArray(root).delete(index, 1) },
  set: ({ root, key, value }) => { doc.getMap(root).set(key, value) },
  presence: ({ state }) => { provider.awareness.setLocalState(state) },
  send: ({ message }) => { provider.ws.send(raw(message)) }
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const command = JSON.parse(line)
  say('answer', commands[command.do](command) ?? {})
})
