// One frame loop for the whole page; it stops when nobody draws or nobody sees.
//
// Keys and notes wait for the picture that is being drawn when they come. So drawing may take an eighth of the time: where a
// picture costs more than the screen's pace allows for (no GPU, a slow phone), the next one comes later.

const SHARE = 1 / 8;
const LONGEST_MS = 66; // between two pictures, whatever they cost
const FRAME_MS = 1000 / 60;
const EASE = 0.1;

const drawers = new Set();
const painted = new MessageChannel(); // its messages come when the browser has painted what a frame has changed
let running = false;
let beganMs = 0;
let costMs = 0;

/** How long to rest after a picture, from what pictures cost lately and what has gone since it was begun. */
export function restMs(costMs, goneMs) {
  return Math.max(0, Math.min(LONGEST_MS, costMs / SHARE) - goneMs);
}

painted.port1.onmessage = () => {
  const goneMs = performance.now() - beganMs;
  costMs += (Math.min(goneMs, LONGEST_MS) - costMs) * EASE;
  const rest = restMs(costMs, goneMs) - FRAME_MS / 2; // to the nearest frame of the screen
  if (rest > 0) setTimeout(() => requestAnimationFrame(frame), rest);
  else requestAnimationFrame(frame);
};

function frame(nowMs) {
  beganMs = performance.now();
  for (const draw of drawers) draw(nowMs);
  running = drawers.size > 0;
  if (running) painted.port2.postMessage(null);
}

/** Calls draw(nowMs) with every frame that is drawn, until the returned function is called. */
export function eachFrame(draw) {
  drawers.add(draw);
  if (!running) {
    running = true;
    requestAnimationFrame(frame);
  }
  return () => drawers.delete(draw);
}
