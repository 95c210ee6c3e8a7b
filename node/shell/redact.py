"""Taking out of a text what a stranger must not learn from it: secrets, who, where.

Ids and players become pseudonyms that are the same throughout one report and nowhere else; addresses likewise, but for
loopback; the home and data directories, the user's and the machine's names give way to words. What looks like a
token, a key or the words of one goes, wherever it stands. It is a net below the rule that no secret is ever given to a
log or an answer, not instead of it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from crdt.errors import Violation
from node.mesh.peerid import player_of

GONE: Final = "[left out]"
WORDS_RUN: Final = 6  # so many words of the list in a row are taken for a key's
_HEX: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32,}(?![0-9a-f])", re.IGNORECASE)
_SHORT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(?![0-9A-Za-z])")
_PEER_ID: Final = re.compile(r"(?<![1-9A-HJ-NP-Za-km-z])12D3KooW[1-9A-HJ-NP-Za-km-z]{44}(?![1-9A-HJ-NP-Za-km-z])")
_IPV4: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6: Final = re.compile(r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?![0-9A-Fa-f:])")
_TOKEN: Final = re.compile(
    r"((?:(?:token|password|passphrase|secret)[\"']?\s*[=.:]\s*[\"']?)|bearer\s+)[A-Za-z0-9_+/=-]{6,}", re.IGNORECASE
)
_BASE64: Final = re.compile(r"(?<![\w+/=-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Z])[\w+/-]{40,}={0,2}", re.ASCII)
_WORD: Final = re.compile(r"[a-z]{3,8}")


class Redactor:
    """One report's. `salt` keeps its pseudonyms apart from others'. `secrets`: to be taken out to the letter;
    `names`: (what, the word for it), the longer first."""

    def __init__(
        self, salt: bytes, secrets: Iterable[str], names: Iterable[tuple[str, str]], wordlist: Iterable[str]
    ) -> None:
        self._salt = salt
        self._secrets = sorted({one for one in secrets if one}, key=len, reverse=True)
        self._names = sorted(((what, word) for what, word in names if len(what) > 2), key=lambda one: -len(one[0]))
        self._words = frozenset(wordlist)
        self._known: set[str] = set()

    def meet(self, text: str) -> None:
        """Learn the ids in a text, so that they are known again where they stand shortened."""
        self._known |= {found[:8].lower() for found in _HEX.findall(text)}

    def clean(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, GONE)
        text = _TOKEN.sub(rf"\1{GONE}", text)
        text = self._without_words(text)
        text = _PEER_ID.sub(lambda found: self._of_peer(found[0]), text)
        text = _HEX.sub(lambda found: self._pseudonym("id", found[0][:8].lower()), text)
        text = _SHORT.sub(lambda found: self._short(found[0]), text)
        for what, word in self._names:
            text = text.replace(what, word)
        text = _BASE64.sub(GONE, text)
        text = _IPV4.sub(lambda found: self._of_address(found[0]), text)
        return _IPV6.sub(lambda found: self._of_address(found[0]), text)

    def _pseudonym(self, kind: str, of: str) -> str:
        return f"{kind}-{hashlib.blake2b(of.encode(), key=self._salt, digest_size=4).hexdigest()}~"

    def _short(self, found: str) -> str:
        return self._pseudonym("id", found) if found in self._known else found

    def _of_peer(self, peer_id: str) -> str:
        try:
            return self._pseudonym("id", player_of(peer_id).hex()[:8])
        except Violation:
            return GONE

    def _of_address(self, found: str) -> str:
        try:
            address = ipaddress.ip_address(found.rstrip("."))
        except ValueError:
            return found
        return found if address.is_loopback or address.is_unspecified else self._pseudonym("ip", str(address))

    def _without_words(self, text: str) -> str:
        """Runs of words of the list, however they are parted, if by no more than a few signs or digits."""
        runs: list[tuple[int, int]] = []
        start, end, count = 0, -100, 0
        for found in _WORD.finditer(text):
            near = found.start() - end <= 8 and not re.search(r"[a-zA-Z]", text[end : found.start()])
            if found[0] not in self._words:
                count = 0
            else:
                start, count = (start, count + 1) if count and near else (found.start(), 1)
                if count >= WORDS_RUN:
                    runs = [*(runs[:-1] if runs and runs[-1][0] == start else runs), (start, found.end())]
            end = found.end()
        for first, last in reversed(runs):
            text = text[:first] + GONE + text[last:]
        return text
