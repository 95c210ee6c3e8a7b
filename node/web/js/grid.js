// Session time and its grid: beats, bars, and how far a note is from where it was meant.

/** Microseconds per beat. */
export function beatUs(session) {
  return 60e9 / session.tempo_mbpm;
}

/** Microseconds per grid step. */
export function stepUs(session) {
  return beatUs(session) / session.subdivision;
}

/** Where a session time lies: whole bars, whole beats in the bar, and the share of the beat gone. */
export function place(tUs, session) {
  const beats = tUs / beatUs(session);
  const whole = Math.floor(beats);
  const bar = Math.floor(whole / session.beats_per_bar);
  return { bar, beat: whole - bar * session.beats_per_bar, phase: beats - whole };
}

// O2Jam's shares, of a step instead of a beat: with sixteenths no note is ever further than an eighth of a beat off,
// so shares of the beat would call everything COOL. Labels are for the eye only; what counts is judged in consensus/.
const COOL = 0.125;
const GOOD = 0.375;

/** The label of a hit and its distance from the nearest grid step, microseconds (negative is early). */
export function judge(tUs, session) {
  const step = stepUs(session);
  const errorUs = tUs - Math.round(tUs / step) * step;
  const share = Math.abs(errorUs) / step;
  return { label: share <= COOL ? "COOL" : share <= GOOD ? "GOOD" : "BAD", errorUs, share };
}
