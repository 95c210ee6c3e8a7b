"""`symjam status`: is it working, and with whom?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from node.commands.common import as_json_line, client, jam, plain, say, short
from node.runtime import NoNode
from node.shell.config import default_data_dir


def run(data: Path | None, as_json: bool) -> int:
    """Print the running node's status."""
    try:
        status = client(data).status()
    except NoNode as absent:
        raise _with_reasons(absent, data or default_data_dir()) from None
    if as_json:
        as_json_line(status)
    else:
        for line in _lines(status):
            say(line)
    return 0


def _lines(status: dict[str, Any]) -> list[str]:
    ledger, session = status["ledger"], status["session"]
    left_s = max(0, status["window_ends_us"] - status["now_us"]) // 1_000_000
    blocks = ", ".join(f"{count} {state}" for state, count in ledger["blocks"].items())
    lines = [
        f"player   {status['player']}",
        f"network  {status['preset']} ({short(status['network'])}), window {status['window']}, ends in {left_s} s",
        f"listens  {', '.join(status['addresses']) or 'nowhere'}",
        f"jam      {_session(session)}",
        f"ledger   {ledger['entries']} entries, blocks: {blocks}; supply {jam(ledger['supply_micro'])}",
        f"root     {ledger['root']}",
        *_checkpoint(ledger["checkpoint"]),
        f"peers    {len(status['peers'])}",
    ]
    lines += [f"  {_peer(peer, status['now_us'])}" for peer in status["peers"]]
    here = [f"{short(guest['player'])} at {short(guest['host'])}" for guest in status["guests"] if guest["here"]]
    lines += [f"guests   {', '.join(here)}"] if here else []
    if not ledger["ready"]:
        lines.append(f"waiting  {_waiting(status)}")
    if status["refused"]:
        lines.append("refused  " + ", ".join(f"{count} {reason}" for reason, count in status["refused"].items()))
    if status["quarantine"]["kept"]:
        kept = status["quarantine"]
        lines.append(f"suspect  {kept['kept']} refused things kept ({kept['bytes']} bytes): --json shows them")
    if status["equivocations"]:
        lines.append(f"forks    {status['equivocations']} authors signed two entries at one number; they are frozen")
    return lines + [line for check in status["checks"] if check["level"] != "ok" for line in _trouble(check)]


def _trouble(check: dict[str, str]) -> list[str]:
    """What the node knows to be wrong."""
    words = f"{check['name']}: {plain(check['seen'])}"
    return [f"trouble  {words}", f"         why  {plain(check['why'])}", f"         do   {plain(check['remedy'])}"]


def _with_reasons(absent: NoNode, data_dir: Path) -> NoNode:
    """Why there may be none, as far as a quick look shows."""
    from node.doctor.check import Level
    from node.doctor.examine import quick

    found = [check for check in quick(data_dir) if check.level is Level.FAIL]
    reasons = [f"{check.name}: {plain(check.seen)}. {check.remedy}" for check in found]
    absent.remedy = "\n  ".join([*reasons, "Start one with `symjam up`; `symjam doctor` looks for what is wrong."])
    return absent


def _waiting(status: dict[str, Any]) -> str:
    """Why nothing is signed in the ledger."""
    first = status["ledger"]["signs_from_epoch"]
    if first is None:
        return "for this player's own ledger log to come back from peers; nothing is signed until then"
    whom = "" if status["peers"] else ", and for a peer, for an epoch at most"
    return f"this key was restored from its words: it signs from epoch {first} on (now {status['epoch']}){whom}"


def _checkpoint(final: dict[str, Any] | None) -> list[str]:
    """Nothing in a network without founders, where there is none."""
    if final is None:
        return []
    so_far = "none yet" if final["epoch"] is None else f"epoch {final['epoch']}, {final['digest']}"
    part = "this player votes" if final["votes"] else "this player does not vote"
    lines = [f"final    {so_far}; {final['voters']} vote on the next, {part}"]
    if final["wanted"]:
        lines.append(f"waiting  for the content of checkpoint {short(final['wanted'])} from peers")
    return lines


def _session(session: dict[str, Any] | None) -> str:
    if session is None:
        return "none is on"
    tempo = session["tempo_mbpm"] / 1_000
    return f"{session['title']!r}, {tempo:g} beats a minute, by {short(session['creator'])}{_time(session)}"


def _time(session: dict[str, Any]) -> str:
    """How well the jam's time is known; nothing for its creator, whose own it is."""
    clock = session["clock"]
    if session["mine"]:
        return ""
    if clock is None:
        return ", its time not known yet"
    via = f" through {short(clock['via'])}" if clock["via"] else ""
    return f", its time to {clock['uncertainty_us'] / 1_000:.2f} ms{via}"


def _apart(peer: dict[str, Any], now_us: int) -> str:
    behind, ahead, synced_us = peer["behind_entries"], peer["ahead_entries"], peer["synced_us"]
    last = "never in sync" if synced_us is None else f"in sync {max(0, now_us - synced_us) // 1_000_000} s ago"
    return f"{behind} entries behind it, {ahead} ahead, {last}"


def _peer(peer: dict[str, Any], now_us: int) -> str:
    rtt = f"{peer['rtt_us'] / 1_000:.1f} ms" if peer["rtt_us"] is not None else "unmeasured"
    clock = peer["clock"]
    offset = (
        f"clock {clock['offset_us'] / 1_000:+.2f} ± {clock['uncertainty_us'] / 1_000:.2f} ms" if clock else "clock ?"
    )
    synced = "in sync" if peer["synced"] else _apart(peer, now_us)
    return f"{short(peer['player'])}  {rtt}, {offset}, {synced}  {peer['address']}"
