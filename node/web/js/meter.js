// The timing meter: one's last hits left (early) and right (late) of the grid, and where they lean.

import { h, say } from "./dom.js";

const HITS_MAX = 32;

export class Meter {
  #hits = [];
  #isNew = false;
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
    this.#hits.push({ label, errorUs, share: Math.sign(errorUs) * share, mark: null, shown: "" });
    if (this.#hits.length > HITS_MAX) this.#hits.shift().mark?.remove();
    this.#isNew = true;
  }

  /** One frame. */
  draw() {
    if (!this.#isNew) return;
    this.#isNew = false;
    this.#hits.forEach((hit, index) => this.#mark(hit, (0.15 + (0.85 * (index + 1)) / this.#hits.length).toFixed(1)));
    this.#show();
  }

  #mark(hit, opacity) {
    if (!hit.mark) {
      hit.mark = h("i", { class: `hit ${hit.label.toLowerCase()}` });
      hit.mark.style.left = `${50 + Math.max(-0.5, Math.min(0.5, hit.share)) * 100}%`;
      this.#marks.append(hit.mark);
    }
    if (hit.shown === opacity) return;
    hit.shown = opacity;
    hit.mark.style.opacity = opacity;
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
