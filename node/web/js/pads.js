// The ten pads: what the keys are, touchable, and lit in the colour of whoever plays them.

import { h, say } from "./dom.js";
import { soundName } from "./instruments.js";
import { LABELS, printedLabels } from "./keyboard.js";
import { colorOf } from "./people.js";

const SOFT = 58;
const HARD = 127;

/** Dispatches `press` {lane, velocity, atMs} and `release` {lane, atMs}, as the keyboard does. */
export class Pads extends EventTarget {
  #pads;
  #touches = new Map();
  #instrument = "drums";

  node;

  constructor() {
    super();
    this.#pads = LABELS.map((label, lane) => this.#pad(label, lane));
    this.node = h("div", { class: "pads", role: "group", "aria-label": "Ten lanes" }, this.#pads.map((pad) => pad.button));
    this.node.addEventListener("keydown", (event) => this.#keys(event));
    this.relabel();
  }

  /** What is printed on the keys, by lane. */
  get labels() {
    return this.#pads.map((pad) => pad.key.textContent);
  }

  /** Learns again what is printed on the keys. */
  async relabel() {
    (await printedLabels()).forEach((label, lane) => say(this.#pads[lane].key, label));
    this.setInstrument(this.#instrument);
  }

  /** Marks the lanes that are wanted now. */
  want(lanes) {
    this.#pads.forEach(({ button }, lane) => button.classList.toggle("wanted", lanes.includes(lane)));
  }

  #pad(label, lane) {
    const key = h("b", null, label);
    const name = h("span");
    const lights = h("i", { class: "lights" });
    const button = h("button", { type: "button", class: "pad", "data-lane": lane, tabindex: lane ? -1 : 0 }, lights, key, name);
    button.addEventListener("pointerdown", (event) => this.#down(event, lane));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, (event) => this.#up(event));
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    return { button, key, name, lights };
  }

  #down(event, lane) {
    if (event.button !== 0) return;
    event.preventDefault();
    const pad = this.#pads[lane].button;
    pad.setPointerCapture(event.pointerId);
    const { top, height } = pad.getBoundingClientRect();
    const depth = Math.max(0, Math.min(1, (event.clientY - top) / height)); // the lower, the harder
    this.#touches.set(event.pointerId, lane);
    this.#tell("press", { lane, velocity: Math.round(SOFT + (HARD - SOFT) * depth), atMs: event.timeStamp });
  }

  #up(event) {
    const lane = this.#touches.get(event.pointerId);
    if (this.#touches.delete(event.pointerId)) this.#tell("release", { lane, atMs: event.timeStamp });
  }

  // One tab stop; arrows walk along the pads, Enter and Space play.
  #keys(event) {
    const lane = this.#pads.findIndex((pad) => pad.button === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (lane < 0) return;
    if (step) {
      event.preventDefault();
      const next = (lane + step + 10) % 10;
      this.#pads.forEach((pad, index) => (pad.button.tabIndex = index === next ? 0 : -1));
      this.#pads[next].button.focus();
    } else if ((event.key === "Enter" || event.key === " ") && !event.repeat) {
      event.preventDefault();
      this.#tell("press", { lane, velocity: 96, atMs: event.timeStamp });
      this.#tell("release", { lane, atMs: event.timeStamp + 120 });
    }
  }

  /** Names the lanes' sounds. */
  setInstrument(instrument) {
    this.#instrument = instrument;
    this.#pads.forEach(({ button, key, name }, lane) => {
      say(name, soundName(instrument, lane));
      button.setAttribute("aria-label", `${soundName(instrument, lane)}, key ${key.textContent}`);
    });
  }

  /** Own key goes down or up. */
  hold(lane, down, player) {
    const { button } = this.#pads[lane];
    button.classList.toggle("down", down);
    if (down && player) button.style.setProperty("--hue", colorOf(player));
  }

  /** A light in a player's colour. */
  flash(lane, player, velocity, delayMs) {
    const light = document.createElement("i");
    light.style.setProperty("--hue", colorOf(player));
    const { lights } = this.#pads[lane];
    if (lights.childElementCount > 8) lights.firstElementChild.remove();
    lights.append(light);
    const frames = [{ opacity: 0.35 + velocity / 200 }, { opacity: 0 }];
    light.animate(frames, { duration: 420, delay: Math.max(0, delayMs), fill: "both", easing: "ease-out" }).onfinish = () => light.remove();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
