/** The formulas, simplest first: a list one can hover, open and compare from. */

import { html, set } from "../shared/dom.js";
import { formulaText, percent } from "../shared/numbers.js";
import { share } from "./plot.js";

export class LawList {
  /** `on` offers hover(law | null), open(law), compare(law); `detail` opens under the one that is looked at. */
  constructor(on, detail) {
    this.on = on;
    this.detail = detail;
    this.rows = [];
    this.list = html("div", { class: "list", role: "listbox", "aria-label": "Formulas, simplest first" });
    this.list.addEventListener("pointerleave", () => this.on.hover(null));
    this.note = html("p", { class: "note" });
    this.head = html("div", { class: "head" }, html("span", { class: "first" }, "simplest first"),
      html("span", { title: "Nodes of the expression" }, "size"),
      html("span", { title: "Error on rows that were not fitted to, as a share of the target's spread" }, "error"));
    this.element = html("section", { class: "formulas" }, this.head, this.note, this.list);
  }

  draw(laws, here, data, busy) {
    const focused = this.rows.find((row) => row.element.matches(":focus"))?.law.state;
    const scroll = this.list.scrollTop;
    this.here = here;
    this.rows = laws.map((law) => ({ law, element: this.#row(law, law.state === here, busy) }));
    this.list.replaceChildren(...this.rows.flatMap(({ law, element }) => (law.state === here ? [element, this.detail] : [element])));
    this.list.scrollTop = scroll;
    set(this.head, { hidden: !laws.length });
    this.note.textContent = laws.length ? "" : nothingYet(data);
    set(this.note, { hidden: Boolean(laws.length) });
    this.rows.find((row) => row.law.state === focused)?.element.focus({ preventScroll: true });
  }

  /** Bring the formula that is looked at into sight, with what opened under it. */
  reveal(state) {
    const row = this.rows.find(({ law }) => law.state === state);
    if (!row) return;
    if (this.detail.isConnected) this.detail.scrollIntoView({ block: "nearest" });
    row.element.scrollIntoView({ block: "nearest" });
  }

  emphasize(state) {
    this.rows.forEach(({ law, element }) => set(element, { "data-on": law.state === state }));
  }

  #row(law, here, busy) {
    const reachable = here || (this.here === null && this.rows.length === 0);
    const compare = html("button", { type: "button", class: "compare", tabindex: "-1", title: "Compare with the formula that is open", disabled: busy, hidden: here || this.here === null }, "compare");
    compare.addEventListener("click", (event) => { event.stopPropagation(); this.on.compare(law); });
    const element = html("div", { class: "row", role: "option", tabindex: reachable ? "0" : "-1", "aria-selected": String(here), "data-state": law.state, "data-front": law.front },
      html("span", { class: "form" },
        html("code", { title: law.text }, formulaText(law.text)),
        html("span", { class: "facts" },
          law.picked ? html("em", { class: "picked", title: "The shortest description of the rows" }, "picked") : null,
          html("span", { title: "Where it comes from" }, law.origin), stability(law), units(law), compare)),
      html("span", { class: "number" }, String(law.complexity)),
      html("span", { class: "number error", title: errorInUnits(law) }, share(law.share)));
    element.addEventListener("pointerenter", () => this.on.hover(law));
    element.addEventListener("click", () => this.on.open(law));
    element.addEventListener("keydown", (event) => this.#key(event, law));
    return element;
  }

  #key(event, law) {
    const at = this.rows.findIndex((row) => row.law.state === law.state);
    if (event.key === "ArrowDown") this.rows[Math.min(at + 1, this.rows.length - 1)].element.focus();
    else if (event.key === "ArrowUp") this.rows[Math.max(at - 1, 0)].element.focus();
    else if (event.key === "Enter" || event.key === " ") this.on.open(law);
    else if (event.key === "c") this.on.compare(law);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function stability(law) {
  if (law.stability === null || law.stability === undefined) return null;
  return html("span", {
    class: "stability", "data-low": law.stability < 0.8,
    title: "Share of bootstrap resamplings of the rows in which every constant keeps its sign and all stay within their 95 % region. A sound law has about 95 %.",
  }, `stable in ${percent(law.stability)}`);
}

function units(law) {
  if (law.fits_units !== false) return null;
  return html("em", { class: "units", title: "It adds quantities of different kinds, gives one to a function, or has another unit than the target" }, "units do not fit");
}

function errorInUnits(law) {
  return law.rmse === null || law.rmse === undefined ? null : `${Number(law.rmse.toPrecision(4))} ${law.unit}`.trim();
}

function nothingYet(data) {
  if (data.searching) return "Searching. Formulas appear here as they are found.";
  return "No formula yet. Find the law searches for one, or type what you suppose below.";
}
