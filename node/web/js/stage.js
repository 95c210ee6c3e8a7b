// Who is here: one seat per player, with a face, a name, and whether they play.

import { h, say } from "./dom.js";
import { short } from "./format.js";
import { colorOf, nameOf } from "./people.js";

const PLAYING_MS = 2_500;

export class Stage {
  #seats = new Map();
  #faces;

  node = h("ul", { class: "stage", "aria-label": "Who is here" });

  constructor(faces) {
    this.#faces = faces;
  }

  /** Shows these players, the first being this one. */
  update(players, me, heardAtMs) {
    for (const [id, seat] of this.#seats) {
      if (players.includes(id)) continue;
      seat.node.remove();
      this.#seats.delete(id);
    }
    players.forEach((id, index) => {
      if (!this.#seats.has(id)) this.#seats.set(id, this.#seat(id, id === me));
      const { node, doing } = this.#seats.get(id);
      if (this.node.children[index] !== node) this.node.insertBefore(node, this.node.children[index] ?? null);
      const playing = performance.now() - (heardAtMs.get(id) ?? -Infinity) < PLAYING_MS;
      node.classList.toggle("playing", playing);
      say(doing, playing ? "playing" : "listening");
    });
  }

  #seat(id, mine) {
    const doing = h("span", { class: "doing" });
    const node = h("li", { class: mine ? "seat mine" : "seat" },
      this.#faces.of("stage", id, { mine }).node,
      h("div", { class: "who" }, h("strong", null, mine ? "You" : nameOf(id)), doing, h("code", { title: id }, short(id))));
    node.style.setProperty("--hue", colorOf(id));
    return { node, doing };
  }
}
