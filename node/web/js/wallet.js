// The Wallet view: how much, where it came from, and how it got here; and a way to spend it, which a guest has not.

import { h, s, say } from "./dom.js";
import { count, DASH, jam, short, windowTime } from "./format.js";
import { person } from "./reward.js";
import { SpendPanel } from "./spend.js";

const SETTLE_MS = 300;
const REFRESH_MS = 10_000;
const ROWS_MAX = 200;

export class WalletView {
  title = "Wallet";
  #app;
  #timer = 0;
  #readAtMs = -Infinity;
  #balance = h("p", { class: "balance" });
  #under = h("p", { class: "detail" });
  #origins = h("div", { class: "origins" });
  #curve = h("div", { class: "curve" });
  #lots = h("tbody");
  #history = h("tbody");
  #trouble = h("p", { class: "trouble", role: "status" });
  #spend;

  constructor(app) {
    this.#app = app;
    this.#spend = app.guest ? null : new SpendPanel(app);
    this.#spend?.addEventListener("signed", () => this.#soon());
    const table = (heads, body) => h("table", null, h("thead", null, h("tr", null, heads.map((text) => h("th", { scope: "col" }, text)))), body);
    this.node = h("section", { class: "view wallet", "aria-label": "Wallet" },
      h("div", { class: "panel purse" }, h("h2", null, "Balance"), this.#balance, this.#under, this.#curve, this.#origins, this.#trouble),
      this.#spend?.node ?? "",
      h("div", { class: "panel scroll lots" }, h("h2", null, "Where it came from"), table(["Window", "Block", "For", "Attested by", "JAM"], this.#lots)),
      h("div", { class: "panel scroll history" }, h("h2", null, "History"), table(["Window", "What", "Change", "Balance"], this.#history)));
    this.#show(null, null);
    app.world.addEventListener("settled", () => this.#soon());
  }

  #soon() {
    clearTimeout(this.#timer);
    if (this.node.isConnected) this.#timer = setTimeout(() => this.#read(), SETTLE_MS);
  }

  /** Reads again now and then while it is looked at. */
  update() {
    this.#spend?.update();
    if (performance.now() - this.#readAtMs > REFRESH_MS) this.#read();
  }

  async #read() {
    this.#readAtMs = performance.now();
    const { connection } = this.#app;
    try {
      const [wallet, history] = await Promise.all([connection.get("/api/wallet"), connection.get(`/api/history?limit=${ROWS_MAX}`)]);
      this.#show(wallet, history);
      say(this.#trouble, "");
    } catch (error) {
      say(this.#trouble, `Could not read the wallet: ${error.message}`);
    }
  }

  #show(wallet, history) {
    const [whole, part] = jam(wallet?.balance_micro).split(".");
    this.#balance.replaceChildren(h("b", null, whole), part ? h("span", null, `.${part}`) : "", h("small", null, " JAM"));
    const pending = wallet?.pending_blocks;
    const waiting = pending === 1 ? "1 block is still waiting for votes." : `${count(pending)} blocks are still waiting for votes.`;
    say(this.#under, !wallet ? "" : pending ? waiting : "Nothing is waiting for votes.");
    const lots = [...(wallet?.lots ?? [])].sort((a, b) => b.window - a.window);
    this.#origins.replaceChildren(...byRole(lots));
    this.#lots.replaceChildren(...rowsOr(lots.slice(0, ROWS_MAX).map((lot) => this.#lot(lot)), 5, wallet ? "Nothing earned yet." : DASH));
    const items = history?.items ?? [];
    this.#curve.replaceChildren(...curve(items));
    this.#history.replaceChildren(...rowsOr(items.map((item) => this.#item(item)), 4, history ? "Nothing has happened yet." : DASH));
  }

  /** Nothing here moves by itself. */
  draw() {}

  #lot(lot) {
    const { me, windowS } = this.#app.world;
    return h("tr", null, h("td", { class: "number", title: `window ${lot.window}` }, windowTime(lot.window, windowS)), h("td", null, h("code", { title: lot.block }, short(lot.block))),
      h("td", null, forWhat(lot, me), PLACES[lot.place] ?? ""),
      h("td", null, h("div", { class: "people" }, lot.attested_by.map((id) => person(id, me)))),
      h("td", { class: "number" }, jam(lot.amount_micro)));
  }

  #item(item) {
    const { me, windowS } = this.#app.world;
    return h("tr", null, h("td", { class: "number", title: `window ${item.window}` }, windowTime(item.window, windowS)),
      h("td", null, whatHappened(item, me)),
      h("td", { class: item.amount_micro > 0 ? "number good" : "number" }, `${item.amount_micro > 0 ? "+" : ""}${jam(item.amount_micro)}`), h("td", { class: "number" }, jam(item.balance_micro)));
  }
}

const PLACES = { coming: ", from the next epoch on", staked: ", staked", leaving: ", leaving the stake" };

function forWhat(lot, me) {
  if (lot.role === "played") return "playing";
  if (lot.role === "performed") return "concerts";
  return [lot.role === "received" ? "received, played by " : "verifying ", person(lot.proposer, me)];
}

function whatHappened(item, me) {
  if (item.role === "played") return "your block";
  if (item.role === "performed") return "your concerts";
  if (item.role === "burned") return "taken from your stake";
  if (item.counted === false) return item.why;
  if (item.role === "sent") return ["sent to ", person(item.to, me)];
  if (item.from) return ["received from ", person(item.from, me)];
  if (item.role !== "received" && item.role !== "attested") return item.why;
  return [item.role === "received" ? "received, played by " : "verified ", person(item.proposer, me)];
}

// A table's rows, or one row of words.
function rowsOr(rows, columns, words) {
  return rows.length ? rows : [h("tr", null, h("td", { colspan: columns, class: "none" }, words))];
}

function byRole(lots) {
  const sums = { played: 0, attested: 0 };
  for (const lot of lots) sums[lot.role] = (sums[lot.role] ?? 0) + lot.amount_micro;
  const words = { played: "for playing", attested: "for verifying others", performed: "for concerts", received: "from others" };
  return Object.entries(sums).filter(([, micro]) => micro > 0).map(([role, micro]) => {
    const part = h("div", { class: `origin ${role}` }, h("b", { class: "number" }, jam(micro)), h("span", null, words[role] ?? role));
    part.style.flexGrow = String(micro);
    return part;
  });
}

function curve(items) {
  if (items.length < 2) return [];
  const points = [...items].reverse().map((item) => item.balance_micro);
  const top = Math.max(...points, 1);
  const at = points.map((value, index) => `${((index / (points.length - 1)) * 600).toFixed(1)},${(92 - (value / top) * 84).toFixed(1)}`);
  const picture = s("svg", { viewBox: "0 0 600 96", preserveAspectRatio: "none", role: "img", "aria-label": "Balance over time" },
    s("polygon", { points: `0,96 ${at.join(" ")} 600,96` }), s("polyline", { points: at.join(" ") }));
  return [picture];
}
