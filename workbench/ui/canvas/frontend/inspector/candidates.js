/**
 * The ranked forms of an edge: a list box one can filter, hover, choose from and snap to.
 *
 * The error is the validation error of the whole model after a refit. Until it is known a row stays grey and shows how
 * well the form follows the curve with the rest of the model frozen. What is typed into the field filters the
 * list; when it reads as a form in x it can be fitted as well.
 */

import { html, set, icon } from "../shared/dom.js";
import { format, handwritten, percent } from "../shared/numbers.js";
import { compile } from "../shared/expression.js";

const SEARCH = "M7 2.5A4.5 4.5 0 1 1 7 11.5 4.5 4.5 0 1 1 7 2.5M10.3 10.3 13.5 13.5";

const OFF = ["outputs", "How far off the outputs of the whole model are on validation rows, in units of their spread, after it was trained on a little"];
const HEADS = {
  edge: [["ΔR²", "Change of R² on validation rows, whole model refitted"], ["error", "Error on validation rows, whole model refitted"]],
  outputs: [["ΔR²", "Change of R² on validation rows, whole model trained on a little"], OFF],
  accuracy: [["Δ acc.", "Percentage points of accuracy on validation rows, whole model trained on a little"], OFF],
};

export class CandidateList {
  /** `on` offers hover(candidate | null), choose(candidate), snap(candidate), fit(text); `detail` opens under the chosen row. */
  constructor(on, detail) {
    this.on = on;
    this.detail = detail;
    this.rows = [];
    this.field = html("input", {
      type: "text", class: "filter", placeholder: "Filter, or type a*exp(-b*x)+c", "aria-label": "Filter forms, or type a form in x",
      spellcheck: "false", autocomplete: "off",
    });
    this.field.addEventListener("input", () => this.#refresh());
    this.field.addEventListener("keydown", (event) => this.#fieldKey(event));
    this.own = html("button", { type: "button", class: "own", hidden: true });
    this.own.addEventListener("click", () => this.on.fit(this.field.value.trim()));
    this.list = html("div", { class: "list", role: "listbox", "aria-label": "Candidate forms" });
    this.list.addEventListener("pointerleave", () => this.on.hover(null));
    this.note = html("p", { class: "note", hidden: true });
    this.delta = html("span", { class: "delta" });
    this.error = html("span", {});
    this.element = html("section", { class: "candidates" },
      html("div", { class: "head" }, html("label", { class: "search" }, icon(SEARCH), this.field),
        html("span", { title: "Nodes of the expression" }, "size"),
        this.delta, this.error),
      this.own, this.note, this.list);
  }

  draw(data, chosen) {
    this.data = data;
    const words = data.score === "accuracy" ? HEADS.accuracy : data.score ? HEADS.outputs : HEADS.edge;
    [this.delta, this.error].forEach((head, k) => { head.textContent = words[k][0]; set(head, { title: words[k][1] }); });
    this.chosen = chosen;
    this.#refresh();
  }

  /** Bring a form into sight. */
  reveal(name) {
    const row = this.rows.find(({ candidate }) => candidate.name === name);
    if (row) this.#reveal(row.element);
  }

  clear() {
    this.field.value = "";
  }

  #fieldKey(event) {
    if (event.key === "ArrowDown") this.rows[0]?.element.focus();
    else if (event.key === "Enter" && !this.own.hidden) this.on.fit(this.field.value.trim());
    else if (event.key === "Escape") { this.clear(); this.#refresh(); }
    else { event.stopPropagation(); return; }
    event.preventDefault();
    event.stopPropagation();
  }

  #refresh() {
    const text = this.field.value.trim();
    const wanted = text.toLowerCase();
    const matches = (candidate) => [candidate.name, candidate.title, candidate.text].some((part) => part?.toLowerCase().includes(wanted));
    const focused = this.rows.find((row) => row.element.matches(":focus"))?.candidate.name;
    const scroll = this.list.scrollTop;
    this.rows = this.data.candidates.filter(matches).map((candidate) => ({ candidate, element: this.#row(candidate) }));
    this.list.replaceChildren(...this.rows.map((row) => row.element));
    this.list.scrollTop = scroll;
    this.#offerOwn(text);
    this.choose(this.chosen);
    this.rows.find((row) => row.candidate.name === focused)?.element.focus();
  }

  /** What is typed may be a form of the person's own. */
  #offerOwn(text) {
    const { ready, verdict } = readOwn(text);
    set(this.own, { hidden: !ready });
    this.own.replaceChildren(html("span", {}, "Fit ", html("code", {}, text)), html("span", { class: "verdict" }, verdict), html("kbd", {}, "⏎"));
    const nothing = this.rows.length === 0;
    const none = this.data.candidates.length === 0 ? waiting(this.data) : `No form matches “${text}”. ${verdict}`;
    set(this.note, { hidden: !nothing || ready });
    this.note.textContent = nothing ? none : "";
  }

  #row(candidate) {
    const current = candidate.name === this.data.current;
    const element = html("div", {
      class: "row", role: "option", tabindex: "-1", "data-name": candidate.name, "data-preview": !candidate.refitted, "data-current": current,
      title: candidate.refitted ? null : "How well the form follows this curve with the rest of the model frozen: a preview. Search deeper refits the model with it.",
    },
    html("span", { class: "form" },
      html("span", { class: "form-title" }, candidate.title ?? candidate.name,
        candidate.tie ? html("em", { class: "tie", title: "As good as the best one: the data cannot tell them apart" }, "tie") : null,
        current ? html("em", { class: "current" }, "snapped") : null,
        stability(candidate.stability)),
      html("code", { title: candidate.text }, handwritten(candidate.text))),
    html("span", { class: "number" }, String(candidate.complexity)),
    html("span", { class: "number delta" }, this.data.score === "accuracy" ? points(candidate.delta_r2) : signed(candidate.delta_r2)),
    html("span", { class: "number error" }, errorText(candidate)));
    element.addEventListener("pointerenter", () => this.on.hover(candidate));
    element.addEventListener("focus", () => this.on.hover(candidate));
    element.addEventListener("click", () => { this.on.choose(candidate); this.#reveal(element); });
    element.addEventListener("dblclick", () => this.on.snap(candidate));
    element.addEventListener("keydown", (event) => this.#rowKey(event, candidate));
    return element;
  }

  /** Scroll so that a row and what opened under it are in sight. */
  #reveal(element) {
    if (this.detail.isConnected) this.detail.scrollIntoView({ block: "nearest" });
    element.scrollIntoView({ block: "nearest" });
  }

  #rowKey(event, candidate) {
    const here = this.rows.findIndex((row) => row.candidate === candidate);
    if (event.key === "ArrowDown") this.rows[Math.min(here + 1, this.rows.length - 1)].element.focus();
    else if (event.key === "ArrowUp") (this.rows[here - 1]?.element ?? this.field).focus();
    else if (event.key === " ") this.on.choose(candidate);
    else if (event.key === "Enter") this.on.snap(candidate);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Mark the chosen row, open its detail, and make it the one that Tab reaches. */
  choose(name) {
    this.chosen = name;
    const chosen = this.rows.find((row) => row.candidate.name === name);
    const reachable = chosen ?? this.rows[0];
    this.rows.forEach((row) => set(row.element, { "aria-selected": String(row === chosen), tabindex: row === reachable ? "0" : "-1" }));
    if (!chosen) { this.detail.remove(); return; }
    if (chosen.element.nextSibling !== this.detail) chosen.element.after(this.detail);
  }
}

function readOwn(text) {
  if (text.length < 2) return { ready: false, verdict: "" };
  try {
    const { names } = compile(text);
    if (!names.includes("x")) return { ready: false, verdict: "A form of your own needs x in it." };
    const constants = names.filter((name) => name !== "x");
    return { ready: true, verdict: constants.length ? `fits ${constants.join(", ")}` : "nothing to fit" };
  } catch (error) {
    return { ready: false, verdict: error.message };
  }
}

/** Why there are no forms. */
function waiting(data) {
  if (data.state === "pruned") return "This edge is pruned: it gives nothing. Undo brings it back.";
  return data.message ? "" : "Looking for forms …";
}

function stability(share) {
  if (share === null || share === undefined) return null;
  return html("em", { class: "stability", title: `The best form in ${percent(share)} of bootstrap samples` }, percent(share));
}

function errorText(candidate) {
  if (candidate.refitted) return format(candidate.validation_rmse, 3);
  return Number.isFinite(candidate.r2) ? `R² ${Math.max(0, candidate.r2).toFixed(3)}` : "…";
}

function signed(value) {
  if (value === null || value === undefined) return "";
  if (Math.abs(value) < 5e-5) return "0";
  return `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(Math.abs(value) < 0.1 ? 4 : 2)}`;
}

function points(value) {
  if (value === null || value === undefined) return "";
  if (Math.abs(value) < 5e-5) return "±0";
  return `${value > 0 ? "+" : "−"}${(100 * Math.abs(value)).toFixed(2)}`;
}
