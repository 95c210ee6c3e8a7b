// The Setup view: which keys play which lane, what this keyboard can tell apart, and MIDI devices.

import { h, say } from "./dom.js";
import { printedLabels, remap } from "./keyboard.js";
import { change, settings } from "./settings.js";

const ROLLOVER_CONTROL = 1; // docs/api.md, controls

const MIDI_FAR = "Browsers allow MIDI devices only on the machine that the node runs on; this page came over the network.";
const MIDI_WORDS = {
  off: "Keyboards and pads at this machine play too. The browser will ask you first.",
  unsupported: "This browser has no Web MIDI. Chromium and Firefox on a computer have.",
  asking: "The browser asks you now.",
  refused: "The browser did not allow it. Allow MIDI devices for this page, then try again.",
};

export class SetupView {
  title = "Setup";
  #app;
  #keys;
  #toldFor = null;
  #waiting = null; // the lane that waits for its new key
  #said = h("p", { class: "detail", role: "status" });
  #count = h("strong", { class: "count", "aria-hidden": "true" }, "0");
  #result = h("p", { class: "detail", role: "status" });
  #test = h("button", { type: "button", class: "action" }, "Begin the test");
  #midi = h("button", { type: "button", class: "action" }, "Use MIDI devices");
  #devices = h("p", { class: "detail", role: "status" });

  constructor(app) {
    this.#app = app;
    this.#keys = Array.from({ length: 10 }, (_, lane) => h("button", { type: "button", class: "key", onclick: () => this.#await(lane) }));
    const reset = h("button", { type: "button", class: "action", onclick: () => this.#reset() }, "Back to the home row");
    this.node = h("section", { class: "view setup", "aria-label": "Setup" },
      h("div", { class: "panel" }, h("h2", null, "Your ten keys"), h("p", { class: "detail" }, "Choose a lane, then press the key that shall play it. The browser keeps it."),
        h("div", { class: "keys", role: "group", "aria-label": "Keys by lane" }, this.#keys), this.#said, h("p", { class: "actions" }, reset)),
      h("div", { class: "panel" }, h("h2", null, "How many at once?"), h("p", { class: "detail" }, "Most keyboards lose keys when three or more are down. Begin, then hold as many of your ten keys as you can, together. Nothing sounds meanwhile."),
        h("p", { class: "actions" }, this.#test, this.#count), this.#result),
      h("div", { class: "panel" }, h("h2", null, "MIDI"), this.#devices, h("p", { class: "actions" }, this.#midi)));
    this.#test.addEventListener("click", () => this.#toggle());
    this.#midi.addEventListener("click", () => app.midi.ask());
    app.midi.addEventListener("devices", () => this.update());
    app.keyboard.addEventListener("held", ({ detail }) => this.#held(detail.count));
    app.player.addEventListener("own", ({ detail }) => detail.off || this.#tellNode());
    addEventListener("keydown", (event) => this.#take(event), { capture: true });
    addEventListener("hashchange", () => this.#end());
    this.#label();
  }

  #await(lane) {
    this.#waiting = lane;
    this.#keys.forEach((key, index) => key.classList.toggle("waiting", index === lane));
    say(this.#said, `Lane ${lane + 1}: press its new key. Escape keeps the old one.`);
  }

  // Before anyone else hears of it: this key plays no note.
  #take(event) {
    if (this.#waiting === null || !this.node.isConnected || event.repeat) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const lane = this.#waiting;
    if (event.code !== "Escape" && !remap(lane, event.code)) {
      say(this.#said, "That key leads about the page. Press another one.");
      return;
    }
    this.#waiting = null;
    this.#keys[lane].classList.remove("waiting");
    say(this.#said, event.code === "Escape" ? "Kept." : `Lane ${lane + 1} has its new key.`);
    this.#changed();
  }

  #reset() {
    change({ codes: null });
    say(this.#said, "The home row plays again.");
    this.#changed();
  }

  #changed() {
    this.#app.keyboard.dispatchEvent(new Event("layout"));
    this.#label();
  }

  async #label() {
    (await printedLabels()).forEach((label, lane) => {
      say(this.#keys[lane], label);
      this.#keys[lane].setAttribute("aria-label", `Lane ${lane + 1}, key ${label}`);
    });
  }

  #toggle() {
    const { keyboard } = this.#app;
    if (keyboard.testing) this.#end();
    else {
      keyboard.test(true);
      say(this.#test, "End the test");
      say(this.#result, "Hold your keys together now.");
      say(this.#count, "0");
    }
  }

  #held(count) {
    say(this.#count, String(count));
    say(this.#result, `${this.#app.keyboard.rollover} at once so far`);
  }

  #end() {
    const { keyboard } = this.#app;
    if (!keyboard.testing) return;
    const found = keyboard.rollover;
    keyboard.test(false);
    say(this.#test, "Begin the test");
    if (found) change({ rollover: found });
    this.#toldFor = null;
    this.update();
  }

  // The jam's log keeps it beside the notes, once for each jam: whoever misses a note in a chord may want to know.
  #tellNode() {
    const session = this.#app.world.session?.id ?? null;
    if (!settings.rollover || session === null || session === this.#toldFor) return;
    this.#toldFor = session;
    this.#app.player.control(ROLLOVER_CONTROL, settings.rollover);
  }

  update() {
    const { keyboard, midi } = this.#app;
    if (!keyboard.testing) {
      const found = settings.rollover;
      say(this.#result, !found ? "Not tested yet." : found >= 10 ? "All ten: this keyboard loses nothing." : `${found} at once. Chords of more lose notes on this keyboard; other keys may do better.`);
      say(this.#count, String(found || "–"));
    }
    this.#midi.hidden = midi.state === "unsupported" || midi.state === "on";
    if (midi.state === "unsupported" && !isSecureContext) say(this.#devices, MIDI_FAR);
    else say(this.#devices, MIDI_WORDS[midi.state] ?? (midi.devices.length ? `Playing: ${midi.devices.join(", ")}` : "Allowed, but no device is plugged in."));
  }

  draw() {}
}
