/**
 * The curve of one edge: learned function, ghost data points, their density, and a candidate laid over it.
 *
 * Everything but the overlay and the crosshair is drawn when data or width change; a hovered candidate only sets one
 * path, within the frame in which the pointer moved. The overlay never moves the axes: what leaves them is cut off.
 */

import { svg, set } from "../shared/dom.js";
import { clamp, extent, format, handwritten, line, tickLabels, ticks } from "../shared/numbers.js";

const HEIGHT = 180;
const MARGIN = { top: 14, right: 12, bottom: 36, left: 44 };
const DENSITY = 15;
const TALL_DENSITY = 62;
const BINS = 48;

let plots = 0; // clip paths need names of their own

export class CurvePlot {
  constructor() {
    plots += 1;
    this.clip = `plot-${plots}`;
    this.axes = svg("g", { class: "axes" });
    this.points = svg("g", { class: "points", "clip-path": `url(#${this.clip})` });
    this.density = svg("path", { class: "density" });
    this.learned = svg("path", { class: "learned" });
    this.overlay = svg("path", { class: "overlay" });
    this.cross = svg("path", { class: "cross" });
    this.reading = svg("text", { class: "reading", "text-anchor": "end", y: 10 });
    this.window = svg("rect", {});
    this.element = svg("svg", { class: "plot", role: "img", height: HEIGHT },
      svg("clipPath", { id: this.clip }, this.window), this.axes, this.density, this.points,
      svg("g", { "clip-path": `url(#${this.clip})` }, this.learned, this.overlay), this.cross, this.reading);
    this.element.addEventListener("pointermove", (event) => this.#read(event));
    this.element.addEventListener("pointerleave", () => this.#clearReading());
  }

  draw(data, width) {
    this.data = data;
    this.width = width;
    const [x0, x1] = extent(data.x);
    const [low, high] = visible(data);
    const pad = (high - low) * 0.07 || 1;
    this.low = low - pad;
    this.high = high + pad;
    this.toX = (x) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * (x - x0)) / (x1 - x0 || 1);
    this.toY = (y) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (y - this.low) / (this.high - this.low));
    set(this.element, { width, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-label": `Learned function of ${data.label}` });
    set(this.window, { x: MARGIN.left, y: MARGIN.top - 4, width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom + 8 });
    set(this.reading, { x: width - MARGIN.right });
    this.#drawAxes(x0, x1);
    this.#drawPoints();
    set(this.learned, { d: line(data.x, data.y, this.toX, this.toY), "data-state": data.state });
  }

  #drawAxes(x0, x1) {
    const { width, toX, toY } = this;
    const bottom = HEIGHT - MARGIN.bottom;
    const xs = ticks(x0, x1, Math.max(2, Math.round(width / 90)));
    const ys = ticks(this.low, this.high, 4);
    const [xText, yText] = [tickLabels(xs), tickLabels(ys)];
    this.axes.replaceChildren(
      ...ys.map((y) => svg("path", { class: "grid", d: `M${MARGIN.left} ${toY(y)}H${width - MARGIN.right}` })),
      ...ys.map((y, k) => svg("text", { class: "tick", x: MARGIN.left - 8, y: toY(y) + 3.5, "text-anchor": "end" }, yText[k])),
      ...xs.map((x) => svg("path", { class: "mark", d: `M${toX(x)} ${bottom}v4` })),
      ...xs.map((x, k) => svg("text", { class: "tick", x: toX(x), y: bottom + 16, "text-anchor": "middle" }, xText[k])),
      svg("path", { class: "axis", d: `M${MARGIN.left} ${bottom}H${width - MARGIN.right}` }),
      svg("text", { class: "title", x: (MARGIN.left + width - MARGIN.right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, handwritten(this.data.x_label)),
    );
  }

  #drawPoints() {
    const { data, toX, toY } = this;
    const points = data.points ?? [];
    const radius = points.length > 250 ? 1.3 : points.length > 80 ? 1.7 : 2.2;
    this.points.replaceChildren(...points.map(([x, y]) => svg("circle", { cx: toX(x).toFixed(1), cy: toY(y).toFixed(1), r: radius })));
    set(this.density, { d: this.#densityPath(data.density ?? this.#counted(points.map(([x]) => x))), "data-only": Boolean(data.density) });
  }

  #counted(xs) {
    if (xs.length < 8) return [];
    const [x0, x1] = extent(this.data.x);
    const counts = new Array(BINS).fill(0);
    for (const x of xs) counts[clamp(Math.floor((BINS * (x - x0)) / (x1 - x0 || 1)), 0, BINS - 1)] += 1;
    return counts;
  }

  /** How many rows lie where: a silhouette on the x axis, low beside the rows themselves, higher where it is all that is known of them. */
  #densityPath(counts) {
    if (!counts.length) return "";
    const [x0, x1] = extent(this.data.x);
    const high = this.data.density ? TALL_DENSITY : DENSITY;
    const smooth = counts.map((_, k) => (counts[Math.max(0, k - 1)] + 2 * counts[k] + counts[Math.min(counts.length - 1, k + 1)]) / 4);
    const top = Math.max(...smooth);
    const bottom = HEIGHT - MARGIN.bottom;
    const at = (k) => this.toX(x0 + ((x1 - x0) * (k + 0.5)) / counts.length);
    const body = smooth.map((count, k) => `L${at(k).toFixed(1)} ${(bottom - (high * count) / top).toFixed(1)}`).join("");
    return `M${this.toX(x0)} ${bottom}${body}L${this.toX(x1)} ${bottom}Z`;
  }

  /** Lay values over the learned curve, or nothing. */
  show(values) {
    this.shown = values;
    set(this.overlay, { d: values ? line(this.data.x, values, this.toX, this.toY) : "" });
  }

  #read(event) {
    const { data } = this;
    const frame = this.element.getBoundingClientRect();
    const share = (event.clientX - frame.left - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right);
    if (share < 0 || share > 1) { this.#clearReading(); return; }
    const k = Math.round(share * (data.x.length - 1));
    const form = this.shown ? `   form ${format(this.shown[k], 4)}` : "";
    this.reading.textContent = `x ${format(data.x[k], 4)}   curve ${format(data.y[k], 4)}${form}`;
    set(this.cross, { d: `M${this.toX(data.x[k]).toFixed(1)} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}` });
  }

  #clearReading() {
    this.reading.textContent = "";
    set(this.cross, { d: "" });
  }
}

/** The range worth showing: the curve, and the points but for their most extreme hundredth. */
function visible(data) {
  const ys = (data.points ?? []).map(([, y]) => y).filter(Number.isFinite).sort((a, b) => a - b);
  const cut = Math.floor(ys.length / 100);
  return extent(data.y, ys.slice(cut, ys.length - cut));
}
