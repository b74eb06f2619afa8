/** Images as vector drawings in the colour of the text, so that they follow light and dark. */

import { svg } from "../shared/dom.js";

const LEVELS = 8;

/** Draw an image, rows of numbers: the larger a value, the darker its pixel. */
export function drawing(image, attributes = {}) {
  const [low, high] = range(image);
  const paths = Array.from({ length: LEVELS + 1 }, () => "");
  image.forEach((row, y) => row.forEach((value, x) => {
    paths[Math.round((LEVELS * (value - low)) / (high - low || 1))] += `M${x} ${y}h1v1h-1z`;
  }));
  const levels = paths.map((d, level) => (level && d ? svg("path", { class: "pixel", d, "fill-opacity": (level / LEVELS).toFixed(3) }) : null));
  return svg("svg", { viewBox: `0 0 ${image[0].length} ${image.length}`, "shape-rendering": "crispEdges", "aria-hidden": "true", ...attributes }, ...levels);
}

function range(image) {
  let [low, high] = [Infinity, -Infinity];
  for (const row of image) for (const value of row) { low = Math.min(low, value); high = Math.max(high, value); }
  return [low, high];
}
