"""`symjam explain`: why a block stands as it does, and what it is paid, term by term; why a window brought no block;
how a balance comes about; how something signed stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crdt.errors import Misuse, Refused
from crdt.limits import API_LIST_MAX
from node.client import Client, Doc
from node.commands.common import as_json_line, client, jam, plain, say, short
from node.commands.wallet import everything

WORDS = {
    "carried": "held at the last checkpoint",
    "played": "for playing",
    "attested": "for verifying others",
    "performed": "for concerts",
    "received": "received",
    "sent": "sent",
    "burned": "taken from the stake",
}


def run(data: Path | None, what: str, about: str, as_json: bool) -> int:
    """Print it in words; `about` is an id, or how one begins, or a window."""
    if what in ("verdict", "reward", "operation") and not about:
        raise Misuse(f"say which: symjam explain {what} ID")
    node = client(data)
    if what in ("verdict", "reward"):
        return _block(node.block(about)["block"], what, as_json)
    if what == "balance":
        head, words = _balance(node)
    elif what == "refusal":
        about, head, words = _refusal(node, about)
    else:
        found = node.operation(about)
        about = found["entry"]
        head, words = f"entry {short(about)}  epoch {found['epoch']}  {found['state']}", _operation(node, found)
    if as_json:
        as_json_line({"schema": "symjam.explain/1", "about": about, "what": what, "words": words})
        return 0
    _say(head, words)
    return 0


def _block(found: Doc, what: str, as_json: bool) -> int:
    words = found["words"]
    if what == "reward":
        reward = found["reward"]
        words = reward["words"] if reward else [f"no reward: the block is {found['state']}"]
    if as_json:
        as_json_line({"schema": "symjam.explain/1", "block": found["id"], "what": what, "words": words})
        return 0
    head = f"block {short(found['id'])}  window {found['window']}  by {short(found['proposer'])}  {found['state']}"
    _say(head, words)
    return 0


def _say(head: str, words: list[str]) -> None:
    say(head)
    for line in words:
        say(f"  {plain(line)}")


def _balance(node: Client) -> tuple[str, list[str]]:
    """What came and went by how it did, to the micro-JAM, and what of the rest can be spent."""
    wallet, rows = node.wallet(), everything(node)
    sums, counts = Counter[str](), Counter[str]()
    for row in rows:
        if row["amount_micro"]:
            sums[row["role"]] += row["amount_micro"]
            counts[row["role"]] += 1
    words = []
    for role, said in WORDS.items():
        if counts[role]:
            sign = "+" if sums[role] > 0 else ""
            words.append(f"{sign}{jam(sums[role])}  {said} ({counts[role]} {'time' if counts[role] == 1 else 'times'})")
    words.append(f"= {jam(sum(sums.values()))} held")
    for name, said in (("staked", "staked"), ("leaving", "on the way out of the stake")):
        if wallet[f"{name}_micro"]:
            words.append(f"-{jam(wallet[f'{name}_micro'])}  {said}")
    if wallet["coming_micro"]:
        words.append(f"{jam(wallet['coming_micro'])} of it can be spent from the next epoch on")
    if wallet["pending_blocks"]:
        words.append(f"{wallet['pending_blocks']} own blocks wait for a verdict, and are no part of it yet")
    return f"balance {jam(wallet['balance_micro'])}", words


def _refusal(node: Client, window: str) -> tuple[str, str, list[str]]:
    refused = [one for one in node.windows(API_LIST_MAX)["windows"] if one["outcome"] == "refused"]
    found = [one for one in refused if not window or str(one["window"]) == window]
    if not found:
        which = f"window {window[:20]} was not refused here" if window else "no window of yours was refused here"
        raise Refused("no-such-window", "nothing to explain", which, "`symjam blocks` lists your windows")
    one = found[0]
    head = f"window {one['window']}  refused: {one['words']}"
    return str(one["window"]), head, [*one["explain"], f"{one['events']} events were played in it"]


def _operation(node: Client, found: Doc) -> list[str]:
    said = [
        f"{op['kind']} {jam(op['amount_micro']) if op['amount_micro'] else ''}".strip() for op in found["operations"]
    ]
    rows = [row["why"] for row in everything(node) if row["entry"] == found["entry"]]
    return [*said, *found["words"], *rows]
