// What a player's id looks like: a colour and a name to tell people apart by. Display only; the id is what counts.

const ONSETS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "j", "sh"];
const VOWELS = ["a", "e", "i", "o", "u", "ai", "o", "a"];

/** Byte `index` of a hex id. */
export function byteOf(id, index) {
  return parseInt(id.slice(index * 2, index * 2 + 2), 16) || 0;
}

const light = matchMedia("(prefers-color-scheme: light)");

/** Whether the page is on a light ground. */
export function isLight() {
  return light.matches;
}

const HUES_MAX = 256;
const APART = 34;
const hues = new Map();

const distance = (a, b) => Math.min(Math.abs(a - b), 360 - Math.abs(a - b));

/**
 * Hue in degrees: the id's own, or when somebody seen earlier has nearly that, the nearest one that stands apart.
 * A player keeps the hue while the page is open.
 */
export function hueOf(id) {
  if (!hues.has(id)) {
    const own = Math.round(((byteOf(id, 0) * 256 + byteOf(id, 1)) / 65536) * 360) % 360;
    const room = (hue) => Math.min(APART, ...[...hues.values()].map((other) => distance(hue, other)));
    const near = Array.from({ length: 360 }, (_, k) => (own + (k % 2 ? 1 : -1) * Math.ceil(k / 2) + 360) % 360);
    const best = near.reduce((found, hue) => (room(hue) > room(found) ? hue : found), own);
    if (hues.size >= HUES_MAX) hues.delete(hues.keys().next().value);
    hues.set(id, best);
  }
  return hues.get(id);
}

/** The player's colour at one lightness, so that nobody shouts. */
export function colorOf(id, alpha = 1, lightness = isLight() ? 0.6 : 0.79) {
  return `oklch(${lightness} 0.125 ${hueOf(id)} / ${alpha})`;
}

let guests = new Set();

/** Who is a guest, of whichever node. */
export function setGuests(ids) {
  guests = new Set(ids);
}

/** Two or three syllables made from the id, and whether it is a guest's. */
export function nameOf(id) {
  return guests.has(id) ? `${syllablesOf(id)} (guest)` : syllablesOf(id);
}

function syllablesOf(id) {
  let name = "";
  const syllables = 2 + (byteOf(id, 9) > 170 ? 1 : 0);
  for (let i = 0; i < syllables; i++) name += ONSETS[byteOf(id, 2 + i * 2) % 16] + VOWELS[byteOf(id, 3 + i * 2) % 8];
  return name[0].toUpperCase() + name.slice(1);
}

/** Text of the node's with the short ids of these players replaced by their names. */
export function named(text, players, me) {
  const names = new Map(players.filter(Boolean).map((id) => [id.slice(0, 8), id === me ? "you" : nameOf(id)]));
  return text.replace(/\b[0-9a-f]{8}\b/g, (id) => names.get(id) ?? id);
}
