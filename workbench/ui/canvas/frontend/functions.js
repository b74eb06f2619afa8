/**
 * The activation functions of a transformer: a Streamlit component of small multiples, a row for every activation, a column for every group.
 *
 * Every curve stands over the density of what its function really received. All state lives in one view per parent, because Streamlit calls the
 * default export again for every payload; the payload is described in workbench/ui/canvas/__init__.py.
 */

import { html, set, origin } from "./shared/dom.js";
import { Outbox } from "./shared/outbox.js";
import { lookAhead } from "./shared/ahead.js";
import { LiveStreams } from "./shared/live.js";
import { Progress } from "./shared/progress.js";
import { tellFrame } from "./shared/frames.js";
import { format, handwritten } from "./shared/numbers.js";
import { listenOnPage } from "./network/keyboard.js";
import { Cell } from "./functions/cell.js";

const PATIENCE = 20_000; // ms until an optimistic mark that nobody confirmed is taken back
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const ACTIONS = { s: "snap", r: "release" };

class ActivationsView {
  constructor(mount) {
    this.outbox = new Outbox();
    this.cells = new Map();
    this.pending = new Map();
    this.grid = html("div", { class: "grid", role: "group", "aria-label": "Activation functions" });
    this.words = html("p", { class: "words" });
    this.legend = html("div", { class: "legend" },
      html("span", { class: "key", "data-state": "spline" }, html("i"), "learned"),
      html("span", { class: "key", "data-state": "snapped" }, html("i"), "named"),
      html("span", { class: "key" }, html("u"), "what it receives"));
    this.empty = html("p", { class: "empty", hidden: true }, "The functions appear with the first epoch.");
    this.progress = new Progress();
    this.voice = html("div", { class: "voice", "aria-live": "polite" });
    this.element = html("div", { class: "functions" }, this.grid, this.empty,
      html("footer", {}, this.words, this.legend), this.progress.element, this.voice);
    mount.replaceChildren(this.element);
    this.live = new LiveStreams({
      onEvent: (url, event) => { if (this.progress.follow(url, event)) this.args.setTriggerValue("news", url); },
      onFrame: (frame) => this.#frame(frame),
      onNews: (url) => this.args.setTriggerValue("news", url),
      onLost: (url) => this.args.setStateValue("stream", url),
    });
    this.#listen();
  }

  #listen() {
    const idOf = (event) => origin(event).closest?.(".cell")?.dataset.id ?? null;
    this.grid.addEventListener("click", (event) => { const id = idOf(event); if (id) this.select(id); });
    this.grid.addEventListener("pointerover", (event) => this.#say(idOf(event)));
    this.grid.addEventListener("pointerleave", () => this.#say(null));
    this.grid.addEventListener("focusin", (event) => this.#say(idOf(event)));
    this.grid.addEventListener("keydown", (event) => this.#key(event, idOf(event)));
    this.stopKeys = listenOnPage(this);
  }

  /** A payload from Python. */
  update(args) {
    this.args = args;
    const { data } = args;
    this.element.style.setProperty("--height", `${data.height ?? 520}px`);
    this.#settle(data.revision);
    this.busy = new Set(data.busy ?? []);
    this.selected = data.selected ?? null;
    this.#draw(data);
    this.progress.show(data.job ?? null);
    this.live.follow(data.streams ?? []);
    if (this.functions.length) lookAhead(data.ahead ?? []);
    set(this.element, { "data-live": Boolean(data.job), "data-renders": (this.renders = (this.renders ?? 0) + 1) });
  }

  #settle(revision) {
    const now = Date.now();
    for (const [id, mark] of this.pending) {
      if (revision !== mark.revision || now - mark.since > PATIENCE) this.pending.delete(id);
    }
    this.revision = revision;
  }

  #draw({ places = [], functions = [] }) {
    this.places = places;
    this.functions = functions;
    const signature = JSON.stringify([places.map((place) => [place.label, place.detail, place.channels]), functions.map((one) => one.id)]);
    if (signature !== this.signature) this.#lay();
    this.signature = signature;
    for (const one of functions) this.cells.get(one.id).draw(one);
    set(this.empty, { hidden: functions.length > 0 });
    this.#mark();
    this.#say(this.told ?? null);
  }

  /** Make the rows and cells anew. */
  #lay() {
    const columns = Math.max(1, ...this.functions.map((one) => one.group + 1));
    this.grid.style.setProperty("--columns", columns);
    this.grid.style.setProperty("--rows", Math.max(1, this.places.length));
    this.cells = new Map(this.functions.map((one) => [one.id, new Cell(one)]));
    this.grid.replaceChildren(...this.places.flatMap((place, k) => {
      const own = this.functions.filter((one) => one.place === k);
      const blanks = Array.from({ length: columns - own.length }, () => html("span", {}));
      return [this.#label(place, k), ...own.map((one) => this.cells.get(one.id).element), ...blanks];
    }));
  }

  #label(place, k) {
    const first = k === 0 || this.places[k - 1].label !== place.label;
    return html("div", { class: "label", "data-first": first },
      html("b", {}, first ? place.label : ""), html("span", {}, place.detail), html("small", {}, `${place.channels} channels each`));
  }

  #mark() {
    for (const one of this.functions) {
      const pending = this.pending.has(one.id) || this.busy.has(one.id);
      this.cells.get(one.id).mark({ selected: one.id === this.selected, pending, reachable: one.id === (this.selected ?? this.functions[0].id) });
    }
  }

  #frame(frame) {
    this.#draw(frame);
    set(this.element, { "data-step": frame.step });
    tellFrame(frame);
  }

  /** What is under the pointer, in words. */
  #say(id) {
    this.told = id;
    const one = this.functions?.find((other) => other.id === id);
    if (!one) { this.words.textContent = this.functions?.length ? "Click a function to see what it could be called." : ""; return; }
    const [low, high] = one.x;
    this.words.replaceChildren(html("b", {}, one.label), ` · shared by ${one.channels} channels · receives ${format(low, 3)} … ${format(high, 3)} · `,
      one.state === "snapped" ? html("code", {}, handwritten(one.text)) : one.text);
  }

  #key(event, id) {
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEPS[event.key]) this.#walk(id, STEPS[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.select(id);
    else if (event.key === "Escape") this.select(null);
    else if (Object.hasOwn(ACTIONS, event.key.toLowerCase())) this.#act(ACTIONS[event.key.toLowerCase()], id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #walk(id, [down, right]) {
    const here = this.functions.find((one) => one.id === id);
    const next = this.functions.find((one) => one.place === here.place + down && one.group === here.group + right);
    if (next) this.cells.get(next.id).element.focus();
  }

  // What a person does ------------------------------------------------------------------------------------------------

  select(id) {
    if (id === this.selected) return;
    this.selected = id;
    this.#mark();
    this.voice.textContent = id ? `Opened ${this.functions.find((one) => one.id === id).label}` : "Inspector closed";
    this.args.setStateValue("selected", id);
  }

  #act(op, id) {
    const one = this.functions.find((other) => other.id === id);
    if (op === "release" && one.state !== "snapped") { this.voice.textContent = "This function has no name."; return; }
    this.pending.set(id, { revision: this.revision, since: Date.now() });
    this.#mark();
    this.voice.textContent = `${op} ${one.label}`;
    this.outbox.post(this.args.setTriggerValue, { op, edge: id });
  }

  history(op) {
    this.outbox.post(this.args.setTriggerValue, { op, edge: null });
  }

  stop() {
    this.live.stop();
    this.stopKeys();
  }
}

const views = new WeakMap();

export default function functions(args) {
  const { parentElement } = args;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.element)) {
    view = new ActivationsView(parentElement.querySelector(".mount"));
    views.set(parentElement, view);
  }
  view.update(args);
  return () => {
    view.stop();
    views.delete(parentElement);
  };
}
