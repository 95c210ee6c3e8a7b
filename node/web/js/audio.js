// Sound: one audio context, one bus per player, and the mapping from page time to audio time.
//
// Browsers start a context only after the user has touched the page, so it is made at the first gesture. The context's
// clock is read in steps of a render quantum; the largest difference to the page's clock over the last seconds is the
// one that was read soonest after a step, and so the truest.

import { strike, tune } from "./drums.js";
import { INSTRUMENTS } from "./instruments.js";
import { bass, keys, pluck } from "./tones.js";

const TONES = { keys, bass, pluck };
const VOICES_MAX = 64;
const BUSES_MAX = 96;
const SAMPLES_MAX = 80;
const EARS_S = 0.013;

export class Audio {
  #context = null;
  #dry = null;
  #master = null;
  #buses = new Map();
  #sounding = new Map();
  #lags = [];
  #volume = 0;
  #front = true;

  /** Whether sound can be heard. */
  get running() {
    return this.#context?.state === "running";
  }

  /** Makes or wakes the context; call from a gesture. */
  wake(volume) {
    if (!this.#context) this.#build(volume);
    if (this.#context.state !== "running") this.#context.resume();
  }

  #build(volume) {
    const context = new AudioContext({ latencyHint: "interactive" });
    const limiter = context.createDynamicsCompressor();
    limiter.threshold.value = -14;
    limiter.ratio.value = 5;
    limiter.attack.value = 0.002;
    limiter.release.value = 0.15;
    this.#context = context;
    this.#master = context.createGain();
    this.#dry = context.createGain();
    this.#dry.connect(this.#master);
    echo(context, this.#dry).connect(this.#master);
    this.#master.connect(limiter).connect(context.destination);
    this.setVolume(volume);
    tune(context);
  }

  /** Master volume, 0 to 100. */
  setVolume(volume) {
    this.#volume = volume;
    this.#apply();
  }

  /** Whether this window is the one that sounds; of several windows of one node only the last touched does. */
  setFront(front) {
    this.#front = front;
    this.#apply();
  }

  #apply() {
    const level = this.#front ? (this.#volume / 100) ** 2 : 0;
    this.#master?.gain.setTargetAtTime(level, this.#context.currentTime, 0.01);
  }

  /** One player's volume, 0 to 100. */
  setPlayerVolume(player, volume) {
    if (this.#context) this.#bus(player).gain.gain.value = (volume / 100) ** 2;
  }

  /** Reads both clocks; called by the scheduler every few milliseconds. */
  sample() {
    if (!this.running) return;
    this.#lags.push(this.#context.currentTime - performance.now() / 1000);
    if (this.#lags.length > SAMPLES_MAX) this.#lags.shift();
  }

  /** The audio time at which something due at a page time must start; now, when that is past or unknown. */
  timeAt(pageMs) {
    const now = this.#context.currentTime;
    return this.#lags.length ? Math.max(now, pageMs / 1000 + Math.max(...this.#lags)) : now;
  }

  /** Starts a note of a player. `pageMs` null means at once. */
  on(player, instrument, lane, pitch, velocity, pageMs, volume) {
    if (!this.running) return;
    const at = pageMs === null ? this.#context.currentTime : this.timeAt(pageMs);
    const out = this.#bus(player, volume).gain;
    if (instrument === "drums") {
      strike(this.#context, out, at, lane, velocity);
      return;
    }
    const key = `${player} ${lane} ${pitch}`;
    this.#stop(key, at);
    if (this.#sounding.size >= VOICES_MAX) this.#stop(this.#sounding.keys().next().value, at);
    this.#sounding.set(key, TONES[instrument](this.#context, out, at, pitch, velocity / 127));
  }

  /** Ends a note of a player. */
  off(player, lane, pitch, pageMs) {
    if (!this.#context) return;
    this.#stop(`${player} ${lane} ${pitch}`, pageMs === null ? this.#context.currentTime : this.timeAt(pageMs));
  }

  /** Ends every note. */
  silence() {
    for (const key of [...this.#sounding.keys()]) this.#stop(key, this.#context.currentTime);
  }

  /** A metronome's click. */
  click(accent, pageMs) {
    if (!this.running) return;
    const at = this.timeAt(pageMs);
    const oscillator = this.#context.createOscillator();
    const gain = this.#context.createGain();
    oscillator.frequency.value = accent ? 1_680 : 1_120;
    gain.gain.setValueAtTime(accent ? 0.22 : 0.13, at);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.05);
    oscillator.connect(gain).connect(this.#master);
    oscillator.start(at);
    oscillator.stop(at + 0.06);
  }

  #stop(key, at) {
    this.#sounding.get(key)?.(at);
    this.#sounding.delete(key);
  }

  #bus(player, volume = 100) {
    if (!this.#buses.has(player)) {
      if (this.#buses.size >= BUSES_MAX) this.#drop(this.#buses.keys().next().value);
      const gain = this.#context.createGain();
      const side = this.#context.createStereoPanner();
      // Spread the band a little: the first player in the middle, then right and left of it.
      const seat = this.#buses.size;
      side.pan.value = (seat % 2 ? 0.16 : -0.16) * Math.min(3, Math.ceil(seat / 2));
      gain.gain.value = (volume / 100) ** 2;
      gain.connect(side).connect(this.#dry);
      this.#buses.set(player, { gain, side });
    }
    return this.#buses.get(player);
  }

  #drop(player) {
    this.#buses.get(player).side.disconnect();
    this.#buses.delete(player);
  }
}

/** Whether a name is an instrument's. */
export function isInstrument(name) {
  return Object.hasOwn(INSTRUMENTS, name);
}

// A small room: what it gives back of a sound. Half of what a page's sound costs goes into it, so it is one channel, which
// comes to the right ear a little later than to the left and so is around the listener all the same.
function echo(context, sound) {
  const room = context.createConvolver();
  room.channelCount = 1;
  room.channelCountMode = "explicit";
  room.buffer = response(context);
  const air = context.createGain();
  air.gain.value = 0.16;
  const later = context.createDelay(2 * EARS_S);
  later.delayTime.value = EARS_S;
  const ears = context.createChannelMerger(2);
  sound.connect(room).connect(air);
  air.connect(ears, 0, 0);
  air.connect(later).connect(ears, 0, 1);
  return ears;
}

// Noise that dies away in a second and loses its treble first.
function response(context) {
  const length = Math.floor(context.sampleRate * 1.1);
  const buffer = context.createBuffer(1, length, context.sampleRate);
  const data = buffer.getChannelData(0);
  let last = 0;
  for (let i = 0; i < length; i++) {
    const age = i / length;
    last += (Math.random() * 2 - 1 - last) * (0.75 - 0.6 * age);
    data[i] = last * (1 - age) ** 3;
  }
  return buffer;
}
