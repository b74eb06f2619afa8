/** Two formulas side by side: what can be said of them in a sentence, and where they part. */

import { html, svg, set } from "../shared/dom.js";
import { extent, format, formulaText, handwritten, line, tickLabels, ticks } from "../shared/numbers.js";

const HEIGHT = 104;
const MARGIN = { top: 8, right: 10, bottom: 30, left: 46 };

export class ComparisonCard {
  /** `on` offers close(). */
  constructor(on) {
    this.sentence = html("p", {});
    this.other = html("code", {});
    this.more = html("p", { class: "note" });
    this.picture = svg("svg", { class: "difference", height: HEIGHT, role: "img" });
    this.close = html("button", { type: "button", class: "close", "aria-label": "Close the comparison" }, "×");
    this.close.addEventListener("click", () => on.close());
    this.element = html("section", { class: "comparison", hidden: true }, this.close, this.sentence, this.other, this.more, this.picture);
  }

  draw(data, width) {
    set(this.element, { hidden: !data, "data-relation": data?.relation });
    if (!data) return;
    this.sentence.textContent = handwritten(data.text);
    this.other.textContent = `with ${formulaText(data.other)}`;
    this.more.textContent = data.curve ? `Difference along ${data.curve.label}, all other inputs at their middle` : "";
    set(this.more, { hidden: !data.curve });
    set(this.picture, { hidden: !data.curve });
    if (data.curve && width > 0) this.#plot(data.curve, width - 20);
  }

  #plot({ x, difference, label }, width) {
    const [x0, x1] = extent(x);
    const [low, high] = extent(difference, [0]);
    const pad = (high - low) * 0.08 || 1;
    const toX = (value) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * (value - x0)) / (x1 - x0 || 1);
    const toY = (value) => MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (value - low + pad) / (high - low + 2 * pad));
    const bottom = HEIGHT - MARGIN.bottom;
    const [xs, ys] = [ticks(x0, x1, Math.max(2, Math.round(width / 90))), ticks(low, high, 3)];
    const [xText, yText] = [tickLabels(xs), tickLabels(ys)];
    set(this.picture, { width, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-label": `Difference along ${label}, up to ${format(Math.max(Math.abs(low), Math.abs(high)), 3)}` });
    this.picture.replaceChildren(
      ...ys.map((y, k) => svg("text", { class: "tick", x: MARGIN.left - 7, y: toY(y) + 3.5, "text-anchor": "end" }, yText[k])),
      ...xs.map((value, k) => svg("text", { class: "tick", x: toX(value), y: bottom + 14, "text-anchor": "middle" }, xText[k])),
      svg("path", { class: "axis", d: `M${MARGIN.left} ${toY(0).toFixed(1)}H${width - MARGIN.right}` }),
      svg("path", { class: "gap", d: line(x, difference, toX, toY) }),
      svg("text", { class: "title", x: (MARGIN.left + width - MARGIN.right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, handwritten(label)));
  }
}
