// What a listener chose, kept by the browser for this page only.

const KEY = "symjam.settings";
const FIRST = {
  voice: "drums",
  voices: {}, // by player: the instrument they are heard on
  volumes: {},
  muted: {},
  volume: 80,
  metronome: false,
  hear: "auto", // "direct", "bar", or by measured delay
  guide: true, // the pads light up when a note of the riff or of one's part is due
  snap: false, // others are heard and drawn on the grid
  codes: null, // the ten keys, where they are not the home row
  rollover: 0, // the largest number of keys that this keyboard has told apart
};

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return { ...FIRST, ...(kept && typeof kept === "object" ? kept : {}) };
  } catch {
    return { ...FIRST };
  }
}

export const settings = load();

/** Changes some settings and keeps them. */
export function change(changes) {
  Object.assign(settings, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Private windows may keep nothing; the choice still holds while the page is open.
  }
}

/** Sets one player's entry of a per-player setting; the table is bounded. */
export function changeFor(table, player, value) {
  const entries = Object.entries(settings[table]).filter(([key]) => key !== player);
  change({ [table]: Object.fromEntries([...entries.slice(-199), [player, value]]) });
}
