/** Numbers as people read them, and the geometry of curves. */

const MINUS = "\u2212";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Format with `digits` significant figures: 0.000123 -> "1.23·10⁻⁴", 12345 -> "12345", -2 -> "−2". */
export function format(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
    return `${value < 0 ? MINUS : ""}${trimZeros(mantissa)}·10${raised(exponent.replace("+", ""))}`;
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  const text = size.toFixed(Math.min(decimals, 8));
  return (value < 0 ? MINUS : "") + trimZeros(text);
}

/** A whole number as an exponent: "-12" -> "⁻¹²". */
function raised(digits) {
  return [...digits].map((c) => (c === "-" ? "⁻" : SUPERSCRIPTS[Number(c)])).join("");
}

/** A formula or unit of ours as one writes it by hand: 0.5*x**3 -> 0.5·x³, ft^3 -> ft³, 2*x - 1 -> 2·x − 1. */
export function handwritten(text) {
  return (text ?? "")
    .replace(/(?:\*\*|\^)(?:\((-?\d+)\)|(-?\d+)(?![\d.]))/g, (_, inBrackets, plain) => raised(inBrackets ?? plain))
    .replace(/\*\*/g, "^").replace(/\*/g, "·").replace(/ - /g, ` ${MINUS} `).replace(/^-/, MINUS);
}

/** A formula with rounded constants as one writes it by hand: 49450000.0*x**2 -> 49450000·x². */
export function formulaText(text) {
  return handwritten((text ?? "").replace(/(\d)\.0(?![\d])/g, "$1"));
}

/** "1.500" -> "1.5", "2.000" -> "2", "100" stays. */
function trimZeros(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/** A share as whole per cent; what is small but not nothing says so. */
export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < 0.005) return "<1 %";
  return `${Math.round(100 * share)} %`;
}

/** About `count` round tick values inside [low, high]. */
export function ticks(low, high, count = 4) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) {
    values.push(Math.abs(value) < step * 1e-9 ? 0 : value);
  }
  return values;
}

/** Tick labels that share their number of decimals, so that a column of them lines up. */
export function tickLabels(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const largest = Math.max(...values.map(Math.abs), step);
  if (largest >= 1e5 || step < 1e-3) return values.map((value) => format(value, 3));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const extra = Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6 ? 1 : 0;
  return values.map((value) => value.toFixed(decimals + extra).replace("-", MINUS));
}

/** The path through points; a gap opens wherever a value is not finite. */
export function line(xs, ys, toX, toY) {
  let path = "";
  let pen = "M";
  for (let k = 0; k < ys.length; k += 1) {
    if (!Number.isFinite(ys[k])) { pen = "M"; continue; }
    path += `${pen}${toX(xs[k]).toFixed(1)} ${toY(ys[k]).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** Smallest and largest finite value of several arrays. */
export function extent(...arrays) {
  let low = Infinity;
  let high = -Infinity;
  for (const values of arrays) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : [0, 1];
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
