// What a hit is worth: the integer table of consensus/quality/wife3.py, to the last bit (a test compares them). The
// node measures windows; this is only so that a label can appear in the frame in which a key was pressed.

const TABLE_Q16 = [
  65536, 65536, 65536, 65536, 65536, 65536, 65520, 65516, 65511, 65504,
  65496, 65486, 65473, 65458, 65439, 65415, 65387, 65353, 65313, 65263,
  65205, 65135, 65052, 64954, 64839, 64704, 64546, 64362, 64149, 63904,
  63621, 63297, 62928, 62509, 62033, 61498, 60896, 60222, 59471, 58637,
  57714, 56698, 55582, 54362, 53034, 51592, 50035, 48358, 46560, 44639,
  42595, 40429, 38142, 35737, 33217, 30587, 27853, 25022, 22101, 19100,
  16029, 12897, 9716, 6499, 3256, 0, -1567, -3134, -4701, -6269,
  -7836, -9403, -10970, -12537, -14104, -15672, -17239, -18806, -20373, -21940,
  -23507, -25075, -26642, -28209, -29776, -31343, -32910, -34478, -36045, -37612,
  -39179, -40746, -42313, -43881, -45448, -47015, -48582, -50149, -51716, -53284,
  -54851, -56418, -57985, -59552, -61119, -62687, -64254, -65821, -67388, -68955,
  -70522, -72090, -73657, -75224, -76791, -78358, -79925, -81493, -83060, -84627,
  -86194, -87761, -89328, -90896, -92463, -94030, -95597, -97164, -98731, -100299,
  -101866, -103433, -105000, -106567, -108134, -109702, -111269, -112836, -114403, -115970,
  -117537, -119105, -120672, -122239, -123806, -125373, -126940, -128508, -130075, -131642,
  -133209, -134776, -136343, -137911, -139478, -141045, -142612, -144179, -145746, -147314,
  -148881, -150448, -152015, -153582, -155149, -156717, -158284, -159851, -161418, -162985,
  -164552, -166120, -167687, -169254, -170821, -172388, -173955, -175523, -177090, -178657,
  -180224,
];
const MISS_MS = TABLE_Q16.length - 1;
const ONE_Q16 = 65_536;
const COOL_Q16 = Math.round(0.95 * ONE_Q16); // within 23 ms: more than any window is paid for
const MINUTE_MBPM_US = 60_000_000_000n;

/** What a hit so many whole microseconds from its step is worth, -2.75 to 1 in Q16. */
export function worthQ16(errorUs) {
  const size = Math.abs(errorUs);
  const ms = Math.floor(size / 1_000);
  if (ms >= MISS_MS) return TABLE_Q16[MISS_MS];
  return TABLE_Q16[ms] + Math.floor(((TABLE_Q16[ms + 1] - TABLE_Q16[ms]) * (size - ms * 1_000)) / 1_000);
}

/** How late a session time is against its nearest step, whole microseconds, as Grid.deviation_us of the rules. */
export function deviationUs(tUs, { tempo_mbpm: tempo, subdivision }) {
  const scale = BigInt(tempo) * BigInt(subdivision);
  const place = BigInt(Math.round(tUs)) * scale;
  const step = floorDiv(2n * place + MINUTE_MBPM_US, 2n * MINUTE_MBPM_US);
  return Number(floorDiv(2n * (place - step * MINUTE_MBPM_US) + scale, 2n * scale));
}

function floorDiv(a, b) {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/**
 * The label of a hit after `lagUs`, the constant offset that the node found, was taken out: COOL is worth all that
 * counts, GOOD more than chance on this grid (`chanceQ16`), BAD no more than chance, so it lowers the accuracy.
 */
export function judge(tUs, session, lagUs = 0, chanceQ16 = 0) {
  const errorUs = deviationUs(tUs - lagUs, session);
  const worth = worthQ16(errorUs);
  const stepUs = 60e9 / (session.tempo_mbpm * session.subdivision);
  const label = worth <= Math.max(0, chanceQ16) ? "BAD" : worth >= COOL_Q16 ? "COOL" : "GOOD";
  return { label, errorUs, worth, share: Math.abs(errorUs) / stepUs };
}
