// Instruments: which pitch each of the ten lanes plays, and what it is called.
//
// All melodic ones share one scale, G minor pentatonic, so that whatever two people press together agrees. No two
// instruments give the same lane the same pitch: a listener therefore knows the instrument from a note alone, and
// nothing about sounds needs to travel (ids on the wire, sounds at home).

const NOTES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

export const INSTRUMENTS = {
  drums: {
    label: "Drum kit",
    pitches: [36, 38, 50, 47, 43, 46, 42, 49, 51, 39],
    names: ["kick", "snare", "high tom", "mid tom", "low tom", "open hat", "hat", "crash", "ride", "clap"],
    // What drum machines and recordings send for the same lane.
    also: [[35], [37, 40], [48], [45], [58], [26], [22, 44], [52, 55, 57], [53, 59], [54, 56]],
  },
  keys: { label: "Keys", pitches: [55, 58, 60, 62, 65, 67, 70, 72, 74, 77] },
  pluck: { label: "Pluck", pitches: [67, 70, 72, 74, 77, 79, 82, 84, 86, 89] },
  bass: { label: "Bass", pitches: [31, 34, 36, 38, 41, 43, 46, 48, 50, 53] },
};

/** The name of a lane's sound: a drum, or a note. */
export function soundName(instrument, lane) {
  const { names, pitches } = INSTRUMENTS[instrument];
  return names ? names[lane] : NOTES[pitches[lane] % 12];
}

/** The instrument that a note was most likely played on. */
export function guess(lane, pitch) {
  for (const [name, { pitches, also }] of Object.entries(INSTRUMENTS)) {
    if (pitches[lane] === pitch || also?.[lane].includes(pitch)) return name;
  }
  return pitch < 54 ? "bass" : "keys";
}
