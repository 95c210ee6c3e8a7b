// How things are heard: by this listener only, and kept by the browser.

import { h } from "./dom.js";
import { INSTRUMENTS } from "./instruments.js";
import { colorOf, nameOf } from "./people.js";
import { change, changeFor, settings } from "./settings.js";

function choose(label, options, chosen, onchange) {
  const node = h("select", { "aria-label": label }, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  node.addEventListener("change", () => {
    onchange(node.value);
    node.blur(); // so that the letter keys play again
  });
  return node;
}

function slide(label, value, oninput) {
  const node = h("input", { type: "range", min: 0, max: 100, value, "aria-label": label });
  node.addEventListener("input", () => oninput(Number(node.value)));
  return node;
}

/** The master controls, and a strip per player. */
export class Mixer {
  #audio;
  #strips = h("div", { class: "strips" });
  #shown = "";

  node;

  constructor(audio) {
    this.#audio = audio;
    const volume = slide("Volume", settings.volume, (value) => {
      change({ volume: value });
      audio.setVolume(value);
    });
    const metronome = h("input", { type: "checkbox", id: "metronome", checked: settings.metronome });
    metronome.addEventListener("change", () => change({ metronome: metronome.checked }));
    const hear = choose("Hear others", [["auto", "by their delay"], ["direct", "as they play"], ["bar", "one bar later"]], settings.hear, (value) => change({ hear: value }));
    const snap = h("input", { type: "checkbox", id: "snap", checked: settings.snap });
    snap.addEventListener("change", () => change({ snap: snap.checked }));
    const guide = h("input", { type: "checkbox", id: "guide", checked: settings.guide });
    guide.addEventListener("change", () => change({ guide: guide.checked }));
    this.node = h("section", { class: "panel mixer" }, h("h2", null, "Sound"),
      h("div", { class: "master" }, h("span", null, "Volume"), volume, h("label", { for: "metronome" }, "Metronome"), metronome, h("span", null, "Hear others"), hear,
        h("label", { for: "snap", title: "For your ears and eyes only: what they played stays what it was" }, "Others on the grid"), snap,
        h("label", { for: "guide", title: "Pads light up when a note of the riff or of your part is due" }, "Light up my next keys"), guide),
      this.#strips);
  }

  /** One strip for each of the others. */
  update(players) {
    const others = players.slice(1);
    if (others.join() === this.#shown) return;
    this.#shown = others.join();
    this.#strips.replaceChildren(...others.map((id) => this.#strip(id)));
  }

  #strip(id) {
    const name = nameOf(id);
    const voices = [["", "as played"], ...Object.entries(INSTRUMENTS).map(([key, { label }]) => [key, label])];
    const title = h("span", { class: "person" }, h("i", { class: "dot" }), name);
    title.firstChild.style.background = colorOf(id);
    const mute = h("button", { type: "button", class: "mute", "aria-pressed": String(Boolean(settings.muted[id])), "aria-label": `Mute ${name}` }, "M");
    mute.addEventListener("click", () => {
      changeFor("muted", id, !settings.muted[id]);
      mute.setAttribute("aria-pressed", String(settings.muted[id]));
      this.#audio.setPlayerVolume(id, settings.muted[id] ? 0 : settings.volumes[id] ?? 100);
    });
    return h("div", { class: "strip" }, title, mute,
      choose(`Hear ${name} on`, voices, settings.voices[id] ?? "", (value) => changeFor("voices", id, value)),
      slide(`Volume of ${name}`, settings.volumes[id] ?? 100, (value) => {
        changeFor("volumes", id, value);
        if (!settings.muted[id]) this.#audio.setPlayerVolume(id, value);
      }));
  }
}

/** The choice of one's own instrument. Dispatches `change`. */
export class VoicePicker extends EventTarget {
  #inputs;

  node;

  constructor(chosen) {
    super();
    this.#inputs = Object.entries(INSTRUMENTS).map(([value, { label }]) => {
      const input = h("input", { type: "radio", name: "voice", value, id: `voice-${value}`, checked: value === chosen });
      input.addEventListener("change", () => this.#picked(value));
      return [value, input, h("label", { for: `voice-${value}` }, label)];
    });
    this.node = h("div", { class: "voices", role: "radiogroup", "aria-label": "Your instrument", title: "Up and down arrows change it too" },
      this.#inputs.map(([, input, label]) => [input, label]));
    addEventListener("keydown", (event) => this.#arrows(event));
  }

  #arrows(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey || !this.node.isConnected) return;
    if (event.target.closest?.("select, input, .scroll, .side")) return;
    event.preventDefault();
    const now = this.#inputs.findIndex(([, input]) => input.checked);
    const [value, input] = this.#inputs[(now + step + this.#inputs.length) % this.#inputs.length];
    input.checked = true;
    this.#picked(value);
  }

  #picked(value) {
    change({ voice: value });
    this.dispatchEvent(new Event("change"));
  }
}
