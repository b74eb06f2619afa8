/**
 * Reading and evaluating a formula in the browser, for sliders and for forms that are being typed.
 *
 * Grammar (the one of workbench.expression): numbers, names, + - * / **, ^ as a synonym of **, parentheses and the
 * functions below. A text becomes a closure; nothing is ever run as code, which the content policy would refuse too.
 */

const FUNCTIONS = {
  exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, sin: Math.sin, cos: Math.cos, tan: Math.tan,
  asin: Math.asin, acos: Math.acos, atan: Math.atan, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh,
  asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh, cbrt: Math.cbrt, expm1: Math.expm1, log1p: Math.log1p,
  sign: (x) => (x < 0 ? -1 : 1), erf,
};
const CONSTANTS = { pi: Math.PI, e: Math.E };

/**
 * Compile a formula.
 *
 * Returns `{names, evaluate}`: the free names in order of appearance, and `evaluate(values)` with one number a name.
 * Throws an Error whose message can be shown to the person who typed the text.
 */
export function compile(text) {
  const tokens = tokenize(text);
  const names = [];
  let position = 0;
  const peek = () => tokens[position]?.text;
  const take = () => tokens[position++];
  const expect = (wanted) => {
    if (peek() !== wanted) throw new Error(`Expected “${wanted}” ${where(tokens[position])}.`);
    position += 1;
  };

  function sum() {
    let left = product();
    while (peek() === "+" || peek() === "-") {
      const sign = take().text === "+" ? 1 : -1;
      const a = left;
      const b = product();
      left = (v) => a(v) + sign * b(v);
    }
    return left;
  }
  function product() {
    let left = signed();
    while (peek() === "*" || peek() === "/") {
      const multiply = take().text === "*";
      const a = left;
      const b = signed();
      left = multiply ? (v) => a(v) * b(v) : (v) => a(v) / b(v);
    }
    return left;
  }
  function signed() {
    if (peek() === "-") { take(); const a = signed(); return (v) => -a(v); }
    if (peek() === "+") { take(); return signed(); }
    return power();
  }
  function power() {
    const base = atom();
    if (peek() !== "**" && peek() !== "^") return base;
    take();
    const exponent = signed();
    return (v) => base(v) ** exponent(v);
  }
  function atom() {
    const token = take();
    if (!token) throw new Error("The formula stops too early.");
    if (token.kind === "number") return () => token.value;
    if (token.text === "(") { const inner = sum(); expect(")"); return inner; }
    if (token.kind !== "name") throw new Error(`Unexpected “${token.text}” ${where(token)}.`);
    return peek() === "(" ? call(token) : name(token);
  }
  function call(token) {
    const f = Object.hasOwn(FUNCTIONS, token.text) ? FUNCTIONS[token.text] : null;
    if (!f) throw new Error(`“${token.text}” is not a function we know. Known: ${Object.keys(FUNCTIONS).join(", ")}.`);
    expect("(");
    const argument = sum();
    expect(")");
    return (v) => f(argument(v));
  }
  function name(token) {
    if (Object.hasOwn(CONSTANTS, token.text)) return () => CONSTANTS[token.text];
    if (Object.hasOwn(FUNCTIONS, token.text)) throw new Error(`“${token.text}” needs its argument: ${token.text}(x).`);
    if (!names.includes(token.text)) names.push(token.text);
    return (v) => v[token.text];
  }

  if (!tokens.length) throw new Error("Type a formula in x.");
  const root = sum();
  if (position < tokens.length) throw new Error(`Unexpected “${peek()}” ${where(tokens[position])}.`);
  return { names, evaluate: root };
}

function where(token) {
  return token ? `at character ${token.at + 1}` : "at the end";
}

function tokenize(text) {
  const pattern = /\s*(?:((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/^()]))/y;
  const tokens = [];
  const source = text.trimEnd();
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(source);
    if (!match) throw new Error(`“${source.slice(at).trim()[0]}” cannot stand in a formula (character ${at + 1}).`);
    const [, number, word, symbol] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number, value: Number(number), at });
    else if (word !== undefined) tokens.push({ kind: "name", text: word, at });
    else tokens.push({ kind: "symbol", text: symbol, at });
  }
  return tokens;
}

/** erf to about 1e-15: its Taylor series near zero, the continued fraction of erfc beyond 2. */
function erf(x) {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size > 6) return Number.isNaN(x) ? NaN : Math.sign(x);
  if (size < 2) {
    let term = x;
    let total = x;
    for (let n = 1; n < 60 && Math.abs(term) > 1e-17; n += 1) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = size;
  for (let k = 60; k >= 1; k -= 1) fraction = size + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-size * size) / (fraction * Math.sqrt(Math.PI)));
}
