// Learns the digits with the functions of digits.js: memory is laid out once, then each step is one call.
"use strict";

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const pixels = bytesOf(DIGITS.pixels), labels = bytesOf(DIGITS.labels);
const ROWS = DIGITS.rows, TRAINED = 1500, TESTED = labels.length - TRAINED, STEPS = 1200, RATE = 0.004;

const memory = new WebAssembly.Memory({ initial: 64 });
const env = {
  memory,
  memcpy: (to, from, count) => (new Uint8Array(memory.buffer).copyWithin(to, from, from + count), to),
  memset: (to, value, count) => (new Uint8Array(memory.buffer).fill(value, to, to + count), to),
};

// Mulberry32: the same numbers in every browser.
let seed = 1;
function uniform() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function layOut(heap) {
  let free = (heap + 63) & ~63;
  const take = (bytes) => {
    const at = free;
    free = (free + bytes + 63) & ~63;
    if (free > memory.buffer.byteLength) memory.grow(Math.ceil((free - memory.buffer.byteLength) / 65536));
    return at;
  };
  const count = (shape, rows) => shape.reduce((product, extent) => product * (extent === "m" ? rows : extent), 1);
  const at = {};
  for (const [name, shape] of Object.entries(DIGITS.inputs)) at[name] = take(4 * count(shape, TESTED));
  for (const name of DIGITS.outputs) at[name] = name in DIGITS.donated ? at[DIGITS.donated[name]] : take(4);
  at.Y = take(4 * 10 * TESTED);
  return { at, take, count };
}

WebAssembly.instantiate(bytesOf(DIGITS.module), { env }).then(({ instance }) => {
  const wasm = instance.exports;
  const { at, take, count } = layOut(wasm.__heap_base.value);
  const floats = (name, length) => new Float32Array(memory.buffer, at[name], length);
  const table = (addresses) => {
    const place = take(4 * addresses.length);
    new Uint32Array(memory.buffer, place, addresses.length).set(addresses);
    return place;
  };
  const extents = (rows) => {
    const place = take(8);
    new BigInt64Array(memory.buffer, place, 1)[0] = BigInt(rows);
    return place;
  };
  const few = extents(ROWS), all = extents(TESTED);
  const learned = [table(Object.keys(DIGITS.inputs).map((n) => at[n])), table(DIGITS.outputs.map((n) => at[n])), few];
  const asked = [table(DIGITS.predict.map((name) => at[name])), table([at.Y]), all];
  const bytes = Math.max(wasm.learn_workspace_bytes(few), wasm.predict_workspace_bytes(all));
  const workspace = take(bytes);

  const hidden = DIGITS.hidden;
  for (const [name, before, after] of [["W1", 64, hidden], ["W2", hidden, 10]]) {
    const weights = floats(name, before * after);
    for (let k = 0; k < weights.length; ++k) weights[k] = (2 * uniform() - 1) * Math.sqrt(6 / (before + after));
  }
  floats("lr", 1)[0] = RATE;

  function batch(first, rows, chosen) {
    const X = floats("X", 64 * rows), D = floats("D", 10 * rows).fill(0);
    for (let row = 0; row < rows; ++row) {
      const digit = chosen(first + row);
      for (let k = 0; k < 64; ++k) X[64 * row + k] = pixels[64 * digit + k] / 16;
      D[10 * row + labels[digit]] = 1;
    }
  }

  function accuracy() {
    batch(TRAINED, TESTED, (k) => k);
    if (wasm.predict_run(...asked, workspace, bytes)) throw new Error("predict");
    const Y = floats("Y", 10 * TESTED);
    let right = 0;
    for (let row = 0; row < TESTED; ++row) {
      let best = 0;
      for (let k = 1; k < 10; ++k) if (Y[10 * row + k] > Y[10 * row + best]) best = k;
      right += best === labels[TRAINED + row];
    }
    return right / TESTED;
  }

  const say = (id, text) => { document.getElementById(id).textContent = text; };
  const curve = document.getElementById("curve"), pen = curve.getContext("2d");
  const losses = [];
  let spent = 0;

  function draw() {
    const most = Math.log(4), least = Math.log(0.01);
    pen.clearRect(0, 0, curve.width, curve.height);
    pen.beginPath();
    losses.forEach((loss, k) => {
      const y = (most - Math.log(Math.max(loss, 0.01))) / (most - least);
      pen.lineTo((k / STEPS) * curve.width, y * curve.height);
    });
    pen.lineWidth = 2;
    pen.strokeStyle = "#3355bb";
    pen.stroke();
  }

  function some() {
    for (let k = 0; k < 40; ++k) {
      batch(0, ROWS, () => Math.floor(uniform() * TRAINED));
      const begin = performance.now();
      const code = wasm.learn_run(...learned, workspace, bytes);
      spent += performance.now() - begin;
      if (code) throw new Error(`learn: code ${code}`);
      losses.push(floats("loss", 1)[0]);
    }
    const recent = losses.slice(-40);
    say("step", losses.length);
    say("loss", (recent.reduce((sum, loss) => sum + loss, 0) / recent.length).toFixed(3));
    say("accuracy", `${(100 * accuracy()).toFixed(1)} %`);
    say("speed", ((1e3 * spent) / losses.length).toFixed(0));
    draw();
    if (losses.length < STEPS) setTimeout(some, 0);
    else say("state", "done");
  }
  some();
}).catch((error) => { document.getElementById("state").textContent = `failed: ${error.message}`; });
