// Web MIDI: notes of devices at this machine, with the device's own time stamps. Asked for only when the user clicks.

import { INSTRUMENTS } from "./instruments.js";

const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;
const DRUMS = 9; // the tenth channel, counted from 0

/** The lane of a device's note: a drum's own, or by pitch class, as files are read (jam/midi.py). */
export function laneOf(pitch, isDrum) {
  if (!isDrum) return Math.floor(((pitch % 12) * 10) / 12);
  const { pitches, also } = INSTRUMENTS.drums;
  const lane = pitches.findIndex((own, index) => own === pitch || also[index].includes(pitch));
  return lane < 0 ? 9 : lane;
}

/** Dispatches `press` {lane, pitch, velocity, atMs}, `release` {lane, pitch, atMs} and `devices`. */
export class MidiIn extends EventTarget {
  #access = null;

  /** "off", "unsupported", "asking", "refused" or "on". */
  state = typeof navigator.requestMIDIAccess === "function" ? "off" : "unsupported";

  /** Whether the player's instrument is the drum kit, told by the page. */
  playsDrums = () => true;

  /** Names of the devices that are heard. */
  get devices() {
    return this.#access ? [...this.#access.inputs.values()].filter((port) => port.state === "connected").map((port) => port.name ?? "a MIDI device") : [];
  }

  /** Asks the browser for the devices; call from a click. */
  async ask() {
    if (this.state !== "off" && this.state !== "refused") return;
    this.#enter("asking");
    try {
      this.#access = await navigator.requestMIDIAccess({ sysex: false });
    } catch {
      this.#enter("refused");
      return;
    }
    this.#access.addEventListener("statechange", () => this.#listen());
    this.#listen();
    this.#enter("on");
  }

  #listen() {
    for (const port of this.#access.inputs.values()) port.onmidimessage = (event) => this.hear(event.data, event.timeStamp);
    this.dispatchEvent(new Event("devices"));
  }

  /** One message of a device. */
  hear([status, pitch, velocity], atMs) {
    const kind = status & 0xf0;
    if (kind !== NOTE_ON && kind !== NOTE_OFF) return;
    const lane = laneOf(pitch, this.playsDrums() || (status & 0x0f) === DRUMS);
    const detail = { lane, pitch, atMs };
    if (kind === NOTE_ON && velocity > 0) this.dispatchEvent(new CustomEvent("press", { detail: { ...detail, velocity } }));
    else this.dispatchEvent(new CustomEvent("release", { detail }));
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event("devices"));
  }
}
