// Melodic voices. Each returns `release(at)`, which lets the note end, and never ends abruptly.

const hertz = (pitch) => 440 * 2 ** ((pitch - 69) / 12);

function release(gain, nodes, at, tailS) {
  gain.gain.cancelScheduledValues(at);
  gain.gain.setTargetAtTime(0, at, tailS / 4);
  for (const node of nodes) node.stop(at + tailS * 2);
}

/** An electric piano: two FM pairs, one for the body and one for the tine. */
export function keys(context, out, at, pitch, v) {
  const frequency = hertz(pitch);
  const body = context.createGain();
  body.gain.setValueAtTime(0, at);
  body.gain.linearRampToValueAtTime(v * 0.42, at + 0.004);
  body.gain.setTargetAtTime(v * 0.1, at + 0.004, 0.55);
  body.connect(out);
  const nodes = [];
  for (const [ratio, depth, fadeS, level] of [[1, 1.3, 0.5, 1], [13, 0.55 * v, 0.06, 0.34]]) {
    const carrier = context.createOscillator();
    const modulator = context.createOscillator();
    const index = context.createGain();
    const share = context.createGain();
    carrier.frequency.value = frequency;
    modulator.frequency.value = frequency * ratio;
    index.gain.setValueAtTime(frequency * depth * (0.4 + v), at);
    index.gain.setTargetAtTime(frequency * 0.12, at, fadeS);
    share.gain.value = level;
    modulator.connect(index).connect(carrier.frequency);
    carrier.connect(share).connect(body);
    nodes.push(carrier, modulator);
  }
  for (const node of nodes) {
    node.start(at);
    node.stop(at + 6);
  }
  return (end) => release(body, nodes, end, 0.22);
}

/** A round bass: saw over a sine an octave below, through a low-pass that closes. */
export function bass(context, out, at, pitch, v) {
  const frequency = hertz(pitch);
  const filter = context.createBiquadFilter();
  filter.type = "lowpass";
  filter.Q.value = 4;
  filter.frequency.setValueAtTime(frequency * (4 + 9 * v), at);
  filter.frequency.setTargetAtTime(frequency * 2.2, at, 0.16);
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(v * 0.5, at + 0.005);
  gain.gain.setTargetAtTime(v * 0.3, at + 0.01, 0.3);
  filter.connect(gain).connect(out);
  const saw = context.createOscillator();
  saw.type = "sawtooth";
  saw.frequency.value = frequency;
  const low = context.createOscillator();
  low.frequency.value = frequency;
  const weight = context.createGain();
  weight.gain.value = 0.9;
  saw.connect(filter);
  low.connect(weight).connect(gain);
  for (const node of [saw, low]) {
    node.start(at);
    node.stop(at + 5);
  }
  return (end) => release(gain, [saw, low], end, 0.12);
}

// Karplus-Strong: a burst of noise round a delay line of one period, losing its edge at each turn.
const strings = new WeakMap();
function string(context, pitch) {
  const made = strings.get(context) ?? strings.set(context, new Map()).get(context);
  if (!made.has(pitch)) {
    const rate = context.sampleRate;
    const period = rate / hertz(pitch);
    const length = Math.floor(period);
    const share = period - length;
    const buffer = context.createBuffer(1, rate * 2, rate);
    const data = buffer.getChannelData(0);
    for (let i = 0; i <= length; i++) data[i] = Math.random() * 2 - 1;
    for (let i = length + 1; i < data.length; i++) {
      const near = data[i - length] * (1 - share) + data[i - length - 1] * share;
      const far = i - length - 2 >= 0 ? data[i - length - 2] : 0;
      data[i] = (near * 0.72 + far * 0.28) * 0.9965;
    }
    made.set(pitch, buffer);
  }
  return made.get(pitch);
}

/** A plucked string. */
export function pluck(context, out, at, pitch, v) {
  const source = context.createBufferSource();
  source.buffer = string(context, pitch);
  const tone = context.createBiquadFilter();
  tone.type = "lowpass";
  tone.frequency.value = 1_400 + 6_500 * v * v;
  const gain = context.createGain();
  gain.gain.value = v * 0.75;
  source.connect(tone).connect(gain).connect(out);
  source.start(at);
  return (end) => release(gain, [source], end, 0.5);
}
