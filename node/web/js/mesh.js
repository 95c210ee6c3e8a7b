// The Mesh view: who is connected with whom, how far away in time, and how far behind.

import { calm, h, s, say } from "./dom.js";
import { count, DASH, ms, short, span } from "./format.js";
import { GuestsPanel } from "./guests.js";
import { colorOf, nameOf } from "./people.js";

const SPARKS_MAX = 60;
const SPARK_MS = 520;

export class MeshView {
  title = "Mesh";
  #app;
  #shape = "";
  #places = new Map();
  #sparks = [];
  #lines = s("g");
  #lights = s("g");
  #people = s("g");
  #picture = s("svg", { class: "mesh-picture", role: "img", "aria-label": "The mesh as a picture; the table beside it says the same" }, this.#lines, this.#lights, this.#people);
  #size = { width: 700, height: 560 };
  #rows = h("tbody");
  #facts = h("dl", { class: "facts" });
  #hint = h("p", { class: "hint" });
  #guests = null; // the panel of whoever may let them in

  constructor(app) {
    this.#app = app;
    if (!app.guest) this.#guests = new GuestsPanel(app);
    const head = h("tr", null, ["Player", "Round trip", "Clock", "Synced"].map((text) => h("th", { scope: "col" }, text)));
    this.node = h("section", { class: "view mesh", "aria-label": "Mesh" },
      h("div", { class: "picture" }, this.#picture, this.#hint),
      h("div", { class: "panel scroll" }, h("h2", null, "Peers"), h("table", null, h("thead", null, head), this.#rows)),
      this.#guests?.node ?? "",
      h("div", { class: "panel" }, h("h2", null, app.guest ? "The node" : "This node"), this.#facts));
    new ResizeObserver(() => this.#fit()).observe(this.#picture);
    app.player.addEventListener("heard", ({ detail }) => detail.off || this.#spark(detail.player));
    app.player.addEventListener("own", ({ detail }) => detail.off || this.#spark(app.world.me));
  }

  // One unit of the picture is one pixel, so that words keep their size on every screen.
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#picture;
    if (!width || !height) return;
    this.#size = { width, height };
    this.#picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#shape = "";
    this.update();
  }

  /** What changes with the status. */
  update() {
    const { status, players } = this.#app.world;
    this.#guests?.update();
    if (!status) return;
    const here = status.guests?.filter((guest) => guest.here) ?? [];
    this.#layout(players.filter((id) => id !== this.#node), this.#node);
    this.#links(status.peers, here);
    this.#rows.replaceChildren(...status.peers.map((peer) => this.#row(peer, status.now_us)), ...here.map((guest) => this.#guestRow(guest)));
    say(this.#hint, players.length > 1 ? "" : "Nobody else yet. Nodes on this network find each other by themselves.");
    this.#tellFacts(status);
  }

  /** Whose node it is: this player's, or the one whose guest this player is. */
  get #node() {
    const { status, me } = this.#app.world;
    return status?.host ?? me;
  }

  #layout(peers, centred) {
    const shape = [centred, ...peers].join();
    if (shape === this.#shape) return;
    this.#shape = shape;
    const { width, height } = this.#size;
    const narrow = width < 520;
    const size = Math.min(width, height) * (narrow || peers.length > 8 ? 0.15 : 0.2);
    const centre = { x: width / 2, y: height / 2 - 12 };
    this.#places = new Map([[centred, { ...centre, size: size * 1.25 }]]);
    peers.forEach((id, index) => {
      // No peer stands straight below this node, where its name is.
      const turn = peers.length % 2 ? (narrow ? 0 : 0.25) : 0.5;
      const angle = ((index + turn) / peers.length) * 2 * Math.PI - Math.PI / 2;
      const x = centre.x + Math.cos(angle) * (width / 2 - size * 0.62);
      const y = centre.y + Math.sin(angle) * (height / 2 - size * 0.62 - 22);
      this.#places.set(id, { x, y, size });
    });
    this.#people.replaceChildren(...[...this.#places].map(([id, place]) => this.#person(id, place, id === this.#app.world.me)));
  }

  #person(id, { x, y, size }, mine) {
    const { node } = this.#app.faces.of("mesh", id, { mine });
    for (const [name, value] of Object.entries({ x: x - size / 2, y: y - size / 2, width: size, height: size })) node.setAttribute(name, value);
    return s("g", null, node, s("text", { x, y: y + size / 2 + 18, class: "name" }, mine ? "You" : nameOf(id)));
  }

  #links(peers, guests) {
    const me = this.#node;
    const here = this.#places.get(me);
    const lines = [];
    const drawn = new Set();
    for (const { player, links } of peers) {
      for (const other of links) {
        const pair = [player, other].sort().join();
        if (other === me || other === player || !this.#places.has(other) || drawn.has(pair)) continue;
        drawn.add(pair);
        lines.push(line(this.#places.get(player), this.#places.get(other), "link far"));
      }
    }
    for (const { player, host } of guests) {
      if (this.#places.has(host)) lines.push(line(this.#places.get(host), this.#places.get(player), "link guest"));
    }
    for (const peer of peers) {
      const there = this.#places.get(peer.player);
      const tag = { x: here.x + (there.x - here.x) * 0.5, y: here.y + (there.y - here.y) * 0.5 };
      lines.push(line(here, there, isBehind(peer) ? "link behind" : "link"),
        s("text", { x: tag.x, y: tag.y - 3, class: "rtt" }, ms(peer.rtt_us)),
        s("text", { x: tag.x, y: tag.y + 15, class: "clock" }, isBehind(peer) ? `${count(peer.behind_entries)} entries behind` : `clock ± ${ms(peer.clock?.uncertainty_us, 2)}`));
    }
    this.#lines.replaceChildren(...lines);
  }

  #row(peer, nowUs) {
    const synced = stepOf(peer);
    const dot = h("i", { class: "dot" });
    dot.style.background = colorOf(peer.player);
    const name = h("th", { scope: "row" }, h("span", { class: "person" }, dot, nameOf(peer.player), h("code", { title: peer.player }, short(peer.player))),
      h("small", { class: "address", title: peer.address }, `${bare(peer.address)}, for ${span(nowUs - peer.since_us)}`));
    return h("tr", null, name, h("td", { class: "number" }, ms(peer.rtt_us)),
      h("td", { class: "number" }, peer.clock ? `± ${ms(peer.clock.uncertainty_us, 2)}` : DASH),
      h("td", { class: isBehind(peer) ? "wait" : "good" }, synced));
  }

  #guestRow({ player, host }) {
    const dot = h("i", { class: "dot" });
    dot.style.background = colorOf(player);
    const by = host === this.#app.world.me ? "through your node" : `through ${nameOf(host)}'s node`;
    const name = h("th", { scope: "row" }, h("span", { class: "person" }, dot, nameOf(player), h("code", { title: player }, short(player))));
    return h("tr", null, name, h("td", { colspan: 3 }, player === this.#app.world.me ? "you, " : "", by));
  }

  #tellFacts(status) {
    if (this.#app.guest) {
      this.#tell([["Node", short(status.host)], ["Network", `${short(status.network)} (${status.preset})`], ["Entries in the ledger", count(status.ledger.entries)], ["State root", short(status.ledger.root)]]);
      return;
    }
    const refused = Object.values(status.refused).reduce((sum, value) => sum + value, 0);
    this.#tell([
      ["Player", short(status.player)],
      ["Network", `${short(status.network)} (${status.preset})`],
      ["Listening on", status.addresses.map(bare).join(", ") || DASH],
      ["Up for", span(status.now_us - status.started_us)],
      ["Documents", count(status.documents.length)],
      ["Entries in the ledger", count(status.ledger.entries)],
      ["State root", short(status.ledger.root)],
      ["Refused from others", count(refused)],
      ["Store", status.store.detail ? `${status.store.kind}: ${status.store.detail}` : status.store.kind],
    ]);
  }

  #tell(facts) {
    this.#facts.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
  }

  #spark(player) {
    if (!this.node.isConnected || calm() || document.hidden) return;
    const me = this.#node;
    const ends = player === me ? [...this.#places.keys()].filter((id) => id !== me) : [me];
    for (const end of ends) {
      if (this.#sparks.length >= SPARKS_MAX || !this.#places.has(player)) return;
      const node = s("circle", { r: 5, fill: colorOf(player) });
      this.#lights.append(node);
      this.#sparks.push({ node, from: this.#places.get(player), to: this.#places.get(end), atMs: performance.now() });
    }
  }

  /** One frame. */
  draw(nowMs) {
    this.#sparks = this.#sparks.filter(({ node, from, to, atMs }) => {
      const share = (nowMs - atMs) / SPARK_MS;
      if (share >= 1) {
        node.remove();
        return false;
      }
      node.setAttribute("cx", from.x + (to.x - from.x) * share);
      node.setAttribute("cy", from.y + (to.y - from.y) * share);
      node.setAttribute("opacity", Math.sin(Math.max(0, share) * Math.PI).toFixed(2));
      return true;
    });
  }
}

// An address without the peer id at its end, which the short id beside it stands for.
function bare(address) {
  return (address || DASH).replace(/\/p2p\/\w+$/, "");
}

function line(a, b, kind) {
  return s("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, class: kind });
}

// Known to hold what is missing here, or not compared with yet.
function isBehind(peer) {
  return !peer.synced && (peer.behind_entries > 0 || peer.synced_us === null);
}

// While somebody plays no two nodes hold the same for long: "live" is what a note under way makes of "yes".
function stepOf(peer) {
  if (peer.synced) return "yes";
  return peer.behind_entries || peer.synced_us === null ? `${count(peer.behind_entries)} behind` : "live";
}
