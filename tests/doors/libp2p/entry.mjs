// SymJam's signed entries, read and verified from docs/protocol.md alone: MessagePack and node:crypto, no code of SymJam.
import { createPublicKey, verify } from 'node:crypto'
import { decode, encode } from '@msgpack/msgpack'

const SPKI = Buffer.from('302a300506032b6570032100', 'hex') // what stands before a raw Ed25519 key (RFC 8410)

export const hex = bytes => Buffer.from(bytes).toString('hex')

// The frame `Entries [document, [entry, ...], request]` as [document, entries]; null for any other.
export const entriesOf = frame => {
  const [tag, document, entries, request] = decode(frame)
  return tag === 6 && request === 0 ? [document, entries] : null
}

// signature (64) || body; the signature covers [domain, network id, body].
export const open = (network, entry) => {
  const signature = entry.subarray(0, 64)
  const encoded = entry.subarray(64)
  const [version, tag, document, author, nonce, seq, prev, , payload] = decode(encoded)
  const key = createPublicKey({ key: Buffer.concat([SPKI, author]), format: 'der', type: 'spki' })
  const isSigned = verify(null, encode(['symjam/entry/1', network, encoded]), key, signature)
  const isOurs = version === 1 && hex(tag) === hex(network).slice(0, 16)
  return { isVerified: isSigned && isOurs, document, author: hex(author), nonce: hex(nonce), seq, prev: hex(prev), payload }
}
