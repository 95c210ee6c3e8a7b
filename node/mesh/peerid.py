"""Peer ids and players are two spellings of one Ed25519 key.

A libp2p peer id is a multihash of the public key's protobuf; for Ed25519 the hash is the identity, so the key can be
read back out of it (libp2p specs, peer-ids: 0x00 0x24 | 0x08 0x01 0x12 0x20 | key). Written in base58btc.
"""

from __future__ import annotations

from typing import Final

import base58

from crdt.errors import Misuse, Reason, Violation
from crdt.keys import is_valid_player
from crdt.types import PlayerId

_PREFIX: Final = bytes((0x00, 0x24, 0x08, 0x01, 0x12, 0x20))
_TEXT_MAX: Final = 64  # base58 of 38 bytes takes 52


def peer_id_bytes(player: PlayerId) -> bytes:
    """The 38 bytes of a player's peer id. Misuse when it is not a 32-byte key."""
    if len(player) != 32:
        raise Misuse(f"a player id has 32 bytes, not {len(player)}")
    return _PREFIX + player


def peer_id_of(player: PlayerId) -> str:
    """A player's peer id as people and multiaddrs write it (`12D3KooW...`)."""
    return base58.b58encode(peer_id_bytes(player)).decode()


def player_of_bytes(raw: bytes) -> PlayerId:
    """The player behind a binary peer id. Violation(BAD_KEY) for other key types and for unusable keys."""
    if len(raw) != len(_PREFIX) + 32 or not raw.startswith(_PREFIX):
        raise Violation(Reason.BAD_KEY, "a peer id that holds no Ed25519 key")
    key = raw[len(_PREFIX) :]
    if not is_valid_player(key):
        raise Violation(Reason.BAD_KEY, "a peer id of an unusable key")
    return PlayerId(key)


def player_of(peer_id: str) -> PlayerId:
    """The player behind a peer id in base58btc. Violation(BAD_KEY) when it does not spell one, exactly."""
    if len(peer_id) > _TEXT_MAX or not peer_id.isascii():
        raise Violation(Reason.BAD_KEY, "too long for a peer id")
    try:
        raw = base58.b58decode(peer_id)
    except ValueError:
        raise Violation(Reason.BAD_KEY, "not base58") from None
    player = player_of_bytes(raw)
    if peer_id_of(player) != peer_id:  # base58 decoders strip white space
        raise Violation(Reason.BAD_KEY, "another spelling of a peer id")
    return player
