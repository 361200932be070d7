"use strict";
// Draws the surfaces of a box of voxels: no library, no network. Lengths in um; x to the right, y away, z up.

const scene = JSON.parse(document.getElementById("scene").textContent);
const canvas = document.querySelector("canvas");
const byId = (id) => document.getElementById(id);
const view = { turn: 30, tilt: 24, zoom: 1, x: 0, y: 0 };
const home = { ...view };
const hidden = new Set();
const middle = scene.size_um.map((length) => length / 2);
const radius = Math.hypot(...middle);
const meshes = new Map();
const LIFT = 0.02;  // of a voxel: where surfaces lie in one wall of the box, that of the layer named first is seen
const SLOW_ms = 120;  // of several pictures on end: from then on they are drawn half as fine
let gl, paint, crowd, state = 0, timer = null, queued = false, fine = 2, nSlow = 0;

const VERTEX = `#version 300 es
in vec3 place; in vec3 normal;
uniform mat3 turned; uniform vec3 middle, scale; uniform vec2 moved; uniform float unit, lift;
out vec3 at, facing;
void main() {
  at = place * unit; facing = normal;
  vec3 seen = (at - middle) * turned;
  gl_Position = vec4((seen.xy + moved) * scale.xy, -seen.z * scale.z - lift, 1.0);
}`;
const FRAGMENT = `#version 300 es
precision highp float; precision highp sampler3D;
in vec3 at, facing;
uniform mat3 turned; uniform vec3 size, colour, middle; uniform vec4 cut; uniform float flatness, radius, reach;
uniform sampler3D crowd;
out vec4 shown;
void main() {
  if (dot(cut.xyz, at) > cut.w) discard;
  if (flatness > 0.0) { shown = vec4(colour * flatness, 1.0); return; }
  vec3 wall = step(abs(at - step(middle, at) * size), vec3(0.02 * reach)) * sign(at - middle);
  vec3 n = normalize(dot(wall, facing) > 0.3 ? wall : facing);
  vec3 seen = n * turned;
  float key = 0.5 + 0.5 * dot(seen, normalize(vec3(-0.45, 0.6, 0.65)));
  float near = texture(crowd, (at + n * reach) / size).r, far = texture(crowd, (at + n * 3.0 * reach) / size).r;
  float open = dot(wall, facing) > 0.3 ? 1.0 : 1.0 - clamp(0.5 * (near + far), 0.0, 1.0);
  float edge = pow(1.0 - abs(seen.z), 3.0);
  float depth = clamp(0.5 - dot(at - middle, turned[2]) / (2.0 * radius), 0.0, 1.0);
  float light = (0.36 + 0.8 * key * key) * mix(0.42, 1.0, open) * mix(1.15, 0.75, depth);
  shown = vec4(colour * light + 0.16 * edge * mix(0.3, 1.0, open), 1.0);
}`;

function trouble(text) {
  byId("trouble").hidden = false;
  byId("trouble").querySelector("p").textContent = text;
  document.documentElement.dataset.ready = "trouble";
}

function linked(vertex, fragment) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "place");
  gl.bindAttribLocation(program, 1, "normal");
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "no program");
  return { program, at: (name) => gl.getUniformLocation(program, name) };
}

async function unpacked(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const width = Kind.BYTES_PER_ELEMENT, n = planes.length / width, octets = new Uint8Array(planes.length);
  for (let plane = 0; plane < width; plane++) for (let i = 0; i < n; i++) octets[i * width + plane] = planes[plane * n + i];
  return new Kind(octets.buffer);
}

async function unpackedMesh({ points, faces }) {
  const steps = await unpacked(points, Uint16Array), corners = await unpacked(faces, Int32Array);
  const n = steps.length / 3, m = corners.length / 4;
  const place = new Uint16Array(4 * n), triangles = new Uint32Array(6 * m);
  for (let axis = 0; axis < 3; axis++) for (let i = 0, here = 0; i < n; i++) place[4 * i + axis] = here = (here + steps[axis * n + i]) & 0xffff;
  for (let i = 0, first = 0; i < m; i++) {
    first += corners[i];
    const [a, b, c, d] = [first, first + corners[m + i], first + corners[2 * m + i], first + corners[3 * m + i]];
    triangles.set([a, b, c, a, c, d], 6 * i);
  }
  return { place, triangles, normal: normals(place, triangles, n) };
}

function normals(place, triangles, n) {
  const sums = new Float32Array(3 * n), found = new Int8Array(4 * n);
  for (let i = 0; i < triangles.length; i += 6) {
    const [a, b, c, , , d] = triangles.subarray(i, i + 6);
    const p = [0, 1, 2].map((k) => place[4 * c + k] - place[4 * a + k]), q = [0, 1, 2].map((k) => place[4 * d + k] - place[4 * b + k]);
    const across = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    for (const corner of [a, b, c, d]) for (let k = 0; k < 3; k++) sums[3 * corner + k] += across[k];
  }
  for (let i = 0; i < n; i++) {
    const long = Math.hypot(sums[3 * i], sums[3 * i + 1], sums[3 * i + 2]) || 1;
    for (let k = 0; k < 3; k++) found[4 * i + k] = Math.round(127 * sums[3 * i + k] / long);
  }
  return found;
}

function held({ place, normal, triangles }) {
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  for (const [index, data, kind, is_unit] of [[0, place, gl.UNSIGNED_SHORT, false], [1, normal, gl.BYTE, true]]) {
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(index);
    gl.vertexAttribPointer(index, 3, kind, is_unit, 4 * data.BYTES_PER_ELEMENT, 0);
  }
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
  return { array, n: triangles.length, place };
}

function parts() {
  return scene.layers.filter(({ key }) => !hidden.has(key) && scene.states[state].meshes[key] !== null)
    .map(({ key, colour }) => ({ colour, mesh: meshes.get(scene.states[state].meshes[key]) }));
}

const CROWD = 32;  // cells to a side of the grid that says where much surface lies: corners are darker
function crowded(shown) {
  let grid = new Float32Array(CROWD ** 3);
  for (const { mesh: { place } } of shown) {
    for (let i = 0; i < place.length; i += 4) {
      const [x, y, z] = [0, 1, 2].map((k) => Math.min(CROWD - 1, Math.floor(place[i + k] * scene.unit_um / scene.size_um[k] * CROWD)));
      grid[(z * CROWD + y) * CROWD + x] += 1;
    }
  }
  for (const step of [1, CROWD, CROWD ** 2]) {
    const from = grid;
    grid = from.map((here, i) => {
      const along = Math.floor(i / step) % CROWD;
      return (here * 2 + (along ? from[i - step] : 0) + (along < CROWD - 1 ? from[i + step] : 0)) / 4;
    });
  }
  const cell = scene.size_um.reduce((a, b) => a * b, 1) / (CROWD * scene.voxel_um) ** 3;
  const bytes = Uint8Array.from(grid, (n) => Math.min(255, 255 * n / Math.max(cell, 1e-9) / 0.9));
  gl.bindTexture(gl.TEXTURE_3D, crowd);
  gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, CROWD, CROWD, CROWD, 0, gl.RED, gl.UNSIGNED_BYTE, bytes);
}

function turnedBy({ turn, tilt }) {
  const a = turn * Math.PI / 180, e = tilt * Math.PI / 180;
  const right = [Math.cos(a), Math.sin(a), 0];
  const up = [-Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)];
  const back = [Math.sin(a) * Math.cos(e), -Math.cos(a) * Math.cos(e), Math.sin(e)];
  return [...right, ...up, ...back];
}

function fitting(from) {
  const to = turnedBy(from), reach = (row) => 2 * middle.reduce((sum, half, k) => sum + Math.abs(half * to[3 * row + k]), 0);
  return Math.min(0.9 * canvas.width / reach(0), 0.84 * canvas.height / reach(1));
}

// The same from all sides, so that the bar stays as it is while the box is turned.
const pixelsPerUm = () => view.zoom * fitting(home);

function cutPlane() {
  const axis = Number(byId("axis").value), share = Number(byId("cut").value) / 100, long = scene.size_um[axis];
  const sign = axis === 1 ? -1 : 1, place = axis === 1 ? share * long : (1 - share) * long;
  const normal = [0, 0, 0];
  normal[axis] = sign;
  return { axis, place, is_on: share > 0, plane: [...normal, share > 0 ? sign * place : 1e9] };
}

const rgb = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16) / 255);

function draw() {
  queued = false;
  const ratio = fine, begun = performance.now();
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  const ground = rgb(getComputedStyle(document.documentElement).getPropertyValue("--ground").trim());
  const ink = rgb(getComputedStyle(document.documentElement).getPropertyValue("--soft").trim());
  const shown = parts(), cut = cutPlane(), scale = pixelsPerUm();
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(...ground, 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
  gl.useProgram(paint.program);
  gl.uniformMatrix3fv(paint.at("turned"), false, turnedBy(view));
  gl.uniform3fv(paint.at("middle"), middle);
  gl.uniform3fv(paint.at("size"), scene.size_um);
  gl.uniform3f(paint.at("scale"), 2 * scale / canvas.width, 2 * scale / canvas.height, 0.5 / radius);
  gl.uniform2f(paint.at("moved"), view.x, view.y);
  gl.uniform1f(paint.at("radius"), radius);
  gl.uniform1f(paint.at("reach"), scene.voxel_um);
  gl.uniform1f(paint.at("unit"), scene.unit_um);
  gl.uniform4fv(paint.at("cut"), cut.plane);
  gl.enable(gl.DEPTH_TEST);
  gl.depthFunc(gl.LEQUAL);
  for (const [above, { colour, mesh }] of [...shown].reverse().entries()) {
    gl.uniform1f(paint.at("lift"), above * LIFT * scene.voxel_um / radius);
    gl.uniform3fv(paint.at("colour"), rgb(colour));
    gl.uniform1f(paint.at("flatness"), 0);
    gl.bindVertexArray(mesh.array);
    gl.drawElements(gl.TRIANGLES, mesh.n, gl.UNSIGNED_INT, 0);
  }
  gl.uniform1f(paint.at("lift"), shown.length * LIFT * scene.voxel_um / radius);
  if (cut.is_on) for (const part of [...shown].reverse()) cap(part, cut);
  gl.uniform1f(paint.at("lift"), 0);
  outline(ink);
  scaleBar(scale / ratio);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  nSlow = performance.now() - begun > SLOW_ms ? nSlow + 1 : 0;
  if (nSlow > 3) fine = 1;
}

function cap({ colour, mesh }, { axis, place, plane }) {
  gl.enable(gl.STENCIL_TEST);
  gl.clear(gl.STENCIL_BUFFER_BIT);
  gl.disable(gl.DEPTH_TEST);
  gl.colorMask(false, false, false, false);
  gl.stencilFunc(gl.ALWAYS, 0, 255);
  gl.stencilOpSeparate(gl.FRONT, gl.KEEP, gl.KEEP, gl.DECR_WRAP);
  gl.stencilOpSeparate(gl.BACK, gl.KEEP, gl.KEEP, gl.INCR_WRAP);
  gl.bindVertexArray(mesh.array);
  gl.drawElements(gl.TRIANGLES, mesh.n, gl.UNSIGNED_INT, 0);
  gl.enable(gl.DEPTH_TEST);
  gl.colorMask(true, true, true, true);
  gl.stencilFunc(gl.NOTEQUAL, 0, 255);
  gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
  gl.uniform3fv(paint.at("colour"), rgb(colour));
  gl.uniform1f(paint.at("flatness"), 1);
  gl.uniform4f(paint.at("cut"), 0, 0, 0, 1);
  gl.uniform1f(paint.at("unit"), 1);
  const corner = (u, v) => { const at = [0, 0, 0]; at[axis] = place; at[(axis + 1) % 3] = u; at[(axis + 2) % 3] = v; return at; };
  const [wide, high] = [scene.size_um[(axis + 1) % 3], scene.size_um[(axis + 2) % 3]];
  loose([corner(0, 0), corner(wide, 0), corner(wide, high), corner(0, 0), corner(wide, high), corner(0, high)], gl.TRIANGLES);
  gl.uniform1f(paint.at("unit"), scene.unit_um);
  gl.uniform4fv(paint.at("cut"), plane);
  gl.disable(gl.STENCIL_TEST);
}

function loose(places, mode) {
  loose.array ??= gl.createVertexArray();
  loose.buffer ??= gl.createBuffer();
  gl.bindVertexArray(loose.array);
  gl.bindBuffer(gl.ARRAY_BUFFER, loose.buffer);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(places.flat()), gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
  gl.drawArrays(mode, 0, places.length);
}

function outline(ink) {
  const [x, y, z] = scene.size_um, lines = [];
  const ring = (h) => [[0, 0, h], [x, 0, h], [x, 0, h], [x, y, h], [x, y, h], [0, y, h], [0, y, h], [0, 0, h]];
  lines.push(...ring(0), ...ring(z));
  if (scene.host_um < z) lines.push(...ring(scene.host_um));
  for (const [u, v] of [[0, 0], [x, 0], [x, y], [0, y]]) lines.push([u, v, 0], [u, v, z]);
  gl.uniform1f(paint.at("unit"), 1);
  gl.uniform4f(paint.at("cut"), 0, 0, 0, 1);
  gl.uniform3fv(paint.at("colour"), ink);
  gl.uniform1f(paint.at("flatness"), 1);
  loose(lines, gl.LINES);
  const [a, b, under] = [-0.03 * x, 0.03 * y, -0.012 * z];
  gl.uniform3fv(paint.at("colour"), [0.72, 0.45, 0.2]);
  loose([[a, -b, under], [x - a, -b, under], [x - a, y + b, under], [a, -b, under], [x - a, y + b, under], [a, y + b, under]], gl.TRIANGLES);
}

function scaleBar(pixels) {
  const most = Math.min(0.3 * canvas.clientWidth, 220) / pixels, power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most);
  byId("bar").hidden = false;
  byId("bar").querySelector("span").textContent = `${Number(length.toPrecision(1))} um`;
  byId("bar").querySelector("i").style.width = `${length * pixels}px`;
}

function soon() {
  if (!queued) requestAnimationFrame(draw);
  queued = true;
}

async function show(number) {
  state = Math.max(0, Math.min(scene.states.length - 1, number));
  const wanted = state, now = scene.states[state];
  for (const place of Object.values(now.meshes)) {
    if (place !== null && !meshes.has(place)) meshes.set(place, held(await unpackedMesh(scene.meshes[place])));
  }
  if (wanted !== state) return;
  byId("state").value = state;
  byId("now").textContent = now.name;
  byId("which").textContent = `${state + 1} of ${scene.states.length}: ${now.name}`;
  for (const { key } of scene.layers) {
    const amount = now.mAh_per_cm2[key];
    byId(`amount-${key}`).textContent = amount === undefined ? "" : amount === 0 ? "none" : amount.toPrecision(3);
  }
  crowded(parts());
  soon();
}

function playing(on) {
  clearInterval(timer);
  timer = on ? setInterval(() => show((state + 1) % scene.states.length), 1400) : null;
  byId("play").textContent = on ? "Stop" : "Play";
  byId("play").setAttribute("aria-pressed", String(on));
}

function themed(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = name === "dark" ? "Light" : "Dark";
}

function turn(dx, dy) {
  view.turn = (view.turn - dx) % 360;
  view.tilt = Math.max(-90, Math.min(90, view.tilt + dy));
}

function zoom(by) {
  view.zoom = Math.max(0.4, Math.min(30, view.zoom * by));
}

function slide(dx, dy) {
  const scale = pixelsPerUm() * canvas.clientWidth / canvas.width;
  view.x += dx / scale;
  view.y -= dy / scale;
}

function pointers() {
  const down = new Map();
  const spread = () => { const [a, b] = [...down.values()]; return Math.hypot(a.x - b.x, a.y - b.y); };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); down.set(event.pointerId, { x: event.clientX, y: event.clientY }); });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => down.delete(event.pointerId));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const dx = event.clientX - before.x, dy = event.clientY - before.y, wide = down.size > 1 ? spread() : 0;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (down.size > 1) { zoom(spread() / (wide || 1)); slide(dx / 2, dy / 2); }
    else if (event.shiftKey || event.buttons & 2) slide(dx, dy);
    else turn(0.4 * dx, 0.4 * dy);
    soon();
  });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-0.0012 * event.deltaY)); soon(); }, { passive: false });
}

function keys() {
  const nudge = (by) => { byId("cut").value = Number(byId("cut").value) + by; };
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const does = {
    "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15), ",": () => show(state - 1), ".": () => show(state + 1),
    " ": () => playing(timer === null), c: () => nudge(2), v: () => nudge(-2), 0: () => Object.assign(view, home),
  };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key], act = does[event.key.toLowerCase()];
    if (event.ctrlKey || event.metaKey || event.altKey || !(move || act)) return;
    event.preventDefault();
    if (move) event.shiftKey ? slide(24 * move[0], 24 * move[1]) : turn(5 * move[0], 5 * move[1]);
    else act();
    soon();
  });
}

function controls() {
  byId("state").max = scene.states.length - 1;
  for (const { key, name, colour } of scene.layers) {
    const label = document.createElement("label"), box = document.createElement("input"), patch = document.createElement("i");
    const said = document.createElement("span"), amount = document.createElement("span");
    Object.assign(box, { type: "checkbox", checked: true });
    patch.style.background = colour;
    said.textContent = name;
    amount.id = `amount-${key}`;
    label.className = "layer";
    label.append(box, patch, said, amount);
    byId("layers").append(label);
    box.addEventListener("change", () => { box.checked ? hidden.delete(key) : hidden.add(key); show(state); });
  }
  byId("state").addEventListener("input", (event) => { playing(false); show(Number(event.target.value)); });
  byId("play").addEventListener("click", () => playing(timer === null));
  for (const id of ["cut", "axis"]) byId(id).addEventListener("input", soon);
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => {
      const [turned, tilted] = button.dataset.view.split(",").map(Number);
      Object.assign(view, home, { turn: turned, tilt: tilted });
      view.zoom = fitting(view) / fitting(home);
      soon();
    });
  }
  byId("theme").addEventListener("click", () => { themed(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); soon(); });
  new ResizeObserver(() => paint && draw()).observe(canvas);
  pointers();
  keys();
}

// What stands after # in the address: state, cut (percent), axis, turn, tilt, zoom, theme, hide (layers with commas).
function asked() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["turn", "tilt", "zoom"]) if (given.has(name)) view[name] = Number(given.get(name));
  for (const id of ["cut", "axis"]) if (given.has(id)) byId(id).value = given.get(id);
  for (const key of (given.get("hide") || "").split(",").filter(Boolean)) hidden.add(key);
  themed(given.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  return Number(given.get("state") || 0);
}

// Share of the picture that is not ground: nothing drawn is told, not shown as an empty page.
function painted() {
  const pixels = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  let n = 0;
  for (let i = 0; i < pixels.length; i += 4) n += pixels[i] !== pixels[0] || pixels[i + 1] !== pixels[1] || pixels[i + 2] !== pixels[2];
  return 4 * n / pixels.length;
}

async function begin() {
  const first = asked();
  controls();
  for (const box of document.querySelectorAll("#layers input")) box.checked = !hidden.has(scene.layers[[...byId("layers").children].indexOf(box.parentNode)].key);
  gl = canvas.getContext("webgl2", { stencil: true, antialias: false, preserveDrawingBuffer: true });
  if (!gl) return trouble("This browser, or its graphics driver, has no WebGL 2, with which this page draws. The figures of the report show cuts through the same box.");
  if (!("DecompressionStream" in window)) return trouble("This browser is too old for this page: one of 2023 or later is needed.");
  canvas.addEventListener("webglcontextlost", () => trouble("The graphics driver has stopped. Load the page anew."));
  paint = linked(VERTEX, FRAGMENT);
  crowd = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_3D, crowd);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R]) gl.texParameteri(gl.TEXTURE_3D, name, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  await show(first);
  draw();
  const share = painted();
  if (!share) return trouble("Nothing could be drawn here: the graphics driver does not draw.");
  byId("trouble").hidden = true;
  Object.assign(document.documentElement.dataset, { ready: "drawn", painted: share.toFixed(4) });
}

begin().catch((problem) => trouble(`This page could not be drawn: ${problem.message}`));
