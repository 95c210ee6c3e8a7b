// The window under way: how much of it is left, and what became of one's last ones.

import { h, say } from "./dom.js";
import { DASH, jam, short, windowTime } from "./format.js";

const SHOWN = 4;

/** Time left in the window, as a bar and in words. */
export class WindowBar {
  #fill = h("i");
  #left = h("span", { class: "left" });
  #bar = h("div", { class: "bar", role: "progressbar", "aria-label": "Time gone in this window", "aria-valuemin": 0, "aria-valuemax": 100 }, this.#fill);

  node = h("div", { class: "window" }, this.#left, this.#bar);

  /** One frame: the node's status and clock. */
  draw(status, clock, nowMs) {
    if (!status || !clock.ready) {
      say(this.#left, `window ${DASH}`);
      this.#fill.style.transform = "scaleX(0)";
      return;
    }
    const lengthUs = status.window_s * 1e6;
    const nodeUs = clock.nodeUs(nowMs);
    const leftUs = lengthUs - (nodeUs % lengthUs);
    this.#fill.style.transform = `scaleX(${(1 - leftUs / lengthUs).toFixed(3)})`;
    say(this.#left, `window ends in ${Math.ceil(leftUs / 1e6)} s`);
    const gone = String(Math.floor((1 - leftUs / lengthUs) * 10) * 10); // in tens: a screen reader need not hear each frame
    if (this.#bar.getAttribute("aria-valuenow") !== gone) this.#bar.setAttribute("aria-valuenow", gone);
  }
}

/** In words, what became of a window: `[state, headline, detail]`. */
export function outcome(window, block) {
  if (window.outcome === "refused") return ["rejected", "no block", window.words || window.why];
  if (window.outcome === "silent") return ["silent", "silent", "nothing was played"];
  if (!block) return ["pending", "proposed", `block ${short(window.block)}`];
  const verdict = block.words[0] ?? "";
  if (block.state === "local" || block.state === "final") return ["local", block.reward ? `+${jam(block.reward.proposer_micro)} JAM` : "accepted", verdict];
  if (block.state === "rejected" || block.state === "closed") return ["rejected", block.state, verdict];
  return ["pending", "waiting for votes", verdict];
}

/** One's last windows. */
export class LastWindows {
  #list = h("ol", { class: "outcomes" });
  #shown = null;

  node = h("section", { class: "panel" }, h("h2", null, "Your windows"), this.#list);

  update(windows, blocks, windowS) {
    const shown = windows.slice(0, SHOWN).map((window) => [window, ...outcome(window, blocks.find((block) => block.id === window.block))]);
    const key = JSON.stringify([windowS, shown]);
    if (key === this.#shown) return; // most blocks are others'
    this.#shown = key;
    const rows = shown.map(([window, state, headline, detail]) => {
      return h("li", { class: state }, h("i", { class: "dot" }), h("div", null,
        h("p", null, h("strong", null, headline), h("span", { class: "number", title: `window ${window.window}` }, windowTime(window.window, windowS))),
        h("p", { class: "detail" }, detail),
        window.explain?.length ? h("details", null, h("summary", null, "why"), window.explain.map((line) => h("p", { class: "detail" }, line))) : null));
    });
    const empty = h("li", { class: "none" }, "What you play becomes a block when its window ends. Nothing yet.");
    this.#list.replaceChildren(...(rows.length ? rows : [empty]));
  }
}
