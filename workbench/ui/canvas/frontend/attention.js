/**
 * Attention to one row: a Streamlit component that shows where every head looks.
 *
 * Of an image each head is the image itself, every square as strongly tinted as the head looks at it; of a table each head is a column beside the
 * row's values. Who looks is the class token, which the answer is read from, until a person points at another token. Rows to pick from stand at the left.
 */

import { html, svg, set } from "./shared/dom.js";
import { format, percent } from "./shared/numbers.js";
import { LiveStreams } from "./shared/live.js";
import { drawing } from "./attention/pixels.js";

class AttentionView {
  constructor(mount) {
    this.looking = 0; // token that looks; 0 is the class token
    this.picker = html("div", { class: "picker", role: "listbox", "aria-label": "Rows" });
    this.field = html("input", { type: "number", min: 1, step: 1, "aria-label": "Validation row" });
    this.field.addEventListener("change", () => this.#choose(Math.min(Math.max(Math.round(Number(this.field.value)) || 1, 1), this.data.n_rows) - 1));
    this.count = html("span", {});
    this.title = html("h2", {});
    this.words = html("p", { class: "words" });
    this.subject = html("div", { class: "subject" });
    this.heads = html("div", { class: "heads" });
    this.element = html("div", { class: "attention" },
      html("aside", {}, html("label", {}, "row", this.field, this.count), this.picker),
      html("section", { class: "row" }, html("header", {}, this.title, this.words), html("div", { class: "body" }, this.subject, this.heads)));
    mount.replaceChildren(this.element);
    this.live = new LiveStreams({
      onEvent: () => {}, onFrame: () => {}, onLost: () => {},
      onNews: (url) => this.args.setTriggerValue("news", url),
    });
  }

  /** A payload from Python. */
  update(args) {
    this.args = args;
    const { data } = args;
    this.element.style.setProperty("--height", `${data.height ?? 520}px`);
    set(this.element, { "data-waiting": data.waiting, "data-kind": data.inputs?.kind, "data-row": data.row });
    this.live.follow(data.streams ?? []);
    if (!data.heads) { this.title.textContent = "Looking …"; return; }
    if (data.row !== this.data?.row) this.looking = 0;
    this.data = data;
    this.#pick();
    this.#draw();
  }

  get isImage() { return this.data.inputs.kind === "patches"; }

  #pick() {
    const { offered, row, target } = this.data;
    this.field.value = String(row + 1);
    set(this.field, { max: this.data.n_rows });
    this.count.textContent = `of ${this.data.n_rows} nobody trained on`;
    this.picker.replaceChildren(...offered.map((one) => {
      const words = `${target} ${one.truth}, said ${one.predicted}`;
      const element = html("button", { type: "button", role: "option", title: words, "aria-label": words, "aria-selected": String(one.row === row),
        "data-row": one.row, "data-wrong": one.wrong },
      one.image ? drawing(one.image) : html("span", { class: "truth" }, one.truth),
      html("small", {}, one.image && one.wrong ? `${one.truth} → ${one.predicted}` : one.image ? one.predicted : `→ ${one.predicted}`));
      element.addEventListener("click", () => this.#choose(one.row));
      return element;
    }));
  }

  #choose(row) {
    if (row === this.data.row) return;
    this.picker.querySelectorAll("button").forEach((one) => set(one, { "aria-selected": String(Number(one.dataset.row) === row) }));
    this.args.setStateValue("row", row);
  }

  #draw() {
    const { target, truth, predicted, wrong } = this.data;
    this.title.textContent = `${target} ${truth}`;
    const verdict = html("span", { class: "verdict", "data-wrong": wrong }, wrong ? `the model says ${predicted}` : `the model says ${predicted}, rightly`);
    this.words.replaceChildren(verdict);
    this.#subject();
    this.#heads();
  }

  /** Whoever looks, in words. */
  #who() {
    return this.looking === 0 ? "the class token, which the answer is read from," : `token ${this.#names()[this.looking]}`;
  }

  #names() {
    const { inputs, heads } = this.data;
    if (!this.isImage) return ["class", ...inputs.names];
    const across = inputs.width / inputs.size;
    const count = (inputs.height / inputs.size) * across;
    return ["class", ...Array.from({ length: count }, (_, k) => `row ${Math.floor(k / across) + 1}, column ${(k % across) + 1}`)].slice(0, heads[0].map[0].length);
  }

  #subject() {
    if (!this.isImage) { this.subject.replaceChildren(); return; }
    const { image, inputs } = this.data;
    const picture = drawing(image, { class: "picture" });
    const token = html("button", { type: "button", class: "token", "aria-pressed": String(this.looking === 0), "data-token": 0 }, "class token");
    token.addEventListener("click", () => this.#look(0));
    squares(inputs).forEach(({ x, y, size }, k) => {
      const square = svg("rect", { class: "square", x, y, width: size, height: size, "data-on": this.looking === k + 1, "data-token": k + 1, tabindex: "0", role: "button",
        "aria-label": `Look from ${this.#names()[k + 1]}` });
      square.addEventListener("click", () => this.#look(this.looking === k + 1 ? 0 : k + 1));
      square.addEventListener("keydown", (event) => { if (event.key === "Enter") this.#look(k + 1); });
      picture.append(square);
    });
    this.subject.replaceChildren(html("small", {}, "Who looks"), picture, token, html("p", { class: "note" }, "Click a square: every head shows what it looks at."));
  }

  #look(token) {
    this.looking = token;
    this.#draw();
  }

  #heads() {
    const { heads } = this.data;
    const blocks = [...new Set(heads.map((one) => one.block))];
    this.heads.replaceChildren(html("small", { class: "who" }, `What ${this.#who()} looks at`),
      ...(this.isImage ? blocks.map((block) => this.#block(block, heads.filter((one) => one.block === block))) : [this.#table(heads)]));
  }

  #block(block, heads) {
    return html("div", { class: "block" }, html("b", {}, `Block ${block}`), html("div", { class: "pictures" }, ...heads.map((one) => this.#picture(one))));
  }

  #picture({ head, map }) {
    const { image, inputs } = this.data;
    const weights = map[Math.min(this.looking, map.length - 1)];
    const most = Math.max(...weights);
    const picture = drawing(image, { class: "picture" });
    squares(inputs).forEach(({ x, y, size }, k) => {
      picture.append(svg("rect", { class: "tint", x, y, width: size, height: size, "fill-opacity": (0.78 * (weights[k + 1] / most)).toFixed(3) },
        svg("title", {}, `${this.#names()[k + 1]}: ${percent(weights[k + 1])}`)));
    });
    const self = html("span", { class: "self", title: "What goes to the class token" }, html("i", { style: `width:${(100 * weights[0]).toFixed(1)}%` }));
    return html("figure", {}, picture, html("figcaption", {}, `head ${head}`, html("em", {}, `class ${percent(weights[0])}`)), self);
  }

  /** A table: a row a column of the data, a column a head. */
  #table(heads) {
    const names = this.#names();
    const { values } = this.data;
    const weights = heads.map(({ map }) => map[Math.min(this.looking, map.length - 1)]);
    const head = html("tr", {}, html("th", {}, "token"), html("th", {}, "value"),
      ...heads.map((one) => html("th", { title: `block ${one.block}, head ${one.head}` }, `${one.block}·${one.head}`)));
    const rows = names.map((name, k) => {
      const row = html("tr", { "data-on": this.looking === k, "data-token": k, tabindex: "0" }, html("th", {}, k === 0 ? "class token" : name),
        html("td", { class: "value" }, k === 0 ? "" : format(values[k - 1], 4)),
        ...weights.map((own) => html("td", { class: "weight", style: `--share:${(own[k] / Math.max(...own)).toFixed(3)}` }, percent(own[k]))));
      row.addEventListener("click", () => this.#look(this.looking === k ? 0 : k));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter") this.#look(k); });
      return row;
    });
    const note = html("p", { class: "note" }, "A column is a block and a head of it. Click a row: every head shows what that token looks at.");
    return html("div", { class: "table" }, html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows)), note);
  }

  stop() { this.live.stop(); }
}

/** The squares of an image, row by row. */
function squares({ height, width, size }) {
  const found = [];
  for (let y = 0; y < height; y += size) for (let x = 0; x < width; x += size) found.push({ x, y, size });
  return found;
}

const views = new WeakMap();

export default function attention(args) {
  const { parentElement } = args;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.element)) {
    view = new AttentionView(parentElement.querySelector(".mount"));
    views.set(parentElement, view);
  }
  view.update(args);
  return () => {
    view.stop();
    views.delete(parentElement);
  };
}
