// A libp2p peer of other makers: finds nodes by mDNS, dials them, joins the gossip topics and prints the entries it reads.
import './polyfill.mjs'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { mdns } from '@libp2p/mdns'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { entriesOf, hex, open } from './entry.mjs'

const question = JSON.parse(process.argv[2])
const network = new Uint8Array(Buffer.from(question.network, 'hex'))
const topics = { hints: `symjam/${question.network.slice(0, 16)}/hints`, entries: `symjam/${question.network.slice(0, 16)}/entries` }
const say = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n')

const peer = await createLibp2p({
  addresses: { listen: ['/ip4/0.0.0.0/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  peerDiscovery: [mdns({ interval: 1000 })],
  services: { identify: identify(), ping: ping(), pubsub: gossipsub({ globalSignaturePolicy: 'StrictSign' }) }
})
const pubsub = peer.services.pubsub

peer.addEventListener('peer:discovery', ({ detail }) => {
  say('found', { peer: detail.id.toString(), addresses: detail.multiaddrs.map(String) })
  peer.dial(detail.id).then(() => say('dialled', { peer: detail.id.toString() }), error => say('undialled', { why: error.message }))
})
peer.addEventListener('peer:identify', ({ detail }) => say('identified', { protocols: detail.protocols }))
peer.addEventListener('peer:disconnect', ({ detail }) => say('lost', { peer: detail.toString() }))
pubsub.addEventListener('subscription-change', ({ detail }) => {
  say('subscribed', { peer: detail.peerId.toString(), topics: detail.subscriptions.filter(one => one.subscribe).map(one => one.topic) })
})

const read = data => {
  const found = entriesOf(data)
  if (found === null) return
  const [document, entries] = found
  for (const raw of entries) {
    const { payload, ...entry } = open(network, raw)
    say('entry', { ...entry, isVerified: entry.isVerified && entry.document === document, raw: hex(raw), payload: hex(payload) })
  }
}
pubsub.addEventListener('message', ({ detail }) => {
  if (detail.topic === topics.hints) say('hint', { total: hex(detail.data) })
  else if (detail.topic === topics.entries) read(detail.data)
})
for (const topic of Object.values(topics)) pubsub.subscribe(topic)
say('started', { peer: peer.peerId.toString() })

process.on('SIGTERM', () => { peer.stop().finally(() => process.exit(0)) })
