/**
 * Building HTML and SVG elements.
 *
 * Names of columns and forms are a person's own text: every child string becomes a text node, so nothing is ever
 * read as markup.
 */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** Set attributes; `null`, `undefined` and `false` remove one, `true` sets it empty. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/** Create an HTML element: `html("button", {type: "button"}, "Snap")`. */
export function html(tag, attributes = {}, ...children) {
  const element = set(document.createElement(tag), attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Create an SVG element: `svg("path", {class: "curve", d: "M0 0"})`. */
export function svg(tag, attributes = {}, ...children) {
  const element = set(document.createElementNS(SVG_NAMESPACE, tag), attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An icon drawn as one 16 px stroke path, hidden from screen readers. */
export function icon(path) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("path", { d: path }));
}

/** The innermost element an event came from, also inside shadow roots. */
export function origin(event) {
  return event.composedPath()[0];
}

/** Does the person type text here? Then letters and Ctrl+Z belong to the field, not to us. */
export function isTyping(event) {
  const element = origin(event);
  return element instanceof Element
    && (element.matches("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]")
      || element.isContentEditable);
}
