// Fields of a form, each with its label.

import { h } from "./dom.js";

let made = 0;

/** A labelled field: the row, and the control in it. */
export function field(label, control) {
  control.id = `field-${++made}`;
  return h("p", { class: "field" }, h("label", { for: control.id }, label), control);
}

/** A choice of `[value, text]`. */
export function select(options, chosen) {
  return h("select", null, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

/** A button that does something that takes a moment: it waits, and says in `trouble` what went wrong. */
export function action(text, trouble, act) {
  const button = h("button", { type: "button", class: "action" }, text);
  button.addEventListener("click", () => attempt(button, trouble, act));
  return button;
}

/** Does something with a control switched off meanwhile; what went wrong is said in `trouble`. */
export async function attempt(control, trouble, act) {
  control.disabled = true;
  trouble.textContent = "";
  try {
    await act();
  } catch (error) {
    trouble.textContent = error.message;
  } finally {
    control.disabled = false;
  }
}

/** Where trouble is said. */
export function troubleLine() {
  return h("p", { class: "trouble", role: "alert" });
}
