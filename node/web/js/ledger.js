// The Ledger view: blocks as they go from pending to accepted or rejected, and what became of one's own windows.

import { h } from "./dom.js";
import { count, jam, percent, windowTime } from "./format.js";
import { detail, person, pill } from "./reward.js";
import { outcome } from "./window_bar.js";

const ROWS_MAX = 60;

export class LedgerView {
  title = "Ledger";
  #app;
  #chosen = null;
  #list = h("ol", { class: "blocks" });
  #detail = h("article", { class: "panel block-detail", "aria-live": "off" });
  #windows = h("ol", { class: "outcomes all" });
  #sums = h("p", { class: "sums" });
  #shown = "";

  constructor(app) {
    this.#app = app;
    this.node = h("section", { class: "view ledger", "aria-label": "Ledger" },
      h("div", { class: "panel scroll" }, h("h2", null, "Blocks"), this.#sums, this.#list),
      this.#detail,
      h("div", { class: "panel scroll own" }, h("h2", null, "Your windows"), this.#windows));
    app.world.addEventListener("blocks", () => this.node.isConnected && this.update());
    app.world.addEventListener("windows", () => this.node.isConnected && this.update());
  }

  /** Shows what the world knows; leaves the page alone when nothing changed, so that focus and scroll stay. */
  update() {
    const { blocks, windows, status, me, windowS } = this.#app.world;
    const shape = JSON.stringify([blocks, windows, status?.ledger.blocks, status?.ledger.ready, this.#chosen]);
    if (shape === this.#shown) return;
    this.#shown = shape;
    const chosen = blocks.find((block) => block.id === this.#chosen) ?? blocks.find((block) => block.state !== "pending") ?? blocks[0] ?? null;
    const focused = document.activeElement?.dataset?.block;
    this.#list.replaceChildren(...blocks.slice(0, ROWS_MAX).map((block) => this.#row(block, block === chosen, me)));
    if (focused) this.#list.querySelector(`[data-block="${CSS.escape(focused)}"]`)?.focus();
    const states = status?.ledger.blocks;
    const sums = states ? `${count(states.pending)} pending, ${count(states.local + states.final)} accepted${states.final ? ` (${count(states.final)} final)` : ""}, ${count(states.rejected)} rejected` : "";
    this.#sums.textContent = status?.ledger.ready === false ? `${sums}. Still catching up: this node signs nothing yet.` : sums;
    const nothing = h("p", { class: "empty" }, "No blocks yet. Play through a window: when it ends, what you played is proposed, and others vote on it.");
    this.#detail.replaceChildren(...(chosen ? detail(chosen, blocks, me, windowS).filter(Boolean) : [nothing]));
    this.#windows.replaceChildren(...windows.slice(0, ROWS_MAX).map((window) => this.#window(window, blocks)));
  }

  #row(block, current, me) {
    const votes = h("span", { class: "votes", title: block.votes.map((vote) => vote.vote).join(", ") }, block.votes.map((vote) => h("i", { class: vote.vote })));
    const paid = block.reward ? `+${jam(block.reward.paid_micro)}` : "";
    const button = h("button", { type: "button", "data-block": block.id, "aria-current": current && "true" },
      h("span", { class: "number", title: `window ${block.window}` }, windowTime(block.window, this.#app.world.windowS)), person(block.proposer, me), pill(block.state), votes,
      h("span", { class: "number quality-total", title: "quality" }, percent(block.quality.total)), h("b", { class: "number" }, paid));
    button.addEventListener("click", () => {
      this.#chosen = block.id;
      this.update();
    });
    return h("li", { class: block.state }, button);
  }

  #window(window, blocks) {
    const [state, headline, words] = outcome(window, blocks.find((block) => block.id === window.block));
    return h("li", { class: state }, h("i", { class: "dot" }), h("div", null,
      h("p", null, h("strong", null, headline), h("span", { class: "number" }, `${windowTime(window.window, this.#app.world.windowS)} · ${count(window.events)} events`)),
      h("p", { class: "detail" }, words),
      window.explain?.length ? h("details", null, h("summary", null, "why"), window.explain.map((line) => h("p", { class: "detail" }, line))) : null));
  }

  /** Nothing here moves by itself. */
  draw() {}
}

