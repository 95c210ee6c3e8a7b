"""`symjam wallet init | restore | passwd | address | export | list | watch`: the key, and the keys of others.

None of them needs a running node. The only secret that is ever shown are the words, once.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any, Final

import click

from crdt.errors import OperatingFailure
from crdt.types import PlayerId
from node.commands.asking import has_terminal, new_passphrase, no_core_dumps, open_key, words
from node.commands.common import as_json_line
from node.founders import player_of
from node.runtime import NoNode, find
from node.shell.config import default_data_dir, keys_in
from wallet import keystore
from wallet.keyfile import Form, Key, KeyFile, KeyLocked, KeyRefused, new_key
from wallet.watched import Watched
from wallet.words import WORDS, WordsRefused, entropy_of, seed_of, words_of

OTHER_SCREEN: Final = "\x1b[?1049h\x1b[H"  # the terminal's second page, which no scrolling brings back
BACK: Final = "\x1b[?1049l"
ASKED_BACK: Final = 3
TRIES: Final = 3


def init(data: Path | None, passphrase_fd: int | None, words_fd: int | None, yes: bool, as_json: bool) -> int:
    """Make a key, or take up the one that `up` made: words shown and asked back, then under a passphrase."""
    no_core_dumps()
    _require_a_way_to_show(words_fd, as_json, yes)
    directory = keys_in(data)
    found = keystore.look(directory) if keystore.exists(directory) else None
    if found is not None and found.form is not Form.WORDS:
        raise KeyRefused(
            "no new key was made",
            f"{found.path} exists, and its words were shown when it was made, or there never were any",
            "symjam wallet passwd puts it under another passphrase. Move it away if you want another identity",
        )
    key, passphrase = (new_key(), None) if found is None else open_key(found, passphrase_fd)
    if passphrase is None:
        passphrase = new_passphrase(passphrase_fd)
    shown = words_of(key.secret)
    _show(shown, words_fd, yes)
    if not yes:
        _ask_back(shown)
    if found is None:
        keystore.put(directory, key.without_words(), passphrase)
    else:
        keystore.change(directory, passphrase if found.is_locked else None, passphrase, keep_words=False)
    return _report(keystore.look(directory), as_json, ("the key is under your passphrase; the words are kept nowhere",))


def restore(
    data: Path | None, passphrase_fd: int | None, words_fd: int | None, account: int, unused: bool, as_json: bool
) -> int:
    """Have a key again from its words."""
    no_core_dumps()
    data_dir = data or default_data_dir()
    directory = keys_in(data_dir)
    key = Key(Form.SEED, seed_of(entropy_of(words(words_fd)), account))
    if keystore.exists(directory):
        _take_up_again(data_dir, keystore.look(directory), key, unused)
    else:
        passphrase = new_passphrase(passphrase_fd)
        if not unused:
            keystore.mark_restored(directory)  # first: without it the key must not be there
        keystore.put(directory, key, passphrase)
    return _report(keystore.look(directory), as_json, () if unused else RESTORED)


RESTORED: Final = (
    "this key may have signed on another machine. So the next `symjam up` first",
    "fetches its log from peers, and signs in the ledger from the next epoch on:",
    "within an hour, or two when nobody is there. Others' jams are open at once.",
    "Run it on one machine only: two that sign with one key in one epoch lose its",
    "stake.",
)


def passwd(data: Path | None, passphrase_fd: int | None, new_fd: int | None, as_json: bool) -> int:
    """Put the key under another passphrase."""
    no_core_dumps()
    directory = keys_in(data)
    found = keystore.look(directory)
    _, old = open_key(found, passphrase_fd, "present passphrase")
    changed = keystore.change(directory, old, new_passphrase(passphrase_fd if new_fd is None else new_fd))
    return _report(changed, as_json, ("the key is under the new passphrase",))


def show_key(data: Path | None, as_json: bool) -> int:
    """Whose key lies there, and how it is kept."""
    return _report(keystore.look(keys_in(data)), as_json, ())


def address(data: Path | None, qr: bool, as_json: bool) -> int:
    """The player's public key, to be paid at."""
    player = keystore.look(keys_in(data)).player.hex()
    if as_json:
        as_json_line({"schema": "symjam.address/1", "player": player})
        return 0
    click.echo(player)
    if qr:
        import segno

        segno.make(player.upper(), error="m").terminal(compact=True)
    return 0


def listing(data: Path | None, as_json: bool, own_only: bool = False) -> int:
    """This player's public key, and those that are watched."""
    data_dir = data or default_data_dir()
    known: list[tuple[PlayerId, str, str]] = []
    if own_only or keystore.exists(keys_in(data_dir)):
        known.append((keystore.look(keys_in(data_dir)).player, "own", ""))
    if not own_only:
        known += [(player, "watched", name) for player, name in Watched(data_dir).names.items()]
    if as_json:
        keys = [{"player": player.hex(), "kind": kind, "name": name} for player, kind, name in known]
        as_json_line({"schema": "symjam.keys/1", "keys": keys})
        return 0
    for player, kind, name in known:
        remark = name if kind == "watched" else "this player"
        click.echo(player.hex() if own_only else f"{player.hex()}  # {remark}".rstrip(" #"))
    if not known:
        click.echo("no key yet, and nobody is watched", err=True)
    return 0


def watch(data: Path | None, player: str, name: str, forget: bool, as_json: bool) -> int:
    """Add a public key to those that are watched, or take it away."""
    data_dir = data or default_data_dir()
    known, whom = Watched(data_dir), player_of(player)
    if forget and not known.remove(whom):
        raise OperatingFailure("nothing was changed", f"{player[:8]} is not watched", "See: symjam wallet list")
    if not forget:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        known.add(whom, name)
    return listing(data_dir, as_json)


def _require_a_way_to_show(words_fd: int | None, as_json: bool, yes: bool) -> None:
    """Words go to a person, or into a descriptor that was opened for them; into no log by mistake."""
    is_seen = has_terminal() and sys.stdout.isatty()
    if words_fd is None and (as_json or not is_seen):
        why = "words are no part of a JSON document" if as_json else "there is no terminal to show the words at"
        raise KeyLocked("no key was made", why, "Say where they go: --yes --words-fd 4 4>FILE")
    if not yes and not has_terminal():
        why = "there is no terminal to ask at whether the words were written down"
        raise KeyLocked("no key was made", why, "--yes says that they are kept: --yes --words-fd 4 4>FILE")


def _show(shown: tuple[str, ...], words_fd: int | None, yes: bool) -> None:
    if words_fd is not None:
        try:
            os.write(words_fd, (" ".join(shown) + "\n").encode())
        except OSError as error:
            why = f"they cannot be written to file descriptor {words_fd}: {error.strerror}"
            raise OperatingFailure("no key was made", why, "Open it for writing: --words-fd 4 4>FILE") from error
        return
    click.echo("" if yes else OTHER_SCREEN, nl=False)
    try:
        click.echo("Write these words down, on paper, in this order: they are the key. Who has them has it;", err=True)
        click.echo("without them, and without this machine, nobody has. They are not shown again.", err=True)
        for row in range(0, WORDS, 4):
            click.echo("  " + "".join(f"{row + n + 1:>2} {shown[row + n]:<10}" for n in range(4)).rstrip())
        if not yes:
            click.prompt("Written down? Enter", default="", show_default=False, err=True)
    finally:
        click.echo("" if yes else BACK, nl=False)


def _ask_back(shown: tuple[str, ...]) -> None:
    """Three of the words, so that they are written down before anything rests on them."""
    for place in sorted(secrets.SystemRandom().sample(range(WORDS), ASKED_BACK)):
        for left in range(TRIES - 1, -1, -1):
            typed = click.prompt(f"word {place + 1}", hide_input=True, err=True, default="", show_default=False)
            if str(typed).strip().lower() == shown[place]:
                break
            if not left:
                why = f"word {place + 1} was not the one that was shown"
                raise WordsRefused("nothing was changed", why, "Begin again, with paper at hand: symjam wallet init")
            click.echo("that is another word; look again", err=True)


def _take_up_again(data_dir: Path, found: KeyFile, key: Key, unused: bool) -> None:
    """The same words where their key is already: it may have signed elsewhere since. OperatingFailure for another's."""
    if found.player != key.identity().player:
        why = f"{found.path} is the key of another player, {found.player.hex()[:8]}"
        raise KeyRefused("no key was restored", why, "Give another data directory: --data, or move that key away")
    try:
        find(data_dir)
    except NoNode:
        if not unused:
            keystore.mark_restored(keys_in(data_dir))
        return
    raise OperatingFailure("the key was not taken up", "a node is running with it here", "symjam stop, then again")


def _report(found: KeyFile, as_json: bool, words_for_people: tuple[str, ...]) -> int:
    """`symjam.key/1`."""
    document: dict[str, Any] = {
        "schema": "symjam.key/1",
        "player": found.player.hex(),
        "file": str(found.path),
        "protected": found.is_locked,
        "words_written_down": found.form is Form.SEED,
        "may_have_signed_elsewhere": keystore.restored_mark(found.path.parent) is not None,
    }
    if as_json:
        as_json_line(document)
        return 0
    click.echo(f"player   {document['player']}")
    click.echo(f"key      {found.path}, {'under a passphrase' if found.is_locked else 'under no passphrase'}")
    if found.form is Form.WORDS:
        click.echo("its words are not written down yet: symjam wallet init shows them, once", err=True)
    elif not found.is_locked:
        click.echo("symjam wallet passwd puts it under a passphrase", err=True)
    for line in words_for_people:
        click.echo(line, err=True)
    return 0
