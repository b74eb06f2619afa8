/** One activation function: its curve, thin lines through zero, the density of what it receives, and its name. */

import { html, svg, set } from "../shared/dom.js";
import { handwritten } from "../shared/numbers.js";

const WIDTH = 100;
const HEIGHT = 60;
const PAD = 7; // above and below the curve
const TALLEST = 24; // of the density
const GROUND = HEIGHT;

export class Cell {
  constructor(one) {
    this.density = svg("path", { class: "density" });
    this.zero = svg("path", { class: "zero" });
    this.curve = svg("path", { class: "curve" });
    this.name = html("span", { class: "name" });
    this.element = html("button", { type: "button", class: "cell", "data-id": one.id },
      svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.density, this.zero, this.curve),
      html("span", { class: "group" }, String(one.group + 1)), this.name);
  }

  draw(one) {
    const x = (k, count) => (WIDTH * k) / Math.max(1, count - 1);
    const y = (value) => HEIGHT - PAD - ((HEIGHT - 2 * PAD) * value) / 1000;
    const line = one.y.map((value, k) => `${k ? "L" : "M"}${x(k, one.y.length).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    set(this.curve, { d: line });
    set(this.zero, { d: zeroLines(one, y) });
    set(this.density, { d: silhouette(one.density) });
    this.name.textContent = handwritten(one.form ?? "");
    set(this.element, { "data-state": one.state, "aria-label": `${one.label}, ${one.form ?? "no name"}` });
  }

  mark({ selected, pending, reachable }) {
    set(this.element, { "data-on": selected, "data-pending": pending, "aria-pressed": String(selected), tabindex: reachable ? "0" : "-1" });
  }
}

/** Where the argument, and the value, are zero. */
function zeroLines({ x: [start, end], range: [low, high] }, toY) {
  const upright = start < 0 && end > 0 ? `M${((WIDTH * -start) / (end - start)).toFixed(1)} 0V${HEIGHT}` : "";
  return low < 0 && high > 0 ? `${upright}M0 ${toY((1000 * -low) / (high - low)).toFixed(1)}H${WIDTH}` : upright;
}

function silhouette(density) {
  if (!density?.length) return "";
  const smooth = density.map((_, k) => (density[Math.max(0, k - 1)] + 2 * density[k] + density[Math.min(density.length - 1, k + 1)]) / 4);
  const top = Math.max(...smooth) || 1;
  const at = (k) => ((WIDTH * (k + 0.5)) / density.length).toFixed(1);
  const body = smooth.map((share, k) => `L${at(k)} ${(GROUND - (TALLEST * share) / top).toFixed(1)}`).join("");
  return `M0 ${GROUND}${body}L${WIDTH} ${GROUND}Z`;
}
