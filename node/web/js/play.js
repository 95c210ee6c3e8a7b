// The Play view: the stage, the river, the pads, and what came of it.

import { h, say } from "./dom.js";
import { bpm } from "./format.js";
import { beatUs, place } from "./grid.js";
import { guess } from "./instruments.js";
import { Meter } from "./meter.js";
import { Mixer, VoicePicker } from "./mixer.js";
import { Pads } from "./pads.js";
import { ahead, RiffCue } from "./riff.js";
import { AHEAD_US, River } from "./river.js";
import { ScorePanel } from "./score.js";
import { settings } from "./settings.js";
import { Stage } from "./stage.js";
import { wake } from "./ticker.js";
import { judge } from "./wife3.js";
import { LastWindows, WindowBar } from "./window_bar.js";

const WANTED_US = 250_000;
const LIVELY_MS = 30_000; // after the last note

export class PlayView {
  title = "Play";
  #app;
  #title = h("strong");
  #tempo = h("span", { class: "tempo" });
  #metre = h("span", { class: "tempo metre" });
  #dots = h("span", { class: "beats", "aria-hidden": "true" });
  #hint = h("div", { class: "hint" });
  #bar = new WindowBar();
  #last = new LastWindows();
  #meter = new Meter();
  #score = new ScorePanel();
  #riff = new RiffCue();
  #pads = new Pads();
  #river;
  #stage;
  #mixer;
  #clicked = -1;
  #stirredMs = -Infinity;

  constructor(app) {
    this.#app = app;
    const canvas = h("canvas", { "aria-hidden": "true" });
    this.#river = new River(canvas);
    this.#stage = new Stage(app.faces);
    this.#mixer = new Mixer(app.audio);
    const voices = new VoicePicker(app.player.voice);
    voices.addEventListener("change", () => this.#pads.setInstrument(app.player.voice));
    this.#pads.setInstrument(app.player.voice);
    this.node = h("section", { class: "view play", "aria-label": "Play" },
      h("div", { class: "session" }, h("p", { class: "about" }, this.#title, this.#tempo, this.#metre), this.#dots, this.#bar.node),
      this.#stage.node,
      h("div", { class: "river" }, canvas, this.#riff.node, this.#hint),
      h("div", { class: "under" }, this.#meter.node, voices.node),
      this.#pads.node,
      h("aside", { class: "side" }, this.#score.node, this.#last.node, this.#mixer.node));
    this.#listen();
  }

  #listen() {
    const { world, player, keyboard, midi, say: tell } = this.#app;
    for (const source of [keyboard, this.#pads, midi]) {
      source.addEventListener("press", ({ detail: d }) => player.press(d.lane, d.velocity, d.atMs, d.pitch));
      source.addEventListener("release", ({ detail: d }) => player.release(d.lane, d.atMs, d.pitch));
    }
    midi.playsDrums = () => player.voice === "drums";
    keyboard.addEventListener("layout", () => this.#pads.relabel());
    this.#riff.addEventListener("call", ({ detail }) => tell(`Riff: ${detail.keys.join(", then ")}. Each note alone, on its beat.`));
    world.addEventListener("session", () => this.#stir());
    world.addEventListener("score", () => this.#score.update(world.score, world.status?.window ?? null));
    player.addEventListener("own", ({ detail }) => this.#own(detail));
    player.addEventListener("heard", ({ detail }) => this.#heard(detail));
    world.addEventListener("blocks", () => this.#last.update(world.windows, world.blocks, world.windowS));
    world.addEventListener("windows", () => this.#last.update(world.windows, world.blocks, world.windowS));
    this.#last.update([], [], null);
  }

  #own({ lane, velocity, atMs, tUs, off }) {
    const me = this.#app.world.me ?? "00";
    this.#stir();
    this.#pads.hold(lane, !off, me);
    if (off) {
      this.#river.off(me, lane, atMs);
      return;
    }
    this.#app.world.heardAtMs.set(me, atMs);
    this.#river.on(me, lane, velocity, atMs, this.#app.player.voice === "drums");
    this.#pads.flash(lane, me, velocity, 0);
    this.#app.faces.hit(me, velocity);
    const { session, score } = this.#app.world;
    if (tUs === null || tUs < 0) return;
    const known = score?.session === session.id ? score : null; // what the node found so far
    const { label, errorUs, share } = judge(tUs, session, known?.lag_us, known?.chance_q16);
    this.#river.label(lane, label, errorUs, atMs);
    this.#meter.add(label, errorUs, share);
  }

  #stir() {
    this.#stirredMs = performance.now();
    wake();
  }

  #heard({ player, lane, pitch, velocity, dueMs, off }) {
    this.#stir();
    if (off) {
      this.#river.off(player, lane, dueMs);
      return;
    }
    const waitMs = dueMs - performance.now();
    this.#river.on(player, lane, velocity, dueMs, guess(lane, pitch) === "drums");
    this.#pads.flash(lane, player, velocity, waitMs);
    setTimeout(() => this.#app.faces.hit(player, velocity), Math.max(0, waitMs));
  }

  /** The session's time at a page time, microseconds; null while there is none. */
  #sessionUs(nowMs) {
    const { world, clock } = this.#app;
    return world.session && world.t0AtUs !== null && clock.ready ? clock.nodeUs(nowMs) - world.t0AtUs : null;
  }

  /** The share of the beat gone, for faces that nod; null without a session. */
  beatPhase(nowMs) {
    const tUs = this.#sessionUs(nowMs);
    return tUs === null ? null : place(tUs, this.#app.world.session).phase;
  }

  /** Schedules the metronome's next click; called by the audio scheduler. */
  tick() {
    const { world, clock, audio } = this.#app;
    const tUs = this.#sessionUs(performance.now() + 100);
    if (tUs === null || !settings.metronome) return;
    const { session } = world;
    const beat = Math.floor(tUs / beatUs(session));
    if (beat === this.#clicked || beat < 0) return;
    this.#clicked = beat;
    audio.click(beat % session.beats_per_bar === 0, clock.pageMs(world.t0AtUs + beat * beatUs(session)));
  }

  /** What changes once a second or on news. */
  update() {
    const { world, connection, audio } = this.#app;
    const { session } = world;
    this.#stage.update(world.players, world.me, world.heardAtMs);
    say(this.#title, session ? session.title || "Untitled jam" : "No session");
    say(this.#tempo, session ? `${bpm(session.tempo_mbpm)} BPM` : "");
    say(this.#metre, session ? `${session.beats_per_bar} beats a bar, ${session.subdivision} steps a beat` : "");
    const beats = session?.beats_per_bar ?? 0;
    if (this.#dots.childElementCount !== beats) this.#dots.replaceChildren(...Array.from({ length: beats }, () => h("i")));
    this.#mixer.update(world.players);
    this.#score.update(world.score, world.status?.window ?? null);
    this.#tellHints(connection.state, !session, world.players.length < 2, audio.running);
  }

  #tellHints(state, idle, alone, sounding) {
    const live = state === "live";
    const hints = [
      !live && state !== "refused" && "Your keys sound, but nothing is kept until the node is back.",
      this.#app.player.away && "You have left this jam: you play for yourself. Come back on the Jam view.",
      live && !this.#app.guest && this.#app.chart.parts.length > 0 && !this.#app.chart.parts.some(({ player }) => player === this.#app.world.me) && "There is a chart. Take a part of it on the Jam view (5).",
      live && idle && (this.#app.guest ? "Touch any of the ten pads. The first note opens a session." : "Press any of the ten keys. The first note opens a session."),
      !sounding && !idle && "Sound starts with your first key or touch.",
      live && alone && "Nobody else is here yet. Whoever runs symjam up on this network joins by itself.",
    ].filter(Boolean);
    if (this.#hint.dataset.shown === hints.join()) return;
    this.#hint.dataset.shown = hints.join();
    this.#hint.replaceChildren(...hints.map((text) => h("p", null, text)));
  }

  #charted(tUs, chart) {
    return tUs === null ? [] : chart.between(tUs - WANTED_US, tUs + AHEAD_US, this.#app.world.session);
  }

  /** One frame; false when nothing goes on. */
  draw(nowMs) {
    const { world, clock, chart } = this.#app;
    this.#bar.draw(world.status, clock, nowMs);
    const tUs = this.#sessionUs(nowMs);
    const beat = tUs === null ? null : { session: world.session, t0Ms: nowMs - tUs / 1_000 };
    const riff = world.status?.riff ?? null;
    const notes = [...this.#charted(tUs, chart), ...ahead(riff, tUs, AHEAD_US)];
    this.#river.draw(nowMs, world.players, beat, notes);
    this.#riff.draw(riff, tUs, this.#pads.labels, world.score?.window === riff?.window ? world.score?.riff : null);
    const wanted = !settings.guide ? [] : notes.filter((n) => (n.kind === "riff" || n.player === world.me) && Math.abs(n.tUs - tUs) < WANTED_US);
    this.#pads.want(wanted.map((note) => note.lane));
    this.#pads.draw(nowMs);
    this.#meter.draw();
    const at = tUs === null || tUs < 0 ? null : place(tUs, world.session);
    [...this.#dots.children].forEach((dot, index) => {
      const on = at?.beat === index;
      if (dot.classList.contains("on") !== on) dot.classList.toggle("on", on);
    });
    return notes.length > 0 || nowMs - this.#stirredMs < LIVELY_MS;
  }
}

