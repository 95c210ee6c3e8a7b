// What is shown of a clock: it follows what is measured, and the time that comes of it never goes back (jam/slew.py).
//
// A small error is put right by a millisecond a second. A difference beyond 50 ms means that a clock was set: forward it
// is taken at once, backward time goes at half its pace until it is right; only ten seconds are taken backward too. In the
// first five seconds every difference is taken so: what was shown first may be rough.

const SLEW = 0.001;
const SET_US = 50_000;
const ANEW_US = 10_000_000;
const SETTLING_US = 5_000_000;

export class Slewed {
  #shown = null;
  #shownAtUs = 0;
  #beganUs = null;
  #target = 0;
  #targetAtUs = 0;
  #rate = 0;
  #pace = SLEW;

  /** What is measured: an offset, microseconds, as of a moment, and what it gains each microsecond. */
  aim(offsetUs, atUs, rate = 0) {
    const before = this.at(atUs);
    const missing = offsetUs - before;
    this.#beganUs ??= atUs;
    const setUs = atUs - this.#beganUs < SETTLING_US ? 0 : SET_US;
    const isSet = before === null || missing > setUs || missing < -ANEW_US;
    this.#shown = isSet ? offsetUs : before;
    this.#shownAtUs = atUs;
    this.#pace = missing < -setUs ? 0.5 : SLEW;
    [this.#target, this.#targetAtUs, this.#rate] = [offsetUs, atUs, rate];
  }

  /** What is measured, at a moment; null before there is anything. */
  targetAt(us) {
    return this.#shown === null ? null : this.#target + this.#rate * (us - this.#targetAtUs);
  }

  /** What is shown at a moment; null before there is anything. */
  at(us) {
    if (this.#shown === null) return null;
    const room = Math.max(0, us - this.#shownAtUs) * this.#pace;
    return this.#shown + Math.max(-room, Math.min(room, this.targetAt(us) - this.#shown));
  }
}
