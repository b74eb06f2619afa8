/**
 * The drawing JSON made ready for drawing: checked defaults, edges by id, curves on their scale, counts.
 *
 * A curve arrives as 64 heights in [0, 1000], stretched to its own range, plus that range. On the *shared* scale every
 * curve of one slot is drawn with the same number of units a pixel, each about its own middle (a constant belongs to
 * the bias), so that an edge that hardly moves its sum looks flat. On its *own* scale each fills its box.
 */

import { slotKey, isProduct } from "./layout.js";
import { percent } from "../shared/numbers.js";

export const STATES = {
  spline: "learned", rational: "learned", snapped: "snapped", locked: "locked", pruned: "pruned",
};

export class Model {
  constructor(data) {
    this.layers = data.layers ?? [];
    this.edges = (data.edges ?? []).map((edge) => ({ ...edge, inProduct: this.#feedsProduct(edge) }));
    this.byId = new Map(this.edges.map((edge) => [edge.id, edge]));
    this.signature = JSON.stringify([this.layers, this.edges.map((edge) => edge.id)]);
    this.#measure();
  }

  #feedsProduct(edge) {
    const nodes = this.layers[edge.layer + 1]?.nodes ?? [];
    return isProduct(nodes.find((node) => node.id === edge.node || node.factors?.includes(edge.target)) ?? {});
  }

  /** The widest range in each slot: the scale its curves share. */
  #measure() {
    this.widest = new Map();
    for (const edge of this.edges) {
      if (edge.state === "pruned") continue;
      const key = slotKey(edge);
      this.widest.set(key, Math.max(this.widest.get(key) ?? 0, spanOf(edge)));
    }
  }

  /** A frame of live training: new heights, ranges and importances for some edges. */
  apply(frame) {
    for (const [id, change] of Object.entries(frame.edges ?? {})) {
      const edge = this.byId.get(id);
      if (edge) Object.assign(edge, change);
    }
    this.#measure();
  }

  get isEmpty() {
    return this.edges.length === 0;
  }

  /** Heights in [0, 1], 0 at the bottom. */
  heights(edge, scale) {
    const widest = this.widest.get(slotKey(edge)) || spanOf(edge);
    const share = scale === "own" || !widest ? 1 : Math.min(1, spanOf(edge) / widest);
    return edge.y.map((value) => (value === null ? NaN : 0.5 + (value / 1000 - 0.5) * share));
  }

  counts() {
    const counts = { spline: 0, rational: 0, snapped: 0, locked: 0, pruned: 0 };
    for (const edge of this.edges) counts[edge.state] += 1;
    return counts;
  }

  /** Edges worth at least `threshold`, and the share of all importance they carry. */
  above(threshold) {
    const living = this.edges.filter((edge) => edge.state !== "pruned");
    const total = living.reduce((sum, edge) => sum + edge.importance, 0) || 1;
    const kept = living.filter((edge) => edge.importance >= threshold);
    return { kept: new Set(kept.map((edge) => edge.id)), count: kept.length, of: living.length,
      share: kept.reduce((sum, edge) => sum + edge.importance, 0) / total };
  }

  /** The next edge in a direction, as arrow keys walk: up and down a layer, right to what this edge feeds. */
  neighbour(id, key, order) {
    const edge = this.byId.get(id);
    const here = order[edge.layer] ?? [];
    if (key === "ArrowUp" || key === "ArrowDown") {
      const step = key === "ArrowDown" ? 1 : here.length - 1;
      return here[(here.indexOf(id) + step) % here.length];
    }
    if (key === "Home") return here[0];
    if (key === "End") return here[here.length - 1];
    const forward = key === "ArrowRight";
    const there = order[edge.layer + (forward ? 1 : -1)] ?? [];
    const joined = (other) => (forward ? other.source === edge.node : other.node === edge.source);
    return there.find((other) => joined(this.byId.get(other))) ?? there[0];
  }
}

export function spanOf(edge) {
  return edge.range ? edge.range[1] - edge.range[0] : 0;
}

/** What a screen reader says of an edge. */
export function describe(edge) {
  const form = edge.form ? `, form ${edge.form}` : "";
  return `Edge ${edge.label}, importance ${percent(edge.importance).replace("%", "percent")}, ${STATES[edge.state]}${form}`;
}
