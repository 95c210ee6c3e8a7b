// One frame loop for the whole page; it stops when nobody draws or nobody sees.

const drawers = new Set();
let running = false;

function frame(nowMs) {
  for (const draw of drawers) draw(nowMs);
  running = drawers.size > 0;
  if (running) requestAnimationFrame(frame);
}

/** Calls draw(nowMs) every frame until the returned function is called. */
export function eachFrame(draw) {
  drawers.add(draw);
  if (!running) {
    running = true;
    requestAnimationFrame(frame);
  }
  return () => drawers.delete(draw);
}
