// A drum kit out of oscillators and noise: each piece schedules its own nodes and lets them end by themselves.
//
// That is some ten nodes a stroke, and a full room strikes a hundred times a second. A stroke differs from a softer one of
// its piece in loudness alone, so each piece is recorded a few times, once, and played from there as soon as that is done.

const noises = new WeakMap();

function noise(context) {
  if (!noises.has(context)) {
    const buffer = context.createBuffer(1, context.sampleRate * 2, context.sampleRate);
    const data = buffer.getChannelData(0);
    for (let i = 0; i < data.length; i++) data[i] = Math.random() * 2 - 1;
    noises.set(context, buffer);
  }
  return noises.get(context);
}

function envelope(context, out, at, peak, decayS) {
  const gain = context.createGain();
  gain.gain.setValueAtTime(peak, at);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + decayS);
  gain.connect(out);
  return gain;
}

function drop(context, out, at, { from, to, bendS, decayS, peak, type = "sine" }) {
  const oscillator = context.createOscillator();
  oscillator.type = type;
  oscillator.frequency.setValueAtTime(from, at);
  oscillator.frequency.exponentialRampToValueAtTime(to, at + bendS);
  oscillator.connect(envelope(context, out, at, peak, decayS));
  oscillator.start(at);
  oscillator.stop(at + decayS);
}

function hiss(context, out, at, { filter, hz, q = 0.8, decayS, peak }) {
  const source = context.createBufferSource();
  source.buffer = noise(context);
  const shape = context.createBiquadFilter();
  shape.type = filter;
  shape.frequency.value = hz;
  shape.Q.value = q;
  source.connect(shape).connect(envelope(context, out, at, peak, decayS));
  source.start(at, Math.random());
  source.stop(at + decayS);
}

// Six detuned squares through a high-pass: the metal of a cymbal.
const PARTIALS = [2, 3, 4.16, 5.43, 6.79, 8.21];
function metal(context, out, at, { base, hz, decayS, peak }) {
  const shape = context.createBiquadFilter();
  shape.type = "highpass";
  shape.frequency.value = hz;
  shape.connect(envelope(context, out, at, peak, decayS));
  for (const ratio of PARTIALS) {
    const oscillator = context.createOscillator();
    oscillator.type = "square";
    oscillator.frequency.value = base * ratio;
    oscillator.connect(shape);
    oscillator.start(at);
    oscillator.stop(at + decayS);
  }
}

const tom = (from) => (context, out, at, v) => {
  drop(context, out, at, { from, to: from * 0.55, bendS: 0.12, decayS: 0.42, peak: v * 0.9 });
  hiss(context, out, at, { filter: "lowpass", hz: 900, decayS: 0.05, peak: v * 0.25 });
};

const PIECES = [
  (context, out, at, v) => {
    drop(context, out, at, { from: 165, to: 46, bendS: 0.085, decayS: 0.4, peak: v * 1.25 });
    hiss(context, out, at, { filter: "lowpass", hz: 2_600, decayS: 0.018, peak: v * 0.5 });
  },
  (context, out, at, v) => {
    drop(context, out, at, { from: 235, to: 165, bendS: 0.05, decayS: 0.15, peak: v * 0.55, type: "triangle" });
    hiss(context, out, at, { filter: "bandpass", hz: 2_300, q: 0.5, decayS: 0.19, peak: v * 0.85 });
    hiss(context, out, at, { filter: "highpass", hz: 6_000, decayS: 0.09, peak: v * 0.3 });
  },
  tom(250),
  tom(182),
  tom(125),
  (context, out, at, v) => metal(context, out, at, { base: 62, hz: 7_400, decayS: 0.42, peak: v * 0.2 }),
  (context, out, at, v) => metal(context, out, at, { base: 62, hz: 8_200, decayS: 0.07, peak: v * 0.24 }),
  (context, out, at, v) => {
    metal(context, out, at, { base: 54, hz: 5_200, decayS: 1.3, peak: v * 0.14 });
    hiss(context, out, at, { filter: "highpass", hz: 4_600, decayS: 1.1, peak: v * 0.34 });
  },
  (context, out, at, v) => {
    metal(context, out, at, { base: 84, hz: 6_400, decayS: 0.75, peak: v * 0.13 });
    drop(context, out, at, { from: 1_190, to: 1_170, bendS: 0.05, decayS: 0.22, peak: v * 0.1, type: "triangle" });
  },
  (context, out, at, v) => {
    for (const late of [0, 0.011, 0.023]) {
      hiss(context, out, at + late, { filter: "bandpass", hz: 1_350, q: 1.4, decayS: 0.03, peak: v * 0.8 });
    }
    hiss(context, out, at + 0.03, { filter: "bandpass", hz: 1_250, q: 1.1, decayS: 0.16, peak: v * 0.75 });
  },
];

const TAKES = 3; // of each piece: no two strokes in a row are the same noise
const LONGEST_S = [0.45, 0.25, 0.45, 0.45, 0.45, 0.45, 0.12, 1.35, 0.8, 0.25];
const kits = new WeakMap();

class Kit {
  #takes = PIECES.map(() => []);
  #next = 0;

  /** A recorded stroke of a piece, undefined before there is one. */
  take(lane) {
    const takes = this.#takes[lane];
    return takes[this.#next++ % takes.length];
  }

  /** Records all pieces, one after the other. */
  async record(rate) {
    for (let round = 0; round < TAKES; round++) {
      for (const [lane, piece] of PIECES.entries()) {
        const studio = new OfflineAudioContext(1, Math.ceil(LONGEST_S[lane] * rate), rate);
        piece(studio, studio.destination, 0, 1);
        this.#takes[lane].push(await studio.startRendering());
      }
    }
  }
}

/** Makes the kit of a context ready; what is struck before that sounds all the same. */
export function tune(context) {
  if (kits.has(context)) return;
  const kit = new Kit();
  kits.set(context, kit);
  kit.record(context.sampleRate);
}

/** Strikes the piece of a lane; returns when it has died away. */
export function strike(context, out, at, lane, velocity) {
  const force = (velocity / 127) ** 1.4;
  const take = kits.get(context)?.take(lane);
  if (!take) {
    PIECES[lane](context, out, at, force);
    return at + 1.5;
  }
  const source = context.createBufferSource();
  const gain = context.createGain();
  source.buffer = take;
  gain.gain.value = force;
  source.connect(gain).connect(out);
  source.start(at);
  return at + take.duration;
}
