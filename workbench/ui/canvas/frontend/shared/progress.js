/**
 * How far a long job is: a line along the lower edge, a few words, and the error of a fit so far as a small curve.
 *
 * It follows the events of the job's stream itself; what a paused fit says stands still.
 */

import { html, svg, set } from "./dom.js";
import { format } from "./numbers.js";

const WIDTH = 112;
const HEIGHT = 22;
const KEPT = 240;
const STATUS = { queued: "waiting for its turn", paused: "paused" };

export class Progress {
  constructor() {
    this.line = html("i", {});
    this.curve = svg("path", { class: "loss" });
    this.end = svg("circle", { class: "loss-end", r: 2.2 });
    this.spark = svg("svg", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, this.curve, this.end);
    this.title = html("b", {});
    this.words = html("span", {});
    this.element = html("div", { class: "progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true },
      this.title, this.words, this.spark, this.line);
    this.errors = [];
  }

  /** A job as the payload describes it, or null. */
  show(job) {
    if (job?.stream !== this.job?.stream) {
      this.errors = [...(job?.errors ?? [])];
      this.iterations = job?.iterations ?? 0;
    }
    this.job = job;
    this.heard = job?.status;
    set(this.element, { hidden: !job });
    if (job) this.#say(job.status, job.fraction, job.message);
  }

  /** An event of a stream. Returns whether the job has turned: it rests, or goes on, and Python has not said so. */
  follow(url, event) {
    if (!this.job || url.split("?")[0] !== this.job.stream) return false;
    const { rmse, iterations } = event.payload ?? {};
    if (Number.isFinite(rmse) && rmse > 0) this.errors = [...this.errors.slice(-KEPT), rmse];
    this.iterations = iterations ?? this.iterations;
    this.#say(event.status, event.progress, event.message);
    const turned = event.status !== this.heard;
    this.heard = event.status;
    return turned;
  }

  #say(status, fraction, message) {
    const percent = Math.round(1000 * (fraction || 0)) / 10;
    this.line.style.width = `${percent}%`;
    const error = this.errors.at(-1);
    this.title.textContent = [this.job.title, STATUS[status]].filter(Boolean).join(" · ");
    this.words.textContent = [message, this.iterations && `iteration ${this.iterations}`, error && `${this.job.measure ?? "error"} ${format(error, 3)}`].filter(Boolean).join(" · ");
    set(this.element, { "data-status": status, "aria-valuenow": Math.round(percent), "aria-label": this.title.textContent });
    this.#draw();
  }

  #draw() {
    const logs = this.errors.map(Math.log);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    set(this.spark, { hidden: logs.length < 3 });
    if (logs.length < 3) return;
    const x = (k) => (WIDTH - 6) * (k / (logs.length - 1)) + 2;
    const y = (value) => HEIGHT - 3 - (HEIGHT - 6) * ((value - low) / (high - low || 1));
    set(this.curve, { d: logs.map((value, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(value).toFixed(1)}`).join("") });
    set(this.end, { cx: x(logs.length - 1).toFixed(1), cy: y(logs.at(-1)).toFixed(1) });
  }
}
