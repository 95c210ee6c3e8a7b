// One block in full: what was claimed, who voted, and the reward with every term of its formula.

import { h, s } from "./dom.js";
import { count, DASH, factor, jam, percent, short, windowTime } from "./format.js";
import { colorOf, named, nameOf } from "./people.js";

const MEASURES = [
  ["liveness", "enough, for long enough"],
  ["accuracy", "near the grid, beyond chance"],
  ["diversity", "lanes really used"],
  ["harmony", "notes that agree, or drums"],
  ["humanness", "played, not computed"],
  ["originality", "not heard before"],
];

/** A coloured dot and a name. */
export function person(id, me) {
  const dot = h("i", { class: "dot" });
  dot.style.background = colorOf(id);
  return h("span", { class: "person", title: id }, dot, id === me ? "You" : nameOf(id));
}

/** State in a word. */
export function pill(state) {
  return h("span", { class: `pill ${state}` }, { local: "accepted" }[state] ?? state);
}

function term(value, name, hint) {
  return h("div", { class: "term", title: hint }, h("b", null, value), h("span", null, name));
}

const sign = (text) => h("i", { class: "sign", "aria-hidden": "true" }, text);

function formula(reward) {
  return h("div", { class: "formula" },
    term(jam(reward.base_micro), "base", "what a perfect block among new verifiers is worth"), sign("×"),
    term(factor(reward.quality_q16), "quality", "of what was played"), sign("×"),
    term(factor(reward.mean_w_q16), "mean w", "how new the verifiers that agreed are to this player"), sign("×"),
    term(factor(reward.cluster_q16), "cluster", "less when the same circle votes again and again"), sign("×"),
    term(factor(reward.riff_q16), "riff", "half for a window without its riff"), sign("×"),
    term(factor(reward.person_q16), "person", "as how much of a person the player is known: see its vouches"), sign("="),
    term(jam(reward.points_micro), "points"), sign("→"),
    term(jam(reward.paid_micro), "JAM", "points are paid in full while the epoch's budget lasts"));
}

function split(block, me) {
  const { reward } = block;
  const rows = [[block.proposer, reward.proposer_micro, "played"], ...Object.entries(reward.verifiers).map(([id, micro]) => [id, micro, "verified"]),
    ...Object.entries(reward.unminted).map(([id, micro]) => [id, micro, "not minted: paid for enough blocks of this window"])];
  const shares = rows.map(([id, micro]) => {
    const bar = h("i");
    bar.style.flexGrow = String(micro);
    bar.style.background = colorOf(id);
    return bar;
  });
  return [
    h("div", { class: "split", "aria-hidden": "true" }, shares),
    h("ul", { class: "paid" }, rows.map(([id, micro, role]) => h("li", null, person(id, me), h("small", null, role), h("b", { class: "number" }, jam(micro))))),
    h("p", { class: "detail" }, `Epoch ${count(reward.epoch)}: ${jam(reward.epoch_points_micro)} points so far, budget ${jam(reward.epoch_budget_micro)} JAM.`),
  ];
}

function votes(block, me) {
  if (!block.votes.length) return h("p", { class: "detail" }, "No votes yet.");
  const head = ["Verifier", "Vote", "Tranche", "m", "w"].map((text) => h("th", { scope: "col" }, text));
  const rows = block.votes.map((vote) => h("tr", null,
    h("th", { scope: "row" }, person(vote.verifier, me)),
    h("td", { class: { yes: "good", no: "bad" }[vote.vote] ?? "wait" }, vote.vote === "yes" && vote.why !== "riff_pulses" ? "yes" : `${vote.vote}: ${vote.words || vote.why}`),
    h("td", { class: "number" }, count(vote.tranche)),
    h("td", { class: "number", title: "of the player's last 30 accepted blocks, those this verifier attested" }, count(vote.m)),
    h("td", { class: "number" }, factor(vote.w_q16))));
  return h("table", null, h("thead", null, h("tr", null, head)), h("tbody", null, rows));
}

function quality(block) {
  return h("ul", { class: "quality" }, [...MEASURES, ["total", "all together"]].map(([name, hint]) => {
    const fill = h("i");
    fill.style.transform = `scaleX(${(block.quality[name] ?? 0) / 65536})`;
    return h("li", { title: hint, class: name }, h("span", null, name), h("div", { class: "bar" }, fill), h("b", { class: "number" }, percent(block.quality[name])));
  }));
}

/** Mean w over a player's rewarded blocks, oldest first, the given one marked. */
export function decay(blocks, marked) {
  const paid = blocks.filter((block) => block.proposer === marked.proposer && block.reward).sort((a, b) => a.window - b.window).slice(-40);
  if (paid.length < 2) return h("p", { class: "detail" }, "The picture of how w falls and recovers needs two accepted blocks.");
  const x = (index) => 36 + (index / (paid.length - 1)) * 548;
  const y = (block) => 12 + (1 - block.reward.mean_w_q16 / 65536) * 116;
  const points = paid.map((block, index) => `${x(index).toFixed(1)},${y(block).toFixed(1)}`);
  const scale = [0, 0.5, 1].flatMap((w) => [
    s("line", { x1: 36, x2: 584, y1: 12 + (1 - w) * 116, y2: 12 + (1 - w) * 116, class: "scale" }),
    s("text", { x: 28, y: 16 + (1 - w) * 116, class: "tick" }, String(w)),
  ]);
  const dots = paid.map((block, index) => s("circle", { cx: x(index), cy: y(block), r: block.id === marked.id ? 6 : 3.2, class: block.id === marked.id ? "now" : "" },
    s("title", null, `window ${block.window}: mean w ${factor(block.reward.mean_w_q16)}`)));
  const picture = s("svg", { viewBox: "0 0 600 146", class: "decay", role: "img", "aria-label": `Mean w over ${paid.length} accepted blocks, from ${factor(paid[0].reward.mean_w_q16)} to ${factor(paid.at(-1).reward.mean_w_q16)}` },
    scale, s("polyline", { points: points.join(" ") }), dots);
  picture.style.setProperty("--hue", colorOf(marked.proposer));
  return h("figure", null, picture, h("figcaption", null, "Mean w per accepted block. It falls as the same verifiers sign again and again, w = 1 / (1 + e^(m − 3)), and recovers with new ones."));
}

/** Everything about one block. */
export function detail(block, blocks, me, windowS) {
  const reward = block.reward;
  const players = [block.proposer, ...block.votes.map((vote) => vote.verifier), me];
  const words = (lines) => h("ul", { class: "words" }, lines.map((line) => h("li", null, named(line, players, me))));
  return [
    h("header", null, h("h2", null, windowTime(block.window, windowS)), pill(block.state), person(block.proposer, me), h("small", { class: "number" }, `window ${count(block.window)}`)),
    words(block.words.slice(0, 1)),
    reward ? h("section", null, h("h3", null, "Reward"), formula(reward), split(block, me), h("details", null, h("summary", null, "every step in words"), words(reward.words ?? []))) : null,
    h("section", null, h("h3", null, `Votes (${count(block.votes.length)} of ${count(block.eligible)} eligible, quorum ${count(block.quorum)})`), votes(block, me),
      block.words.length > 1 ? h("details", null, h("summary", null, "in words"), words(block.words.slice(1))) : null),
    h("section", null, h("h3", null, "Quality"), quality(block)),
    h("section", null, h("h3", null, "The same verifiers count less each time"), decay(blocks, block)),
    h("p", { class: "ids" }, "Block ", h("code", { title: block.id }, short(block.id)), ", root ", h("code", { title: block.root }, short(block.root)), `, entries ${count(block.first)}${DASH}${count(block.last)}`),
  ];
}
