/**
 * Where everything stands in the graph view, in pixels.
 *
 * Inputs stand left, outputs right. Between two columns of nodes stands one column of boxes, a box an edge, stacked by
 * the slot they are added up in: a stack reads as the sum phi_1 + phi_2 + ... A slot stands at the middle of its
 * stack. A product node stands behind its slots, which are its factors. Boxes that would be too small to read (below
 * `SMALLEST` px) become bare wires, the least important first.
 *
 * Pure: the same drawing and size give the same layout. Both layouts return
 * `{boxes, wires, nodes, slots, stacks, labels, order, width, height}`, where boxes and wires are Maps by edge id and
 * `order` lists, for each layer, the edge ids as the eye meets them.
 */

import { clamp } from "../shared/numbers.js";

const SMALLEST = 17;
const LARGEST = 96;
export const NODE_RADIUS = 11;
const ROOM_FOR_NAME = 42; // px from node to node, so that a name fits below each
const FACTOR_DISTANCE = 46; // from a product node back to its factors, where there is room
const CLEARANCE = 14; // px of wire that must show on both sides of a box

export function slotKey(edge) {
  return `${edge.layer}.${edge.target}`;
}

/** A node is a product when several slots feed it. */
export function isProduct(node) {
  return node.kind === "product" || (node.factors ?? []).length > 1;
}

export function graphLayout(drawing, size) {
  const frame = frameOf(drawing, size);
  const layout = {
    boxes: new Map(), wires: new Map(), nodes: [], slots: [], stacks: [], labels: [], order: [],
    width: size.width, height: size.height, label: frame.label,
  };
  const placed = [placeInputs(drawing.layers[0].nodes, frame)];
  for (let layer = 0; layer + 1 < drawing.layers.length; layer += 1) {
    const edges = drawing.edges.filter((edge) => edge.layer === layer);
    const column = stackBoxes(edges, drawing.layers[layer + 1].nodes, layer, frame);
    placed.push(placeNodes(drawing.layers[layer + 1].nodes, layer + 1, column, frame, layout));
    layout.stacks.push(...column.stacks);
    layout.order.push(column.ids);
    for (const [id, box] of column.boxes) layout.boxes.set(id, box);
    edges.forEach((edge) => layout.wires.set(edge.id, wireOf(edge, column, placed[layer], frame)));
  }
  placed.forEach((nodes, layer) => nodes.forEach((place, id) => {
    layout.nodes.push({ layer, id, ...place });
  }));
  return layout;
}

function frameOf(drawing, { width, height, labelWidth }) {
  const columns = drawing.layers.length;
  const left = Math.min(labelWidth(drawing.layers[0].nodes), 0.2 * width) + 34;
  const right = Math.min(labelWidth(drawing.layers[columns - 1].nodes), 0.2 * width) + 34;
  const gap = (width - left - right) / Math.max(1, columns - 1);
  return {
    width, height, top: 58, bottom: 40, left, gap, label: Math.max(left, right) - 30, factor: Math.min(FACTOR_DISTANCE, 0.24 * gap),
    x: (layer) => left + gap * layer,
  };
}

function placeInputs(nodes, frame) {
  const room = frame.height - frame.top - frame.bottom;
  const pitch = Math.min(room / nodes.length, 104);
  const start = frame.top + (room - pitch * nodes.length) / 2;
  return new Map(nodes.map((node, k) => [node.id, { node, x: frame.x(0), y: start + pitch * (k + 0.5), radius: NODE_RADIUS, named: true }]));
}

/** Give every edge of one layer its box, grouped by the slot it feeds. */
function stackBoxes(edges, nodes, layer, frame) {
  const slots = nodes.flatMap((node) => node.factors?.length ? node.factors : [node.id]);
  const room = frame.height - frame.top - frame.bottom;
  const capacity = Math.max(1, Math.floor((room - 8 * (slots.length - 1)) / (SMALLEST + 3)));
  const shown = mostImportant(edges, capacity);
  const groups = slots
    .map((slot) => ({ slot, edges: edges.filter((e) => e.target === slot && shown.has(e.id)).sort(bySource) }))
    .filter((group) => group.edges.length > 0);
  const before = NODE_RADIUS + CLEARANCE;
  const after = NODE_RADIUS + CLEARANCE + (nodes.some(isProduct) ? frame.factor : 0);
  const free = Math.max(36, frame.gap - before - after);
  const spacing = spread(shown.size, groups.length, room, Math.min(LARGEST, 0.8 * free));
  const width = Math.min(free, clamp(spacing.height * 2.6, 40, Math.min(168, 0.48 * frame.gap)));
  const x = frame.x(layer) + before + (free - width) * 0.54;
  return fill(groups, spacing, { x, width, top: frame.top, room, layer });
}

function bySource(a, b) {
  return a.source - b.source;
}

function mostImportant(edges, count) {
  const living = (edge) => (edge.state === "pruned" ? -1 : edge.importance);
  return new Set([...edges].sort((a, b) => living(b) - living(a)).slice(0, count).map((edge) => edge.id));
}

/** Height of a box, and the gaps in and between stacks, so that `count` boxes fill the room without crowding. */
function spread(count, groups, room, largest) {
  const pitch = (room - 10 * (groups - 1)) / Math.max(1, count);
  const height = clamp(pitch * 0.86, SMALLEST, Math.max(SMALLEST, largest));
  const left = Math.max(0, room - count * height);
  const inner = clamp(left / (count + 2 * groups), 2, 16);
  const outer = groups > 1 ? clamp((left - (count - groups) * inner) / groups, 8, 46) : 0;
  return { height, inner, outer };
}

function fill(groups, spacing, place) {
  const count = groups.reduce((total, group) => total + group.edges.length, 0);
  const used = count * spacing.height + (count - groups.length) * spacing.inner + (groups.length - 1) * spacing.outer;
  const column = { boxes: new Map(), stacks: [], ids: [], centre: new Map(), right: place.x + place.width };
  let y = place.top + Math.max(0, (place.room - used) / 2);
  for (const group of groups) {
    const top = y;
    for (const edge of group.edges) {
      column.boxes.set(edge.id, { x: place.x, y, width: place.width, height: spacing.height });
      column.ids.push(edge.id);
      y += spacing.height + spacing.inner;
    }
    y += spacing.outer - spacing.inner;
    const bottom = y - spacing.outer;
    column.centre.set(group.slot, (top + bottom) / 2);
    column.stacks.push({
      key: `${place.layer}.${group.slot}`, x: place.x - 6, y: top - 6, width: place.width + 12, height: bottom - top + 12,
    });
  }
  return column;
}

/** Nodes stand at the middle of their stacks; those without any box share what room is left, evenly. */
function placeNodes(nodes, layer, column, frame, layout) {
  const room = frame.height - frame.top - frame.bottom;
  const x = frame.x(layer);
  const pitch = room / nodes.length;
  const places = new Map();
  const slotsOf = (node) => (node.factors?.length ? node.factors : [node.id]);
  const wanted = nodes.map((node, k) => {
    const heights = slotsOf(node).map((slot) => column.centre.get(slot) ?? frame.top + pitch * (k + 0.5));
    return heights.reduce((total, height) => total + height, 0) / heights.length;
  });
  const ys = apart(wanted, Math.min(pitch > ROOM_FOR_NAME ? ROOM_FOR_NAME : 30, pitch), frame.top, frame.top + room);
  nodes.forEach((node, k) => {
    const slots = slotsOf(node);
    const y = ys[k];
    slots.forEach((slot, f) => {
      if (!isProduct(node)) column.centre.set(slot, y);
      else if (!column.centre.has(slot)) column.centre.set(slot, y + 16 * (f - (slots.length - 1) / 2));
      if (isProduct(node)) layout.slots.push({ x: x - frame.factor, y: column.centre.get(slot), to: { x, y } });
    });
    places.set(node.id, { node, x, y, radius: clamp(0.42 * pitch, 4, NODE_RADIUS), named: pitch > ROOM_FOR_NAME });
  });
  return places;
}

/** Move heights as little as needed so that neighbours keep their distance, inside [low, high]. */
function apart(heights, distance, low, high) {
  const placed = [...heights];
  for (let k = 0; k < placed.length; k += 1) {
    placed[k] = Math.max(placed[k], k ? placed[k - 1] + distance : low + distance / 2);
  }
  let limit = high - distance / 2;
  for (let k = placed.length - 1; k >= 0; k -= 1) {
    placed[k] = Math.min(placed[k], limit);
    limit = placed[k] - distance;
  }
  return placed;
}

/** The two strokes of an edge: from its source to its box, and on to its slot. Without a box it is one stroke. */
function wireOf(edge, column, sources, frame) {
  const from = sources.get(edge.source);
  const box = column.boxes.get(edge.id);
  const end = frame.x(edge.layer + 1) - (edge.inProduct ? frame.factor + 5 : NODE_RADIUS + 1);
  const endY = column.centre.get(edge.target) ?? frame.height / 2;
  const start = (from?.x ?? frame.x(edge.layer)) + (edge.layer === 0 ? 6 : NODE_RADIUS + 1);
  const startY = from?.y ?? frame.height / 2;
  if (!box) return { path: bezier(start, startY, end, endY), bare: true };
  const middle = box.y + box.height / 2;
  return {
    path: bezier(start, startY, box.x, middle) + bezier(box.x + box.width, middle, end, endY),
    bare: false,
  };
}

function bezier(x0, y0, x1, y1) {
  const bend = (x1 - x0) * 0.5;
  return `M${x0.toFixed(1)} ${y0.toFixed(1)}C${(x0 + bend).toFixed(1)} ${y0.toFixed(1)} `
    + `${(x1 - bend).toFixed(1)} ${y1.toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`;
}
