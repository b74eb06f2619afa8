/**
 * A stopwatch inside the page: from what a person does to the first frame in which the answer can be seen.
 *
 * `marks` are functions by name, each true once its answer stands on the page. They are asked before every frame, and their time
 * is taken when that frame has been painted.
 */
(() => {
  const PATIENCE = 30_000; // ms

  /** The first element that a selector finds, also inside the shadow roots of components. */
  function find(selector, root = document) {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const host of root.querySelectorAll("*")) {
      const inside = host.shadowRoot && find(selector, host.shadowRoot);
      if (inside) return inside;
    }
    return null;
  }

  /** Whether an element is there that takes up room and belongs to the page that runs: Streamlit greys what an earlier run has left. */
  function seen(selector) {
    const element = find(selector);
    if (!element || element.getClientRects().length === 0) return false;
    const host = element.getRootNode().host ?? element;
    return !host.closest("[data-stale=true]");
  }

  const painted = (then) => requestAnimationFrame(() => setTimeout(() => then(performance.now())));

  /** The milliseconds from `began()` until every mark was seen, by name. */
  function follow(began, marks) {
    return new Promise((resolve, reject) => {
      const waiting = new Map(Object.entries(marks));
      const taken = {};
      const giveUp = setTimeout(() => reject(new Error(`never seen: ${[...waiting.keys()].join(", ")}`)), PATIENCE);
      const look = () => {
        if (began() !== null) {
          const reached = [...waiting].filter(([, isThere]) => isThere()).map(([name]) => name);
          for (const name of reached) waiting.delete(name);
          if (reached.length) painted((now) => { for (const name of reached) taken[name] = now - began(); });
        }
        if (waiting.size) requestAnimationFrame(look);
        else painted(() => { clearTimeout(giveUp); resolve(taken); });
      };
      look();
    });
  }

  /** Start with the next event of a kind, by the time at which the browser received it. */
  function arm(kind, marks) {
    let began = null;
    addEventListener(kind, (event) => { began = event.timeStamp; }, { capture: true, once: true });
    stopwatch.taken = follow(() => began, marks);
    stopwatch.taken.catch(() => {}); // it is heard where it is awaited
  }

  /** Start where this page began to be loaded. */
  const load = (marks) => follow(() => 0, marks);

  globalThis.stopwatch = { find, seen, arm, load };
})();
