// Playing: the way of this player's notes from key to ear and to the node, and of the others' to the ear.
//
// One's own note sounds before anything else happens. Then it is stamped with the node's clock and sent; while that
// clock is still being found, notes wait (bounded). Dispatches `own` {lane, velocity, atMs, tUs | null, off} and
// `heard` {player, lane, velocity, dueMs, off}, which the eyes follow, and `unsaved` when a note could not be sent.

import { guess, INSTRUMENTS } from "./instruments.js";
import { beatUs } from "./grid.js";
import { settings } from "./settings.js";
import { isInstrument } from "./audio.js";
import { deviationUs } from "./wife3.js";

const WAITING_MAX = 256;
const FAR_MS = 20;
const NEAR_MS = 15;
const PLAYERS_MAX = 96;
const ECHO_US = 4_000;
const ECHO_MAX = 512;

export class Player extends EventTarget {
  #sent = [];
  #waiting = [];
  #awayFrom = null;
  #barLate = new Map(); // by player: whether the note under way is heard a bar later

  constructor(world, connection, clock, audio, playout) {
    super();
    Object.assign(this, { world, connection, clock, audio, playout });
    world.addEventListener("event", ({ detail }) => this.#hear(detail));
    playout.addEventListener("note", ({ detail }) => this.sound(detail));
  }

  /** The instrument this player plays. */
  get voice() {
    return isInstrument(settings.voice) ? settings.voice : "drums";
  }

  /** The instrument that a player is heard on: the listener's choice, else what the note says. */
  voiceOf(player, lane, pitch) {
    const chosen = player === this.world.me ? null : settings.voices[player];
    return isInstrument(chosen) ? chosen : guess(lane, pitch);
  }

  volumeOf(player) {
    return settings.muted[player] ? 0 : settings.volumes[player] ?? 100;
  }

  /** Whether this player has left the jam that is on: own keys are not sent, others' notes not heard. */
  get away() {
    return this.world.session !== null && this.#awayFrom === this.world.session.id;
  }

  /** Leaves the jam that is on, or comes back to it. */
  setAway(away) {
    this.#awayFrom = away ? this.world.session?.id ?? null : null;
    if (away) this.silence();
  }

  /** Ends every note that sounds and forgets what was to sound. */
  silence() {
    this.playout.clear();
    this.audio.silence();
  }

  /** Tells the jam something about how one plays: a control event (docs/api.md). */
  control(what, value) {
    if (this.world.session && !this.away) this.#send(4, 0, what, value, performance.now());
  }

  /** A lane is pressed. */
  press(lane, velocity, atMs, pitch = INSTRUMENTS[this.voice].pitches[lane]) {
    this.audio.wake(settings.volume);
    const me = this.world.me ?? "me";
    this.#send(0, lane, pitch, velocity, atMs); // first: others wait for it longer, and one's own sound for the next quantum anyway
    this.audio.on(me, this.voice, lane, pitch, velocity, null, this.volumeOf(me));
    this.#tell("own", { lane, velocity, atMs, tUs: this.#sessionUs(atMs), off: false });
  }

  /** A lane is let go. */
  release(lane, atMs, pitch = INSTRUMENTS[this.voice].pitches[lane]) {
    this.#send(1, lane, pitch, 0, atMs);
    this.audio.off(this.world.me ?? "me", lane, pitch, null);
    this.#tell("own", { lane, velocity: 0, atMs, tUs: this.#sessionUs(atMs), off: true });
  }

  #sessionUs(atMs) {
    const { session, t0AtUs } = this.world;
    return session && t0AtUs !== null && this.clock.ready ? Math.round(this.clock.nodeUs(atMs) - t0AtUs) : null;
  }

  #send(kind, lane, pitch, velocity, atMs) {
    if (this.away) return;
    this.#waiting.push({ kind, lane, pitch, velocity, atMs });
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.flush();
  }

  /** Sends what waits, once the clock is known. */
  flush() {
    if (!this.#waiting.length) return;
    if (this.connection.state !== "live") {
      this.#waiting = [];
      this.#tell("unsaved");
      return;
    }
    if (!this.clock.ready) return;
    const events = this.#waiting.map((n) => [this.clock.nodeUs(n.atMs), n.kind, n.lane, n.pitch, n.velocity]);
    this.#waiting = [];
    this.#sent.push(...events);
    this.#sent.splice(0, Math.max(0, this.#sent.length - ECHO_MAX));
    if (!this.connection.send({ type: "play", id: this.connection.id(), events })) this.#tell("unsaved");
  }

  // The node tells everyone what this player played, this page too. What was played here has sounded already; what was
  // played elsewhere under the same key (another window, `symjam jam`) has not.
  #isEcho([, kind, lane, , , atUs]) {
    const index = this.#sent.findIndex((e) => e[1] === kind && e[2] === lane && Math.abs(e[0] - atUs) <= ECHO_US);
    if (index >= 0) this.#sent.splice(index, 1);
    return index >= 0;
  }

  #hear({ player, events }) {
    if (this.away) return;
    for (const event of events) {
      const [tUs, kind, lane, pitch, velocity, atUs] = event;
      if (kind > 1 || (player === this.world.me && this.#isEcho(event))) continue;
      const off = kind === 1 || velocity === 0;
      const note = { player, off, lane, pitch, velocity, atUs: atUs + this.#snapUs(player, tUs, off) };
      this.playout.add(note, this.#extraMs(player, off), atUs);
    }
  }

  // How much later than played somebody is heard. What is played close by is heard as it is played; above 20 ms one way
  // people slow each other down, so it is heard exactly a bar later, where it fits again. An end follows its beginning.
  #extraMs(player, off) {
    const { session, me } = this.world;
    if (!session || player === me) return 0;
    if (!off) {
      const far = this.playout.lagMs(player) > (this.#barLate.get(player) ? NEAR_MS : FAR_MS);
      this.#barLate.delete(player);
      this.#barLate.set(player, settings.hear === "bar" || (settings.hear === "auto" && far));
      if (this.#barLate.size > PLAYERS_MAX) this.#barLate.delete(this.#barLate.keys().next().value);
    }
    return this.#barLate.get(player) ? (beatUs(session) * session.beats_per_bar) / 1_000 : 0;
  }

  /** Whether a player is now heard a bar later. */
  isBarLate(player) {
    return this.#barLate.get(player) === true;
  }

  // By how much a note of another's moves to the grid for this listener's ear and eye. The event stays what it was.
  #snapUs(player, tUs, off) {
    const { session, me } = this.world;
    return settings.snap && session && player !== me && !off ? -deviationUs(tUs, session) : 0;
  }

  /** Lets a note be heard and seen here at its moment, `dueMs`. */
  sound(note) {
    const { player, lane, pitch, velocity, dueMs, off } = note;
    if (off) this.audio.off(player, lane, pitch, dueMs);
    else this.audio.on(player, this.voiceOf(player, lane, pitch), lane, pitch, velocity, dueMs, this.volumeOf(player));
    this.#tell("heard", note);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
