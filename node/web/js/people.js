// What a player's id looks like: a colour and a name to tell people apart by. Display only; the id is what counts.

const ONSETS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "j", "sh"];
const VOWELS = ["a", "e", "i", "o", "u", "ai", "o", "a"];

/** Byte `index` of a hex id. */
export function byteOf(id, index) {
  return parseInt(id.slice(index * 2, index * 2 + 2), 16) || 0;
}

/** Hue in degrees. */
export function hueOf(id) {
  return Math.round(((byteOf(id, 0) * 256 + byteOf(id, 1)) / 65536) * 360);
}

/** The player's colour at one lightness, so that nobody shouts. */
export function colorOf(id, alpha = 1, lightness = 0.79) {
  return `oklch(${lightness} 0.125 ${hueOf(id)} / ${alpha})`;
}

/** Two or three syllables made from the id. */
export function nameOf(id) {
  let name = "";
  const syllables = 2 + (byteOf(id, 9) > 170 ? 1 : 0);
  for (let i = 0; i < syllables; i++) name += ONSETS[byteOf(id, 2 + i * 2) % 16] + VOWELS[byteOf(id, 3 + i * 2) % 8];
  return name[0].toUpperCase() + name.slice(1);
}
