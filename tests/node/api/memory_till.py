"""What the node in memory can sign: nothing, until a test gives it a till."""

from __future__ import annotations

from node.api.backend import Doc
from node.shell.till import Till
from wallet.wishes import AnyWish


class MemoryTill:
    """The part of node.api.backend.Backend that signs."""

    me: str
    till: Till

    def vouches(self) -> Doc:
        return {"schema": "symjam.vouches/1", "player": self.me, "vouches": []}

    def plan(self, wish: AnyWish) -> Doc:
        return self.till.plan(wish)

    async def sign(self, wish: AnyWish, passphrase: str | None, number: bytes | None = None) -> Doc:
        return await self.till.sign(wish, passphrase, number)

    async def requested(self, number: bytes) -> Doc:
        return await self.till.requested(number)

    def operation(self, entry: str) -> Doc:
        return self.till.operation(entry)
