"""The three families of error: whose fault it is decides what happens next.

*Misuse* is a bug in the caller and ends the task. *Violation* is a peer breaking the protocol: it is counted
under its reason, it lowers that peer's score, and nothing of it is merged. *OperatingFailure* is the world (disk,
network, another process): the message says what failed, why, and what to do next.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SymJamError(Exception):
    """Root of every error that SymJam raises on purpose."""


class Misuse(SymJamError):
    """A function was called with what its contract excludes. Local, a bug."""


class Reason(StrEnum):
    """Why something from outside was refused. The values are part of the public counters."""

    GARBAGE = "garbage"  # bytes that do not decode as what they should be
    NON_CANONICAL = "non-canonical"  # they decode, but encode back to other bytes
    TRUNCATED = "truncated"  # a frame ended before its announced length
    OVERSIZE = "oversize"
    BAD_SIGNATURE = "bad-signature"
    WRONG_NETWORK = "wrong-network"
    WRONG_DOCUMENT = "wrong-document"
    WRONG_CLIENT = "wrong-client"  # a Yjs client id that is not the author's
    WRONG_PARENT = "wrong-parent"  # an element outside its author's own root
    WRONG_ORIGIN = "wrong-origin"  # an element that does not follow its predecessor
    WRONG_PREV = "wrong-prev"  # a hash link that does not match the entry before
    WRONG_NONCE = "wrong-nonce"
    DELETES = "deletes"  # a Yjs delete set: nothing is ever deleted
    GAP = "gap"  # does not follow what is held, and there is no room to hold it
    FROZEN = "frozen"  # the author equivocated at or below this sequence number
    BAD_KEY = "bad-key"
    BAD_PROOF = "bad-proof"
    BAD_PAYLOAD = "bad-payload"
    FLOOD = "flood"
    PAST = "past"  # of a document so old that nodes no longer reconcile it
    FULL = "full"  # there is no room here for one more of these
    SLOW = "slow"  # it answers pings and takes nothing off its link
    EMPTY = "empty"  # asked for what it says to have, it gave nothing
    UNEXPECTED = "unexpected"  # well formed, but not to be said now


# Refusals of entries that their author did sign: an honest peer passes such entries on before it has learned of a
# fork, while this node is far behind, or when its tables are full. They are counted, and say nothing of who gave them.
BLAMELESS: Final = frozenset({Reason.FROZEN, Reason.WRONG_PREV, Reason.GAP, Reason.FULL, Reason.PAST})


class Violation(SymJamError):
    """Somebody else broke the protocol."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class OperatingFailure(SymJamError):
    """Disk, network or another process failed. `what`, `why` and `remedy` are shown to the user as they are."""

    def __init__(self, what: str, why: str, remedy: str = "") -> None:
        super().__init__(f"{what}: {why}" + (f". {remedy}" if remedy else ""))
        self.what, self.why, self.remedy = what, why, remedy


class Unusable(OperatingFailure):
    """What the user gave cannot be used, however often it is tried: a damaged file, a request that makes no sense."""


class Refused(OperatingFailure):
    """A command that cannot be carried out as things are; `reason` is for programs (docs/api.md)."""

    def __init__(self, reason: str, what: str, why: str, remedy: str = "") -> None:
        super().__init__(what, why, remedy)
        self.reason = reason
