/** How far a long job is: a thin line under the toolbar, a few words, and the error of a fit so far as a small curve. */

import { html, svg, set } from "../shared/dom.js";
import { format } from "../shared/numbers.js";

const WIDTH = 96;
const HEIGHT = 18;
const KEPT = 240;

export class Progress {
  constructor() {
    this.line = html("i", {});
    this.curve = svg("path", { class: "loss" });
    this.spark = svg("svg", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, this.curve);
    this.words = html("span", {});
    this.element = html("div", { class: "progress", role: "status", hidden: true }, this.line, this.words, this.spark);
    this.errors = [];
  }

  /** A job as the payload describes it, {stream, title, fraction, message}, or null. */
  show(job) {
    if (job?.stream !== this.job?.stream) this.errors = [];
    this.job = job;
    set(this.element, { hidden: !job });
    if (job) this.#say(job.fraction, job.message);
  }

  /** An event of a stream. */
  follow(url, event) {
    if (!this.job || url.split("?")[0] !== this.job.stream) return;
    const error = event.payload?.rmse;
    if (Number.isFinite(error) && error > 0) this.errors = [...this.errors.slice(-KEPT), error];
    this.#say(event.progress, event.message);
  }

  #say(fraction, message) {
    this.line.style.width = `${Math.round(1000 * (fraction || 0)) / 10}%`;
    const error = this.errors.at(-1);
    this.words.textContent = [this.job.title, message, error && `error ${format(error, 2)}`].filter(Boolean).join(" · ");
    this.#draw();
  }

  #draw() {
    const logs = this.errors.map(Math.log);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    set(this.spark, { hidden: logs.length < 3 });
    const x = (k) => (WIDTH - 2) * (k / Math.max(1, logs.length - 1)) + 1;
    const y = (value) => HEIGHT - 2 - (HEIGHT - 4) * ((value - low) / (high - low || 1));
    set(this.curve, { d: logs.length < 3 ? "" : logs.map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("") });
  }
}
