// A face per player: drawn from the id, alive when idle, moved by what they play.
//
// A face is driven by nothing but `hit(strength)`, `celebrate()` and the frame loop, so it can fail or be switched off
// without touching the music. With reduced motion it still opens its mouth and blinks, but nothing travels.

import { calm, put, s } from "./dom.js";
import { byteOf, colorOf, hueOf } from "./people.js";

const IDLE_MS = 80; // between two pictures of a face that only breathes

const BODIES = [
  "M50 10C76 10 90 30 90 54S76 92 50 92 10 78 10 54 24 10 50 10Z",
  "M50 12C82 12 88 18 88 52S82 92 50 92 12 86 12 52 18 12 50 12Z",
  "M50 8C68 8 78 26 84 46S88 92 50 92 10 66 16 46 32 8 50 8Z",
  "M50 14C72 14 94 26 92 56S70 90 50 90 8 86 8 56 28 14 50 14Z",
];

// What sits on top, in the body's colours; y grows downwards and the crown of the head is near (50, 12).
const TOPS = [
  (c) => [s("path", { d: "M24 22C18 6 22 0 30 4s10 10 8 14ZM76 22C82 6 78 0 70 4s-10 10-8 14Z", fill: c.body })],
  (c) => [
    s("path", { d: "M50 14V0", stroke: c.deep, "stroke-width": 4, "stroke-linecap": "round" }),
    s("circle", { cx: 50, cy: -2, r: 5.5, fill: c.light }),
  ],
  (c) => [s("path", { d: "M50 16C46 4 56 0 54-8 66 0 66 12 56 17Z", fill: c.deep })],
  (c) => [s("path", { d: "M34 16C30 2 42 6 42 0 50 6 54-4 60 2c8-2 8 10 6 14Z", fill: c.deep })],
  (c) => [s("path", { d: "M12 40C8 24 14 14 22 16l8 6ZM88 40c4-16-2-26-10-24l-8 6Z", fill: c.deep })],
  () => [],
];

function headphones(colors) {
  return [
    s("path", { d: "M13 54C9 4 91 4 87 54", fill: "none", stroke: colors.deep, "stroke-width": 6, "stroke-linecap": "round" }),
    s("rect", { x: 4, y: 44, width: 15, height: 27, rx: 7, fill: colors.deep }),
    s("rect", { x: 81, y: 44, width: 15, height: 27, rx: 7, fill: colors.deep }),
  ];
}

export class Face {
  #intensity = 0;
  #lean = 0;
  #side = 1;
  #party = 0;
  #blinkAt = 0;
  #gaze = { x: 0, y: 0, toX: 0, toY: 0, at: 0 };
  #before = 0;

  /** The drawing: an <svg>, decorative, since the name stands beside it. */
  node;

  constructor(id, { mine = false } = {}) {
    const hue = hueOf(id);
    const colors = { body: colorOf(id), light: colorOf(id, 1, 0.88), deep: `oklch(0.6 0.12 ${hue})`, ink: `oklch(0.24 0.03 ${hue})` };
    const gap = 13 + (byteOf(id, 12) % 6);
    this.eyeSize = 5 + (byteOf(id, 13) % 4) * 0.7;
    this.eyeY = 46 + (byteOf(id, 14) % 7);
    this.tempo = 0.85 + (byteOf(id, 15) % 32) / 100;
    this.wide = 8 + (byteOf(id, 16) % 5);
    this.eyes = [50 - gap, 50 + gap].map((x) => this.#eye(x, colors));
    this.mouth = s("path", { fill: colors.ink, stroke: colors.ink, "stroke-width": 3.2, "stroke-linecap": "round", "stroke-linejoin": "round" });
    this.shadow = s("ellipse", { cx: 50, cy: 97, rx: 26, ry: 4, fill: "#000", opacity: 0.35 });
    this.body = s("g", null,
      TOPS[byteOf(id, 11) % TOPS.length](colors),
      s("path", { d: BODIES[byteOf(id, 10) % BODIES.length], fill: colors.body }),
      s("ellipse", { cx: 37, cy: 27, rx: 13, ry: 7, fill: "#fff", opacity: 0.14, transform: "rotate(-24 37 27)" }),
      [50 - gap - 9, 50 + gap + 9].map((cx) => s("ellipse", { cx, cy: this.eyeY + 13, rx: 6, ry: 3.6, fill: `oklch(0.72 0.15 ${(hue + 330) % 360})`, opacity: 0.5 })),
      this.eyes.map((eye) => eye.group), this.mouth, mine ? headphones(colors) : []);
    this.halo = s("circle", { cx: 50, cy: 54, r: 47, fill: "none", stroke: colors.body, "stroke-width": 2.5, opacity: 0 });
    this.node = s("svg", { viewBox: "-12 -18 124 122", class: "face", "aria-hidden": "true" }, this.shadow, this.halo, this.body);
    this.#blinkAt = performance.now() + 800 + Math.random() * 4_000;
    this.draw(performance.now(), null);
  }

  #eye(x, colors) {
    const ball = s("ellipse", { cx: x, cy: this.eyeY, rx: this.eyeSize, ry: this.eyeSize, fill: colors.ink });
    const glint = s("circle", { cx: x + 1.6, cy: this.eyeY - 1.8, r: 1.7, fill: "#fff", opacity: 0.9 });
    return { x, ball, glint, group: s("g", null, ball, glint) };
  }

  /** They played a note, 0 to 127. */
  hit(velocity) {
    this.#intensity = Math.min(1, this.#intensity * 0.5 + 0.35 + (velocity / 127) * 0.45);
    this.#side = -this.#side;
    this.#lean = this.#side;
  }

  /** Something good happened. */
  celebrate() {
    this.#party = 1;
  }

  /** One frame; `beatPhase` is the share of the beat gone while a jam runs, else null. */
  draw(nowMs, beatPhase) {
    const isIdle = this.#intensity < 0.02 && this.#party === 0;
    if (isIdle && nowMs - this.#before < IDLE_MS) return;
    const dt = Math.min(100, Math.max(0, nowMs - this.#before));
    this.#before = nowMs;
    this.#intensity *= Math.exp(-dt / 260);
    this.#lean *= Math.exp(-dt / 220);
    this.#party = Math.max(0, this.#party - dt / 1_600);
    this.#move(nowMs, beatPhase);
    this.#look(nowMs, dt);
    this.#speak();
    put(this.halo, "opacity", (this.#intensity * 0.75).toFixed(2));
    put(this.halo, "r", (47 + this.#intensity * 7).toFixed(1));
  }

  #move(nowMs, beatPhase) {
    if (calm()) return;
    const breath = Math.sin((nowMs / 1_000) * 1.7 * this.tempo);
    const nod = beatPhase === null ? 0 : Math.max(0, 1 - beatPhase * 3) * 0.35;
    const party = this.#party > 0 ? Math.abs(Math.sin(this.#party * 14)) * this.#party : 0;
    const up = this.#intensity * 9 + party * 15;
    const squash = 1 + breath * 0.012 + nod * 0.03 - this.#intensity * 0.05 + party * 0.05;
    const turn = this.#lean * this.#intensity * 8 + Math.sin(nowMs / 1_900) * 1.2;
    const wide = 2 - squash;
    put(this.body, "transform", `translate(50 ${94 - up}) rotate(${turn.toFixed(2)}) scale(${wide.toFixed(3)} ${squash.toFixed(3)}) translate(-50 -94)`);
    put(this.shadow, "rx", (26 - up * 0.6).toFixed(1));
  }

  #look(nowMs, dt) {
    const gaze = this.#gaze;
    if (nowMs > gaze.at) {
      gaze.at = nowMs + 900 + Math.random() * 2_600;
      gaze.toX = (Math.random() - 0.5) * 5;
      gaze.toY = (Math.random() - 0.4) * 3;
    }
    const ease = 1 - Math.exp(-dt / 90);
    gaze.x += (gaze.toX - gaze.x) * ease;
    gaze.y += (gaze.toY - gaze.y) * ease;
    if (nowMs > this.#blinkAt + 150) this.#blinkAt = nowMs + 1_800 + Math.random() * 4_200;
    const blink = nowMs < this.#blinkAt ? 0 : Math.sin(((nowMs - this.#blinkAt) / 150) * Math.PI);
    const open = Math.max(0.08, (1 - blink) * (1 - this.#intensity * 0.35) * (this.#party > 0.1 ? 0.35 : 1));
    for (const eye of this.eyes) {
      put(eye.group, "transform", `translate(${gaze.x.toFixed(2)} ${gaze.y.toFixed(2)})`);
      put(eye.ball, "ry", (this.eyeSize * open).toFixed(2));
      put(eye.glint, "opacity", open > 0.5 ? 0.9 : 0);
    }
  }

  #speak() {
    const open = Math.max(this.#intensity, this.#party * 0.8);
    const y = this.eyeY + 16;
    const w = this.wide - open * 1.5;
    const smile = 4 + this.#party * 3;
    const drop = smile + open * 15;
    const lift = open > 0.12 ? smile - open * 4 : smile;
    put(this.mouth, "d", `M${50 - w} ${y}Q50 ${y + lift * 1.6} ${50 + w} ${y}Q50 ${y + drop * 1.6} ${50 - w} ${y}Z`);
  }
}

/** Keeps one face per player that is shown somewhere. */
export class Faces {
  #faces = new Map();

  /** How often a face has failed; it stands still from then on, and nothing else notices. */
  failed = 0;

  /** The face of a player in one place; made on first use. */
  of(place, id, options) {
    const key = `${place} ${id}`;
    if (!this.#faces.has(key)) this.#try(null, () => this.#faces.set(key, new Face(id, options)));
    return this.#faces.get(key) ?? { node: s("svg", { viewBox: "0 0 1 1", class: "face", "aria-hidden": "true" }) };
  }

  /** A player played a note, 0 to 127. */
  hit(id, velocity) {
    for (const [key, face] of this.#faces) if (key.endsWith(id)) this.#try(key, () => face.hit(velocity));
  }

  /** Something good happened to a player. */
  celebrate(id) {
    for (const [key, face] of this.#faces) if (key.endsWith(id)) this.#try(key, () => face.celebrate());
  }

  /** Draws those that are on the page and forgets faces of the long gone. */
  draw(nowMs, beatPhase) {
    for (const [key, face] of this.#faces) {
      if (face.node.isConnected) this.#try(key, () => face.draw(nowMs, beatPhase));
      else if (this.#faces.size > 200) this.#faces.delete(key);
    }
  }

  // Whatever a face does, the frame goes on and so does the music.
  #try(key, act) {
    try {
      act();
    } catch {
      this.failed++;
      this.#faces.delete(key);
    }
  }
}
