// Puts the page together: one connection, one clock, one sound, four views.

import { Audio } from "./audio.js";
import { Chart } from "./chart.js";
import { NodeClock } from "./clock.js";
import { Connection } from "./connection.js";
import { h, say } from "./dom.js";
import { Faces } from "./faces.js";
import { GuestView } from "./guest.js";
import { JamView } from "./jam.js";
import { ms, span } from "./format.js";
import { Keyboard } from "./keyboard.js";
import { LedgerView } from "./ledger.js";
import { MeshView } from "./mesh.js";
import { MidiIn } from "./midi_in.js";
import { nameOf } from "./people.js";
import { PlayView } from "./play.js";
import { Player } from "./player.js";
import { Playout } from "./playout.js";
import { settings } from "./settings.js";
import { SetupView } from "./setup.js";
import { eachFrame, wake } from "./ticker.js";
import { ENDED, enter } from "./visit.js";
import { WalletView } from "./wallet.js";
import { World } from "./world.js";

const VIEWS = ["play", "mesh", "ledger", "wallet", "jam", "setup"]; // a guest's fifth is about the guest
const UPDATE_MS = 250;
const TROUBLE_MS = 8_000;

const find = (id) => document.getElementById(id);

class Page {
  constructor(token, guest) {
    const clock = new NodeClock();
    const connection = new Connection(token, clock);
    const world = new World(connection);
    const audio = new Audio();
    const playout = new Playout(clock, () => this.#tick());
    const player = new Player(world, connection, clock, audio, playout);
    const chart = new Chart(world, connection);
    const keyboard = new Keyboard();
    const say = (words) => this.#tell(words);
    const app = { clock, connection, world, audio, playout, player, chart, keyboard, say, guest, faces: new Faces(), midi: new MidiIn() };
    this.app = app;
    this.views = {
      play: new PlayView(app), mesh: new MeshView(app), ledger: new LedgerView(app), wallet: new WalletView(app),
      jam: guest ? new GuestView(app) : new JamView(app), setup: new SetupView(app),
    };
    if (guest) document.querySelector(".tabs a[data-view=jam]").firstChild.textContent = "You";
    this.here = null;
    this.troubleUntilMs = 0;
    this.#listen();
    this.#route();
    eachFrame((nowMs) => this.#draw(nowMs));
    setInterval(() => this.#update(), UPDATE_MS);
    connection.retry();
  }

  #listen() {
    const { connection, world, audio } = this.app;
    addEventListener("hashchange", () => this.#route());
    addEventListener("keydown", (event) => this.#shortcut(event));
    const windows = new BroadcastChannel("symjam.sound");
    windows.addEventListener("message", () => audio.setFront(false));
    for (const gesture of ["pointerdown", "keydown"]) {
      addEventListener(gesture, ({ repeat }) => repeat || this.#touched(windows), { capture: true });
    }
    connection.addEventListener("state", () => this.#update());
    world.addEventListener("session", () => this.#update());
    world.addEventListener("trouble", ({ detail }) => this.#trouble(`${detail.what}: ${detail.why}. ${detail.remedy}`));
    this.app.playout.addEventListener("astray", ({ detail }) => {
      this.#trouble(`${nameOf(detail.player)} plays ${span(detail.aheadMs * 1_000)} ahead of this jam: those notes are kept as they came, and not heard. The clock of their node may have been set; starting it again there reads it anew.`);
    });
    world.addEventListener("settled", ({ detail }) => {
      if (detail.state === "local") this.app.faces.celebrate(detail.proposer);
      wake();
      if (detail.proposer === world.me) this.#tell(`Your block is ${detail.state === "local" ? "accepted" : detail.state}: ${detail.words[0] ?? ""}`);
    });
    world.addEventListener("session", () => this.#tell(world.session ? `The jam is ${world.session.title || "untitled"}.` : "No jam is on."));
    world.addEventListener("status", () => this.#tellWhoCame(world.players));
    world.addEventListener("windows", () => this.#tellWindow(world.windows[0]));
    find("pop").addEventListener("click", () => open(`${location.pathname}#/${this.current}`, `symjam-${this.current}`, "popup,width=960,height=680"));
  }

  #touched(windows) {
    this.app.audio.wake(settings.volume);
    this.app.audio.setFront(true);
    windows.postMessage("mine");
  }

  #shortcut(event) {
    if (event.ctrlKey || event.metaKey || event.target.closest?.("select, input:not([type=range]):not([type=checkbox])")) return;
    const digit = /^Digit([1-6])$/.exec(event.code);
    if (digit) {
      event.preventDefault();
      location.hash = `#/${VIEWS[digit[1] - 1]}`;
      find("main").focus({ preventScroll: true }); // a screen reader goes on in the new view
      return;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tab = event.target.closest?.(".tabs a");
    if (!step || !tab) return;
    event.preventDefault();
    const next = VIEWS[(VIEWS.indexOf(tab.dataset.view) + step + VIEWS.length) % VIEWS.length];
    location.hash = `#/${next}`;
    document.querySelector(`.tabs a[data-view=${next}]`).focus();
  }

  #route() {
    const wanted = location.hash.replace(/^#\/?/, "");
    this.current = VIEWS.includes(wanted) ? wanted : "play";
    const view = this.views[this.current];
    if (find("main").firstElementChild !== view.node) find("main").replaceChildren(view.node);
    document.body.dataset.view = this.current;
    document.title = `${view.title} · SymJam`;
    for (const tab of document.querySelectorAll(".tabs a")) {
      if (tab.dataset.view === this.current) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    this.#update();
  }

  #tick() {
    this.app.audio.sample();
    this.app.player.flush();
    this.views.play.tick();
  }

  #update() {
    this.views[this.current].update();
    this.#tellState();
  }

  // How well this page knows the time of the jam: its own clock against the node's, and the node's against the creator's.
  #clockWords() {
    const { clock, world } = this.app;
    if (world.session && !world.session.clock) return "the jam's clock is not known yet";
    return `clock ± ${ms(clock.uncertaintyUs + (world.session?.clock.uncertainty_us ?? 0), 2)}`;
  }

  #tellState() {
    const { connection, clock, world } = this.app;
    const others = world.players.length - 1;
    const company = { 0: "alone" }[others] ?? (others === 1 ? "1 other" : `${others} others`);
    const words = {
      live: () => (clock.ready && world.status ? `${company} · ${this.#clockWords()}` : "live"),
      connecting: () => "connecting",
      gone: () => "node is gone",
      refused: () => "not allowed",
    };
    document.body.dataset.state = connection.state;
    say(find("live"), words[connection.state]());
    const seconds = Math.max(0, Math.ceil((connection.retryAtMs - performance.now()) / 1_000));
    const remedy = this.app.guest ? "Are you still on the Wi-Fi?" : "Start it with symjam up.";
    if (connection.state === "gone") this.#banner(`The node is gone. Trying again ${seconds ? `in ${seconds} s` : "now"}. ${remedy}`, "Try now", () => connection.retry());
    else if (connection.state === "refused") this.#banner(this.app.guest ? ENDED : "This window's key is not valid any more. Open the address that symjam up printed.");
    else if (performance.now() > this.troubleUntilMs) find("banner").hidden = true;
  }

  // For those who hear the page and do not see it: what happens, in its own region, one thing at a time.
  #tell(words) {
    say(find("said"), words);
  }

  #tellWhoCame(players) {
    const before = this.here;
    this.here = new Set(players);
    if (!before) return;
    const came = players.filter((id) => !before.has(id)).map(nameOf);
    const went = [...before].filter((id) => !this.here.has(id)).map(nameOf);
    if (came.length) this.#tell(`${came.join(", ")} came.`);
    if (went.length) this.#tell(`${went.join(", ")} left.`);
  }

  #tellWindow(window) {
    if (window?.outcome === "refused") this.#tell(`Your window has no block: ${window.words || window.why}.`);
  }

  #trouble(words) {
    this.troubleUntilMs = performance.now() + TROUBLE_MS;
    this.#banner(words);
  }

  #banner(words, action, onclick) {
    const banner = find("banner");
    const key = `${words.replace(/\d+ s/, "")}${action ?? ""}`;
    if (banner.dataset.key !== key) {
      banner.dataset.key = key;
      banner.replaceChildren(h("span"), action ? h("button", { type: "button", onclick }, action) : "");
    }
    say(banner.firstChild, words);
    banner.hidden = false;
  }

  #draw(nowMs) {
    const lively = this.views[this.current].draw(nowMs);
    this.app.faces.draw(nowMs, this.views.play.beatPhase(nowMs));
    return lively;
  }
}

const { token, guest, trouble } = await enter();
if (token) {
  // For the console and for tests that look at the page from outside.
  globalThis.symjam = new Page(token, guest);
} else {
  document.body.dataset.state = "refused";
  find("main").replaceChildren(h("p", { class: "empty", role: "alert" }, trouble));
}
