/**
 * Constants of a form as sliders. Dragging redraws the form at once, here in the browser; only Snap tells Python.
 *
 * The band under a slider is the confidence interval, where one is known.
 */

import { html, set } from "../shared/dom.js";
import { compile } from "../shared/expression.js";
import { format } from "../shared/numbers.js";

const STEPS = 400;

export class Constants {
  /** `onDrag(values)` receives the values of the form at the x of the curve. */
  constructor(onDrag) {
    this.onDrag = onDrag;
    this.rows = html("div", { class: "sliders" });
    this.fit = html("span", { class: "fit" });
    this.reset = html("button", { type: "button", class: "link", hidden: true }, "reset");
    this.reset.addEventListener("click", () => this.#restart());
    this.element = html("div", { class: "constants", role: "group", "aria-label": "Constants", hidden: true }, this.rows, html("div", { class: "fit-row" }, this.fit, this.reset));
  }

  /** Show the constants of a form, with the intervals known for it. */
  open(candidate, data) {
    this.candidate = candidate;
    this.data = data;
    this.form = candidate ? readForm(candidate) : null;
    set(this.element, { hidden: !this.form });
    if (this.form) this.#restart();
  }

  #restart() {
    this.values = { ...this.candidate.parameters };
    this.moved = false;
    set(this.reset, { hidden: true });
    this.fit.textContent = "";
    this.rows.replaceChildren(...Object.entries(this.values).map(([name, value]) => this.#slider(name, value)));
    this.onDrag(null);
  }

  #slider(name, start) {
    const known = this.candidate.name === this.data.current ? this.data.constants?.find((constant) => constant.name === name) : null;
    const [low, high] = rangeOf(start, known);
    const number = html("output", {}, format(start, 4));
    const input = html("input", { type: "range", min: 0, max: STEPS, step: "any", "aria-label": `Constant ${name}`, "data-name": name });
    input.value = String((STEPS * (start - low)) / (high - low));
    input.addEventListener("input", () => {
      this.values[name] = low + ((high - low) * Number(input.value)) / STEPS;
      number.textContent = format(this.values[name], 4);
      this.#redraw();
    });
    const share = (value) => `${Math.min(100, Math.max(0, (100 * (value - low)) / (high - low))).toFixed(1)}%`;
    const band = html("i", {});
    const sure = Number.isFinite(known?.low) && Number.isFinite(known?.high);
    if (sure) { band.style.left = share(known.low); band.style.right = `calc(100% - ${share(known.high)})`; }
    return html("div", { class: "slider", title: sure ? `95 % interval ${format(known.low, 4)} … ${format(known.high, 4)}` : null },
      html("b", {}, name), html("div", { class: "track" }, sure ? band : null, input), number,
      html("small", {}, sure ? `± ${format((known.high - known.low) / 2, 2)}` : ""));
  }

  #redraw() {
    this.moved = true;
    set(this.reset, { hidden: false });
    const values = this.evaluate();
    this.fit.textContent = `follows this curve with R² ${r2(this.data.y, values).toFixed(4).replace("-", "−")}`;
    this.onDrag(values);
  }

  evaluate() {
    const { offset = 0 } = this.candidate;
    return this.data.x.map((x) => this.form.evaluate({ ...this.values, x }) + offset);
  }

  /** The constants as they stand when a person moved them, else null. */
  get chosen() {
    return this.form && this.moved ? { ...this.values } : null;
  }
}

function readForm(candidate) {
  if (!candidate.formula || !Object.keys(candidate.parameters ?? {}).length) return null;
  try {
    return compile(candidate.formula);
  } catch {
    return null; // a form that only Python can evaluate has no sliders
  }
}

function rangeOf(value, known) {
  const sure = Number.isFinite(known?.high) ? Math.max(known.high - value, value - known.low) : NaN;
  const reach = sure > 0 ? Math.max(6 * sure, 0.05 * Math.abs(value)) : Math.abs(value) || 1;
  return [value - reach, value + reach];
}

function r2(truth, values) {
  const mean = truth.reduce((sum, y) => sum + y, 0) / truth.length;
  let residual = 0;
  let total = 0;
  truth.forEach((y, k) => { residual += (y - values[k]) ** 2; total += (y - mean) ** 2; });
  return total > 0 ? 1 - residual / total : NaN;
}
