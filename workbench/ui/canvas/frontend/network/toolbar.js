/** The strip above the drawing (view, scale, importance, zoom) and the legend below it. */

import { html, icon, set } from "../shared/dom.js";
import { percent } from "../shared/numbers.js";
import { STATES } from "./model.js";
import { KEYS } from "./keyboard.js";

const ICONS = {
  plus: "M8 3.5V12.5M3.5 8H12.5",
  minus: "M3.5 8H12.5",
  fit: "M3 6V3H6M10 3H13V6M13 10V13H10M6 13H3V10",
  save: "M8 2.5V10M4.8 7 8 10.2 11.2 7M3 13H13",
  keys: "M6.2 6.1A1.9 1.9 0 1 1 8.6 8C8.1 8.2 8 8.6 8 9.2M8 11.6V11.7",
  close: "M4 4 12 12M12 4 4 12",
};

export class Toolbar {
  constructor(view) {
    this.view = view;
    this.mode = choice("View", [["graph", "Graph"], ["matrix", "Matrix"]], (value) => view.setMode(value));
    this.scale = choice("Scale of the curves", [["shared", "Shared scale"], ["own", "Own scale"]], (value) => view.setScale(value));
    this.slider = html("input", { type: "range", min: 0, max: 100, step: 1, value: 0, class: "threshold", "aria-label": "Smallest importance shown" });
    this.slider.addEventListener("input", () => view.setThreshold((Number(this.slider.value) / 100) ** 2));
    this.count = html("output", { class: "count" });
    this.share = html("span", { class: "share" });
    this.bar = html("div", { class: "bar", role: "toolbar", "aria-label": "Drawing" },
      this.mode.element, this.scale.element,
      html("label", { class: "importance" }, html("span", {}, "importance ≥"), this.slider, this.count),
      html("span", { class: "grow" }),
      html("div", { class: "buttons" },
        button("plus", "Zoom in", () => view.zoom(1.25)), button("minus", "Zoom out", () => view.zoom(0.8)),
        button("fit", "Fit to view", () => view.fit()), button("save", "Download as SVG", () => view.download()),
        button("keys", "Keyboard shortcuts", () => view.showKeys())));
    this.legend = html("div", { class: "legend" });
  }

  refresh(model, look, hidden) {
    this.mode.value(look.mode);
    this.scale.value(look.scale);
    const { count, of, share } = model.above(look.threshold);
    this.count.textContent = look.threshold > 0 ? `${percent(look.threshold)} · ${count} of ${of}` : "0 %";
    set(this.count, { title: `${count} of ${of} edges shown carry ${percent(share)} of all importance` });
    this.share.textContent = look.threshold > 0 ? `${count} of ${of} edges carry ${percent(share)} of all importance` : "";
    const counts = model.counts();
    const entries = Object.entries(STATES).filter(([state]) => counts[state] > 0 || (state === "spline" && !counts.rational))
      .map(([state, name]) => html("span", { class: "key", "data-state": state }, html("i"), `${counts[state]} ${name}`));
    const toggle = html("button", { type: "button", class: "link", "aria-pressed": String(hidden) }, hidden ? "show pruned" : "hide pruned");
    toggle.addEventListener("click", () => this.view.setHidden(!hidden));
    this.legend.replaceChildren(...entries, counts.pruned ? toggle : "", html("span", { class: "grow" }), this.share);
  }
}

function button(name, label, onClick) {
  const element = html("button", { type: "button", class: "tool", title: label, "aria-label": label }, icon(ICONS[name]));
  element.addEventListener("click", onClick);
  return element;
}

/** A segmented control: one of a few, arrow keys move between them. */
function choice(label, options, onChoose) {
  const buttons = options.map(([value, text]) => html("button", { type: "button", role: "radio", "data-value": value }, text));
  const element = html("div", { class: "choice", role: "radiogroup", "aria-label": label }, ...buttons);
  buttons.forEach((one, k) => {
    one.addEventListener("click", () => onChoose(one.dataset.value));
    one.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = buttons[(k + step + buttons.length) % buttons.length];
      next.focus();
      onChoose(next.dataset.value);
      event.preventDefault();
    });
  });
  const value = (chosen) => buttons.forEach((one) => {
    const on = one.dataset.value === chosen;
    set(one, { "aria-checked": String(on), tabindex: on ? "0" : "-1" });
  });
  return { element, value };
}

/** The list of keys, as a dialog over the drawing. */
export class CheatSheet {
  constructor() {
    const close = html("button", { type: "button", class: "tool", "aria-label": "Close" }, icon(ICONS.close));
    close.addEventListener("click", () => this.element.close());
    this.element = html("dialog", { class: "keys", "aria-label": "Keyboard shortcuts" },
      html("header", {}, html("h2", {}, "Keyboard"), close),
      html("dl", {}, ...KEYS.flatMap(([keys, meaning]) => [
        html("dt", {}, ...keys.map((key) => html("kbd", {}, key))), html("dd", {}, meaning)])));
    this.element.addEventListener("click", (event) => { if (event.target === this.element) this.element.close(); });
  }

  toggle() {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }
}
