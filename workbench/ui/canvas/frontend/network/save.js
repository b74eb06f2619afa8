/** The drawing as an SVG file of its own: styles resolved, helpers left out, everything in view. */

import { svg, html, set } from "../shared/dom.js";

const STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "font-family", "font-size", "font-weight", "text-anchor", "paint-order"];
const LEFT_OUT = ".hit, .spinner";
const PAGE_ONLY = ["class", "tabindex", "role", "style"]; // of no use outside the page
const MARGIN = 16;

export function toStandaloneSvg(root) {
  const copy = root.cloneNode(true);
  inline(root, copy);
  copy.querySelectorAll(LEFT_OUT).forEach((element) => element.remove());
  copy.querySelector(".camera").removeAttribute("transform");
  copy.querySelectorAll("*").forEach((element) => PAGE_ONLY.forEach((name) => element.removeAttribute(name)));
  for (const name of ["class", "width", "height", "role", "aria-roledescription", "data-dim", "data-zoomed"]) copy.removeAttribute(name);
  const box = root.querySelector(".camera").getBBox();
  const [x, y, width, height] = [box.x - MARGIN, box.y - MARGIN, box.width + 2 * MARGIN, box.height + 2 * MARGIN].map(Math.round);
  set(copy, { xmlns: "http://www.w3.org/2000/svg", viewBox: `${x} ${y} ${width} ${height}`, width, height });
  copy.prepend(svg("rect", { x, y, width, height, fill: getComputedStyle(root).backgroundColor }));
  return new XMLSerializer().serializeToString(copy);
}

function inline(source, copy) {
  const style = getComputedStyle(source);
  for (const name of STYLES) {
    const value = style.getPropertyValue(name);
    if (value) copy.setAttribute(name, value);
  }
  [...source.children].forEach((child, k) => inline(child, copy.children[k]));
}

export function download(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
