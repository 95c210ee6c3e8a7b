// The riff: four notes that the network asks for once in a window (docs/quality.md). Which keys, in which order, and when.

import { h, say } from "./dom.js";

const SOON_US = 12_000_000;
const GONE_US = 1_500_000;

/** The cue over the river. Dispatches `call` {lanes} once for each riff, when it comes near. */
export class RiffCue extends EventTarget {
  #words = h("p");
  #keys = h("ol", { class: "riff-keys" });
  #called = null;

  node = h("div", { class: "riff", role: "status", hidden: true }, this.#words, this.#keys);

  /** One frame: the riff asked for, session time, what is printed on the keys, and whether the node found it played. */
  draw(riff, tUs, labels, played) {
    const begins = riff?.t_us[0] ?? null;
    const isNear = begins !== null && tUs !== null && tUs > begins - SOON_US && tUs < riff.t_us.at(-1) + GONE_US;
    if (this.node.hidden === isNear) this.node.hidden = !isNear;
    if (!isNear) return;
    if (this.#called !== riff.window) this.#call(riff, labels);
    const leftS = Math.ceil((begins - tUs) / 1e6);
    const words = played ? "Riff played: this window counts in full" : leftS > 0 ? `Riff in ${leftS} s: each note alone, on its beat` : "Riff: now";
    say(this.#words, words);
    this.node.classList.toggle("played", played === true);
    [...this.#keys.children].forEach((key, index) => {
      const away = riff.t_us[index] - tUs;
      key.classList.toggle("now", Math.abs(away) < 350_000);
      key.classList.toggle("past", away < -350_000);
    });
  }

  #call(riff, labels) {
    this.#called = riff.window;
    this.#keys.replaceChildren(...riff.lanes.map((lane) => h("li", null, labels[lane])));
    this.dispatchEvent(new CustomEvent("call", { detail: { keys: riff.lanes.map((lane) => labels[lane]) } }));
  }
}

/** Riff notes that lie ahead, for the river. */
export function ahead(riff, tUs, spanUs) {
  if (!riff || tUs === null) return [];
  return riff.t_us.map((at, index) => ({ tUs: at, lane: riff.lanes[index], kind: "riff", text: String(index + 1) }))
    .filter((note) => note.tUs > tUs - 120_000 && note.tUs < tUs + spanUs);
}
