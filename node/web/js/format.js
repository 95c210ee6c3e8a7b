// Numbers as people read them. What the node did not say is a dash, never a zero.

export const DASH = "–";

const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));

/** Micro-JAM as JAM, exactly, six decimals. */
export function jam(micro) {
  if (!known(micro)) return DASH;
  const value = BigInt(micro);
  const size = value < 0n ? -value : value;
  const digits = (size % 1_000_000n).toString().padStart(6, "0");
  return `${value < 0n ? "−" : ""}${size / 1_000_000n}.${digits}`;
}

/** The micro-JAM of an amount as it is written, exactly. Throws an Error for what is none, in words. */
export function microOf(text) {
  const [, whole, part = ""] = /^\s*([0-9]{1,12})(?:\.([0-9]{1,6}))?\s*$/.exec(text) ?? [];
  if (whole === undefined) throw new Error("An amount is written like 12 or 0.25, with six decimals at most.");
  const micro = BigInt(whole) * 1_000_000n + BigInt(part.padEnd(6, "0"));
  if (micro === 0n) throw new Error("The amount is zero. Write more than 0.000000.");
  if (micro > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error("There is not that much in the world.");
  return Number(micro);
}

/** Microseconds as milliseconds. */
export function ms(us, digits = 1) {
  return known(us) ? `${(us / 1000).toFixed(digits)} ms` : DASH;
}

/** A Q16 share as a percentage. */
export function percent(q16) {
  return known(q16) ? `${Math.round((q16 / 65536) * 100)}%` : DASH;
}

/** A Q16 factor with three decimals. */
export function factor(q16) {
  return known(q16) ? (q16 / 65536).toFixed(3) : DASH;
}

/** A count with thin spaces between thousands. */
export function count(value) {
  return known(value) ? String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009") : DASH;
}

/** Thousandths of a beat per minute as BPM. */
export function bpm(mbpm) {
  return known(mbpm) ? String(Math.round(mbpm / 100) / 10) : DASH;
}

/** How long something has lasted. */
export function span(us) {
  if (!known(us) || us < 0) return DASH;
  const seconds = Math.floor(us / 1e6);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** The first eight digits of an id, as everywhere in SymJam. */
export function short(id) {
  return id ? id.slice(0, 8) : DASH;
}

// Made once: making one takes longer than a note may.
const clocks = ["2-digit", undefined].map((second) => new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second, hour12: false }));
const days = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** When a window began, as a clock shows it; with the day when it was not today. */
export function windowTime(window, windowS) {
  if (!known(window) || !known(windowS)) return DASH;
  const at = new Date(window * windowS * 1000);
  const time = clocks[windowS % 60 ? 0 : 1].format(at);
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${days.format(at)} ${time}`;
}
