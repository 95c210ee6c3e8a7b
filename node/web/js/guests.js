// The owner's panel: let guests in, the code that they scan, and who they are.

import { h, say } from "./dom.js";
import { action, troubleLine } from "./form.js";
import { span } from "./format.js";
import { colorOf, nameOf } from "./people.js";

const READ_EVERY_MS = 2_000;

export class GuestsPanel {
  #app;
  #readAtMs = -Infinity;
  #code = h("img", { class: "code", width: 210, height: 210, alt: "A code to scan with a phone's camera; the address beside it says the same" });
  #words = h("p", { class: "detail" });
  #link = h("p", { class: "link-text" });
  #people = h("ul", { class: "guest-list", "aria-label": "Guests" });
  #trouble = troubleLine();
  #switch;
  #on = false;

  constructor(app) {
    this.#app = app;
    this.#switch = action("Let guests in", this.#trouble, async () => this.#show(await app.connection.call(this.#on ? "DELETE" : "POST", "/api/guests")));
    this.node = h("div", { class: "panel guests", role: "group", "aria-label": "Guests" },
      h("div", { class: "invitation" }, h("h2", null, "Guests"), this.#words, this.#link, this.#people, h("p", { class: "actions" }, this.#switch), this.#trouble),
      this.#code);
    this.#show(null);
  }

  /** Reads again now and then while it is looked at. */
  update() {
    if (performance.now() - this.#readAtMs > READ_EVERY_MS) this.#read();
  }

  async #read() {
    this.#readAtMs = performance.now();
    try {
      this.#show(await this.#app.connection.get("/api/guests"));
    } catch {
      // The banner says that the node is gone.
    }
  }

  #show(guests) {
    this.#on = guests?.on === true;
    this.#code.hidden = !this.#on;
    if (this.#on && this.#code.src !== guests.qr) this.#code.src = guests.qr;
    say(this.#words, this.#on ? "On the same Wi-Fi, scan this with a phone, or open the address. It holds until the jam is over." : "Friends without SymJam can play with their phones, through this node. They can play and watch, nothing else.");
    say(this.#link, this.#on ? guests.link : "");
    say(this.#switch, this.#on ? "Show all guests out" : "Let guests in");
    this.#people.replaceChildren(...(guests?.guests ?? []).map((guest) => this.#person(guest)));
  }

  #person({ player, here, since_us: sinceUs }) {
    const dot = h("i", { class: "dot" });
    dot.style.background = colorOf(player);
    const nowUs = this.#app.world.status?.now_us;
    return h("li", null, h("span", { class: "person" }, dot, nameOf(player)), h("small", null, here ? `here for ${span(nowUs - sinceUs)}` : "not here"));
  }
}
