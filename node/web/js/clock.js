// The node's clock, seen from the page.
//
// A probe leaves at page time a, is stamped n by the node and is back at b. n - a is the offset plus the way there,
// b - n is minus the offset plus the way back; neither way is ever shorter than its true minimum, so over many probes
// half of (min forward - min backward) is the offset and half of their sum bounds the error. A new estimate is slewed
// in, at most 1 ms per second, so that times handed out never jump while music plays.

const WINDOW_MS = 60_000;
const PROBES_MAX = 96;
const SLEW = 0.001;
const JUMP_US = 50_000;

export class NodeClock {
  #probes = [];
  #target = null;
  #applied = 0;
  #appliedAtMs = 0;

  /** Half the shortest round trip, microseconds; null before the first probe. */
  uncertaintyUs = null;

  get ready() {
    return this.#target !== null;
  }

  /** Forget everything: another node, or the same one after sleep. */
  reset() {
    this.#probes = [];
    this.#target = null;
    this.uncertaintyUs = null;
  }

  /** One probe: sent and received in page milliseconds (performance.now), stamped in node microseconds. */
  add(sentMs, nodeUs, receivedMs) {
    if (!(receivedMs >= sentMs) || !Number.isFinite(nodeUs)) return;
    const applied = this.ready ? this.#offsetUs(receivedMs) : null;
    this.#probes.push({ atMs: receivedMs, forward: nodeUs - sentMs * 1000, backward: receivedMs * 1000 - nodeUs });
    while (this.#probes.length > PROBES_MAX || this.#probes[0].atMs < receivedMs - WINDOW_MS) this.#probes.shift();
    const forward = Math.min(...this.#probes.map((p) => p.forward));
    const backward = Math.min(...this.#probes.map((p) => p.backward));
    this.#target = (forward - backward) / 2;
    this.uncertaintyUs = (forward + backward) / 2;
    const young = this.#probes.length <= 24; // still finding it: nothing has been scheduled by it yet
    const far = applied === null || Math.abs(this.#target - applied) > JUMP_US;
    this.#applied = far || young ? this.#target : applied;
    this.#appliedAtMs = receivedMs;
  }

  #offsetUs(pageMs) {
    const room = Math.max(0, pageMs - this.#appliedAtMs) * 1000 * SLEW;
    const missing = this.#target - this.#applied;
    return this.#applied + Math.max(-room, Math.min(room, missing));
  }

  /** The node's clock, whole microseconds, at a page time. */
  nodeUs(pageMs) {
    return Math.round(pageMs * 1000 + this.#offsetUs(pageMs));
  }

  /** The page time, milliseconds, of a moment on the node's clock. */
  pageMs(nodeUs) {
    return (nodeUs - this.#offsetUs(performance.now())) / 1000;
  }
}
