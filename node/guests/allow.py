"""What of the API is for guests. A call that stands in neither list is refused; a test fails until it is decided."""

from __future__ import annotations

from typing import Final

from node.api.messages import Ping, Play

Call = tuple[str, str]  # method, path as in the route table

MAY: Final[frozenset[Call]] = frozenset(
    {
        ("GET", "/api/status"),
        ("GET", "/api/blocks"),
        ("GET", "/api/blocks/{begins}"),
        ("GET", "/api/windows"),  # of the guest
        ("GET", "/api/wallet"),  # of the guest
        ("GET", "/api/history"),  # of the guest
        ("GET", "/api/session"),
        ("GET", "/api/chart"),
        ("GET", "/ws"),
    }
)
MAY_NOT: Final[frozenset[Call]] = frozenset(
    {
        ("GET", "/api/openapi.json"),  # it describes what is the owner's
        ("POST", "/api/operations"),  # nobody spends through somebody else's node
        ("POST", "/api/operations/plan"),
        ("GET", "/api/operations/{begins}"),
        ("GET", "/api/requests/{number}"),
        ("GET", "/api/vouches"),  # whom the owner trusts
        ("GET", "/api/documents/{name:path}"),
        ("POST", "/api/session"),
        ("DELETE", "/api/session"),
        ("GET", "/api/session/recording"),  # also of jams in which the guest was not there
        ("GET", "/api/session/midi"),
        ("POST", "/api/chart"),
        ("POST", "/api/chart/start"),
        ("GET", "/api/guests"),
        ("POST", "/api/guests"),
        ("DELETE", "/api/guests"),
        ("GET", "/api/store"),
        ("POST", "/api/stop"),
        ("GET", "/metrics"),
        ("GET", "/yjs/{name:path}"),
    }
)
SPOKEN: Final = (Play, Ping)  # on the WebSocket
