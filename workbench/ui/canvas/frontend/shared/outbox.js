/**
 * Actions on their way to Python.
 *
 * Streamlit joins triggers that arrive while it is busy and keeps the last one only; three quick undos would be one.
 * So each message carries the latest few actions, each with a number that only grows, and Python does those it has not
 * done yet.
 */

const KEPT = 8;

let last = 0;

/** A number larger than every earlier one, also after a reload. */
function order() {
  last = Math.max(last + 1, Date.now());
  return last;
}

export class Outbox {
  constructor() {
    this.recent = [];
  }

  post(setTriggerValue, action) {
    this.recent = [...this.recent.slice(1 - KEPT), { ...action, order: order() }];
    setTriggerValue("action", this.recent);
  }
}
