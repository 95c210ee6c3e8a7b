// Updates as real Yjs makes them, from a seed: what is in each, and whether a log of byte elements can contain it.
// Prints one JSON object a line: { kind, update, items, deletes }; `items` is null when a log cannot contain it.
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

const { count, seed } = JSON.parse(process.argv[2])
console.log = () => {} // Yjs says so when it changes a client id that two documents share

// mulberry32: small, seeded, good enough to choose
let state = seed >>> 0
const random = () => {
  state = (state + 0x6d2b79f5) >>> 0
  let t = Math.imul(state ^ (state >>> 15), state | 1)
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const below = n => Math.floor(random() * n)
const chance = p => random() < p
const pick = list => list[below(list.length)]
const bytes = (max = 40) => Uint8Array.from({ length: below(max) }, () => below(256))
const b64 = raw => Buffer.from(raw).toString('base64')

const CLIENTS = [1, 2, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53 - 1, 2 ** 53 - 2]
const ROOTS = ['log:a', 'log:b', '', 'ö', '\u{1f3b9}', 'x'.repeat(200)]
const TEXTS = ['', 'a', 'two words', 'ß\u00e9', '\u{1f3b9}\u{1f941}', '\ud83c', 'line\nline', '\0', 'x'.repeat(300)]
const scalar = () => pick([
  null, undefined, true, false, 0, -1, 63, 64, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 0.1, 1e300, NaN, Infinity, -0,
  0n, 2n ** 62n, -(2n ** 63n), () => bytes(), () => pick(TEXTS)
])
const value = (depth = 0) => {
  if (depth < 3 && chance(0.2)) return Array.from({ length: below(4) }, () => value(depth + 1))
  if (depth < 3 && chance(0.2)) return Object.fromEntries(Array.from({ length: below(4) }, () => [pick(TEXTS), value(depth + 1)]))
  const one = scalar()
  return typeof one === 'function' ? one() : one
}
// An array takes neither undefined nor big integers by themselves.
const element = () => { const one = value(); return one === undefined || typeof one === 'bigint' ? [one] : one }

const newDoc = () => {
  const doc = new Y.Doc({ gc: chance(0.8) })
  doc.clientID = chance(0.5) ? pick(CLIENTS) : below(2 ** 32)
  return doc
}

// What only a log does: byte elements in root arrays, put anywhere, rarely deleted.
const logStep = doc => {
  const array = doc.getArray(pick(ROOTS))
  const values = Array.from({ length: 1 + below(4) }, () => bytes())
  const where = chance(0.7) ? array.length : below(array.length + 1)
  if (chance(0.03) && array.length > 0) array.delete(below(array.length), 1)
  else if (chance(0.4)) foreignAppend(doc, values)
  else array.insert(where, values)
}

// Bytes as pycrdt and SymJam write them, as `any` values of one struct, appended under a client of their own.
const foreignAppend = (doc, values) => {
  const client = 2 ** 40 + below(3)
  const clock = Y.getState(doc.store, client)
  const encoder = encoding.createEncoder()
  for (const n of [1, 1, client, clock]) encoding.writeVarUint(encoder, n)
  encoding.writeUint8(encoder, clock ? 0x88 : 8)
  if (clock) for (const n of [client, clock - 1]) encoding.writeVarUint(encoder, n)
  else { encoding.writeVarUint(encoder, 1); encoding.writeVarString(encoder, `log:${client}`) }
  encoding.writeVarUint(encoder, values.length)
  for (const one of values) encoding.writeAny(encoder, one)
  encoding.writeVarUint(encoder, 0)
  Y.applyUpdate(doc, encoding.toUint8Array(encoder))
}

// Everything else that Yjs can do.
const someType = () => pick([() => new Y.Array(), () => new Y.Map(), () => new Y.Text('t'), () => new Y.XmlElement('p'), () => new Y.XmlText('x'), () => new Y.XmlFragment(), () => new Y.Doc()])()
const wildSteps = [
  doc => doc.getArray('array').push([element()]),
  doc => doc.getArray('array').push([someType()]),
  doc => doc.getArray('array').insert(0, [bytes(), element(), bytes()]),
  doc => { const a = doc.getArray('array'); if (a.length) a.delete(below(a.length), 1) },
  doc => doc.getMap('map').set(pick(TEXTS), value()),
  doc => doc.getMap('map').set(pick(['a', 'b']), someType()),
  doc => doc.getMap('map').set('bytes', bytes()),
  doc => doc.getMap('map').delete(pick(['a', 'b', 'bytes'])),
  doc => doc.getText('text').insert(0, pick(TEXTS)),
  doc => { const t = doc.getText('text'); if (t.length) t.insert(below(t.length), pick(TEXTS), { bold: true, n: 1 }) },
  doc => { const t = doc.getText('text'); if (t.length) t.format(below(t.length), 1, { italic: pick([true, null]) }) },
  doc => { const t = doc.getText('text'); if (t.length) t.delete(below(t.length), 1) },
  doc => doc.getText('text').insertEmbed(0, { image: 'x' }),
  doc => doc.getXmlFragment('xml').push([new Y.XmlElement(pick(['p', 'div']))]),
  doc => { const nested = doc.getArray('array').toArray().find(one => one instanceof Y.Array); nested?.push([bytes(), element()]) }
]
const wildStep = doc => pick(wildSteps)(doc)

// The bytes of one document's history, in the ways in which Yjs hands them out.
const history = step => {
  const docs = Array.from({ length: 1 + below(3) }, newDoc)
  const live = []
  for (const doc of docs) doc.on('update', update => live.push(update))
  const undo = docs.map(doc => new Y.UndoManager([doc.getArray(pick(ROOTS)), doc.getArray('array'), doc.getText('text')], { captureTimeout: 0 }))
  for (let n = 2 + below(12); n > 0; n--) {
    const at = below(docs.length)
    if (chance(0.05)) undo[at].undo()
    else if (chance(0.03)) undo[at].redo()
    else if (chance(0.3)) docs[at].transact(() => { step(docs[at]); step(docs[at]) })
    else step(docs[at])
    if (chance(0.2)) Y.applyUpdate(pick(docs), Y.encodeStateAsUpdate(pick(docs)))
  }
  const doc = pick(docs)
  const whole = Y.encodeStateAsUpdate(doc)
  const parts = live.filter(() => chance(0.6))
  const vector = new Map([...Y.decodeStateVector(Y.encodeStateVector(doc))].map(([client, clock]) => [client, below(clock + 2)]))
  const diff = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(vector))
  const ways = {
    whole,
    diff,
    diffed: Y.diffUpdate(whole, Y.encodeStateVector(vector)),
    merged: parts.length ? Y.mergeUpdates(parts) : whole,
    live: live.length ? pick(live) : whole,
    pending: (() => { const fresh = new Y.Doc(); for (const part of parts) Y.applyUpdate(fresh, part); return Y.encodeStateAsUpdate(fresh) })(),
    snapshot: Y.encodeStateAsUpdate(docs[0])
  }
  const way = pick(Object.keys(ways))
  return [way, ways[way]]
}

// What Yjs itself reads in an update. The kind of each struct is taken from its first byte, which Yjs does not keep.
const id = one => one === null || one === undefined ? null : [one.client, one.clock]
const describe = update => {
  const infos = []
  class Noting extends Y.UpdateDecoderV1 {
    readInfo () { const info = super.readInfo(); infos.push(info); return info }
  }
  const { structs, ds } = Y.decodeUpdateV2(update, Noting)
  if (infos.length !== structs.length) throw new Error('a struct without a kind')
  const deletes = [...ds.clients.values()].reduce((sum, ranges) => sum + ranges.length, 0)
  const isByteItem = (struct, n) => {
    const ref = infos[n] & 31
    if (!(struct instanceof Y.Item) || infos[n] & 0x20) return false
    return ref === 3 || (ref === 8 && struct.content.arr.every(one => one instanceof Uint8Array))
  }
  if (!structs.every(isByteItem)) return { items: null, deletes }
  const items = structs.map(struct => [
    id(struct.id), id(struct.origin), id(struct.rightOrigin),
    typeof struct.parent === 'string' ? struct.parent : id(struct.parent),
    (struct.content.arr ?? [struct.content.content]).map(b64)
  ])
  return { items, deletes }
}

for (let n = 0; n < count; n++) {
  const kind = n % 2 ? 'log' : 'wild'
  const [way, update] = history(kind === 'log' ? logStep : wildStep)
  process.stdout.write(JSON.stringify({ kind, way, update: b64(update), ...describe(update) }) + '\n')
  if (n % 10 === 0) process.stdout.write(JSON.stringify({ kind, way: 'v2', update: b64(Y.convertUpdateFormatV1ToV2(update)) }) + '\n')
}
