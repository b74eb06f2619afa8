/**
 * The terms of the formula below the drawing: each lights the edges it came from, and is lit by them.
 *
 * The page sets the formula; there every term stands in a colour of its own, 0xf00001 being the first one's, which is how
 * it is found here (workbench/worker/equations.py). Terms lie in one another: the innermost one under the pointer counts.
 * The page may set the formula anew at any time, so what is found is looked for again after every change of it.
 */

import { set } from "../shared/dom.js";

const FIRST = 0xf00001;
const NEXT = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export class Terms {
  /** `on` has `light(edges)`, with null for none, `open(edge)`, and `name(edge)`, which says an edge in words. */
  constructor(on) {
    this.on = on;
    this.parts = [];
    this.edge = null; // whose terms are lit
    this.pointed = null; // number of the part under the pointer or with the focus
    this.found = []; // number of a part -> its elements: more than one where the browser sets it in pieces
    this.observer = new MutationObserver(() => this.#look());
    this.handlers = {
      pointerover: (event) => this.#point(numberOf(event.target)), pointerleave: () => this.#point(null),
      focusin: (event) => this.#point(numberOf(event.target)), focusout: () => this.#point(null),
      click: (event) => this.#open(numberOf(event.target)), keydown: (event) => this.#key(event),
    };
  }

  /**
   * Follow the formula of a payload: `{place, parts}`, the key of its container and its parts; null where there is none.
   * `colour` is what lights a term: the page itself has no variables of the theme.
   */
  follow(formula, colour) {
    this.colour = colour;
    this.place = formula?.place;
    this.parts = formula?.parts ?? [];
    this.observer.disconnect();
    this.#look();
  }

  /** Light the terms of an edge, or none. */
  light(edge) {
    this.edge = edge;
    this.#mark();
  }

  stop() {
    this.observer.disconnect();
    this.#leave();
    this.found = [];
  }

  /** Find the terms in what the page has set. */
  #look() {
    this.observer.disconnect();
    const strip = this.place && this.parts.length ? document.querySelector(`.st-key-${CSS.escape(this.place)}`) : null;
    if (strip !== this.strip) { this.#leave(); this.#enter(strip); }
    const typeset = strip?.querySelector(".katex-html");
    if (typeset) this.#dress(typeset);
    else this.found = []; // what was found before belongs to other parts
    this.observer.observe(strip ?? document.body, {
      childList: true, subtree: true, ...(strip ? { characterData: true, attributes: true, attributeFilter: ["style"] } : {}),
    });
  }

  #enter(strip) {
    this.strip = strip;
    strip?.style.setProperty("--term", this.colour);
    for (const [name, handler] of Object.entries(this.handlers)) strip?.addEventListener(name, handler);
  }

  #leave() {
    for (const [name, handler] of Object.entries(this.handlers)) this.strip?.removeEventListener(name, handler);
    this.strip = null;
  }

  #dress(typeset) {
    for (const old of typeset.querySelectorAll("[data-term]")) set(old, { "data-term": null, "data-lit": null, tabindex: null, role: null, "aria-label": null });
    this.found = this.parts.map(() => []);
    for (const element of typeset.querySelectorAll("[style]")) {
      const number = numberOfColour(element.style.color);
      if (number === null || number >= this.parts.length || numberOfColour(element.parentElement.style.color) === number) continue;
      if (element.parentElement.closest(`[data-term="${number}"]`)) continue;
      set(element, { "data-term": number });
      this.found[number].push(element);
    }
    this.found.forEach(([first], k) => { if (first) set(first, { role: "button", tabindex: "-1", "aria-label": this.#words(k) }); });
    const reachable = this.found.find(([first]) => first)?.[0];
    if (reachable) set(reachable, { tabindex: "0" });
    set(typeset, { "aria-hidden": null, role: "group", "aria-label": "Terms of the formula" }); // else what has the focus would be hidden
    this.#mark();
  }

  /** Show which terms are lit and which one is pointed at, also on elements that have just been set. */
  #mark() {
    this.found.forEach((elements, k) => elements.forEach((element) => set(element, {
      "data-lit": this.edge !== null && this.parts[k].own.includes(this.edge), "data-hot": k === this.pointed,
    })));
  }

  #words(k) {
    return `Term ${k + 1} of ${this.parts.length}: ${this.parts[k].own.map((edge) => this.on.name(edge)).join(" and ")}`;
  }

  #point(number) {
    if (number === this.pointed) return;
    this.pointed = number;
    this.#mark();
    this.on.light(number === null ? null : this.parts[number].edges);
  }

  /** Open the edge of a term; where several share it, the next one with every click. */
  #open(number) {
    if (number === null) return;
    const { own } = this.parts[number];
    this.turn = this.opened === number ? (this.turn + 1) % own.length : 0;
    this.opened = number;
    this.on.open(own[this.turn]);
  }

  #key(event) {
    const number = numberOf(event.target);
    if (number === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.#open(number);
    else if (Object.hasOwn(NEXT, event.key)) this.#walk(number, NEXT[event.key]);
    else if (event.key === "Escape") event.target.blur();
    else return;
    event.preventDefault();
  }

  #walk(number, step) {
    const there = this.found.map(([first]) => first).filter(Boolean);
    const next = there[there.indexOf(this.found[number][0]) + step];
    if (!next) return;
    for (const element of there) set(element, { tabindex: element === next ? "0" : "-1" });
    next.focus();
  }
}

function numberOf(element) {
  const term = element.closest?.("[data-term]");
  return term ? Number(term.dataset.term) : null;
}

/** The number of the part that a colour stands for, from 0; null for every other colour. */
function numberOfColour(colour) {
  const parts = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(colour);
  if (!parts) return null;
  const number = ((Number(parts[1]) << 16) | (Number(parts[2]) << 8) | Number(parts[3])) - FIRST;
  return number >= 0 ? number : null;
}
