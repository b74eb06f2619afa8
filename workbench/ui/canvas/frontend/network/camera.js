/** Zoom and pan: one transform on the group that holds the drawing. */

import { set } from "../shared/dom.js";
import { clamp } from "../shared/numbers.js";

const NEAREST = 8;
const FARTHEST = 0.5;
const CLICK_SLACK = 4; // px a press may wander and still be a click

export class Camera {
  constructor(root, target) {
    this.root = root;
    this.target = target;
    this.reset();
    this.#listen();
  }

  reset() {
    this.k = 1;
    this.x = 0;
    this.y = 0;
    this.#apply();
  }

  /** Zoom by a factor about a point of the drawing; without one about its middle. */
  zoom(factor, cx = this.root.clientWidth / 2, cy = this.root.clientHeight / 2) {
    const k = clamp(this.k * factor, FARTHEST, NEAREST);
    this.x = cx - ((cx - this.x) * k) / this.k;
    this.y = cy - ((cy - this.y) * k) / this.k;
    this.k = k;
    this.#apply();
  }

  #apply() {
    set(this.target, { transform: this.k === 1 && !this.x && !this.y ? null : `translate(${this.x} ${this.y}) scale(${this.k})` });
    set(this.root, { "data-zoomed": this.k !== 1 });
  }

  /** Bring an element into sight, as when it is reached by the keyboard. */
  reveal(element) {
    const frame = this.root.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    const shift = (low, high, from, to) => (low < from ? from - low : high > to ? to - high : 0);
    const dx = shift(box.left, box.right, frame.left + 12, frame.right - 12);
    const dy = shift(box.top, box.bottom, frame.top + 12, frame.bottom - 12);
    if (!dx && !dy) return;
    this.x += dx;
    this.y += dy;
    this.#apply();
  }

  #listen() {
    this.root.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      const frame = this.root.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.0025), event.clientX - frame.left, event.clientY - frame.top);
    }, { passive: false });
    let press = null;
    this.moved = false;
    this.root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      press = { x: event.clientX, y: event.clientY, from: { x: this.x, y: this.y } };
      this.moved = false;
    });
    this.root.addEventListener("pointermove", (event) => {
      if (!press || !(event.buttons & 1)) { press = null; set(this.root, { "data-panning": false }); return; }
      const dx = event.clientX - press.x;
      const dy = event.clientY - press.y;
      if (!this.moved && Math.hypot(dx, dy) <= CLICK_SLACK) return;
      if (!this.moved) this.root.setPointerCapture(event.pointerId);
      this.moved = true;
      set(this.root, { "data-panning": true });
      this.x = press.from.x + dx;
      this.y = press.from.y + dy;
      this.#apply();
    });
    const release = () => { press = null; set(this.root, { "data-panning": false }); };
    this.root.addEventListener("pointerup", release);
    this.root.addEventListener("pointercancel", release);
  }
}
