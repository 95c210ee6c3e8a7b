// One frame loop for the whole page; it stops when nobody draws or nobody sees.
//
// Keys and notes wait for the picture that is being drawn when they come. So drawing may take an eighth of the time: where a
// picture costs more than the screen's pace allows for (no GPU, a slow phone), the next one comes later. What a picture costs
// beyond this thread shows as the next one's beginning late. Whatever moves while people play is moved here, not by the
// browser's own animations, which keep the screen's pace whatever they cost. While nothing goes on, faces breathe.

const SHARE = 1 / 8;
const LONGEST_MS = 200; // between two pictures, whatever they cost
const IDLE_MS = 80;
const FRAME_MS = 1000 / 60;
const EASE = 0.1;

const drawers = new Set();
const painted = new MessageChannel(); // its messages come when the browser has painted what a frame has changed
let running = false;
let dueMs = 0;
let beganMs = 0;
let costMs = 0;
let lively = true; // whether anything went on in the last picture
let resting = null; // the timer, while nothing goes on

/** How long to rest after a picture, from what pictures cost lately and what has gone since it was begun. */
export function restMs(costMs, goneMs) {
  return Math.max(0, Math.min(LONGEST_MS, costMs / SHARE) - goneMs);
}

function after(restMs) {
  if (restMs > 0) return setTimeout(ask, restMs);
  ask();
  return null;
}

function ask() {
  resting = null;
  dueMs = performance.now() + FRAME_MS;
  requestAnimationFrame(frame);
}

painted.port1.onmessage = () => {
  const goneMs = performance.now() - beganMs;
  const wholeMs = goneMs + Math.max(0, beganMs - dueMs);
  costMs += (Math.min(wholeMs, LONGEST_MS) - costMs) * EASE;
  const rest = restMs(costMs, goneMs) - FRAME_MS / 2; // to the nearest frame of the screen
  const timer = after(lively ? rest : Math.max(rest, IDLE_MS - FRAME_MS));
  resting = lively ? null : timer;
};

function frame(nowMs) {
  beganMs = performance.now();
  lively = false;
  for (const draw of drawers) lively = draw(nowMs) !== false || lively;
  running = drawers.size > 0;
  if (running) painted.port2.postMessage(null);
}

/** Calls draw(nowMs) with every frame that is drawn, until the returned function is called. A `draw` that returns false
 * says that nothing goes on; when all do, frames are few until `wake`. */
export function eachFrame(draw) {
  drawers.add(draw);
  if (!running) {
    running = true;
    ask();
  }
  return () => drawers.delete(draw);
}

/** Something goes on again: the next frame is soon. */
export function wake() {
  if (resting === null) return;
  clearTimeout(resting);
  ask();
}
