// The timing meter: one's last hits left (early) and right (late) of the grid, and where they lean.

import { h, say } from "./dom.js";

const HITS_MAX = 32;

export class Meter {
  #hits = [];
  #marks;
  #needle;
  #text;

  node;

  constructor() {
    this.#marks = h("div", { class: "marks", "aria-hidden": "true" });
    this.#needle = h("i", { class: "needle" });
    this.#text = h("p", { class: "lean" });
    this.#needle.hidden = true;
    this.#marks.append(h("i", { class: "centre" }), this.#needle);
    this.node = h("div", { class: "meter", title: "How far your last hits were from the grid" },
      h("span", { class: "edge" }, "early"), this.#marks, h("span", { class: "edge" }, "late"), this.#text);
    this.#show();
  }

  /** A judged hit: its label and its signed share of a grid step. */
  add(label, errorUs, share) {
    const mark = h("i", { class: `hit ${label.toLowerCase()}` });
    mark.style.left = `${50 + Math.sign(errorUs) * Math.min(0.5, share) * 100}%`;
    this.#marks.append(mark);
    this.#hits.push({ label, errorUs, share: Math.sign(errorUs) * share, mark });
    if (this.#hits.length > HITS_MAX) this.#hits.shift().mark.remove();
    this.#hits.forEach((hit, index) => (hit.mark.style.opacity = (0.15 + (0.85 * (index + 1)) / this.#hits.length).toFixed(2)));
    this.#show();
  }

  #show() {
    const count = this.#hits.length;
    this.#needle.hidden = count < 4;
    if (!count) {
      say(this.#text, "your timing");
      return;
    }
    const share = this.#hits.reduce((sum, hit) => sum + hit.share, 0) / count;
    const lean = this.#hits.reduce((sum, hit) => sum + hit.errorUs, 0) / count / 1_000;
    this.#needle.style.left = `${50 + Math.max(-0.5, Math.min(0.5, share)) * 100}%`;
    const side = Math.abs(lean) < 3 ? "on the grid" : `${Math.abs(lean).toFixed(0)} ms ${lean < 0 ? "early" : "late"}`;
    say(this.#text, count < 4 ? "" : `${side} on average`);
  }
}
