"""Errors as clients see them: what failed, why, and what to do next (docs/api.md)."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from crdt.errors import OperatingFailure, Refused, Unusable, Violation
from node.api.notices import encode_json

SCHEMA = "symjam.error/1"
REFUSED_STATUS: Final = {
    "locked": 403,
    "wrong-passphrase": 403,
    "no-such-entry": 404,
    "no-such-request": 404,
    "no-such-session": 404,
    "malformed": 400,
}
NOT_FOR_GUESTS: Final = OperatingFailure(
    "not for guests", "a guest plays and watches", "Ask whoever runs the node, or run one yourself: symjam up."
)


class Refusal(Exception):
    """A request that is answered with an error document."""

    def __init__(self, status: int, what: str, why: str, remedy: str, reason: str = "") -> None:
        super().__init__(f"{what}: {why}")
        self.status, self.reason = status, reason
        self.what, self.why, self.remedy = what, why, remedy

    def document(self) -> dict[str, Any]:
        """The JSON body."""
        named = {"reason": self.reason} if self.reason else {}
        return {"schema": SCHEMA, "what": self.what, "why": self.why, "remedy": self.remedy, **named}


def refusal_of(error: OperatingFailure | Violation) -> Refusal:
    """The answer to a request during which the node raised one of its own errors."""
    if isinstance(error, Refused):
        status = REFUSED_STATUS.get(error.reason, 409)
        return Refusal(status, error.what, error.why, error.remedy or "See docs/wallet.md.", error.reason)
    if isinstance(error, OperatingFailure):
        return Refusal(400 if isinstance(error, Unusable) else 503, error.what, error.why, error.remedy)
    why = f"{error.reason}: {error.detail}" if error.detail else str(error.reason)
    return Refusal(400, "the node refused this", why, "Check what was sent against docs/api.md.")


def json_response(document: object, status: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    return Response(encode_json(document), status, headers={"Cache-Control": "no-store"}, media_type="application/json")


def error_response(refusal: Refusal) -> Response:
    """The answer for a refusal."""
    return json_response(refusal.document(), refusal.status)
