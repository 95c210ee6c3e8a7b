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
