/**
 * The network canvas: a Streamlit component that draws a KAN and lets a person work on it.
 *
 * Streamlit calls the default export again for every changed payload with the same parent element, so all state lives
 * in one `NetworkView` per parent. What a click means is painted at once and told to Python afterwards. The payload is
 * described in workbench/ui/canvas/__init__.py.
 */

import { html, set, origin } from "./shared/dom.js";
import { Outbox } from "./shared/outbox.js";
import { lookAhead } from "./shared/ahead.js";
import { graphLayout } from "./network/layout.js";
import { matrixLayout } from "./network/matrix.js";
import { Model, describe } from "./network/model.js";
import { Scene } from "./network/scene.js";
import { Camera } from "./network/camera.js";
import { Tooltip } from "./network/tooltip.js";
import { Toolbar, CheatSheet } from "./network/toolbar.js";
import { listenOnPage, listenOnScene } from "./network/keyboard.js";
import { LiveStreams } from "./shared/live.js";
import { Progress } from "./shared/progress.js";
import { Terms } from "./network/terms.js";
import { download, toStandaloneSvg } from "./network/save.js";
import { tellFrame } from "./shared/frames.js";

const MEMORY = "kan-workbench.canvas"; // view, scale: kept for this tab
const PENDING_STATE = { snap: "snapped", prune: "pruned", lock: "locked", unlock: "spline", release: "spline" };
const PATIENCE = 20_000; // ms until an optimistic mark that nobody confirmed is taken back
const MANY_EDGES = 90; // above this the matrix is the more legible first view

class NetworkView {
  constructor(mount) {
    this.look = { mode: null, scale: null, threshold: 0, pending: new Map(), busy: new Set(), kept: new Set(), hidden: false, ...remembered() };
    this.selected = null;
    this.confirmed = null; // what Python last said is selected
    this.picks = []; // clicks it has not answered yet
    this.focus = null;
    this.outbox = new Outbox();
    this.scene = new Scene();
    this.toolbar = new Toolbar(this);
    this.keys = new CheatSheet();
    this.hints = html("ol", { class: "hints" });
    this.voice = html("div", { class: "voice", "aria-live": "polite" });
    this.progress = new Progress();
    this.stage = html("div", { class: "stage" }, this.scene.root, this.hints, this.progress.element);
    this.element = html("div", { class: "network" }, this.toolbar.bar, this.stage, this.toolbar.legend, this.keys.element, this.voice);
    mount.replaceChildren(this.element);
    this.tooltip = new Tooltip(this.element);
    this.camera = new Camera(this.scene.root, this.scene.camera);
    this.live = new LiveStreams({
      onEvent: (url, event) => { if (this.progress.follow(url, event)) this.args.setTriggerValue("news", url); },
      onFrame: (frame) => this.#frame(frame),
      onNews: (url) => this.args.setTriggerValue("news", url),
      onLost: (url) => this.args.setStateValue("stream", url),
    });
    this.terms = new Terms({
      light: (edges) => this.#light(edges),
      open: (id) => this.select(id),
      name: (id) => this.everything.byId.get(id)?.label ?? id,
    });
    this.ruler = document.createElement("canvas").getContext("2d");
    this.#listen();
  }

  #listen() {
    const root = this.scene.root;
    const idOf = (event) => origin(event).closest?.(".edge")?.dataset.id ?? null;
    root.addEventListener("click", (event) => { if (!this.camera.moved) this.select(idOf(event)); });
    root.addEventListener("dblclick", (event) => { if (!idOf(event)) this.fit(); });
    root.addEventListener("pointerover", (event) => this.hover(idOf(event)));
    root.addEventListener("pointerleave", () => this.hover(null));
    root.addEventListener("focusin", (event) => { const id = idOf(event); if (id) this.#reach(id); });
    root.addEventListener("focusout", () => this.terms.light(this.hovered ?? null));
    listenOnScene(root, this);
    this.stopKeys = listenOnPage(this);
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.stage);
  }

  /** A payload from Python. */
  update(args) {
    this.args = args;
    const { data } = args;
    const before = this.model?.signature;
    this.element.style.setProperty("--height", `${data.height ?? 520}px`);
    this.full = data;
    this.#load();
    this.look.scale ??= data.scale ?? "shared";
    this.look.busy = new Set(data.busy ?? []);
    this.#settle(data.revision);
    this.#acknowledge(data.selected ?? null);
    if (!this.model.byId.has(this.selected)) this.selected = null;
    if (this.model.signature !== before) this.camera.reset();
    this.#showHints(data.hints ?? []);
    this.#arrange();
    this.progress.show(data.job ?? null);
    this.live.follow(data.streams ?? []);
    if (!this.model.isEmpty) lookAhead(data.ahead ?? []);
    this.terms.follow(data.formula ?? null, getComputedStyle(this.element).getPropertyValue("--accent"));
    set(this.element, { "data-live": Boolean(data.job), "data-renders": (this.renders = (this.renders ?? 0) + 1) });
  }

  #load() {
    const edges = this.look.hidden ? this.full.edges.filter((edge) => edge.state !== "pruned") : this.full.edges;
    this.model = new Model({ layers: this.look.hidden ? used(this.full.layers, edges) : this.full.layers, edges });
    this.everything = new Model(this.full);
    if (!this.everything.isEmpty) this.look.mode ??= this.everything.edges.length > MANY_EDGES ? "matrix" : "graph";
  }

  /** Python's selection holds, unless it answers an earlier click while a later one is on its way. */
  #acknowledge(selected) {
    this.picks.splice(0, this.picks.indexOf(selected) + 1);
    if (selected === this.confirmed && this.picks.length) return;
    this.confirmed = selected;
    if (!this.picks.length) this.selected = selected;
  }

  /** Optimistic marks end when Python answers with a new revision, or when nobody answers. */
  #settle(revision) {
    const now = Date.now();
    for (const [id, mark] of this.look.pending) {
      if (revision !== mark.revision || now - mark.since > PATIENCE) this.look.pending.delete(id);
    }
    this.revision = revision;
  }

  #showHints(hints) {
    this.hints.replaceChildren(...hints.map((hint) => html("li", {}, html("span", {}, hint))));
    set(this.element, { "data-empty": this.model.isEmpty });
  }

  #resized() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (this.model && (width !== this.layout?.width || height !== this.layout?.height)) this.#arrange();
  }

  #arrange() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height || this.model.isEmpty) { this.#paint(); return; }
    const size = { width, height, labelWidth: (nodes) => this.#labelWidth(nodes) };
    this.layout = (this.look.mode === "matrix" ? matrixLayout : graphLayout)(this.model, size);
    set(this.element, { "data-mode": this.look.mode });
    this.scene.arrange(this.model, this.layout, (text, room) => this.#fit(text, room));
    this.#paint();
  }

  #paint() {
    this.look.kept = this.model.above(this.look.threshold).kept;
    if (this.layout && !this.model.isEmpty) {
      this.scene.paint(this.model, this.look);
      this.#mark();
    }
    this.toolbar.refresh(this.everything, this.look, this.look.hidden);
  }

  #mark() {
    if (!this.model.byId.has(this.focus)) this.focus = this.selected ?? this.layout.order.flat()[0];
    this.scene.mark({ selected: this.selected, hot: this.lit ?? new Set(this.hovered ? [this.hovered] : []), focus: this.focus });
  }

  /** A frame of a fit: it moves the curves, and where it is of another network than the one drawn, it takes its place. */
  #frame(frame) {
    const drawn = this.full.edges.map((edge) => edge.id).join();
    if (frame.layers && drawn !== Object.keys(frame.edges).join()) {
      this.full = { ...this.full, layers: frame.layers, edges: Object.values(frame.edges) };
      this.#load();
      this.camera.reset();
      this.#showHints([]);
      this.#arrange();
    } else {
      this.model.apply(frame);
      this.#paint();
    }
    set(this.element, { "data-step": frame.step });
    tellFrame(frame);
  }

  #labelWidth(nodes) {
    this.ruler.font = "13px sans-serif";
    return Math.min(136, Math.max(0, ...nodes.map((node) => this.ruler.measureText(node.label).width)));
  }

  #fit(text, room) {
    this.ruler.font = "12px sans-serif";
    if (this.ruler.measureText(text).width <= room) return text;
    let length = text.length;
    while (length > 1 && this.ruler.measureText(`${text.slice(0, length)}…`).width > room) length -= 1;
    return `${text.slice(0, length)}…`;
  }

  // What a person does ------------------------------------------------------------------------------------------------

  select(id) {
    if (id === this.selected) return;
    this.selected = id;
    this.picks.push(id);
    if (id) this.focus = id;
    this.#mark();
    this.tooltip.hide();
    this.voice.textContent = id ? `Opened ${describe(this.model.byId.get(id))}` : "Inspector closed";
    this.args.setStateValue("selected", id);
  }

  hover(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.#mark();
    this.terms.light(id);
    if (id && id !== this.selected) this.tooltip.show(this.model.byId.get(id), this.scene.edges.get(id).group);
    else this.tooltip.hide();
  }

  move(id, key) {
    const next = this.model.neighbour(id, key, this.layout.order);
    if (!next) return;
    this.#reach(next);
    const { group } = this.scene.edges.get(next);
    group.focus({ preventScroll: true });
    this.camera.reveal(group);
  }

  #reach(id) {
    this.focus = id;
    this.#mark();
    this.terms.light(id);
  }

  /** Light the edges of a term of the formula; null: of none. */
  #light(edges) {
    this.lit = edges && new Set(edges);
    this.#mark();
  }

  /** Ask Python for a move on an edge, and paint what it will be at once. */
  act(name, id) {
    const edge = this.model.byId.get(id);
    const op = name === "lock" && edge.state === "locked" ? "unlock" : name;
    if (edge.state === "pruned") { this.voice.textContent = "This edge is pruned. Undo brings it back."; return; }
    this.look.pending.set(id, { state: PENDING_STATE[op], revision: this.revision, since: Date.now() });
    this.#paint();
    this.voice.textContent = `${op} ${edge.label}`;
    this.outbox.post(this.args.setTriggerValue, { op, edge: id });
  }

  history(op) {
    this.outbox.post(this.args.setTriggerValue, { op, edge: null });
  }

  zoom(factor) { this.tooltip.hide(); this.camera.zoom(factor); }

  fit() { this.camera.reset(); }

  toggleView() { this.setMode(this.look.mode === "graph" ? "matrix" : "graph"); }

  setMode(mode) { this.#change({ mode }); this.camera.reset(); }

  setScale(scale) { this.#change({ scale }); }

  setHidden(hidden) { this.#change({ hidden }); }

  setThreshold(threshold) { this.look.threshold = threshold; this.#paint(); }

  #change(change) {
    Object.assign(this.look, change);
    remember({ mode: this.look.mode, scale: this.look.scale, hidden: this.look.hidden });
    this.#load();
    this.#arrange();
  }

  showKeys() { this.keys.toggle(); }

  download() { download(toStandaloneSvg(this.scene.root), `${this.full.name ?? "network"}.svg`); }

  stop() {
    this.live.stop();
    this.terms.stop();
    this.stopKeys();
    this.observer.disconnect();
    this.tooltip.hide();
  }
}

/** The layers without the hidden nodes that no edge touches. */
function used(layers, edges) {
  const touched = new Set(edges.flatMap((edge) => [`${edge.layer}.${edge.source}`, `${edge.layer + 1}.${edge.node}`]));
  const isEnd = (depth) => depth === 0 || depth === layers.length - 1;
  return layers.map((layer, depth) => ({ ...layer, nodes: layer.nodes.filter((node) => isEnd(depth) || touched.has(`${depth}.${node.id}`)) }));
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY)) ?? {};
  } catch {
    return {};
  }
}

function remember(look) {
  try {
    sessionStorage.setItem(MEMORY, JSON.stringify(look));
  } catch {
    // A browser that forbids storage only forgets the view.
  }
}

const views = new WeakMap();

export default function network(args) {
  const { parentElement } = args;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.element)) {
    view = new NetworkView(parentElement.querySelector(".mount"));
    views.set(parentElement, view);
  }
  view.update(args);
  return () => {
    view.stop();
    views.delete(parentElement);
  };
}
