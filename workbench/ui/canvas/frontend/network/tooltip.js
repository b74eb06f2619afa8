/** The card beside a hovered edge: its name, its curve on its own scale, what it is worth and what it is. */

import { html, set } from "../shared/dom.js";
import { handwritten, percent } from "../shared/numbers.js";
import { STATES } from "./model.js";
import { thumbnail } from "./scene.js";

const WIDTH = 216;
const DELAY = 90; // ms: passing over a box must not flicker

export class Tooltip {
  constructor(host) {
    this.host = host;
    this.card = html("div", { class: "tip", role: "tooltip", "aria-hidden": "true" });
    host.append(this.card);
  }

  show(edge, element) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#open(edge, element), DELAY);
  }

  hide() {
    clearTimeout(this.timer);
    set(this.card, { "data-on": false });
  }

  #open(edge, element) {
    const { picture, x, y } = thumbnail(edge, WIDTH - 24, 76);
    this.card.replaceChildren(
      html("div", { class: "tip-title" }, edge.label),
      html("div", { class: "tip-state", "data-state": edge.state }, html("i"), STATES[edge.state],
        edge.form ? html("code", {}, handwritten(edge.form)) : null),
      picture,
      row("input", x),
      row("output", y),
      html("div", { class: "tip-row" }, html("span", {}, "importance"), html("b", {}, percent(edge.importance))),
    );
    const frame = this.host.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    const room = frame.right - box.right > WIDTH + 20;
    const left = room ? box.right - frame.left + 12 : Math.max(8, box.left - frame.left - WIDTH - 12);
    const top = Math.min(Math.max(8, box.top - frame.top - 20), frame.height - this.card.offsetHeight - 8);
    this.card.style.left = `${Math.min(left, frame.width - WIDTH - 8)}px`;
    this.card.style.top = `${Math.max(8, top)}px`;
    set(this.card, { "data-on": true });
  }
}

function row(name, value) {
  return value ? html("div", { class: "tip-row" }, html("span", {}, name), html("b", {}, value)) : null;
}
