/**
 * The drawn network: SVG elements that follow the model.
 *
 * Elements live as long as their edge does. `arrange` moves them to a layout, `paint` refreshes curves and states;
 * both touch only what changed, so that ten frames a second stay cheap.
 */

import { svg, set } from "../shared/dom.js";
import { line, format, handwritten } from "../shared/numbers.js";
import { NODE_RADIUS, isProduct } from "./layout.js";
import { describe } from "./model.js";

const PADDING = 6;
const ROOM_FOR_FORM = 40;
const ROOM_FOR_BADGE = 30;
const SHORTEST_LABEL = 52; // px that a name may take, whatever the others are

export class Scene {
  constructor() {
    this.stacks = svg("g", { class: "stacks" });
    this.wires = svg("g", { class: "wires" });
    this.bare = svg("g", { class: "bare" });
    this.boxes = svg("g", { class: "boxes" });
    this.nodes = svg("g", { class: "nodes" });
    this.camera = svg("g", { class: "camera" }, this.stacks, this.wires, this.bare, this.boxes, this.nodes);
    this.root = svg("svg", {
      class: "scene", role: "group", "aria-roledescription": "network diagram",
      "aria-label": "Network of learned functions. Arrow keys move between edges, Enter opens one, question mark lists all keys.",
    }, this.camera);
    this.edges = new Map();
  }

  /** Bring every element to its place in a layout. */
  arrange(model, layout, fit) {
    set(this.root, { width: layout.width, height: layout.height });
    this.#forget(model);
    for (const edge of model.edges) this.#place(edge, layout);
    this.#order(layout.order.flat().map((id) => this.edges.get(id)).filter((parts) => !parts.bare));
    this.stacks.replaceChildren(...layout.stacks.map((stack) => svg("rect", { class: "stack", rx: 9, ...pick(stack) })));
    this.#drawNodes(layout, fit);
    this.#drawLabels(layout, fit);
  }

  /** Put boxes into the order in which they are read. Moving an element takes its focus away, so it is given back. */
  #order(parts) {
    const groups = parts.map(({ group }) => group);
    const now = this.boxes.children;
    if (groups.length === now.length && groups.every((group, k) => group === now[k])) return;
    const focused = groups.find((group) => group.matches(":focus"));
    this.boxes.replaceChildren(...groups);
    focused?.focus({ preventScroll: true });
  }

  #forget(model) {
    for (const [id, parts] of this.edges) {
      if (model.byId.has(id)) continue;
      parts.group.remove();
      parts.wire.remove();
      this.edges.delete(id);
    }
  }

  #place(edge, layout) {
    const parts = this.edges.get(edge.id) ?? this.#create(edge);
    const box = layout.boxes.get(edge.id);
    const { path } = layout.wires.get(edge.id);
    parts.bare = !box;
    parts.box = box;
    parts.key = null;
    set(parts.wire, { d: path });
    set(parts.group, { "data-bare": parts.bare, transform: box ? `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})` : null });
    if (parts.bare) {
      set(parts.hit, { d: path });
      parts.group.replaceChildren(parts.hit);
      if (parts.group.parentNode !== this.bare) this.bare.append(parts.group);
      return;
    }
    set(parts.frame, { width: box.width.toFixed(1), height: box.height.toFixed(1), rx: Math.min(6, box.height / 5) });
    set(parts.form, { x: PADDING });
    set(parts.badge, { transform: `translate(${(box.width - 7).toFixed(1)} 7)` });
    set(parts.spinner, { transform: `translate(${(box.width - 10).toFixed(1)} 10)` });
    parts.group.replaceChildren(parts.frame, parts.curve, parts.form, parts.badge, parts.spinner);
  }

  #create(edge) {
    const parts = {
      wire: svg("path", { class: "wire" }), hit: svg("path", { class: "hit" }),
      frame: svg("rect", { class: "frame" }), curve: svg("path", { class: "curve" }),
      form: svg("text", { class: "form" }), badge: svg("g", { class: "badge" }),
      spinner: svg("g", { class: "spinner" }, svg("circle", { r: 4.5 })),
      group: svg("g", { class: "edge", role: "button", tabindex: "-1", "data-id": edge.id, "aria-pressed": "false" }),
    };
    this.wires.append(parts.wire);
    this.edges.set(edge.id, parts);
    return parts;
  }

  #drawNodes(layout, fit) {
    const last = Math.max(...layout.nodes.map((node) => node.layer), 0);
    const slots = layout.slots.map((slot) => svg("g", { class: "slot" },
      svg("path", { d: `M${slot.x + 5} ${slot.y}C${slot.x + 20} ${slot.y} ${slot.to.x - 26} ${slot.to.y} ${slot.to.x - NODE_RADIUS} ${slot.to.y}` }),
      svg("circle", { cx: slot.x, cy: slot.y, r: 5 })));
    this.nodes.replaceChildren(...slots, ...layout.nodes.map((place) => nodeShape(place, last, (text) => fit(text, Math.max(layout.label, SHORTEST_LABEL)))));
  }

  #drawLabels(layout, fit) {
    this.nodes.append(...layout.labels.map((label) => svg("text", {
      class: "label", x: label.x.toFixed(1), y: label.y.toFixed(1), "text-anchor": label.anchor,
    }, fit(label.text, label.room), svg("title", {}, label.text))));
  }

  /** Refresh curves, widths and states; `look` is `{scale, kept, pending, busy, live}`. */
  paint(model, look) {
    for (const edge of model.edges) {
      const parts = this.edges.get(edge.id);
      const pending = look.pending.get(edge.id);
      const state = pending?.state ?? edge.state;
      const busy = Boolean(pending) || look.busy.has(edge.id);
      const faint = edge.state !== "pruned" && !look.kept.has(edge.id);
      const scale = model.widest.get(`${edge.layer}.${edge.target}`);
      const key = [state, busy, faint, edge.importance, edge.form, look.scale, scale, edge.range, edge.y].join("|");
      if (parts.key === key) continue;
      parts.key = key;
      const states = { "data-state": state, "data-busy": busy, "data-faint": faint };
      set(parts.wire, { ...states, "data-bare": parts.bare, "stroke-width": (0.8 + (parts.bare ? 1.4 : 3.8) * edge.importance).toFixed(2) });
      set(parts.group, { ...states, "aria-label": describe({ ...edge, state }), style: `--importance:${edge.importance.toFixed(3)}` });
      if (!parts.bare) this.#paintBox(parts, edge, state, model.heights(edge, look.scale));
    }
  }

  #paintBox(parts, edge, state, heights) {
    const { width, height } = parts.box;
    const wide = width - 2 * PADDING;
    const roomy = height >= ROOM_FOR_FORM && Boolean(edge.form) && state !== "pruned";
    const high = height - 2 * Math.min(PADDING, height / 6);
    const top = (height - high) / 2;
    set(parts.curve, {
      d: line(heights.map((_, k) => k), heights, (k) => PADDING + (wide * k) / (heights.length - 1), (y) => top + high * (1 - y)),
    });
    const startsLow = heights.slice(0, 24).every((y) => y < 0.62); // then the upper left corner is free
    parts.form.textContent = roomy ? shorten(handwritten(edge.form), Math.floor(wide / 6)) : "";
    set(parts.form, { y: startsLow ? 15 : (height - PADDING + 1).toFixed(1) });
    parts.badge.replaceChildren(...(height >= ROOM_FOR_BADGE ? badgeOf(state) : []));
  }

  /** Mark what is selected, lit (a set) and reachable by Tab. */
  mark({ selected, hot, focus }) {
    for (const [id, parts] of this.edges) {
      const on = id === selected;
      set(parts.group, { "aria-pressed": String(on), tabindex: id === focus ? "0" : "-1", "data-hot": hot.has(id) });
      set(parts.wire, { "data-on": on, "data-hot": hot.has(id) });
    }
    set(this.root, { "data-dim": hot.size > 0 });
    const front = this.edges.get(selected)?.wire;
    if (front && front !== this.wires.lastChild) this.wires.append(front);
  }
}

function pick({ x, y, width, height }) {
  return { x: x.toFixed(1), y: y.toFixed(1), width: width.toFixed(1), height: height.toFixed(1) };
}

function nodeShape({ node, layer, x, y, radius, named }, last, fit) {
  const product = isProduct(node);
  const end = layer === 0 || layer === last;
  const name = node.unit ? `${node.label} in ${node.unit}` : node.label;
  const group = svg("g", { class: `node ${layer === 0 ? "input" : node.kind}`, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    svg("title", {}, product ? `${name}: product of ${node.factors.length} factors` : name));
  if (layer === 0) group.append(svg("circle", { r: 5 }));
  else {
    group.append(product ? svg("rect", { x: -radius, y: -radius, width: 2 * radius, height: 2 * radius, rx: 0.45 * radius })
      : svg("circle", { r: radius }));
    if (radius > 7) group.append(svg("text", { class: "sign", "text-anchor": "middle", y: 4 }, product ? "Π" : "Σ"));
  }
  const side = layer === 0 ? { x: -13, "text-anchor": "end", y: node.unit ? -1 : 4 }
    : layer === last ? { x: NODE_RADIUS + 8, "text-anchor": "start", y: node.unit ? -1 : 4 }
      : { "text-anchor": "middle", y: NODE_RADIUS + 15 };
  if (end || named) group.append(svg("text", { class: end ? "name" : "name small", ...side }, fit(node.label)));
  if (end && node.unit) group.append(svg("text", { class: "unit", ...side, y: side.y + 14 }, fit(handwritten(node.unit))));
  return group;
}

/** Glyphs beside the colour and the dash: a filled dot for snapped, a padlock for locked. */
function badgeOf(state) {
  if (state === "snapped") return [svg("circle", { r: 2.6 })];
  if (state === "locked") return [svg("path", { d: "M-3.2 -0.5H3.2V4H-3.2ZM-1.9 -0.5V-2.4A1.9 1.9 0 0 1 1.9 -2.4V-0.5" })];
  return [];
}

function shorten(text, length) {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`;
}

/** A larger drawing of one curve for the tooltip, with the range it covers. */
export function thumbnail(edge, width, height) {
  const ys = edge.y.map((value) => (value === null ? NaN : value));
  const path = line(ys.map((_, k) => k), ys, (k) => 2 + ((width - 4) * k) / (ys.length - 1), (y) => 4 + (height - 8) * (1 - y / 1000));
  return {
    picture: svg("svg", { width, height, class: "thumb", "data-state": edge.state }, svg("path", { class: "curve", d: path })),
    x: edge.x ? `${format(edge.x[0])} … ${format(edge.x[1])}` : "",
    y: edge.range ? `${format(edge.range[0])} … ${format(edge.range[1])}` : "",
  };
}
