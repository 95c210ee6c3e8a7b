// The view of one who is a guest: who you are here, whose node this is, how to take your key home, how to leave.

import { h, say } from "./dom.js";
import { action, troubleLine } from "./form.js";
import { short } from "./format.js";
import { nameOf } from "./people.js";

const WARNING = [
  "Your key is 24 words. Whoever has them is you: write them on paper, show them to nobody.",
  "This page came over the Wi-Fi unencrypted. If you do not trust everybody on it, do not do this here.",
  "Use the words only after you have left: one key at two places at once loses its stake. When you have left, this node never uses the key again.",
];

export class GuestView {
  title = "You";
  #app;
  #who = h("p", { class: "jam-about" });
  #about = h("p", { class: "detail" });
  #id = h("p", { class: "detail" });
  #trouble = troubleLine();
  #home = h("div", { class: "home" });

  constructor(app) {
    this.#app = app;
    const leave = action("Leave", this.#trouble, async () => {
      await app.connection.call("DELETE", "/api/guest");
      app.connection.leave();
    });
    this.node = h("section", { class: "view visitor", "aria-label": "You" },
      h("div", { class: "panel" }, h("h2", null, "You are a guest"), this.#who, this.#about, this.#id,
        h("p", { class: "actions" }, leave), this.#trouble),
      h("div", { class: "panel" }, h("h2", null, "Take your key home"),
        h("p", { class: "detail" }, "What you play here earns JAM under a key of your own. The node keeps it for you: come back on this phone, and you are the same player. You can also take it with you."),
        this.#home));
    this.#closed();
    addEventListener("hashchange", () => this.#closed()); // the words do not stay on a screen that is looked at again
  }

  #closed() {
    this.#home.replaceChildren(h("p", { class: "actions" }, action("Take my key home", this.#trouble, () => this.#warn())));
  }

  #warn() {
    const show = action("Show the words", this.#trouble, () => this.#show());
    const keep = action("Not now", this.#trouble, () => this.#closed());
    this.#home.replaceChildren(h("ul", { class: "warning" }, WARNING.map((text) => h("li", null, text))), h("p", { class: "actions" }, show, keep));
  }

  async #show() {
    const { words } = await this.#app.connection.call("POST", "/api/guest/words");
    this.#home.replaceChildren(
      h("ol", { class: "words24", "aria-label": "Your 24 words" }, words.map((word) => h("li", null, word))),
      h("p", { class: "detail" }, "At home: symjam wallet restore, then type them in this order."),
      h("p", { class: "actions" }, action("I have written them down", this.#trouble, () => this.#closed())));
  }

  /** What changes once a second or on news. */
  update() {
    const { me, status } = this.#app.world;
    say(this.#who, me ? `Here you are ${nameOf(me)}` : "");
    say(this.#about, status?.host ? `You play through ${nameOf(status.host)}'s node. You can play and watch; the jam is theirs to open, change and close.` : "");
    say(this.#id, me ? `Player ${short(me)}` : "");
  }

  draw() {}
}
