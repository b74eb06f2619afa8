/** Error against complexity, a point for each formula; the front is a stair below which nothing was found. */

import { svg, set } from "../shared/dom.js";
import { extent, format } from "../shared/numbers.js";

const HEIGHT = 128;
const MARGIN = { top: 10, right: 14, bottom: 30, left: 46 };
const WIDE = 6; // complexities this many times apart are drawn by their logarithm
const LEAST = 1e-9; // share of the spread that counts as none

export class FrontPlot {
  /** `on` offers hover(law | null) and open(law). */
  constructor(on) {
    this.on = on;
    this.axes = svg("g", {});
    this.stair = svg("path", { class: "stair" });
    this.points = svg("g", {});
    this.element = svg("svg", { class: "front-plot", height: HEIGHT, role: "group", "aria-label": "Error on checked rows against complexity" },
      this.axes, this.stair, this.points);
  }

  draw(laws, here, every, width) {
    this.width = width;
    const known = laws.filter((law) => Number.isFinite(law.share) && (every || law.front || law.state === here));
    set(this.element, { width, viewBox: `0 0 ${width} ${HEIGHT}` });
    if (!known.length) { this.points.replaceChildren(); this.axes.replaceChildren(); set(this.stair, { d: "" }); return; }
    const height = (law) => Math.log10(Math.max(law.share, LEAST));
    const [left, right] = extent(known.map((law) => law.complexity));
    const [low, high] = widened(extent(known.map(height)));
    const place = right > WIDE * left ? Math.log : (value) => value; // one formula of curves without names must not press the others together
    this.toX = (value) => MARGIN.left + 8 + ((width - MARGIN.left - MARGIN.right - 16) * (place(value) - place(left))) / (place(right) - place(left) || 1);
    this.toY = (value) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (value - low) / (high - low));
    this.#drawAxes(left, right, low, high);
    set(this.stair, { d: this.#stairOf(known, height) });
    this.points.replaceChildren(...known.map((law) => this.#point(law, law.state === here, this.toX(law.complexity), this.toY(height(law)))));
  }

  #drawAxes(left, right, low, high) {
    const { width, toX, toY } = this;
    const bottom = HEIGHT - MARGIN.bottom;
    const errors = logTicks(low, high);
    const sizes = right > WIDE * left ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((size) => size >= left && size <= right)
      : wholeTicks(left, right, Math.max(2, Math.floor(width / 70)));
    this.axes.replaceChildren(
      ...errors.map((k) => svg("path", { class: "grid", d: `M${MARGIN.left} ${toY(k).toFixed(1)}H${width - MARGIN.right}` })),
      ...errors.map((k) => svg("text", { class: "tick", x: MARGIN.left - 7, y: toY(k) + 3.5, "text-anchor": "end" }, share(10 ** k))),
      ...sizes.map((size) => svg("text", { class: "tick", x: toX(size), y: bottom + 14, "text-anchor": "middle" }, String(size))),
      svg("path", { class: "axis", d: `M${MARGIN.left} ${bottom}H${width - MARGIN.right}` }),
      svg("text", { class: "title", x: (MARGIN.left + width - MARGIN.right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, "complexity"),
      svg("text", { class: "title", x: 10, y: (MARGIN.top + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 10 ${(MARGIN.top + bottom) / 2})` }, "error"));
  }

  #stairOf(laws, height) {
    const front = laws.filter((law) => law.front).sort((a, b) => a.complexity - b.complexity || a.share - b.share);
    let path = "";
    let last = Infinity;
    for (const law of front) {
      if (height(law) > last) continue; // a rival, that ties with a shorter one
      path += path ? `H${this.toX(law.complexity).toFixed(1)}V${this.toY(height(law)).toFixed(1)}` : `M${this.toX(law.complexity).toFixed(1)} ${this.toY(height(law)).toFixed(1)}`;
      last = height(law);
    }
    return path && `${path}H${this.width - MARGIN.right}`;
  }

  #point(law, here, x, y) {
    const words = `${law.text}: complexity ${law.complexity}, error ${share(law.share)}`;
    const element = svg("g", {
      class: "point", role: "button", tabindex: "0", "data-state": law.state, "data-front": law.front, "data-here": here, "data-picked": law.picked, "aria-label": words, "aria-pressed": String(here),
    },
    svg("circle", { class: "target", cx: x, cy: y, r: 9 }), svg("circle", { class: "dot", cx: x, cy: y, r: here ? 5.5 : law.front ? 4 : 3 }),
    svg("title", {}, words));
    element.addEventListener("click", () => this.on.open(law));
    element.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.on.open(law); } });
    element.addEventListener("pointerenter", () => this.on.hover(law));
    element.addEventListener("pointerleave", () => this.on.hover(null));
    return element;
  }

  /** Bring one formula to the front. */
  emphasize(state) {
    this.points.querySelectorAll(".point").forEach((element) => set(element, { "data-on": element.dataset.state === String(state) }));
  }
}

/** A share of the spread as one reads it. */
export function share(value) {
  if (!Number.isFinite(value)) return "–";
  if (value < LEAST) return "0";
  return value >= 0.001 ? `${format(100 * value, 2)} %` : `${format(100 * value, 1)} %`;
}

function widened([low, high]) {
  const room = Math.max(0.25, 0.08 * (high - low));
  return [low - room, high + room];
}

/** Powers of ten, with 2 and 5 between them where there are few. */
function logTicks(low, high) {
  const step = Math.max(1, Math.ceil((high - low) / 4));
  const values = [];
  for (let k = Math.floor(low); k <= high; k += 1) {
    const between = high - low < 1.6 ? [0, Math.log10(2), Math.log10(5)] : [0];
    if (k % step === 0) values.push(...between.map((part) => k + part));
  }
  return values.filter((value) => value >= low && value <= high);
}

function wholeTicks(left, right, count) {
  const step = Math.max(1, Math.ceil((right - left) / count));
  const values = [];
  for (let value = Math.ceil(left / step) * step; value <= right; value += step) values.push(value);
  return values.length ? values : [left];
}
