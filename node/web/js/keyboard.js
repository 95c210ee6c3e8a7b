// Ten keys, ten lanes. Keys are told by place (`code`), so the home row plays on every layout; what is printed on them
// is learned from the layout. Times are the event's own stamp, taken when the key moved and not when the page got to it.

export const CODES = ["KeyA", "KeyS", "KeyD", "KeyF", "KeyG", "KeyH", "KeyJ", "KeyK", "KeyL", "Semicolon"];
export const LABELS = ["A", "S", "D", "F", "G", "H", "J", "K", "L", ";"];

const PLAIN = 96;
const ACCENT = 122;

const typing = (target) => target instanceof Element && target.closest("input:not([type=range]), select, textarea");

/** Dispatches `press` {lane, velocity, atMs} and `release` {lane, atMs}. */
export class Keyboard extends EventTarget {
  #held = new Map();

  /** Largest number of keys that were down at once: what this keyboard can tell apart. */
  rollover = 0;

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

  #down(event) {
    const lane = CODES.indexOf(event.code);
    if (lane < 0 || event.repeat || event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    event.preventDefault();
    if (this.#held.has(event.code)) return;
    this.#held.set(event.code, lane);
    this.rollover = Math.max(this.rollover, this.#held.size);
    this.#tell("press", { lane, velocity: event.shiftKey ? ACCENT : PLAIN, atMs: event.timeStamp });
  }

  #up(event) {
    const lane = this.#held.get(event.code);
    if (!this.#held.delete(event.code)) return;
    this.#tell("release", { lane, atMs: event.timeStamp });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** What is printed on the ten keys of this keyboard, where the browser tells. */
export async function printedLabels() {
  try {
    const layout = await navigator.keyboard.getLayoutMap();
    return CODES.map((code, lane) => (layout.get(code) ?? LABELS[lane]).toUpperCase());
  } catch {
    return LABELS;
  }
}
