// Ten keys, ten lanes. Keys are told by place (`code`), so the home row plays on every layout; what is printed on them
// is learned from the layout. Times are the event's own stamp, taken when the key moved and not when the page got to it.

import { change, settings } from "./settings.js";

export const CODES = ["KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ", "KeyK", "KeyL", "Semicolon"];
export const LABELS = ["A", "S", "D", "F", "G", "H", "J", "K", "L", ";"];

const PLAIN = 96;
const ACCENT = 122;
const SIGNS = { Semicolon: ";", Comma: ",", Period: ".", Slash: "/", Quote: "'", BracketLeft: "[", BracketRight: "]", Backslash: "\\", Minus: "-", Equal: "=", Backquote: "`", IntlBackslash: "<" };
// What leads about the page keeps its meaning.
const RESERVED = /^(Tab|Escape|Enter|Space|Digit[1-6]|Arrow.+|Shift.+|Control.+|Alt.+|Meta.+|F\d+|CapsLock|ContextMenu)$/;

const typing = (target) => target instanceof Element && target.closest("input:not([type=range]):not([type=checkbox]):not([type=radio]), select, textarea");

/** The ten keys now in use, by lane. */
export function codes() {
  const kept = settings.codes;
  const usable = Array.isArray(kept) && kept.length === 10 && new Set(kept).size === 10 && kept.every((code) => typeof code === "string" && !RESERVED.test(code));
  return usable ? kept : CODES;
}

/** Gives a lane another key; a key that had another lane changes places. False for keys that mean something else. */
export function remap(lane, code) {
  if (RESERVED.test(code)) return false;
  const next = [...codes()];
  const other = next.indexOf(code);
  if (other >= 0) next[other] = next[lane];
  next[lane] = code;
  change({ codes: next });
  return true;
}

/** Dispatches `press` {lane, velocity, atMs} and `release` {lane, atMs}; while `testing`, only `held` {count}. */
export class Keyboard extends EventTarget {
  #held = new Map();

  /** Largest number of keys that were down at once since the test began, or the page. */
  rollover = 0;

  /** Whether keys are counted and not played. */
  testing = false;

  constructor() {
    super();
    addEventListener("keydown", (event) => this.#down(event));
    addEventListener("keyup", (event) => this.#up(event));
    addEventListener("blur", () => this.releaseAll(performance.now()));
  }

  /** Lets go of everything: the window lost the keyboard and will not hear the keys come up. */
  releaseAll(atMs) {
    for (const lane of this.#held.values()) this.#tell("release", { lane, atMs });
    this.#held.clear();
  }

  /** Begins or ends the rollover test; what was counted stays in `rollover`. */
  test(testing) {
    this.releaseAll(performance.now());
    if (testing) this.rollover = 0;
    this.testing = testing;
  }

  #down(event) {
    const lane = codes().indexOf(event.code);
    if (lane < 0 || event.repeat || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    event.preventDefault();
    if (this.#held.has(event.code)) return;
    this.#held.set(event.code, lane);
    this.rollover = Math.max(this.rollover, this.#held.size);
    if (this.testing) this.#tell("held", { count: this.#held.size });
    else this.#tell("press", { lane, velocity: event.shiftKey ? ACCENT : PLAIN, atMs: event.timeStamp });
  }

  #up(event) {
    const lane = this.#held.get(event.code);
    if (!this.#held.delete(event.code)) return;
    if (this.testing) this.#tell("held", { count: this.#held.size });
    else this.#tell("release", { lane, atMs: event.timeStamp });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const plain = (code) => SIGNS[code] ?? code.replace(/^(Key|Digit|Numpad)/, "");

/** What is printed on the ten keys of this keyboard, where the browser tells. */
export async function printedLabels() {
  try {
    const layout = await navigator.keyboard.getLayoutMap();
    return codes().map((code) => (layout.get(code) ?? plain(code)).toUpperCase());
  } catch {
    return codes().map(plain);
  }
}
