/** A field for a formula of the person's own: fitted, or compared with the one that is looked at. */

import { html, set } from "../shared/dom.js";
import { compile } from "../shared/expression.js";

export class TypedField {
  /** `on` offers suppose(text) and compare(text). */
  constructor(on) {
    this.on = on;
    this.field = html("input", { type: "text", "aria-label": "Type a formula", spellcheck: "false", autocomplete: "off", maxlength: 500 });
    this.field.addEventListener("input", () => this.#refresh());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !this.fit.disabled) this.on.suppose(this.text);
      if (event.key === "Escape") this.field.blur();
      event.stopPropagation();
    });
    this.fit = html("button", { type: "button", class: "primary", title: "Make a network of it and fit its constants" }, "Fit");
    this.fit.addEventListener("click", () => this.on.suppose(this.text));
    this.compare = html("button", { type: "button", title: "Compare it with the formula that is open" }, "Compare");
    this.compare.addEventListener("click", () => this.on.compare(this.text));
    this.verdict = html("p", { class: "verdict" });
    this.element = html("footer", {}, html("div", { class: "line" }, this.field, this.fit, this.compare), this.verdict);
    this.data = { columns: [] };
  }

  get text() {
    return this.field.value.trim();
  }

  draw(data, busy) {
    this.data = data;
    this.busy = busy;
    const [first, second] = data.columns.map((column) => column.symbol);
    this.field.placeholder = `Start from a formula:  k*${first ?? "x"}^p${second ? `*${second}` : ""}`;
    this.#refresh();
  }

  #refresh() {
    const { ready, words } = this.#read();
    this.verdict.textContent = this.data.busy || words;
    set(this.verdict, { hidden: !this.verdict.textContent });
    set(this.fit, { disabled: !ready || this.busy });
    set(this.compare, { disabled: !ready || this.busy, hidden: this.data.here === null || !this.text });
  }

  /** Say what the text is, as far as can be said without the data. */
  #read() {
    const { columns, target } = this.data;
    if (!this.text) return { ready: false, words: "" };
    const sides = this.text.split("=");
    if (sides.length > 2) return { ready: false, words: "One = at most: the target, and what it is." };
    if (sides.length === 2 && !sides[1].trim()) return { ready: false, words: "Write what it is equal to." };
    try {
      const { names } = compile(sides.at(-1));
      const known = new Set(columns.flatMap((column) => [column.name, column.symbol]));
      const open = names.filter((name) => !known.has(name));
      if (names.includes(target)) return { ready: false, words: `${target} is the target itself. Inputs: ${columns.map((c) => c.symbol).join(", ")}.` };
      if (open.length === names.length) return { ready: false, words: `It needs a column: ${columns.map((c) => c.symbol).join(", ")}.` };
      return { ready: true, words: open.length ? `fits ${open.join(", ")}` : "numbers with a point are fitted" };
    } catch (error) {
      return { ready: false, words: error.message };
    }
  }
}
