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
ENTRIES_FRAME_BYTES: Final = 40_000  # filling stops here, so one entry more still fits a frame

# Entries and documents
REFS_MAX: Final = 64
EVENTS_PER_ENTRY_MAX: Final = 256
OPS_PER_ENTRY_MAX: Final = 128
AUTHORS_PER_DOCUMENT_MAX: Final = 1_024
ENTRIES_PER_LOG_MAX: Final = 1_000_000
DOCUMENTS_MAX: Final = 4_096
VIEW_TRANSACTION_MAX: Final = 500  # more elements in one Yjs transaction cost quadratic memory

# Per peer
HELD_PER_PEER_MAX: Final = 512  # entries that came before their predecessors
QUARANTINE_MAX: Final = 256
EQUIVOCATIONS_MAX: Final = 1_024
REQUESTS_IN_FLIGHT_MAX: Final = 4
HEADS_PER_FRAME_MAX: Final = 400
DOCUMENTS_PER_FRAME_MAX: Final = 400
LINKS_PER_FRAME_MAX: Final = 256
OUTBOX_FRAMES_MAX: Final = 512
OUTBOX_BYTES_MAX: Final = 2_000_000
FRAMES_PER_S_MAX: Final = 4_000
PEERS_MAX: Final = 64
STREAMS_PER_PEER_MAX: Final = 16
BANNED_PEERS_MAX: Final = 4_096

# Local
PLAY_QUEUE_MAX: Final = 4_096
COALESCE_MAX_US: Final = 20_000
NOTICES_PER_CLIENT_MAX: Final = 2_048
WEBSOCKETS_MAX: Final = 32
KNOWN_ONSETS_MAX: Final = 200_000  # what the replay index remembers
