"use strict";
const fields = ["formula", "shapes", "assume", "wrt", "at", "kind", "mine", "library"];
const tabs = ["results", "steps", "source"];
const wait = 450; // milliseconds after the last key
const examples = {
  "least squares": { formula: "mean((X@w - y)**2)", shapes: "X:m,n w:n y:m", wrt: "w" },
  "softmax and cross-entropy": {
    formula: "mean(cross_entropy(softmax(Z), D))", shapes: "Z:m,10 D:m,10", assume: "D:one_hot", wrt: "Z",
  },
  "a network of two layers": {
    formula: "Z = tanh(X@W1 + b1)@W2 + b2; mean(cross_entropy(softmax(Z), D))",
    shapes: "X:m,64 W1:64,128 b1:128 W2:128,10 b2:10 D:m,10", assume: "D:one_hot", wrt: "W1, b1, W2, b2",
  },
  "a quadratic form, Hessian": { formula: "x@A@x/2 - b@x", shapes: "A:n,n x:n b:n", assume: "A:symmetric", wrt: "x", kind: "Hessian" },
  "a Jacobian": { formula: "softmax(W@x)", shapes: "W:k,n x:n", wrt: "x", kind: "Jacobian" },
  "a graph with numbers": { formula: "c = a + b; d = a*c; d", wrt: "a, b", at: "a=4,b=3" },
  "an answer that is wrong": { formula: "sum((X@w - y)**2)", shapes: "X:m,n w:n y:m", wrt: "w", mine: "2*X@(X@w - y)" },
  "logdet of a covariance": { formula: "logdet(S)", shapes: "S:n,n", assume: "S:symmetric", wrt: "S" },
};
const of = (id) => document.getElementById(id);
let asked = 0, timer = 0, tab = "results";

function values() {
  return Object.fromEntries(fields.map((name) => [name, of(name).value.trim()]).filter(([, value]) => value));
}

function fill(given) {
  for (const name of fields) of(name).value = given[name] ?? (name === "kind" ? "gradient" : "");
}

function option(select, value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  select.append(made);
}

function show(which) {
  tab = which;
  for (const name of tabs) {
    of(name).hidden = name !== which;
    of(`tab-${name}`).setAttribute("aria-selected", String(name === which));
  }
}

function result(label, found) {
  const box = document.createElement("div");
  box.className = "result";
  const math = document.createElement("div");
  math.className = "math";
  math.innerHTML = found.mathml; // written by this server, from a formula it has read
  const shape = document.createElement("div");
  shape.className = "shape";
  shape.textContent = found.shape?.length ? `${label}, shape (${found.shape.join(", ")})` : label;
  const text = document.createElement("pre");
  text.textContent = found.text;
  box.append(shape, math, text);
  return box;
}

function shown(found) {
  of("error").hidden = !found.error;
  of("tabs").hidden = Boolean(found.error);
  of("verdict").hidden = !found.verdict;
  if (found.error) {
    of("error").textContent = found.error;
    for (const name of tabs) of(name).hidden = true;
    return;
  }
  if (found.verdict) {
    of("verdict").className = found.verdict.right ? "right" : "wrong";
    of("verdict").textContent = found.verdict.text;
  }
  of("results").replaceChildren(
    result(found.value.label, found.value), ...found.results.map((each) => result(each.label, each)));
  of("tab-steps").disabled = !found.steps;
  of("tab-steps").title = found.steps ? "" : "There is nothing to derive here";
  of("tab-source").disabled = !found.source;
  of("tab-source").title = found.source ? "" : "Choose a source first";
  if (found.steps) {
    of("derivation").src = found.steps;
    of("alone").href = found.steps;
  }
  of("text").textContent = found.source ?? "";
  if ((tab === "steps" && !found.steps) || (tab === "source" && !found.source)) show("results");
  else show(tab);
}

function reveal() { // on a phone the answer stands below the form
  const answer = of("answer"), { top } = answer.getBoundingClientRect();
  if (top >= 0 && top <= innerHeight / 2) return;
  answer.focus({ preventScroll: true });
  answer.scrollIntoView({ block: "start" });
}

async function askAndReveal() {
  await ask();
  reveal();
}

async function ask() {
  clearTimeout(timer);
  const given = values();
  history.replaceState(null, "", `#${new URLSearchParams(given)}`);
  if (!given.formula) {
    of("state").textContent = "Type a formula.";
    return;
  }
  const number = ++asked;
  of("state").textContent = "…";
  let found;
  try {
    const reply = await fetch("/answer", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given),
    });
    found = reply.ok ? await reply.json() : { error: await reply.text() };
  } catch {
    found = { error: "The server does not answer: is `symnet play` still running?" };
  }
  if (number !== asked) return; // something else was asked since
  of("state").textContent = found.error ? "Not yet:" : "";
  shown(found);
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(ask, wait);
}

function begin() {
  const choices = JSON.parse(of("choices").textContent);
  for (const kind of choices.kinds) option(of("kind"), kind, kind);
  option(of("library"), "", "none");
  const titles = { numpy: "NumPy", jax: "JAX", torch: "PyTorch", c: "C", latex: "LaTeX" };
  for (const name of choices.libraries) option(of("library"), name, titles[name] ?? name);
  option(of("examples"), "", "choose one");
  for (const name of Object.keys(examples)) option(of("examples"), name, name);
  of("examples").addEventListener("change", (event) => {
    if (event.target.value) fill(examples[event.target.value]);
    askAndReveal();
  });
  for (const name of fields) of(name).addEventListener("input", later);
  for (const name of ["kind", "library"]) of(name).addEventListener("change", () => {
    if (name === "library" && of("library").value) tab = "source";
    ask();
  });
  for (const name of tabs) of(`tab-${name}`).addEventListener("click", () => show(name));
  of("form").addEventListener("submit", (event) => {
    event.preventDefault();
    askAndReveal();
  });
  const copied = (button, text) => async () => {
    await navigator.clipboard.writeText(text());
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1200);
  };
  of("copy").addEventListener("click", copied(of("copy"), () => of("text").textContent));
  of("back").addEventListener("click", () => of("formula").focus());
  of("link").addEventListener("click", copied(of("link"), () => location.href));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) askAndReveal();
    else if (event.key === "Escape") of("formula").focus();
    else if (event.altKey && "123".includes(event.key) && !of(`tab-${tabs[event.key - 1]}`).disabled) show(tabs[event.key - 1]);
    else return;
    event.preventDefault();
  });
  const linked = () => {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    fill(given);
    if (given.library) tab = "source";
    if (given.tab) tab = given.tab;
    ask();
  };
  window.addEventListener("hashchange", linked);
  if (location.hash.length > 1) linked();
  else fill({});
}

begin();
