/**
 * The inspector: everything about one edge, in a Streamlit component.
 *
 * Its curve with the data behind it, the forms it could be, their constants, and the moves. Hovering a form draws it
 * over the curve within the same frame; choosing one opens its constants; Snap tells Python. The payload is described
 * in workbench/ui/canvas/__init__.py.
 */

import { html, set, isTyping } from "./shared/dom.js";
import { Outbox } from "./shared/outbox.js";
import { handwritten, percent } from "./shared/numbers.js";
import { listenToFrames } from "./shared/frames.js";
import { CurvePlot } from "./inspector/plot.js";
import { BeyondStrip } from "./inspector/beyond.js";
import { Constants } from "./inspector/constants.js";
import { CandidateList } from "./inspector/candidates.js";

const STATES = { spline: "learned", rational: "learned", snapped: "snapped", locked: "locked", pruned: "pruned" };
const PATIENCE = 20_000; // ms until a request that nobody answered may be repeated

class InspectorView {
  constructor(mount) {
    this.outbox = new Outbox();
    this.plot = new CurvePlot();
    this.beyond = new BeyondStrip();
    this.constants = new Constants((values) => this.#drag(values));
    this.list = new CandidateList({
      hover: (candidate) => this.hover(candidate),
      choose: (candidate) => this.choose(candidate.name === this.chosen ? null : candidate.name),
      snap: (candidate) => this.snap(candidate.name),
      fit: (text) => this.#fit(text),
    }, this.constants.element);
    this.title = html("h2", {});
    this.chips = html("div", { class: "chips" });
    this.formula = html("code", { class: "formula", hidden: true });
    this.close = html("button", { type: "button", class: "close", "aria-label": "Close inspector" }, "×");
    this.close.addEventListener("click", () => this.outbox.post(this.args.setTriggerValue, { op: "close", edge: this.data.edge }));
    this.figure = html("div", { class: "figure" }, this.plot.element);
    this.message = html("p", { class: "message", role: "alert", hidden: true });
    this.element = html("div", { class: "inspector" },
      html("header", {}, this.title, this.chips, this.close), this.formula, this.figure, this.beyond.element,
      this.list.element, this.message, this.#actions());
    mount.replaceChildren(this.element);
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.figure);
    this.stopFrames = listenToFrames((frame) => this.#frame(frame));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !isTyping(event)) this.close.click();
    });
  }

  #actions() {
    const button = (label, title, op) => {
      const element = html("button", { type: "button", title, "data-op": op }, label);
      element.addEventListener("click", () => this.#tell(element.dataset.op, {}));
      return element;
    };
    this.snapButton = html("button", { type: "button", class: "primary", "data-op": "snap" }, "Snap");
    this.snapButton.addEventListener("click", () => this.snap(this.chosen ?? this.best));
    this.release = button("Release", "Back to a free curve", "release");
    this.lock = button("Lock", "Keep this edge as it is in every refit", "lock");
    this.prune = button("Prune", "Take this edge out of the network", "prune");
    this.deeper = button("Search deeper", "Refit the whole model with every form, have the search engines look for forms of their own, and ask a bootstrap how stable the choice is", "search");
    return html("footer", {}, this.snapButton, this.release, this.lock, this.prune, html("span", { class: "grow" }), this.deeper);
  }

  /** A payload from Python. */
  update(args) {
    this.args = args;
    const { data } = args;
    const other = data.edge !== this.data?.edge;
    const moved = other || data.revision !== this.data?.revision;
    this.data = { candidates: [], points: [], ...data };
    this.element.style.setProperty("--height", data.height ? `${data.height}px` : "auto");
    if (moved) { this.chosen = null; this.waiting = 0; }
    if (other) { this.list.clear(); this.typed = null; }
    const welcomed = this.#welcome();
    if (!this.#candidate(this.chosen)) this.chosen = data.current ?? null;
    this.#drawHead();
    this.#draw();
    this.constants.open(this.#candidate(this.chosen), this.data);
    this.list.draw(this.data, this.chosen);
    if (welcomed) this.list.reveal(this.chosen);
    this.#drawActions();
    this.message.textContent = data.message ?? data.searching ?? "";
    set(this.message, { hidden: !data.message && !data.searching, "data-quiet": !data.message });
    set(this.element, { "data-edge": data.edge, "data-state": data.state, "data-renders": (this.renders = (this.renders ?? 0) + 1) });
  }

  /** A frame of a fit that goes on: the curve of this edge moves with it. */
  #frame(frame) {
    const edge = this.data?.live ? frame.edges?.[this.data.edge] ?? frame.functions?.find((one) => one.id === this.data.edge) : null;
    if (!edge) return;
    const [low, high] = edge.range;
    const [start, end] = edge.x;
    const last = Math.max(1, edge.y.length - 1);
    Object.assign(this.data, {
      importance: edge.importance, density: edge.density, range: edge.x, x: edge.y.map((_, k) => start + ((end - start) * k) / last),
      y: edge.y.map((value) => (value === null ? null : low + ((high - low) * value) / 1000)),
    });
    this.#drawHead();
    this.#draw();
  }

  /** A form that was typed has been fitted: it is the one name that was not there before. Open it among all the others. */
  #welcome() {
    if (!this.typed) return false;
    const fitted = this.data.candidates.find((candidate) => candidate.refitted && !this.typed.has(candidate.name));
    if (!fitted && !this.data.message) return false;
    this.typed = null;
    if (!fitted) return false;
    this.list.clear();
    this.chosen = fitted.name;
    return true;
  }

  #drawHead() {
    const { label, importance, state, stability, text } = this.data;
    const words = this.data.chips ?? [`importance ${percent(importance)}`];
    this.formula.textContent = handwritten(text ?? "");
    set(this.formula, { hidden: !text || state !== "snapped", title: text });
    this.title.textContent = label;
    this.chips.replaceChildren(
      html("span", { class: "chip", "data-state": state }, html("i"), STATES[state]),
      ...words.map((one) => html("span", { class: "chip" }, one)),
      stability === null || stability === undefined ? "" : html("span", { class: "chip", title: "How often a bootstrap sample chooses the same form" }, `stable in ${percent(stability)}`));
  }

  #draw() {
    const width = this.figure.clientWidth;
    if (!width || !this.data) return;
    this.plot.draw(this.data, width);
    this.beyond.draw(this.data, width);
    this.#rest();
  }

  #resized() {
    if (this.data && this.figure.clientWidth !== this.plot.width) this.#draw();
  }

  get best() {
    return this.data.candidates[0]?.name ?? null;
  }

  #candidate(name) {
    return this.data.candidates.find((candidate) => candidate.name === name) ?? null;
  }

  #drawActions() {
    const { state, candidates, moves } = this.data;
    for (const [op, button] of [["lock", this.lock], ["prune", this.prune]]) set(button, { hidden: Boolean(moves) && !moves.includes(op) });
    const target = this.#candidate(this.chosen ?? this.best);
    const busy = Boolean(this.waiting) || Boolean(this.data.busy);
    const settled = target?.name === this.data.current && !this.constants.chosen;
    const words = target ? `Snap to ${target.title ?? target.name}` : "Snap";
    this.snapButton.textContent = this.data.live ? "Snap to the best form" : settled ? "Snapped" : words;
    set(this.snapButton, { disabled: busy || (!target && !this.data.live) || state === "pruned" || state === "locked" || settled });
    set(this.release, { disabled: busy || state === "spline" || state === "rational" || state === "pruned" });
    set(this.lock, { disabled: busy || state === "pruned", "data-op": state === "locked" ? "unlock" : "lock" });
    this.lock.textContent = state === "locked" ? "Unlock" : "Lock";
    set(this.prune, { disabled: busy || state === "pruned" });
    const searching = Boolean(this.data.searching);
    set(this.deeper, { hidden: this.data.live, disabled: busy || state === "pruned", "data-busy": searching, "data-op": searching ? "end_search" : "search" });
    this.deeper.textContent = searching ? "Stop search" : "Search deeper";
    set(this.element, { "data-live": this.data.live, "data-busy": busy, "data-count": candidates.length });
  }

  // What a person does ------------------------------------------------------------------------------------------------

  hover(candidate) {
    if (!candidate) { this.#rest(); return; }
    this.plot.show(candidate.y);
    this.beyond.emphasize(candidate.name);
  }

  /** With nothing hovered the chosen form is shown, as its sliders stand. */
  #rest() {
    const candidate = this.#candidate(this.chosen);
    const isDrawn = Boolean(this.data?.moves) && candidate?.name === this.data.current; // a function that has this form is the curve itself
    this.plot.show(this.dragged ?? (isDrawn ? null : candidate?.y) ?? null);
    this.beyond.emphasize(candidate?.name);
  }

  #drag(values) {
    this.dragged = values;
    this.#rest();
    if (this.data) this.#drawActions();
  }

  choose(name) {
    this.chosen = name;
    this.list.choose(name);
    this.constants.open(this.#candidate(name), this.data);
    this.dragged = null;
    this.#rest();
    this.#drawActions();
  }

  #fit(text) {
    this.typed = new Set(this.data.candidates.map((candidate) => candidate.name));
    this.#tell("fit_form", { text });
  }

  snap(name) {
    const parameters = name === this.chosen ? this.constants.chosen : null;
    this.#tell("snap", { form: name, parameters });
  }

  #tell(op, rest) {
    if (this.waiting) return;
    this.waiting = setTimeout(() => { this.waiting = 0; this.#drawActions(); }, PATIENCE);
    this.#drawActions();
    this.outbox.post(this.args.setTriggerValue, { op, edge: this.data.edge, ...rest });
  }

  /** An answer, even an unchanged one, ends the waiting. */
  answered() {
    clearTimeout(this.waiting);
    this.waiting = 0;
  }

  stop() {
    this.answered();
    this.stopFrames();
    this.observer.disconnect();
  }
}

const views = new WeakMap();

export default function inspector(args) {
  const { parentElement } = args;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.element)) {
    view = new InspectorView(parentElement.querySelector(".mount"));
    views.set(parentElement, view);
  }
  view.answered();
  view.update(args);
  return () => {
    view.stop();
    views.delete(parentElement);
  };
}
