// What the page knows of the node: the last word of each kind. Views read it and listen for changes.
//
// Dispatches `status`, `score`, `board`, `blocks`, `windows`, `session`, `event` (detail: the message), `trouble`
// (detail: an error) and `settled` (detail: a block that was just accepted or rejected).

import { setGuests } from "./people.js";
import { Slewed } from "./slew.js";

const BLOCKS_MAX = 240;
const WINDOWS_MAX = 120;

export class World extends EventTarget {
  status = null;
  session = null;
  /** Minus the node's clock at session time 0, so that it is the session's time that does not go back. */
  #t0 = new Slewed();
  /** Score of docs/api.md: this player's window, so far. */
  score = null;
  /** Board of docs/api.md; null while unknown. */
  board = null;
  /** How often the node has told of a board. */
  boardsHeard = 0;
  blocks = [];
  windows = [];
  /** When each player was last heard, page milliseconds. */
  heardAtMs = new Map();

  get me() {
    return this.status?.player ?? null;
  }

  /** Length of a window, seconds; null while unknown. */
  get windowS() {
    return this.status?.window_s ?? null;
  }

  /** The node's clock at session time 0, microseconds; null while unknown. */
  get t0AtUs() {
    const shown = this.#t0.at(performance.now() * 1000);
    return shown === null ? null : -shown;
  }

  /** Everyone here: this player first, then (for a guest) the node's own, peers in the node's order, guests. */
  get players() {
    if (!this.status) return [];
    const { host, peers, guests = [] } = this.status;
    const here = guests.filter((guest) => guest.here).map((guest) => guest.player);
    return [...new Set([this.me, ...(host ? [host] : []), ...peers.map((peer) => peer.player), ...here])];
  }

  constructor(connection) {
    super();
    connection.addEventListener("message", ({ detail }) => this.#take(detail));
  }

  #take(message) {
    switch (message.type) {
      case "hello":
        this.blocks = message.blocks.slice(0, BLOCKS_MAX);
        this.windows = message.windows.slice(0, WINDOWS_MAX);
        this.#takeStatus(message.status);
        this.#tell("blocks");
        this.#tell("windows");
        break;
      case "status":
        this.#takeStatus(message.status);
        break;
      case "session":
        this.#takeSession(message.session);
        break;
      case "block":
        this.#takeBlock(message.block);
        break;
      case "score":
        this.score = message.score;
        this.#tell("score");
        break;
      case "board":
        if (message.session !== this.session?.id) break;
        this.boardsHeard++;
        this.setBoard(message.board);
        break;
      case "window":
        this.#takeWindow(message.window);
        break;
      case "event":
        if (message.session === this.session?.id && message.t0_at_us !== null) this.#aim(message.t0_at_us);
        this.heardAtMs.set(message.player, performance.now());
        this.#tell("event", message);
        break;
      case "error":
        this.#tell("trouble", message);
        break;
    }
  }

  /** The board as it is now. */
  setBoard(board) {
    this.board = board;
    this.#tell("board");
  }

  #takeStatus(status) {
    this.status = status;
    setGuests((status.guests ?? []).map((guest) => guest.player));
    if (status.score) this.score = status.score;
    for (const player of this.heardAtMs.keys()) if (!this.players.includes(player)) this.heardAtMs.delete(player);
    this.#takeSession(status.session);
    this.#tell("status");
  }

  #takeSession(session) {
    const changed = this.session?.id !== session?.id;
    this.session = session;
    if (changed) this.#t0 = new Slewed();
    if (session && session.t0_at_us !== null) this.#aim(session.t0_at_us); // null: not known yet
    if (!changed) return;
    this.board = null;
    this.#tell("session");
  }

  #aim(t0AtUs) {
    this.#t0.aim(-t0AtUs, performance.now() * 1000);
  }

  #takeBlock(block) {
    const index = this.blocks.findIndex((known) => known.id === block.id);
    const before = index < 0 ? null : this.blocks[index].state;
    if (index < 0) this.blocks.unshift(block);
    else this.blocks[index] = block;
    this.blocks.sort((a, b) => b.window - a.window);
    this.blocks.length = Math.min(this.blocks.length, BLOCKS_MAX);
    if (block.state !== "pending" && before !== block.state) this.#tell("settled", block);
    this.#tell("blocks");
  }

  #takeWindow(window) {
    this.windows = [window, ...this.windows.filter((known) => known.window !== window.window)];
    this.windows.sort((a, b) => b.window - a.window);
    this.windows.length = Math.min(this.windows.length, WINDOWS_MAX);
    this.#tell("windows");
  }

  #tell(name, detail) {
    this.dispatchEvent(detail === undefined ? new Event(name) : new CustomEvent(name, { detail }));
  }
}
