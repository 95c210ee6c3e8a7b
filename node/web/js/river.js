// The river: what everyone played, flowing up from the keys, with the beat drawn through it. One column per lane, one
// strand in it per player. What is to be played (riff, chart) falls towards the keys, in outline. Drawn on a canvas;
// nothing in it is told only there.

import { calm } from "./dom.js";
import { beatUs } from "./grid.js";
import { colorOf, isLight } from "./people.js";

const NOTES_MAX = 700;
const FLOW_MS = 4_200; // from the keys to the top
const STRUCK_MS = 110;
const HELD_MAX_MS = 6_000;
const LABEL_MS = 750;
export const AHEAD_US = 2_400_000; // from the top to the keys
const MARK = 13;
const DARK_INK = { lane: "rgb(255 255 255 / 0.016)", bar: "rgb(236 233 226 / 0.17)", beat: "rgb(236 233 226 / 0.055)", count: "rgb(154 161 178 / 0.7)", riff: "242 196 109" };
const LIGHT_INK = { lane: "rgb(20 24 40 / 0.025)", bar: "rgb(20 24 40 / 0.22)", beat: "rgb(20 24 40 / 0.09)", count: "rgb(70 78 98 / 0.8)", riff: "160 104 0" };
const LIGHT_LABELS = { COOL: "20 122 70", GOOD: "160 104 0", BAD: "184 52 34" };
const LABEL_COLORS = { COOL: "127 214 164", GOOD: "242 196 109", BAD: "240 138 122" };

export class River {
  #canvas;
  #pen;
  #notes = [];
  #labels = [];
  #ink = DARK_INK;
  #size = { width: 0, height: 0 };

  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  /** A note begins at a page time; a struck one is over at once, whenever its key comes up. */
  on(player, lane, velocity, atMs, struck) {
    this.off(player, lane, atMs);
    this.#notes.push({ player, lane, velocity, atMs, endMs: struck ? atMs + STRUCK_MS : null });
    if (this.#notes.length > NOTES_MAX) this.#notes.shift();
  }

  /** A note ends. */
  off(player, lane, atMs) {
    const note = this.#notes.findLast((n) => n.player === player && n.lane === lane);
    if (note && note.endMs === null) note.endMs = Math.max(atMs, note.atMs);
  }

  /** How well a hit of one's own met the grid. */
  label(lane, text, errorUs, atMs) {
    this.#labels = this.#labels.filter((known) => known.lane !== lane);
    this.#labels.push({ lane, text, errorUs, atMs });
  }

  #fit() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#size = { width, height };
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** One frame. `beat` is {session, t0Ms} in page time, or null while there is no session; `ahead` is what is to be
   * played: [{tUs, lane, player, kind: "riff" | "chart", text}] in session time. */
  draw(nowMs, players, beat, ahead = []) {
    const { width, height } = this.#size;
    if (!width || !height) return;
    const pen = this.#pen;
    pen.clearRect(0, 0, width, height);
    this.#ink = isLight() ? LIGHT_INK : DARK_INK;
    const lane = width / 10;
    this.#lanes(lane, height);
    if (beat && !calm()) this.#beats(nowMs, beat);
    this.#strands(nowMs, players, lane, height);
    if (beat) this.#ahead(nowMs, beat, ahead, players[0], lane, height);
    this.#words(nowMs, lane, height);
  }

  #lanes(lane, height) {
    const pen = this.#pen;
    pen.fillStyle = this.#ink.lane;
    for (let i = 0; i < 10; i += 2) pen.fillRect(i * lane, 0, lane, height);
  }

  #beats(nowMs, { session, t0Ms }) {
    const pen = this.#pen;
    const { width, height } = this.#size;
    const beatMs = beatUs(session) / 1_000;
    const last = Math.floor((nowMs - t0Ms) / beatMs);
    for (let k = last; k >= 0; k--) {
      const y = height - ((nowMs - t0Ms - k * beatMs) / FLOW_MS) * height;
      if (y < 0) break;
      const bar = k % session.beats_per_bar === 0;
      pen.fillStyle = bar ? this.#ink.bar : this.#ink.beat;
      pen.fillRect(0, Math.round(y), width, 1);
      if (bar) {
        pen.fillStyle = this.#ink.count;
        pen.font = "11px system-ui, sans-serif";
        pen.textAlign = "left";
        pen.fillText(String(k / session.beats_per_bar + 1), 6, y - 5);
      }
    }
  }

  // Own notes and the riff are wide, the parts of others thin and faint.
  #ahead(nowMs, { t0Ms }, ahead, me, lane, height) {
    const pen = this.#pen;
    for (const { tUs, lane: index, player, kind, text } of ahead) {
      const share = (t0Ms + tUs / 1_000 - nowMs) / (AHEAD_US / 1_000);
      if (share > 1 || share < -0.05) continue;
      const mine = kind === "riff" || player === me;
      const y = height - Math.max(0, share) * height - MARK / 2 - 2;
      const width = lane * (mine ? 0.8 : 0.3);
      const hue = (alpha) => (kind === "riff" ? `rgb(${this.#ink.riff} / ${alpha})` : colorOf(player, alpha));
      pen.strokeStyle = hue(mine ? 0.95 : 0.4);
      pen.fillStyle = hue(mine ? 0.22 : 0.08);
      pen.lineWidth = mine ? 2 : 1.2;
      pen.beginPath();
      pen.roundRect((index + 0.5) * lane - width / 2, y - MARK / 2, width, MARK, MARK / 2);
      pen.fill();
      pen.stroke();
      if (!text) continue;
      pen.fillStyle = hue(1);
      pen.font = "700 12px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.fillText(text, (index + 0.5) * lane, y + 4);
    }
  }

  #strands(nowMs, players, lane, height) {
    const pen = this.#pen;
    const seats = new Map(players.map((id, index) => [id, index]));
    const many = Math.max(1, players.length);
    const strand = Math.max(5, Math.min(44, (lane * 0.9) / many));
    const left = (lane - strand * many) / 2;
    this.#notes = this.#notes.filter((n) => nowMs - (n.endMs ?? n.atMs + HELD_MAX_MS) < FLOW_MS);
    for (const { player, lane: index, velocity, atMs, endMs: heldUntil } of this.#notes) {
      if (atMs > nowMs) continue;
      const endMs = heldUntil === null || heldUntil > nowMs ? nowMs : heldUntil;
      const age = (nowMs - atMs) / FLOW_MS;
      const from = calm() ? height - 16 : height - age * height;
      const to = calm() ? height - 8 : height - ((nowMs - endMs) / FLOW_MS) * height;
      const x = index * lane + left + (seats.get(player) ?? many - 1) * strand;
      const length = Math.max(9, to - from);
      const alpha = Math.max(0, 1 - age) ** 0.65 * (0.45 + (velocity / 127) * 0.55);
      pen.fillStyle = colorOf(player, alpha);
      pen.beginPath();
      pen.roundRect(x + 1.5, to - length, strand - 3, length, Math.min(7, strand / 2.6));
      pen.fill();
      if (nowMs - atMs < 260) this.#splash(player, x + strand / 2, height, (nowMs - atMs) / 260, lane);
    }
  }

  #splash(player, x, y, age, lane) {
    const pen = this.#pen;
    const glow = pen.createRadialGradient(x, y, 0, x, y, lane * 1.05);
    glow.addColorStop(0, colorOf(player, 0.55 * (1 - age)));
    glow.addColorStop(1, colorOf(player, 0));
    pen.fillStyle = glow;
    pen.fillRect(x - lane * 1.1, y - lane * 1.1, lane * 2.2, lane * 1.1);
  }

  #words(nowMs, lane, height) {
    const pen = this.#pen;
    this.#labels = this.#labels.filter((label) => nowMs - label.atMs < LABEL_MS);
    pen.textAlign = "center";
    for (const { lane: index, text, errorUs, atMs } of this.#labels) {
      const age = (nowMs - atMs) / LABEL_MS;
      const y = height - 34 - (calm() ? 0 : 26 * (1 - (1 - age) ** 2));
      pen.fillStyle = `rgb(${(isLight() ? LIGHT_LABELS : LABEL_COLORS)[text]} / ${(1 - age ** 3).toFixed(2)})`;
      pen.font = "700 17px system-ui, sans-serif";
      pen.fillText(text, (index + 0.5) * lane, y);
      pen.font = "12px system-ui, sans-serif";
      const sign = errorUs < 0 ? "−" : "+";
      pen.fillText(`${sign}${Math.abs(errorUs / 1_000).toFixed(0)} ms`, (index + 0.5) * lane, y + 15);
    }
  }
}
