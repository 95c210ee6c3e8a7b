// The node's clock, seen from the page: the estimator of jam/clock.py over the WebSocket.
//
// A probe leaves at page time a, is stamped n by the node and is back at b. n - a is the offset plus the way there,
// b - n is minus the offset plus the way back; neither way is ever shorter than its true minimum, so over a burst of
// probes half of (min forward - min backward) is the offset and half of their sum bounds the error. Bursts follow fast
// at first, then every 30 s; they give the rate between the clocks (a phone's own drifts), by which the best of them is
// carried on. What is shown is slewed: slew.js.

import { Slewed } from "./slew.js";

const PROBES = 32;
const FIRST_PROBES = 8; // enough for a first, rougher estimate
const BURST_MAX_US = 5_000_000;
const EVERY_MS = 30_000;
const SOON_MS = 1_000;
const MEASUREMENTS_MAX = 24;
const RATE_MAX = 200e-6;
const WANDER = 1e-6;
const USUAL = 50e-6; // how far two crystals are apart, before anything is known of these
const UNKNOWN = { value: 0, error: RATE_MAX };

const clamp = (value, bound) => Math.max(-bound, Math.min(bound, value));
const usual = (m) => Math.max(5, m.uncertaintyUs / 10); // how wrong a measurement usually is

// Weighted least squares, drawn towards no rate while the measurements say little; each pair of them bounds the error.
function rateOf(points) {
  if (points.length < 2) return UNKNOWN;
  const weight = points.map((m) => usual(m) ** -2);
  const total = weight.reduce((sum, w) => sum + w, 0);
  const mean = (of) => points.reduce((sum, m, i) => sum + weight[i] * of(m), 0) / total;
  const atUs = mean((m) => m.atUs - points[0].atUs) + points[0].atUs;
  const offsetUs = mean((m) => m.offsetUs - points[0].offsetUs) + points[0].offsetUs;
  const covariance = mean((m) => (m.atUs - atUs) * (m.offsetUs - offsetUs)) * total;
  const variance = mean((m) => (m.atUs - atUs) ** 2) * total;
  const value = clamp(covariance / (variance + USUAL ** -2), RATE_MAX);
  let error = RATE_MAX;
  for (const [i, one] of points.entries())
    for (const other of points.slice(i + 1)) {
      const slope = (other.offsetUs - one.offsetUs) / (other.atUs - one.atUs);
      const bound = (one.uncertaintyUs + other.uncertaintyUs) / (other.atUs - one.atUs);
      error = Math.min(error, Math.abs(slope - value) + bound + WANDER);
    }
  return { value, error };
}

class Burst {
  probes = 0;
  #forward = Infinity;
  #backward = Infinity;

  constructor(startUs, rate) {
    [this.startUs, this.rate] = [startUs, rate];
  }

  add(sentUs, nodeUs, receivedUs) {
    const drifted = this.rate.value * (sentUs - this.startUs);
    this.#forward = Math.min(this.#forward, nodeUs - sentUs - drifted);
    this.#backward = Math.min(this.#backward, receivedUs - nodeUs + drifted);
    this.probes++;
  }

  /** What it comes to so far, as of its middle. */
  result(nowUs) {
    const half = (nowUs - this.startUs) / 2;
    const offsetUs = (this.#forward - this.#backward) / 2 + this.rate.value * half;
    const bound = Math.max(0, (this.#forward + this.#backward) / 2);
    return { atUs: this.startUs + half, offsetUs, uncertaintyUs: bound + this.rate.error * half };
  }
}

export class NodeClock {
  #measurements = [];
  #best = null;
  #rate = UNKNOWN;
  #burst = null;
  #bursts = 0;
  #endedMs = null;
  #shown = new Slewed();
  #ready = false;

  /** Whether it has been read over this connection. */
  get ready() {
    return this.#ready;
  }

  /** When to begin a burst of `probes`, page milliseconds. */
  get dueMs() {
    return this.#endedMs === null ? 0 : this.#endedMs + Math.min(EVERY_MS, SOON_MS * 2 ** Math.max(0, this.#bursts - 1));
  }

  get probes() {
    return PROBES;
  }

  /** A new connection: perhaps another node, or the same after sleep. What is shown does not jump for that. */
  reset() {
    this.#measurements = [];
    this.#rate = UNKNOWN;
    this.#best = this.#burst = this.#endedMs = null;
    this.#bursts = 0;
    this.#ready = false;
  }

  /** One probe: sent and received in page milliseconds (performance.now), stamped in node microseconds. */
  add(sentMs, nodeUs, receivedMs) {
    if (!(receivedMs >= sentMs) || !Number.isFinite(nodeUs)) return;
    const nowUs = receivedMs * 1000;
    this.#burst ??= new Burst(sentMs * 1000, this.#rate);
    this.#burst.add(sentMs * 1000, nodeUs, nowUs);
    const { probes, startUs } = this.#burst;
    if (probes === FIRST_PROBES && !this.#measurements.length) this.#take(this.#burst.result(nowUs), nowUs);
    if (probes >= PROBES || (probes >= FIRST_PROBES && nowUs - startUs > BURST_MAX_US)) this.#end(nowUs);
  }

  #end(nowUs) {
    const found = this.#burst.result(nowUs);
    this.#burst = null;
    if (this.#measurements.length && !this.#agrees(found)) this.reset(); // that clock was set: what was known is of no use
    this.#endedMs = nowUs / 1000;
    this.#bursts++;
    this.#measurements.push(found);
    if (this.#measurements.length > MEASUREMENTS_MAX) this.#measurements.shift();
    this.#rate = rateOf(this.#measurements);
    this.#take(this.#measurements.reduce((best, m) => (this.#uncertainty(m, nowUs) < this.#uncertainty(best, nowUs) ? m : best)), nowUs);
  }

  #take(measurement, nowUs) {
    this.#best = measurement;
    this.#ready = true;
    this.#shown.aim(measurement.offsetUs + this.#rate.value * (nowUs - measurement.atUs), nowUs, this.#rate.value);
  }

  #uncertainty(measurement, us) {
    return measurement.uncertaintyUs + this.#rate.error * Math.abs(us - measurement.atUs);
  }

  #agrees(found) {
    const expected = this.#best.offsetUs + this.#rate.value * (found.atUs - this.#best.atUs);
    return Math.abs(found.offsetUs - expected) <= found.uncertaintyUs + this.#uncertainty(this.#best, found.atUs);
  }

  /** The bound on the error of what is shown now, microseconds; null before the first estimate. */
  get uncertaintyUs() {
    if (!this.#ready) return null;
    const us = performance.now() * 1000;
    return this.#uncertainty(this.#best, us) + Math.abs(this.#shown.targetAt(us) - this.#shown.at(us));
  }

  /** The node's clock, whole microseconds, at a page time. */
  nodeUs(pageMs) {
    return Math.round(pageMs * 1000 + this.#shown.at(pageMs * 1000));
  }

  /** The page time, milliseconds, of a moment on the node's clock. */
  pageMs(nodeUs) {
    return (nodeUs - this.#shown.at(performance.now() * 1000)) / 1000;
  }
}
