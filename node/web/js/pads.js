// The ten pads: what the keys are, touchable, and lit in the colour of whoever plays them.

import { h, say } from "./dom.js";
import { soundName } from "./instruments.js";
import { LABELS, printedLabels } from "./keyboard.js";
import { colorOf } from "./people.js";

const SOFT = 58;
const HARD = 127;
const LIT_MS = 420;
const LIGHTS_MAX = 80;

/** Dispatches `press` {lane, velocity, atMs} and `release` {lane, atMs}, as the keyboard does. */
export class Pads extends EventTarget {
  #pads;
  #touches = new Map();
  #lit = [];
  #held = LABELS.map(() => ({ down: false, isNew: false, shown: false, hue: "" }));
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
    const held = this.#held[lane];
    held.down = down;
    if (!down) return;
    held.isNew = true; // even a tap between two pictures is seen
    held.hue = colorOf(player);
  }

  /** A light in a player's colour. */
  flash(lane, player, velocity, delayMs) {
    if (this.#lit.length >= LIGHTS_MAX) this.#lit.shift().light?.remove();
    this.#lit.push({ lane, hue: colorOf(player), atMs: performance.now() + Math.max(0, delayMs), strength: 0.35 + velocity / 200, light: null });
  }

  /** One frame: what was held and lit since the last one, so that a note costs no picture of its own. */
  draw(nowMs) {
    this.#held.forEach((held, lane) => this.#show(held, this.#pads[lane].button));
    this.#lit = this.#lit.filter((one) => this.#shine(one, nowMs));
  }

  #show(held, button) {
    const shown = held.down || held.isNew;
    held.isNew = false;
    if (held.shown === shown) return;
    held.shown = shown;
    button.classList.toggle("down", shown);
    if (shown) button.style.setProperty("--hue", held.hue);
  }

  // Whether there is anything left of it.
  #shine(one, nowMs) {
    const age = (nowMs - one.atMs) / LIT_MS;
    if (age >= 1) one.light?.remove();
    if (age < 0 || age >= 1) return age < 0;
    if (!one.light) {
      one.light = document.createElement("i");
      one.light.style.setProperty("--hue", one.hue);
      this.#pads[one.lane].lights.append(one.light);
    }
    one.light.style.opacity = (one.strength * (1 - age) ** 2).toFixed(2);
    return true;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
