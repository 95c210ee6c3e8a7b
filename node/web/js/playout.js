// Two clocks (C. Wilson, "A tale of two clocks"): a coarse timer hands what falls into the next 100 ms to the audio
// clock, which is exact.
//
// Notes of others arrive some milliseconds after they were played, and unevenly. Each player is given a delay just
// long enough for 19 of 20 of their notes (bounded), so that their rhythm is heard as played; a note later than that
// sounds at once and counts as late. Listening one bar late instead makes the delay exactly one bar. What claims to be
// of the future is not kept until then, lest it push aside what is of now: `astray` says whose it was.

const TICK_MS = 25;
const AHEAD_MS = 100;
const MARGIN_MS = 3;
const DELAY_MAX_MS = 80;
const STALE_MS = 1_500;
const FUTURE_MAX_MS = 3_000; // a node lets its own player be 2 s ahead
const LAGS_MAX = 64;
const LAGS_MIN = 8;
const QUEUE_MAX = 2_048;

const isPast = (note) => note.dueMs < performance.now() - 1;

export class Playout extends EventTarget {
  #clock;
  #lags = new Map();
  #queue = [];

  late = 0;
  stale = 0;

  constructor(clock, tick) {
    super();
    this.#clock = clock;
    setInterval(() => {
      tick();
      this.pump();
    }, TICK_MS);
  }

  /** The delay now given to a player's notes, milliseconds. */
  delayMs(player) {
    const lags = this.#lags.get(player);
    if (!lags?.length) return MARGIN_MS;
    const sorted = [...lags].sort((a, b) => a - b);
    return Math.max(0, Math.min(DELAY_MAX_MS, sorted[Math.floor(0.95 * (sorted.length - 1))] + MARGIN_MS));
  }

  /** How long a player's notes are usually on their way here, milliseconds; 0 while little is known. */
  lagMs(player) {
    const lags = this.#lags.get(player) ?? [];
    return lags.length < LAGS_MIN ? 0 : [...lags].sort((a, b) => a - b)[lags.length >> 1];
  }

  /** Forgets what waits. */
  clear() {
    this.#queue = [];
  }

  /** Queues a note. `extraMs` is a bar when listening one bar late; `sentUs` is when it was played, where that is not when it is meant to sound. */
  add(note, extraMs, sentUs = note.atUs) {
    if (!this.#clock.ready) return;
    const nowMs = performance.now();
    const playedMs = this.#clock.pageMs(note.atUs);
    const lagMs = nowMs - playedMs;
    if (lagMs > STALE_MS + extraMs) {
      this.stale++;
      return;
    }
    if (lagMs < -FUTURE_MAX_MS) {
      this.stale++;
      this.dispatchEvent(new CustomEvent("astray", { detail: { player: note.player, aheadMs: -lagMs } }));
      return;
    }
    this.#measure(note.player, nowMs - this.#clock.pageMs(sentUs));
    const dueMs = playedMs + (extraMs > 0 ? extraMs : this.delayMs(note.player));
    if (this.#queue.length >= QUEUE_MAX) this.#queue.shift();
    this.#queue.push({ ...note, dueMs });
    this.pump();
  }

  #measure(player, lagMs) {
    const lags = this.#lags.get(player) ?? [];
    lags.push(lagMs);
    if (lags.length > LAGS_MAX) lags.shift();
    this.#lags.delete(player);
    this.#lags.set(player, lags);
    if (this.#lags.size > LAGS_MAX) this.#lags.delete(this.#lags.keys().next().value);
  }

  /** Dispatches `note` for everything that falls due soon; what is past its moment by now counts as late. */
  pump() {
    if (!this.#queue.length) return;
    const until = performance.now() + AHEAD_MS;
    const due = this.#queue.filter((note) => note.dueMs <= until).sort((a, b) => a.dueMs - b.dueMs);
    if (!due.length) return;
    this.#queue = this.#queue.filter((note) => note.dueMs > until);
    for (const note of due) {
      note.late = isPast(note);
      this.dispatchEvent(new CustomEvent("note", { detail: note }));
      note.late ||= isPast(note); // handing it over takes time too, and on a busy machine more than there was
      if (note.late) this.late++;
    }
  }
}
