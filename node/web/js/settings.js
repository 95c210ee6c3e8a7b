// What a listener chose, kept by the browser for this page only.

const KEY = "symjam.settings";
const FIRST = { voice: "drums", voices: {}, volumes: {}, volume: 80, metronome: false, hear: "direct" };

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
