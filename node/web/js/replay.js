// Playing a recording back: what the entries say was played, at its own pace, heard and seen here only.

import { INSTRUMENTS } from "./instruments.js";

const TICK_MS = 25;
const AHEAD_MS = 100;
const LEAD_MS = 150;

/** Dispatches `change` when it starts and ends. Nothing of it is sent. */
export class Replay extends EventTarget {
  #player;
  #notes = [];
  #next = 0;
  #startMs = 0;
  #timer = 0;

  durationUs = 0;

  constructor(player) {
    super();
    this.#player = player;
  }

  get playing() {
    return this.#timer !== 0;
  }

  /** How far it is, microseconds. */
  get atUs() {
    return this.playing ? Math.max(0, Math.min(this.durationUs, (performance.now() - this.#startMs) * 1_000)) : 0;
  }

  /** Plays a recording (docs/api.md) from its first note on. */
  start({ takes }) {
    this.stop();
    const all = takes.flatMap(({ player, events }) => events.filter(([, kind, lane]) => kind <= 1 && lane < INSTRUMENTS.keys.pitches.length)
      .map(([tUs, kind, lane, pitch, velocity]) => ({ player, tUs, off: kind === 1 || velocity === 0, lane, pitch, velocity })));
    this.#notes = all.sort((a, b) => a.tUs - b.tUs);
    if (!this.#notes.length) return;
    const first = this.#notes[0].tUs;
    for (const note of this.#notes) note.tUs -= first;
    this.durationUs = this.#notes.at(-1).tUs;
    this.#next = 0;
    this.#startMs = performance.now() + LEAD_MS;
    this.#timer = setInterval(() => this.#pump(), TICK_MS);
    this.dispatchEvent(new Event("change"));
  }

  /** Ends it. */
  stop() {
    clearInterval(this.#timer);
    if (!this.#timer) return;
    this.#timer = 0;
    this.#player.silence();
    this.dispatchEvent(new Event("change"));
  }

  #pump() {
    const until = performance.now() + AHEAD_MS;
    while (this.#next < this.#notes.length) {
      const note = this.#notes[this.#next];
      const dueMs = this.#startMs + note.tUs / 1_000;
      if (dueMs > until) return;
      this.#next++;
      this.#player.sound({ ...note, dueMs });
    }
    if (performance.now() > this.#startMs + this.durationUs / 1_000 + 500) this.stop();
  }
}
