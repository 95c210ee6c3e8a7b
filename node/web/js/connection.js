// The live connection to the node: one WebSocket that comes back by itself.
//
// Dispatches `message` (detail: one message of docs/api.md) and `state`. States: connecting, live, gone (with
// `retryAtMs`), refused (the token is no longer right; trying again would not help).

const BACKOFF_MS = [250, 500, 1_000, 2_000, 4_000, 5_000];
const SILENCE_MS = 5_000; // the node sends a status every second
const PROBE_PAUSE_MS = 15;
const LOOK_EVERY_MS = 500;
const SLEPT_MS = 2_000; // between two looks: this page itself stood still
const OVER = 4401; // a guest's invitation has ended
const BURST_MAX_MS = 1_000; // by then its last probe has left

export class Connection extends EventTarget {
  #token;
  #clock;
  #socket = null;
  #attempt = 0;
  #probes = new Map();
  #nextId = 1;
  #heardAtMs = 0;
  #lookedAtMs = 0;
  #burstAtMs = 0;
  #timer = 0;

  state = "connecting";
  retryAtMs = 0;

  constructor(token, clock) {
    super();
    this.#token = token;
    this.#clock = clock;
    setInterval(() => this.#watch(), LOOK_EVERY_MS);
    addEventListener("online", () => this.retry());
  }

  /** Connects; later, tries again at once. */
  retry() {
    if (this.#socket || this.state === "refused") return;
    clearTimeout(this.#timer);
    this.#enter("connecting");
    const socket = new WebSocket(`ws://${location.host}/ws`, ["symjam", `token.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      this.#heardAtMs = performance.now(); // before anything is done with it
      this.#hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", ({ code }) => this.#lost(socket, code));
  }

  /** Sends a message; false when there is nobody to send it to. */
  send(message) {
    if (this.state !== "live" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Goes for good: this page's key is not valid any more, by its own wish. */
  leave() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    socket?.close();
    this.#enter("refused");
  }

  /** A fresh id for a message. */
  id() {
    return this.#nextId++;
  }

  /** One answer of the HTTP half; throws an Error with the node's words. */
  async get(path) {
    return (await this.#ask("GET", path)).json();
  }

  /** The same of a call that does something; `body` is JSON, or bytes as they are. */
  async call(method, path, body) {
    const raw = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
    return (await this.#ask(method, path, raw)).json();
  }

  /** A file that the node gives. */
  async file(path) {
    return (await this.#ask("GET", path)).blob();
  }

  async #ask(method, path, body) {
    let answer;
    try {
      answer = await fetch(path, { method, body, headers: { Authorization: `Bearer ${this.#token}` }, cache: "no-store" });
    } catch {
      throw new Error("the node does not answer");
    }
    if (answer.ok) return answer;
    const words = await answer.json();
    throw new Error(`${words.what}: ${words.why}. ${words.remedy}`);
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #hear(message) {
    if (message.type === "pong") {
      const sentMs = this.#probes.get(message.id);
      if (this.#probes.delete(message.id)) this.#clock.add(sentMs, message.node_us, this.#heardAtMs);
      return;
    }
    if (message.type === "hello" && this.state !== "live") {
      this.#attempt = 0;
      this.#clock.reset();
      this.#enter("live");
      this.#burst();
    }
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #burst() {
    this.#burstAtMs = performance.now();
    for (let i = 0; i < this.#clock.probes; i++) setTimeout(() => this.#probe(), i * PROBE_PAUSE_MS);
  }

  #probe() {
    if (this.#probes.size > 64) this.#probes.clear();
    const id = this.id();
    this.#probes.set(id, performance.now());
    if (!this.send({ type: "ping", id })) this.#probes.delete(id);
  }

  #watch() {
    const nowMs = performance.now();
    const slept = nowMs - this.#lookedAtMs > SLEPT_MS;
    this.#lookedAtMs = nowMs;
    if (slept) this.#heardAtMs = nowMs; // what the node said meanwhile waits to be read
    if (this.state !== "live") return;
    if (performance.now() - this.#heardAtMs > SILENCE_MS) {
      const silent = this.#socket;
      silent.close();
      this.#lost(silent); // closing waits for the other side, which may be frozen
    } else if (Math.max(this.#clock.dueMs, this.#burstAtMs + BURST_MAX_MS) <= performance.now()) {
      this.#burst();
    }
  }

  async #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#probes.clear();
    const pause = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)] * (0.8 + Math.random() * 0.4);
    this.retryAtMs = performance.now() + pause;
    this.#timer = setTimeout(() => this.retry(), pause);
    this.#enter("gone");
    if (code === OVER || (await this.#isRefused())) {
      clearTimeout(this.#timer);
      this.#enter("refused");
    }
  }

  // A browser does not tell why a WebSocket was refused; a request does.
  async #isRefused() {
    try {
      const answer = await fetch("/api/status", { headers: { Authorization: `Bearer ${this.#token}` } });
      return answer.status === 401;
    } catch {
      return false;
    }
  }
}
