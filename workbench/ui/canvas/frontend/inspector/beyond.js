/** Where tied forms part: their continuations beyond the data, which cannot tell them apart. */

import { html, svg, set } from "../shared/dom.js";
import { line, extent, format } from "../shared/numbers.js";

const HEIGHT = 66;
const LABELS = 84;
const SHOWN = 4; // forms, so that each name has a line
const LONGEST = 15; // characters of a name

export class BeyondStrip {
  constructor() {
    this.sentence = html("p", { class: "note" });
    this.picture = svg("svg", { class: "beyond-plot", height: HEIGHT, role: "img" });
    this.element = html("div", { class: "beyond" }, this.sentence, this.picture);
  }

  draw(data, width) {
    const forms = (data.beyond?.forms ?? []).slice(0, SHOWN);
    const count = Math.max(forms.length, (data.candidates ?? []).filter((candidate) => candidate.tie).length);
    set(this.element, { hidden: forms.length < 2 });
    if (forms.length < 2) return;
    this.sentence.textContent = `${count} forms tie: only beyond the data do they part.`;
    const { x } = data.beyond;
    const [x0, x1] = extent(x);
    const [low, high] = extent(...forms.map((form) => form.y));
    const toX = (value) => 2 + ((width - LABELS - 4) * (value - x0)) / (x1 - x0 || 1);
    const toY = (value) => 5 + (HEIGHT - 22) * (1 - (value - low) / (high - low || 1));
    const [from, to] = data.range;
    set(this.picture, { width, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-label": `Continuations of ${forms.map((form) => form.title ?? form.name).join(", ")}` });
    const heights = apart(forms.map((form) => toY(lastFinite(form.y))));
    this.picture.replaceChildren(
      svg("rect", { class: "inside", x: toX(from), y: 1, width: toX(to) - toX(from), height: HEIGHT - 16 }),
      svg("text", { class: "tick", x: (toX(from) + toX(to)) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, "data"),
      svg("text", { class: "tick", x: toX(x0), y: HEIGHT - 3 }, format(x0)),
      svg("text", { class: "tick", x: toX(x1), y: HEIGHT - 3, "text-anchor": "end" }, format(x1)),
      ...forms.flatMap((form, k) => [
        svg("path", { class: "tied", "data-name": form.name, "data-rank": k, d: line(x, form.y, toX, toY) }),
        svg("text", { class: "tied-name", "data-name": form.name, x: width - LABELS + 6, y: heights[k] + 3.5 }, shortened(form.title ?? form.name)),
      ]));
  }

  /** Bring one form to the front. */
  emphasize(name) {
    this.picture.querySelectorAll("[data-name]").forEach((element) => set(element, { "data-on": element.dataset.name === name }));
  }
}

function shortened(name) {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}

function lastFinite(values) {
  return values.findLast((value) => Number.isFinite(value)) ?? 0;
}

/** Push labels apart until each has a line of its own. */
function apart(heights) {
  const order = heights.map((_, k) => k).sort((a, b) => heights[a] - heights[b]);
  const placed = [...heights];
  let above = -Infinity;
  for (const k of order) {
    placed[k] = Math.max(placed[k], above + 12);
    above = placed[k];
  }
  const overflow = Math.max(0, above - (HEIGHT - 20));
  return placed.map((value) => value - overflow);
}
