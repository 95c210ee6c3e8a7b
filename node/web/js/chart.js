// The chart that is on the board: kept up with, and laid along the session's time.
//
// News of the board comes by WebSocket, what is asked for by HTTP, and either may overtake the other: an answer counts
// only if nothing was told or asked since its question.

const TICKS_PER_BEAT = 96;

/** Dispatches `change` when the chart, its start or who plays which part has changed. */
export class Chart extends EventTarget {
  #connection;
  #world;
  #boardsAsked = 0;
  #chartsAsked = 0;
  #times = new Map(); // of each part the notes' beats, sorted

  /** Chart of docs/api.md; null when there is none, or it is not here whole yet. */
  chart = null;

  constructor(world, connection) {
    super();
    this.#world = world;
    this.#connection = connection;
    world.addEventListener("session", () => this.#learnBoard());
    world.addEventListener("board", () => this.#learnChart());
    connection.addEventListener("state", () => connection.state === "live" && this.#learnBoard());
  }

  get board() {
    return this.#world.board;
  }

  /** The parts, with who plays them: `[{part, player, notes}]`. */
  get parts() {
    const taken = new Map((this.board?.parts ?? []).map(({ part, player }) => [part, player]));
    return (this.chart?.parts ?? []).map(({ part, notes }) => ({ part, notes, player: taken.get(part) ?? null }));
  }

  async #learnBoard() {
    const mine = ++this.#boardsAsked;
    const heard = this.#world.boardsHeard;
    try {
      const { session, board } = await this.#connection.get("/api/session");
      if (mine !== this.#boardsAsked || heard !== this.#world.boardsHeard) return;
      if (session?.id === this.#world.session?.id) this.#world.setBoard(board);
    } catch {
      // The connection tells when it is back; then this is asked again.
    }
  }

  async #learnChart() {
    const mine = ++this.#chartsAsked;
    const wanted = this.board?.chart || null;
    if (!wanted) this.#set(null, null);
    else if (this.id !== wanted || !this.chart) {
      const { id, chart } = await this.#connection.get("/api/chart").catch(() => ({ id: null, chart: null }));
      if (mine !== this.#chartsAsked) return;
      this.#set(id, chart);
    }
    this.dispatchEvent(new Event("change"));
  }

  #set(id, chart) {
    this.id = id;
    this.chart = chart;
    this.#times = new Map((chart?.parts ?? []).map(({ part, notes }) => [part, notes.map(([tick]) => tick / TICKS_PER_BEAT)]));
  }

  /** Where in the chart a session time lies, as a share of its length; null before it begins. */
  progress(tUs, session) {
    const beats = this.#beats(tUs, session);
    const length = this.#length();
    return beats === null || beats < 0 ? null : (beats % length) / length;
  }

  #length() {
    return this.chart.bars * this.chart.beats_per_bar;
  }

  // Beats since the chart first began; null while there is none.
  #beats(tUs, session) {
    const start = this.board?.start_bar ?? null;
    if (!this.chart || start === null) return null;
    return (tUs * session.tempo_mbpm) / 60e9 - start * session.beats_per_bar;
  }

  /** Notes between two session times of the parts that somebody plays: `[{tUs, lane, player}]`. */
  between(fromUs, toUs, session) {
    const from = this.#beats(fromUs, session);
    const to = this.#beats(toUs, session);
    if (from === null || to < 0) return [];
    const found = [];
    const length = this.#length();
    const startBeat = this.board.start_bar * session.beats_per_bar;
    for (const { part, notes, player } of this.parts) {
      if (!player) continue;
      const beats = this.#times.get(part);
      for (let round = Math.max(0, Math.floor(from / length)); round * length <= to; round++) {
        for (let i = firstAt(beats, from - round * length); i < notes.length && beats[i] + round * length <= to; i++) {
          const tUs = ((startBeat + round * length + beats[i]) * 60e9) / session.tempo_mbpm;
          found.push({ tUs, lane: notes[i][1], player, kind: "chart", text: "" });
        }
      }
    }
    return found;
  }
}

function firstAt(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
