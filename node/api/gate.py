"""Who may speak to the API.

Loopback is not a boundary: any page in the user's browser can send requests there. Three checks close that. `Host`
must be our own address (a foreign name resolving to 127.0.0.1 is DNS rebinding); `Origin` and `Sec-Fetch-Site`, which
pages cannot forge, must be our own page's; and a token that only this user's files hold is asked for wherever there
is data. The page's own files need no token, for they hold none.

There are two tokens. With the read-only one, for a metrics collector or a display, everything can be looked at that the
table of calls says only reads; nothing is changed, played or signed with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.api.calls import READS
from node.api.errors import Refusal, error_response

SUBPROTOCOL = "symjam"
DOOR = "/yjs/"
PRIVATE: Final = ("/api/", "/metrics", "/ws", DOOR)
READ_ONLY: Final = "symjam.read_only"  # in the scope: who asks may look, and change nothing
MAY_READ: Final = Refusal(
    403, "not allowed", "this token may look, and change nothing", "Use `token` of api.json instead of `read_token`."
)
_TOKEN_PREFIX = "token."
_PARAMETERS_MAX = 16
_SAME_SITE = ("", "same-origin", "none")


Check = Callable[[Scope, str], Refusal | None]


def holds(token: str, read_token: str) -> Check:
    """Lets those in who offer the token, and to what only reads those who offer the read-only one."""

    def check(scope: Scope, offered: str) -> Refusal | None:
        if _same(offered, token):
            return None
        if read_token and _same(offered, read_token):
            scope[READ_ONLY] = True
            return None if _only_reads(scope) else MAY_READ
        return Refusal(
            401, "not allowed", "the token is missing or wrong", "Open the address that `symjam up` printed."
        )

    return check


def _same(offered: str, token: str) -> bool:
    return hmac.compare_digest(offered.encode("utf-8", "replace"), token.encode())


def _only_reads(scope: Scope) -> bool:
    """The live WebSocket refuses by itself what changes anything (node/api/socket.py); the door for Yjs takes in."""
    if scope["type"] == "websocket" or scope["path"].startswith(DOOR):
        return bool(scope["path"] == "/ws")
    return scope["method"] in ("GET", "HEAD") or (scope["method"], scope["path"]) in READS


class Gate:
    """ASGI middleware around everything that is served at these hosts (each with its port). `check` says whether what
    was offered as a token lets a request for data in."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], check: Check, isolated: bool = True) -> None:
        self._app = app
        self._check_token = check
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._headers = security_headers(sorted(self._hosts), isolated)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an error to whoever may not; hand on the rest, with the security headers on its answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        refusal = self._check(scope)
        target = self._app if refusal is None else error_response(refusal)
        await target(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if headers.getlist("host") not in ([host] for host in self._hosts):
            remedy = "Use the address that `symjam up` printed."
            return Refusal(403, "wrong address", "the Host header is not the address of this door", remedy)
        private = scope["type"] == "websocket" or scope["path"].startswith(PRIVATE)
        origins = headers.getlist("origin")
        foreign = any(origin not in self._origins for origin in origins)
        if foreign or (private and headers.get("sec-fetch-site", "") not in _SAME_SITE):
            return Refusal(403, "foreign page", "the request comes from another site", "Open the node's own page.")
        return self._check_token(scope, _offered_token(scope, headers)) if private else None


def _offered_token(scope: Scope, headers: Headers) -> str:
    if scope["type"] == "websocket":  # browsers cannot set headers there, but can offer subprotocols
        offers = [p[len(_TOKEN_PREFIX) :] for p in scope["subprotocols"] if p.startswith(_TOKEN_PREFIX)]
        if scope["path"].startswith(DOOR) and not offers:
            return _token_in_address(scope)
        return offers[0] if len(offers) == 1 and SUBPROTOCOL in scope["subprotocols"] else ""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _token_in_address(scope: Scope) -> str:
    """y-websocket's way: a parameter of the address. Only at the door, where no page of ours leads."""
    try:
        given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=_PARAMETERS_MAX).get("token", [])
    except ValueError:
        return ""
    return given[0] if len(given) == 1 else ""


def security_headers(hosts: list[str], isolated: bool) -> dict[str, str]:
    """Headers of every answer: nothing from elsewhere, nothing inline, framed by nobody. `isolated`: on an address that
    browsers trust, as they do loopback; elsewhere they would complain of headers that they do not heed."""
    sockets = " ".join(f"ws://{host}" for host in hosts)
    policy = (
        f"default-src 'self'; connect-src 'self' {sockets}; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    # Isolation also gives the page a finer clock (5 us steps instead of 100).
    isolation = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        **(isolation if isolated else {}),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
