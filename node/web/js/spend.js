// The Wallet view's till: what to sign, what that would be and what can still go wrong, the passphrase, what came of it.
//
// The node makes the plan and signs. A wish has a random number by which the node knows it again, so that signing once more
// after a lost answer signs nothing twice. The passphrase is in its field until it is sent, and nowhere after that.

import { h, say } from "./dom.js";
import { action, attempt, field, select, troubleLine } from "./form.js";
import { jam, microOf, short } from "./format.js";
import { nameOf } from "./people.js";
import { person } from "./reward.js";

const KINDS = [["send", "Pay a player"], ["stake", "Put into the stake"], ["unstake", "Take from the stake"]];
const MEMO_MAX = 80;
const FOLLOW_MS = 1_000;
const FOLLOWS_MAX = 60;
const PLAYER = /^[0-9a-f]{64}$/;

const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const groups = (id) => id.match(/.{8}/g).join(" ");

/** Dispatches `signed` when something was. */
export class SpendPanel extends EventTarget {
  #app;
  #kind = select(KINDS, "send");
  #people = h("datalist", { id: "people-here" });
  #to = h("input", { type: "text", autocomplete: "off", spellcheck: "false", list: "people-here", placeholder: "64 digits, or somebody here" });
  #amount = h("input", { type: "text", autocomplete: "off", inputmode: "decimal", placeholder: "12 or 0.25" });
  #memo = h("input", { type: "text", autocomplete: "off", maxlength: MEMO_MAX, placeholder: "for all to read" });
  #forSending;
  #look = h("button", { type: "submit", class: "action" }, "Look at it first");
  #trouble = troubleLine();
  #form;
  #plan = h("div", { class: "plan" });
  #outcome = h("div", { class: "words", role: "status" });
  #shown = "";
  #last = null;

  node;

  constructor(app) {
    super();
    this.#app = app;
    this.#forSending = [field("To", this.#to), field("Memo", this.#memo)];
    this.#form = h("form", { class: "fields" }, field("What", this.#kind), this.#forSending[0], field("Amount, JAM", this.#amount), this.#forSending[1], this.#look, this.#trouble, this.#people);
    this.#form.noValidate = true; // what is wrong is said in words
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(this.#look, this.#trouble, () => this.#lookAt(this.#wish()));
    });
    this.#kind.addEventListener("change", () => this.#forSending.forEach((row) => (row.hidden = this.#kind.value !== "send")));
    this.node = h("details", { class: "panel spend" }, h("summary", null, h("h2", null, "Pay or stake")), this.#form, this.#plan, this.#outcome);
  }

  /** Who can be chosen. */
  update() {
    const { players, me } = this.#app.world;
    const others = players.filter((id) => id !== me);
    if (this.#shown === others.join()) return;
    this.#shown = others.join();
    this.#people.replaceChildren(...others.map((id) => h("option", { value: id }, nameOf(id))));
  }

  #wish() {
    const wish = { kind: this.#kind.value, amount_micro: microOf(this.#amount.value) };
    if (wish.kind !== "send") return wish;
    const player = this.#to.value.replace(/\s/g, "").toLowerCase();
    if (!PLAYER.test(player)) throw new Error("A player is the 64 digits of a key, 0 to 9 and a to f.");
    return { ...wish, player, memo: this.#memo.value, new_player: true }; // whether it is new is shown, and asked about
  }

  async #lookAt(wish) {
    const plan = await this.#app.connection.call("POST", "/api/operations/plan", { wish });
    this.#outcome.replaceChildren();
    const asked = wish.kind === "send" ? { ...wish, new_player: !plan.known } : wish;
    this.#plan.replaceChildren(this.#planned(plan, asked));
    this.#form.hidden = true;
    this.#plan.querySelector("input, button").focus();
  }

  #planned(plan, wish) {
    const number = random();
    const trouble = troubleLine();
    const passphrase = h("input", { type: "password", autocomplete: "off" });
    const checked = h("input", { type: "checkbox" });
    const sign = h("button", { type: "submit", class: "action" }, "Sign it");
    const form = h("form", { class: "fields" }, this.#facts(plan),
      plan.known ? null : field("I have checked every digit", checked),
      plan.locked ? field("Passphrase", passphrase) : h("p", { class: "detail" }, "Your key is under no passphrase, so none is asked for: symjam wallet passwd sets one."),
      h("p", { class: "actions" }, sign, action("Do not sign", trouble, () => this.#again())), trouble);
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(sign, trouble, async () => {
        if (!plan.known && !checked.checked) throw new Error("Check every digit of the player, and say that you have.");
        if (plan.locked && !passphrase.value) throw new Error("Type the passphrase of your key first.");
        const typed = plan.locked ? passphrase.value : null;
        passphrase.value = "";
        await this.#sign({ wish, passphrase: typed, request: number });
      });
    });
    return form;
  }

  #facts({ kind, player, known, amount_micro: amount, left_micro: left, coming_micro: coming, memo, risks }) {
    const { me } = this.#app.world;
    const verb = KINDS.find(([name]) => name === kind)?.[1] ?? kind;
    const more = coming ? `, ${jam(coming)} more in the next epoch` : "";
    return h("div", { class: "words" },
      h("p", null, `${verb}: `, h("b", { class: "number" }, `${jam(amount)} JAM`), player ? [" to ", person(player, me)] : null),
      player ? h("p", null, h("code", { class: "whole" }, groups(player))) : null,
      known ? null : h("p", null, "Nobody here has heard of this player: it may be a mistake, and what is paid to nobody is lost."),
      memo ? h("p", null, `Memo, for all to read: ${memo}`) : null,
      h("p", null, `Left: ${jam(left)} JAM free${more}. There is no fee.`),
      h("p", null, "What can still go wrong:"), h("ul", null, risks.map((risk) => h("li", null, risk))));
  }

  async #sign(asked) {
    const signed = await this.#app.connection.call("POST", "/api/operations", asked);
    this.#again();
    for (const input of [this.#to, this.#amount, this.#memo]) input.value = "";
    this.dispatchEvent(new Event("signed"));
    this.#follow(signed);
  }

  #again() {
    this.#plan.replaceChildren();
    this.#form.hidden = false;
  }

  // Until somebody else has it, or another was signed.
  async #follow(signed) {
    this.#last = signed.entry;
    this.#tell(signed);
    let { state } = signed;
    for (let tries = 0; tries < FOLLOWS_MAX && state === "pending"; tries++) {
      await new Promise((go) => setTimeout(go, FOLLOW_MS));
      if (this.#last !== signed.entry) return;
      try {
        const found = await this.#app.connection.get(`/api/operations/${signed.entry}`);
        this.#tell(found);
        ({ state } = found);
      } catch {
        say(this.#outcome.lastChild, "It is signed and saved. The node does not answer now.");
      }
    }
  }

  #tell({ state, entry, words }) {
    this.#outcome.replaceChildren(h("p", null, h("b", null, state), ", entry ", h("code", { title: entry }, short(entry))), ...words.map((text) => h("p", null, text)));
  }
}
