// The Jam view: the session that is on, its chart and who plays what, and the recording of it.

import { h, say } from "./dom.js";
import { action, attempt, field, select, troubleLine } from "./form.js";
import { bpm } from "./format.js";
import { colorOf, nameOf } from "./people.js";
import { Replay } from "./replay.js";

const KEYS = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];
const TITLE_MAX = 80;
const TAGS_MAX = 8;
const TAG_MAX = 24;
const FILE_MAX = 1_000_000;

export class JamView {
  title = "Jam";
  #app;
  #about = h("p", { class: "jam-about" });
  #facts = h("p", { class: "detail" });
  #trouble = troubleLine();
  #leave;
  #close;
  #chart;
  #take;

  constructor(app) {
    this.#app = app;
    this.#leave = h("button", { type: "button", class: "action" });
    this.#leave.addEventListener("click", () => this.#toggle());
    this.#close = action("Close it for all", this.#trouble, async () => {
      await app.connection.call("DELETE", "/api/session");
    });
    this.#chart = new ChartPanel(app);
    this.#take = new TakePanel(app);
    this.node = h("section", { class: "view jam", "aria-label": "Jam" },
      h("div", { class: "panel" }, h("h2", null, "The jam that is on"), this.#about, this.#facts,
        h("p", { class: "actions" }, this.#leave, this.#close), this.#trouble,
        h("h3", null, "Open another"), new OpenForm(app).node),
      this.#chart.node, this.#take.node);
  }

  #toggle() {
    const { player, say: tell } = this.#app;
    player.setAway(!player.away);
    tell(player.away ? "You have left the jam. What you play stays with you." : "You are back in the jam.");
    this.update();
  }

  /** What changes once a second or on news. */
  update() {
    const { world, player } = this.#app;
    const { session } = world;
    say(this.#about, session ? session.title || "Untitled jam" : "None. The first note opens one, or open one below.");
    say(this.#facts, session ? facts(session, world.me) : "Everyone on the mesh plays in the newest jam that is open.");
    this.#leave.hidden = !session;
    say(this.#leave, player.away ? "Come back" : "Leave");
    this.#close.hidden = !session?.mine;
    this.#chart.update();
    this.#take.update();
  }

  draw() {
    this.#take.draw();
  }
}

function facts(session, me) {
  const by = session.creator === me ? "you" : nameOf(session.creator);
  const tags = session.tags.length ? `, tagged ${session.tags.join(", ")}` : "";
  return `${bpm(session.tempo_mbpm)} BPM, ${session.beats_per_bar} beats a bar, ${session.subdivision} steps a beat, opened by ${by}${tags}. Who comes later is in it too.`;
}

/** The fields of a new session. */
class OpenForm {
  #trouble = troubleLine();
  #title = h("input", { type: "text", maxlength: TITLE_MAX, autocomplete: "off", placeholder: "On the roof" });
  #tempo = h("input", { type: "number", value: 120, step: "any" });
  #beats = h("input", { type: "number", value: 4 });
  #steps = select([["1", "1"], ["2", "2, eighths"], ["3", "3, triplets"], ["4", "4, sixteenths"], ["6", "6"]], "4");
  #key = select([["", "any"], ...KEYS.flatMap((note) => [[`${note} major`, `${note} major`], [`${note} minor`, `${note} minor`]])], "");
  #tags = h("input", { type: "text", autocomplete: "off", placeholder: "blues, late" });

  node;

  constructor({ connection }) {
    const submit = h("button", { type: "submit", class: "action" }, "Open");
    this.node = h("form", { class: "fields" }, field("Title", this.#title), field("Tempo, beats a minute", this.#tempo),
      field("Beats a bar", this.#beats), field("Steps a beat", this.#steps), field("Key", this.#key), field("Tags", this.#tags),
      submit, this.#trouble);
    this.node.noValidate = true; // what is wrong is said in words below, for all fields alike
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(submit, this.#trouble, () => connection.call("POST", "/api/session", this.#wish()));
    });
  }

  #wish() {
    const tempo = Math.round(Number(this.#tempo.value) * 1_000);
    const beats = Number(this.#beats.value);
    if (!(tempo >= 20_000 && tempo <= 400_000)) throw new Error("A tempo is 20 to 400 beats a minute.");
    if (!(Number.isInteger(beats) && beats >= 1 && beats <= 32)) throw new Error("A bar has 1 to 32 beats.");
    const tags = this.#tags.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (this.#key.value) tags.unshift(this.#key.value);
    if (tags.length > TAGS_MAX) throw new Error(`A jam has ${TAGS_MAX} tags at most, its key among them.`);
    if (tags.some((tag) => tag.length > TAG_MAX)) throw new Error(`A tag has ${TAG_MAX} characters at most.`);
    return { title: this.#title.value.trim(), tempo_mbpm: tempo, beats_per_bar: beats, subdivision: Number(this.#steps.value), tags };
  }
}

/** The chart: from which file, how easy, and who plays which part. */
class ChartPanel {
  #app;
  #trouble = troubleLine();
  #file = h("input", { type: "file", accept: ".mid,.midi,audio/midi" });
  #lanes = select([4, 5, 6, 7, 8, 9, 10].map((n) => [String(n), String(n)]), "10");
  #players = select([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [String(n), n === 1 ? "one a voice" : `at least ${n}`]), "1");
  #level = select([["easy", "easy"], ["medium", "medium"], ["hard", "hard"]], "medium");
  #about = h("p", { class: "jam-about" });
  #parts = h("ul", { class: "parts" });
  #again;
  #shown = "";

  node;

  constructor(app) {
    this.#app = app;
    const { connection, chart } = app;
    const submit = h("button", { type: "submit", class: "action" }, "Share with the jam");
    this.#again = action("From the top", this.#trouble, () => connection.call("POST", "/api/chart/start"));
    const form = h("form", { class: "fields" }, field("MIDI file", this.#file), field("Lanes", this.#lanes), field("Parts", this.#players),
      field("How hard", this.#level), submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(submit, this.#trouble, () => this.#share());
    });
    chart.addEventListener("change", () => this.update());
    this.node = h("div", { class: "panel", "aria-label": "Chart", role: "group" }, h("h2", null, "Chart"), this.#about, this.#parts,
      h("p", { class: "actions" }, this.#again), h("h3", null, "From a MIDI file"), form, this.#trouble);
    this.update();
  }

  async #share() {
    const [file] = this.#file.files;
    if (!file) throw new Error("Choose a MIDI file first.");
    if (file.size > FILE_MAX) throw new Error(`The file is larger than ${FILE_MAX} bytes. Give a shorter piece.`);
    const wish = new URLSearchParams({ title: file.name.replace(/\.midi?$/i, "").slice(0, TITLE_MAX), lanes: this.#lanes.value, players: this.#players.value, level: this.#level.value });
    await this.#app.connection.call("POST", `/api/chart?${wish}`, file);
    this.#app.say("The chart is shared. Take a part.");
  }

  update() {
    const { chart, world } = this.#app;
    const shown = JSON.stringify([chart.id, chart.chart === null, chart.board?.start_bar, chart.parts.map(({ part, player }) => [part, player]), world.players]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const words = chart.chart ? `${chart.chart.title || "Untitled"}: ${chart.chart.bars} bars on ${chart.chart.lanes} lanes, from bar ${(chart.board?.start_bar ?? 0) + 1} on, again and again`
      : chart.board?.chart ? "A chart is shared, but not all of it has come yet." : "None. A chart shows which lane when; what counts stays the grid.";
    say(this.#about, words);
    this.#again.hidden = !chart.chart;
    this.#parts.replaceChildren(...chart.parts.map((part) => this.#row(part, world)));
  }

  #row({ part, notes, player }, { me, players }) {
    const mine = player === me;
    const free = !player || !players.includes(player); // who has left needs it no more
    const button = action(mine ? "Give back" : "Take", this.#trouble, () => this.#assign(part, mine ? null : me));
    button.disabled = !mine && !free;
    button.setAttribute("aria-label", `${mine ? "Give back" : "Take"} ${part}`);
    const who = mine ? "you" : player ? nameOf(player) + (free ? " (gone)" : "") : "nobody yet";
    const dot = h("i", { class: "dot" });
    if (player) dot.style.background = colorOf(player);
    return h("li", null, dot, h("strong", null, part), h("span", { class: "number" }, `${notes.length} notes`), h("span", null, who), button);
  }

  #assign(part, player) {
    const { connection } = this.#app;
    if (!connection.send({ type: "edit", id: connection.id(), part, player })) throw new Error("The node is gone; try again when it is back.");
  }
}

/** The recording: hear it again, take it home. */
class TakePanel {
  #app;
  #replay;
  #trouble = troubleLine();
  #play;
  #fill = h("i");
  #bar = h("div", { class: "bar", "aria-hidden": "true" }, this.#fill);
  #time = h("span", { class: "number" });

  node;

  constructor(app) {
    this.#app = app;
    this.#replay = new Replay(app.player);
    this.#replay.addEventListener("change", () => this.update());
    this.#play = action("Play back", this.#trouble, () => this.#toggle());
    const save = action("Export as MIDI", this.#trouble, () => this.#export());
    this.node = h("div", { class: "panel", "aria-label": "Recording", role: "group" }, h("h2", null, "Recording"),
      h("p", { class: "detail" }, "All that is played in the jam is kept by everyone in it, so there is nothing to start. Playing it back is for you alone."),
      h("p", { class: "actions" }, this.#play, save, this.#time), this.#bar, this.#trouble);
    this.update();
  }

  async #toggle() {
    if (this.#replay.playing) {
      this.#replay.stop();
      return;
    }
    const recording = await this.#app.connection.get("/api/session/recording");
    if (!recording.takes.length) throw new Error("Nobody has played a note in it yet.");
    this.#replay.start(recording);
  }

  async #export() {
    const address = URL.createObjectURL(await this.#app.connection.file("/api/session/midi"));
    h("a", { href: address, download: `${(this.#app.world.session?.title || "jam").replace(/[^\w -]+/g, "_")}.mid` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    this.#app.say("The jam is saved as a MIDI file.");
  }

  update() {
    say(this.#play, this.#replay.playing ? "Stop" : "Play back");
    this.draw();
  }

  draw() {
    const { playing, atUs, durationUs } = this.#replay;
    this.#bar.hidden = !playing;
    say(this.#time, playing ? `${Math.floor(atUs / 1e6)} of ${Math.ceil(durationUs / 1e6)} s` : "");
    this.#fill.style.transform = `scaleX(${durationUs ? (atUs / durationUs).toFixed(4) : 0})`;
  }
}
