/**
 * What the next clicks will need, loaded while the person looks.
 *
 * A module that was imported once is at hand for everybody on the page. The inspector is small, and fetched as soon as the browser has
 * nothing else to do. Parts of Streamlit that other pages are drawn with keep the browser busy for a few tenths of a second each: they
 * wait until the person has rested for a moment.
 */

const REST = 1000; // ms without any movement or key
const INSPECTOR = "../../kan-workbench.inspector/inspector.js";
const BASE = "../../../../"; // from this file to the root of the app

let begun = false;

/** Begin with it, once for a page; `parts` are addresses below the root of the app. */
export function lookAhead(parts) {
  if (begun) return;
  begun = true;
  idle().then(() => load(INSPECTOR)).then(() => loadAtRest([...parts]));
}

async function loadAtRest(parts) {
  for (const part of parts) {
    await rest();
    await idle();
    await load(BASE + part);
  }
}

/** A file that cannot be had now is asked for again by whoever needs it, and missed there. */
async function load(address) {
  try {
    await import(new URL(address, import.meta.url).href);
  } catch (problem) {
    console.info("not loaded ahead:", address, problem);
  }
}

function idle() {
  return new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(() => resolve()));
}

function rest() {
  return new Promise((resolve) => {
    const signs = ["pointermove", "pointerdown", "wheel", "keydown"];
    let timer = null;
    const wait = () => { clearTimeout(timer); timer = setTimeout(done, REST); };
    const done = () => { for (const sign of signs) removeEventListener(sign, wait, true); resolve(); };
    for (const sign of signs) addEventListener(sign, wait, { capture: true, passive: true });
    wait();
  });
}
