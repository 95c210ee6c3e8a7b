"""Every bound in one place: frames, queues, held gaps, caches, loops.

What a peer can make a node hold is the product of these; docs/architecture.md adds it up.
"""

from __future__ import annotations

from typing import Final

# Bytes
FRAME_MAX_BYTES: Final = 50_000  # a larger write starves the other streams of its connection
PAYLOAD_MAX_BYTES: Final = 16_384
BODY_MAX_BYTES: Final = PAYLOAD_MAX_BYTES + 8_192  # payload, references and the fixed fields
ENTRY_MAX_BYTES: Final = BODY_MAX_BYTES + 64
EVENT_MAX_BYTES: Final = 64
EVENT_DATA_MAX_BYTES: Final = 40  # beside the five numbers of an event
ENTRIES_PER_FRAME_MAX: Final = 32  # a frame is worked on in one go, and each costs a tenth of a millisecond
ENTRIES_FRAME_BYTES: Final = 40_000  # filling stops here, so one entry more still fits a frame

# Entries and documents
REFS_MAX: Final = 64
EVENTS_PER_ENTRY_MAX: Final = 256
OPS_PER_ENTRY_MAX: Final = 128
VOTES_PER_ENTRY_MAX: Final = 48  # with a block beside them they fit one payload; the rest goes at the next look
LOGS_PER_DOCUMENT_MAX: Final = 1_024
LOGS_PER_AUTHOR_MAX: Final = 16  # in one document: one more after each crash of the author's machine
ENTRIES_PER_LOG_MAX: Final = 1_000_000
DOCUMENTS_MAX: Final = 4_096
VIEW_TRANSACTION_MAX: Final = 500  # more elements in one Yjs transaction cost quadratic memory
YJS_UPDATE_MAX_BYTES: Final = 16_000_000
YJS_COUNT_MAX: Final = 131_072  # clients, structs, elements and ranges in one update, together

# Edits of a jam's shared document (title, parts, chat), in each part of it
EDIT_MAX_BYTES: Final = 4_096
EDIT_DEPTH_MAX: Final = 2  # lists in lists
EDIT_DELETES_MAX: Final = 256  # items deleted by one edit
EDITS_PER_LOG_MAX: Final = 1_000
EDIT_BYTES_PER_LOG_MAX: Final = 262_144
BOARD_PARTS_MAX: Final = 256  # the latest parts of a jam whose shared documents are looked at
BOARD_TITLE_MAX: Final = 80  # characters
BOARD_PARTS_NAMED_MAX: Final = 64
BOARD_NAME_MAX: Final = 24
BOARD_LINE_MAX: Final = 500
BOARD_LINES_SHOWN_MAX: Final = 100
CHART_PARTS_MAX: Final = 8
CHART_NOTES_MAX: Final = 8_000
CHART_MAX_BYTES: Final = 44_000
SHEET_TEXT_MAX: Final = 3_500  # characters of a chart in one edit
SHEETS_MAX: Final = 16  # edits that one chart takes
SHEETS_READ_MAX: Final = 1_024  # the latest of them in one part of a jam

# Per peer
HELD_PER_PEER_MAX: Final = 512  # entries that came before their predecessors
HELD_BYTES_PER_PEER_MAX: Final = 1_000_000
HELD_BYTES_MAX: Final = 16_000_000  # per document, from all peers together
REQUESTS_IN_FLIGHT_MAX: Final = 4
HEADS_PER_FRAME_MAX: Final = 400
SHARES: Final = 64  # into which the logs of a document are divided for comparing
SHARE_DIGEST_BYTES: Final = 16
SHARED_DOCUMENTS_MAX: Final = 16  # in one frame, of which the digests of shares are told
SHARED_FROM_LOGS: Final = 16  # a document of fewer is compared as a whole
DOCUMENTS_PER_FRAME_MAX: Final = 400
LINKS_PER_FRAME_MAX: Final = 256
GUESTS_PER_FRAME_MAX: Final = 16
CLOCK_HOPS_MAX: Final = 4  # nodes between one that is told a clock and the clock's own
CLOCK_OFFSET_MAX_US: Final = 7 * 86_400_000_000  # whose clock is further off takes no part in anything
CLOCK_UNCERTAINTY_MAX_US: Final = 1_000_000  # a clock that is known worse is not known
OUTBOX_FRAMES_MAX: Final = 512
OUTBOX_BYTES_MAX: Final = 2_000_000
WORK_PER_S_MAX: Final = 40_000  # units of ten microseconds that a peer may cost unasked: node/engine/budget.py
WORK_BURST_MAX: Final = 10_000
SERVED_BYTES_PER_S_MAX: Final = 20_000_000  # entries, heads and lists sent because a peer asked
SERVED_BYTES_BURST_MAX: Final = 10_000_000
ASKS_PENDING_MAX: Final = 64  # questions of a peer that wait until it may be served again
EMPTY_ANSWERS_MAX: Final = 32  # in a row, from a peer that says to have what it was asked for
PEER_DOCUMENTS_SHOWN_MAX: Final = 16  # in status, of those in which a peer is behind or ahead
BEHIND_DOCUMENTS_MAX: Final = 1_024  # documents whose missing entries are counted
OFFENDERS_MAX: Final = 4_096  # players whose violations are remembered
PEERS_MAX: Final = 64
REPEATS_KNOWN_MAX: Final = 2_048  # live frames that are known to hold nothing new
STREAMS_PER_PEER_MAX: Final = 16
BANNED_PEERS_MAX: Final = 4_096

# Quarantine: what failed verification, kept for a person to look at
QUARANTINE_MAX: Final = 256
QUARANTINE_BYTES_MAX: Final = 1_000_000
QUARANTINE_PER_GIVER_MAX: Final = 32
QUARANTINE_BYTES_PER_GIVER_MAX: Final = 200_000
QUARANTINE_GIVERS_MAX: Final = 1_024  # whose refusals are counted one by one
QUARANTINE_SHOWN_MAX: Final = 16  # in one status, with so many bytes of each
QUARANTINE_SHOWN_BYTES: Final = 64

# Mesh
LINKS_MIN: Final = 8  # direct links that a node seeks, when so many others are there
LINKS_MAX: Final = 12  # beyond it the least wanted is asked to leave
HINT_MAX_BYTES: Final = 4_096  # one gossip message
HINTS_QUEUED_MAX: Final = 4_096
HERALD_QUEUE_MAX: Final = 4_096  # new entries that wait to be published
HERALD_FRAMES_MAX: Final = 16  # published frames that wait for slow listeners
HINTS_PER_S_MAX: Final = 500  # from one forwarder, sustained; about half a core
HINTS_BURST_MAX: Final = 4_000
GOSSIP_RPC_MAX_BYTES: Final = 262_144
GOSSIP_IDS_PER_RPC_MAX: Final = 512
CONNECTIONS_PER_PEER_MAX: Final = 3
LIVE_STREAMS_PER_PEER_MAX: Final = 4
MUX_FRAMES_PER_S_MAX: Final = 2_000  # of one connection, but for the data of live links; a new stream counts fifty
MUX_FRAMES_BURST_MAX: Final = 8_000
HANDSHAKES_MAX: Final = 32  # inbound, not yet authenticated
HANDSHAKES_PER_HOST_MAX: Final = 16
HANDSHAKES_PER_S_MAX: Final = 5  # begun by one host, sustained; it may hold a room full of nodes
HANDSHAKES_BURST_MAX: Final = 64
HOSTS_KNOWN_MAX: Final = 1_024
MUX_BUFFER_MAX_BYTES: Final = 4_194_304  # unread, per connection
SESSION_UNSENT_BYTES: Final = 65_536  # that the kernel has not taken; who writes more waits
DIALS_MAX: Final = 16
KNOWN_PEERS_MAX: Final = 1_024
ADDRESSES_PER_PEER_MAX: Final = 8
ADDRESSES_ADVERTISED_MAX: Final = 16
SIGHTINGS_PER_S_MAX: Final = 200  # mDNS records taken in
MDNS_CACHE_MAX_BYTES: Final = 2_000_000

# Local
PLAY_QUEUE_MAX: Final = 4_096
WORK_QUEUE_MAX: Final = 64
SYNC_QUEUE_MAX: Final = 4_096  # effects that wait for the disk
COALESCE_MAX_US: Final = 20_000
HAPPENINGS_MAX: Final = 4_096  # that wait for one listener inside this process
NOTICES_PER_CLIENT_MAX: Final = 2_048
WEBSOCKETS_MAX: Final = 32
KNOWN_ONSETS_MAX: Final = 200_000  # what the replay index remembers
REPLAY_VOTES_MAX: Final = 3_000  # for each window that is looked for; the rarest fingerprints first
REPLAY_CANDIDATES_MAX: Final = 4  # alignments tried for them, and kept of each ten seconds
REPLAY_LINES_MAX: Final = 3  # lines tried for the one with most votes
REPLAY_COUNTED_MAX: Final = 2  # of these, in which every note is looked for
MIDI_FILE_MAX_BYTES: Final = 4_000_000
MIDI_EVENTS_MAX: Final = 200_000
MIDI_DURATION_MAX_US: Final = 86_400_000_000
RECORDING_EVENTS_MAX: Final = 100_000  # of one session, read back at once
CHART_FILE_MAX_BYTES: Final = 1_000_000

# The API on loopback
API_CONNECTIONS_MAX: Final = 128
API_CONNECTS_PER_S_MAX: Final = 1_000  # accepted, a fifth of a millisecond each; more wait
API_HEAD_MAX_BYTES: Final = 16_384
API_HEAD_TIMEOUT_S: Final = 5  # for a request's head, from connecting
API_BODY_MAX_BYTES: Final = 16_384
API_BODY_TIMEOUT_S: Final = 5
API_SEND_TIMEOUT_S: Final = 5  # a client that reads nothing for so long is let go
API_CLOSE_TIMEOUT_S: Final = 0.5  # for goodbyes; then connections are cut
API_LIST_MAX: Final = 500
API_ANSWER_MAX_BYTES: Final = 64_000_000  # what the command line accepts of an answer
WEBSOCKET_MESSAGE_MAX_BYTES: Final = 32_768
NOTICE_BYTES_PER_CLIENT_MAX: Final = 4_000_000
YJS_CLIENTS_MAX: Final = 16
YJS_MESSAGE_MAX_BYTES: Final = 2_000_000  # from a client; what it is sent is about ENTRIES_FRAME_BYTES
YJS_MESSAGES_PER_S_MAX: Final = 200  # from a client; more wait
HELLO_LIST_MAX: Final = 60  # blocks and windows in a hello
FEED_IN_FLIGHT_MAX: Final = 64  # plays that `symjam jam` sends before the first is acknowledged

# Guests, at the door on the LAN
GUESTS_MAX: Final = 8  # who play at one node
GUEST_KEYS_MAX: Final = 64  # kept for those who come back
GUEST_SOCKETS_MAX: Final = 2  # of one guest
GUEST_MESSAGES_PER_S_MAX: Final = 100  # of one guest on one of them; more wait
GUEST_EVENTS_PER_S_MAX: Final = 100
GUEST_EVENTS_BURST_MAX: Final = 512
GUEST_REQUESTS_PER_S_MAX: Final = 10
GUEST_REQUESTS_BURST_MAX: Final = 60
GUEST_CONNECTIONS_PER_HOST_MAX: Final = 24

# The rules
LOTS_PER_OP_MAX: Final = 64  # lots named by one transfer, stake or unstake
PULSE_REFS_MAX: Final = 64  # pulses of others that a block names
GRAPHS_KNOWN_MAX: Final = 8  # epochs at whose end edges and ranks are kept worked out
BALLOTS_PER_VOTER_MAX: Final = 1_024  # of one voter on what follows one checkpoint: two are cast in a round
FOUNDERS_MAX: Final = 256
FOUNDERS_FILE_MAX_BYTES: Final = 65_536
CONTENT_MAX_BYTES: Final = 64_000_000  # of a checkpoint
CONTENT_PIECE_BYTES: Final = 40_000  # in one frame
CONTENTS_KEPT_MAX: Final = 3  # that were voted for
FINAL_BLOCKS_KEPT_MAX: Final = 10_000  # blocks below a checkpoint that are still shown
ELECTORATES_KNOWN_MAX: Final = 256  # epochs and windows whose eligible players are kept worked out
VRF_PROOFS_KNOWN_MAX: Final = 131_072  # proofs verified (half a millisecond each) and remembered, 200 bytes each
VRF_KEYS_KNOWN_MAX: Final = 16_384  # keys found to be valid or not, and remembered

# Backups
BACKUP_MEMBERS_MAX: Final = 1_000_000  # of one archive: some 60 GB
BACKUP_FILES_MAX: Final = 4_096  # beside the stores
BACKUP_DEPTH_MAX: Final = 4  # directories above such a file, and itself
BACKUP_MANIFEST_MAX_BYTES: Final = 2_000_000
SNAPSHOTS_MAX: Final = 2  # of a running node's store, read out at once

# Store
RULES_MAX_BYTES: Final = 16_384
PRUNED_AT_ONCE_MAX: Final = 200  # entries; a write of so many does not hold up a note
SALVAGE_BATCH_ENTRIES: Final = 1_000
REQUESTS_MAX: Final = 1_024  # by command; what was signed for which is remembered, so that none is signed twice
REPLACED_COPIES_MAX: Final = 3  # originals of damaged stores, and of upgraded ones
RECORDS_PIECE_BYTES: Final = 65_536  # of a store that is read out, at once; filling stops here
RECORDS_PIECE_MAX_BYTES: Final = CONTENT_MAX_BYTES + 131_072  # with one record more, the longest being a checkpoint
FAULTS_MAX: Final = 1_000  # of one store, told one by one
LAST_SIGNED_MAX: Final = 8  # ledger documents remembered; one epoch's is written to at a time
SMALL_FILE_MAX_BYTES: Final = 4_096  # key file, last-signed record: read whole
