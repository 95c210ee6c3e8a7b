// The window under way as the node measures it (docs/api.md, Score), in numbers and in words.

import { h, say } from "./dom.js";
import { DASH, ms, percent } from "./format.js";

const MEASURES = ["accuracy", "liveness", "diversity", "harmony", "humanness"];

/** The panel "This window". */
export class ScorePanel {
  #total = h("strong", { class: "score-total" });
  #sum = h("p", { class: "detail" });
  #verdict = h("p", { class: "verdict" });
  #bars = new Map(MEASURES.map((name) => [name, { fill: h("i"), value: h("b", { class: "number" }) }]));
  #words = h("ul", { class: "words" });
  #shown = "";

  node = h("section", { class: "panel score", "aria-label": "This window so far" },
    h("header", null, h("h2", null, "This window"), this.#total), this.#sum,
    h("ul", { class: "quality" }, [...this.#bars].map(([name, { fill, value }]) =>
      h("li", null, h("span", null, name), h("span", { class: "bar" }, fill), value))),
    this.#verdict, h("details", null, h("summary", null, "What these mean"), this.#words));

  constructor() {
    this.update(null, null);
  }

  /** The node's last score, if it is of the window under way. */
  update(score, window) {
    const now = score && score.window === window ? score : null;
    const key = now ? JSON.stringify(now) : "";
    if (key === this.#shown && this.#total.textContent) return;
    this.#shown = key;
    say(this.#total, now ? percent(now.why === "fine" ? now.measures.total : 0) : DASH);
    say(this.#sum, now ? sum(now) : "Play, and the node scores it as the verifiers will.");
    for (const [name, { fill, value }] of this.#bars) {
      const q16 = now?.measures[name] ?? null;
      fill.style.transform = `scaleX(${((q16 ?? 0) / 65_536).toFixed(3)})`;
      say(value, percent(q16));
    }
    say(this.#verdict, now ? verdict(now) : "");
    this.#verdict.className = now?.why === "fine" ? "verdict good" : "verdict";
    this.#words.replaceChildren(...(now?.explain ?? []).map((text) => h("li", null, text)));
  }
}

function sum(score) {
  const side = Math.abs(score.lag_us) < 1_000 ? "" : `, ${ms(Math.abs(score.lag_us), 0)} ${score.lag_us < 0 ? "early" : "late"} on the whole (taken out)`;
  return `${counted(score.events, "note")} on ${counted(score.lanes, "lane")} in ${score.active_s} s${side}`;
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function verdict(score) {
  const riff = { true: " The riff was played.", false: " The riff is not played yet." }[score.riff] ?? "";
  return (score.why === "fine" ? "Enough for a block, unless it is a replay." : `Not a block yet: ${score.words}.`) + riff;
}
