"""Guests' keys on disk: whole, private, bounded, and believed only as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdt.errors import OperatingFailure
from crdt.limits import GUEST_KEYS_MAX
from node.guests.keys import FILE_NAME, GuestKeys

SECRET = "s" * 43


def test_a_key_is_there_again_and_its_secret_is_not(tmp_path: Path) -> None:
    made = GuestKeys(tmp_path / "guests").make(bytes(32), SECRET)
    again = GuestKeys(tmp_path / "guests")
    found = again.of(SECRET)
    assert found is not None and found.player == made.player == found.identity().player
    assert again.of("") is again.of(SECRET[1:]) is None
    assert again.players() == [made.player]
    assert SECRET not in repr(found) and (made.directory / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert made.directory.stat().st_mode & 0o777 == made.directory.parent.stat().st_mode & 0o777 == 0o700


def test_that_it_was_taken_home_is_known_after_a_restart(tmp_path: Path) -> None:
    words = GuestKeys(tmp_path).make(bytes(32), SECRET).take_home()
    assert words == ("abandon",) * 23 + ("art",)
    again = GuestKeys(tmp_path)
    assert again.of(SECRET) is None and len(again.players()) == 1


@pytest.mark.parametrize("harm", ["flip", "cut", "open", "gone", "link"])
def test_what_is_damaged_or_open_is_not_used_and_harms_no_other(tmp_path: Path, harm: str) -> None:
    keys = GuestKeys(tmp_path)
    path = keys.make(bytes(32), SECRET).directory / FILE_NAME
    keys.make(bytes([1]) * 32, "t" * 43)
    raw = path.read_bytes()
    if harm == "flip":
        path.write_bytes(raw[:-40] + bytes([raw[-40] ^ 1]) + raw[-39:])
    elif harm == "cut":
        path.write_bytes(raw[:-1])
    elif harm == "open":
        path.chmod(0o644)
    else:
        path.unlink()
        if harm == "link":
            path.symlink_to(tmp_path / "2" / FILE_NAME)
    again = GuestKeys(tmp_path)
    assert again.of(SECRET) is None and again.of("t" * 43) is not None
    assert again.make(bytes([2]) * 32, "u" * 43).directory.name == "3"  # nothing is written over


def test_of_too_many_one_that_never_signed_makes_room_and_no_other(tmp_path: Path) -> None:
    keys = GuestKeys(tmp_path)
    made = [keys.make(bytes([number]) * 32, f"{number:043}") for number in range(4)]
    made[0].signed_path("main").touch()
    made[1].take_home()
    in_use = made[2].player
    for number in range(4, GUEST_KEYS_MAX):
        (tmp_path / str(number + 1)).mkdir()
    players = [key.player for key in made]
    keys = GuestKeys(tmp_path)
    assert keys.make(bytes([99]) * 32, SECRET, [in_use]).directory.name == "4"
    reread = GuestKeys(tmp_path)
    assert reread.players()[:3] == players[:3] and players[3] not in reread.players()
    assert reread.of(SECRET) is not None and reread.of(f"{3:043}") is None
    with pytest.raises(OperatingFailure):
        reread.make(bytes([98]) * 32, "v" * 43, reread.players())


def test_so_many_are_kept_and_no_more(tmp_path: Path) -> None:
    for number in range(1, GUEST_KEYS_MAX + 1):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(OperatingFailure) as caught:
        GuestKeys(tmp_path).make(bytes(32), SECRET)
    assert str(tmp_path) in caught.value.remedy
