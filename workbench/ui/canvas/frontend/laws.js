/**
 * The list of formulas: what a search found, what a person typed, what was named by hand, in a Streamlit component.
 *
 * A small plot of error against complexity, the formulas, and a field to type one. A click on either goes to the state
 * of that formula; the one that is looked at is open, with its constants. The payload is described in
 * workbench/ui/canvas/__init__.py.
 */

import { html, set, isTyping } from "./shared/dom.js";
import { Outbox } from "./shared/outbox.js";
import { FrontPlot } from "./laws/plot.js";
import { LawList } from "./laws/list.js";
import { LawDetail } from "./laws/detail.js";
import { TypedField } from "./laws/typed.js";
import { ComparisonCard } from "./laws/comparison.js";

const VERDICTS = { law: "law found", approximation: "an approximation", none: "no law found" };
class LawsView {
  constructor(mount) {
    this.outbox = new Outbox();
    this.every = false;
    this.plot = new FrontPlot({ hover: (law) => this.#hover(law), open: (law) => this.#open(law) });
    this.detail = new LawDetail({ extend: () => this.#tell("extend", {}) });
    this.list = new LawList({
      hover: (law) => this.#hover(law), open: (law) => this.#open(law), compare: (law) => this.#tell("compare", { state: law.state }),
    }, this.detail.element);
    this.typed = new TypedField({ suppose: (text) => this.#tell("suppose", { text }), compare: (text) => this.#tell("compare", { text }) });
    this.comparison = new ComparisonCard({ close: () => this.#tell("forget", {}) });
    this.verdict = html("button", { class: "chip", type: "button", title: "Why?" });
    this.verdict.addEventListener("click", () => this.#explain());
    this.reasons = html("ul", { class: "reasons" });
    this.front = html("button", { type: "button", title: "Those that no other one beats in both length and error" }, "Front");
    this.all = html("button", { type: "button", title: "Every formula that was found, typed or named by hand" }, "All");
    this.front.addEventListener("click", () => this.#show(false));
    this.all.addEventListener("click", () => this.#show(true));
    this.switch = html("div", { class: "switch", role: "group", "aria-label": "Which formulas" }, this.front, this.all);
    this.figure = html("div", { class: "figure" }, this.plot.element);
    this.message = html("p", { class: "message", role: "alert", hidden: true });
    this.element = html("div", { class: "laws" },
      html("header", {}, html("h2", {}, "Formulas"), this.verdict, html("span", { class: "grow" }), this.switch),
      this.reasons, this.figure, this.list.element, this.comparison.element, this.message, this.typed.element);
    mount.replaceChildren(this.element);
    this.observer = new ResizeObserver(() => this.#resized());
    this.observer.observe(this.figure);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !isTyping(event) && this.data.comparison) this.#tell("forget", {});
    });
  }

  /** A payload from Python. */
  update(args) {
    this.args = args;
    const answered = args.data.revision !== this.data?.revision;
    const before = this.data?.here;
    this.data = { laws: [], columns: [], reasons: [], ...args.data };
    this.element.style.setProperty("--height", this.data.height ? `${this.data.height}px` : "auto");
    if (answered) { this.waiting = 0; this.opening = null; }
    this.#draw();
    if (this.data.here !== before) this.list.reveal(this.data.here);
    this.message.textContent = this.data.message ?? "";
    set(this.message, { hidden: !this.data.message });
    set(this.element, { "data-count": this.data.laws.length, "data-here": this.data.here, "data-searching": this.data.searching });
  }

  get shown() {
    return this.data.laws.filter((law) => this.every || law.front || law.state === this.here);
  }

  /** The formula that is looked at, or was just asked for. */
  get here() {
    return this.opening ?? this.data.here;
  }

  #draw() {
    const { data, shown, here } = this;
    const law = data.laws.find((one) => one.state === here) ?? null;
    const busy = Boolean(this.waiting) || Boolean(data.busy);
    const more = data.laws.some((one) => !one.front);
    set(this.verdict, { hidden: !data.verdict, "data-verdict": data.verdict, disabled: !data.reasons.length, "aria-expanded": String(Boolean(this.why)) });
    this.verdict.textContent = VERDICTS[data.verdict] ?? "";
    set(this.reasons, { hidden: !this.why || !data.verdict });
    this.reasons.replaceChildren(...data.reasons.map((reason) => html("li", {}, reason)));
    set(this.switch, { hidden: !more });
    set(this.front, { "aria-pressed": String(!this.every) });
    set(this.all, { "aria-pressed": String(this.every) });
    this.all.textContent = `All ${data.laws.length}`;
    set(this.figure, { hidden: data.laws.length < 2 || Boolean(data.comparison) }); // the room is needed
    this.detail.draw(law, { canExtend: data.can_extend && !busy && here === data.here });
    this.list.draw(shown, here, data, busy);
    this.comparison.draw(data.comparison, this.element.clientWidth - 30);
    this.typed.draw(data, busy);
    this.#drawPlot();
  }

  #drawPlot() {
    const width = this.figure.clientWidth;
    if (width && this.data) this.plot.draw(this.data.laws, this.here, this.every, width);
  }

  #resized() {
    if (!this.data || this.figure.clientWidth === this.plot.width) return;
    this.#drawPlot();
    this.comparison.draw(this.data.comparison, this.element.clientWidth - 30);
  }

  // What a person does ------------------------------------------------------------------------------------------------

  #hover(law) {
    this.plot.emphasize(law?.state);
    this.list.emphasize(law?.state);
  }

  #explain() {
    this.why = !this.why;
    this.#draw();
  }

  #show(every) {
    this.every = every;
    this.#draw();
    this.list.reveal(this.here);
  }

  #open(law) {
    if (law.state === this.here) return;
    this.opening = law.state;
    this.#draw();
    this.outbox.post(this.args.setTriggerValue, { op: "open", state: law.state });
  }

  #tell(op, rest) {
    if (this.waiting) return;
    this.waiting = 1;
    this.#draw();
    this.outbox.post(this.args.setTriggerValue, { op, ...rest });
  }

  stop() {
    this.observer.disconnect();
  }
}

const views = new WeakMap();

export default function laws(args) {
  const { parentElement } = args;
  let view = views.get(parentElement);
  if (!view || !parentElement.contains(view.element)) {
    view = new LawsView(parentElement.querySelector(".mount"));
    views.set(parentElement, view);
  }
  view.update(args);
  return () => {
    view.stop();
    views.delete(parentElement);
  };
}
