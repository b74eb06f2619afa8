/** What opens under the formula that is looked at: all of it, its constants with their intervals, and what can be done with it. */

import { html, set } from "../shared/dom.js";
import { format, formulaText, handwritten } from "../shared/numbers.js";

const FITS = 44; // characters of a formula that its row shows whole
const COPIED = 1400; // ms for which a button says that it has copied

export class LawDetail {
  /** `on` offers extend(). */
  constructor(on) {
    this.formula = html("code", { class: "whole" });
    this.constants = html("div", { class: "constants" });
    this.extend = html("button", { type: "button", class: "extend", title: "Fit curves to what the formula misses, and add them to it" }, "Fit what it misses");
    this.extend.addEventListener("click", () => on.extend());
    this.copies = ["text", "python", "latex"].map((kind) => this.#copyButton(kind));
    this.element = html("div", { class: "detail" }, this.formula, this.constants,
      html("div", { class: "moves" }, this.extend, html("span", { class: "grow" }), html("span", { class: "mute" }, "Copy"), ...this.copies));
  }

  draw(law, { canExtend }) {
    this.law = law;
    if (!law) { this.element.remove(); return; }
    this.formula.textContent = formulaText(law.text);
    set(this.formula, { hidden: law.text.length <= FITS });
    this.constants.replaceChildren(...law.constants.map(constant));
    set(this.constants, { hidden: !law.constants.length });
    set(this.extend, { disabled: !canExtend, hidden: !law.symbolic });
  }

  #copyButton(kind) {
    const label = { text: "Text", python: "Python", latex: "LaTeX" }[kind];
    const button = html("button", { type: "button", class: "copy", "data-kind": kind, title: `Copy the formula as ${label}, with all digits` }, label);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(this.law.copy[kind]);
      button.textContent = "✓";
      setTimeout(() => { button.textContent = label; }, COPIED);
    });
    return button;
  }
}

function constant({ value, low, high, unit }) {
  const known = Number.isFinite(low) && Number.isFinite(high);
  const nothing = known && low <= 0 && high >= 0;
  return html("span", { class: "constant", "data-nothing": nothing, title: nothing ? "The interval holds zero: the data do not need this constant" : "95 % interval" },
    html("b", {}, format(value, 4)), known ? ` (${format(low, 4)} to ${format(high, 4)})` : " (not known from these data)", unit ? ` ${handwritten(unit)}` : "");
}
