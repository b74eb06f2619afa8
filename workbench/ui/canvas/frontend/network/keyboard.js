/**
 * Keys. On an edge: arrows walk, Enter opens, s p l r act. Anywhere on the page: Ctrl+Z, Ctrl+Shift+Z and `?`,
 * except while the person types in a field, whose own undo must keep working.
 */

import { isTyping, origin } from "../shared/dom.js";

const MOVES = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);
export const ACTIONS = { s: "snap", p: "prune", l: "lock", r: "release" };

export const KEYS = [
  [["←", "→", "↑", "↓"], "walk from edge to edge"],
  [["Enter"], "open the edge in the inspector"],
  [["S"], "snap it to its best form"],
  [["P"], "prune it"],
  [["L"], "lock it, or unlock it"],
  [["R"], "release it: back to a free curve"],
  [["Esc"], "close the inspector"],
  [["Ctrl", "Z"], "undo"],
  [["Ctrl", "Shift", "Z"], "redo"],
  [["G"], "graph or matrix"],
  [["+", "−", "0"], "zoom in, out, fit (or Ctrl + wheel)"],
  [["?"], "this list"],
];

/** Listen on the drawing: `view` offers move, select, act, zoom, fit, toggleView. */
export function listenOnScene(root, view) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = origin(event).closest?.(".edge")?.dataset.id;
    if (!id || !handle(event.key, id, view)) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function handle(key, id, view) {
  if (MOVES.has(key)) view.move(id, key);
  else if (key === "Enter" || key === " ") view.select(id);
  else if (key === "Escape") view.select(null);
  else if (Object.hasOwn(ACTIONS, key.toLowerCase())) view.act(ACTIONS[key.toLowerCase()], id);
  else if (key === "+" || key === "=") view.zoom(1.25);
  else if (key === "-") view.zoom(0.8);
  else if (key === "0") view.fit();
  else if (key.toLowerCase() === "g") view.toggleView();
  else return false;
  return true;
}

/** Listen on the page; returns the function that stops listening. */
export function listenOnPage(view) {
  const listener = (event) => {
    if (event.defaultPrevented || isTyping(event)) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && !event.altKey && key === "z") view.history(event.shiftKey ? "redo" : "undo");
    else if (event.ctrlKey && !event.altKey && key === "y") view.history("redo");
    else if (!command && event.key === "?") view.showKeys?.();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", listener);
  return () => document.removeEventListener("keydown", listener);
}
