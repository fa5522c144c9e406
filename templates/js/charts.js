// Curves: the drawn figure stays; this lays a cursor over it, and redraws it in its own frame when a reader asks for more.
const nice = (low, high, count) => {
  const step0 = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(step0));
  const step = power * [1, 2, 5, 10].find(n => n * power >= step0), found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(+(i * step).toPrecision(12));
  return found;
};
const decades = (low, high) => {
  const found = [];
  for (let p = Math.floor(low); p <= Math.ceil(high); p++) for (const n of high - low < 2 ? [1, 2, 5] : [1]) found.push(p + Math.log10(n));
  return found.filter(v => v >= low && v <= high);
};
const short = v => (v === undefined || Number.isNaN(v) ? "–" : Number.isInteger(v) && Math.abs(v) < 1e7 ? v.toLocaleString("en") : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(2) : v.toPrecision(4));
const DASH = { train: "6 4", second: "7 3 2 3", third: "2 3", muted: "1 3" };

function addChart(figure) {
  const block = blockOf(figure), tools = figure.querySelector(".tools"), key = "c." + figure.id;
  const series = block.series.map((s, i) => ({ ...s, i, x: unpack(s.x), y: unpack(s.y), low: unpack(s.low), high: unpack(s.high), colour: `var(--${s.role})` }));
  const lines = series.filter(s => ["line", "steps"].includes(s.shape) && s.x.length > 4);
  const xs = [...new Set(series.flatMap(s => s.x))].filter(Number.isFinite).sort((a, b) => a - b);
  if (!xs.length) return;
  let view = { hidden: new Set(), log: block.y.scale === "log", smooth: 0, zoom: null }, at = -1, f, W, H;
  const plain = { log: view.log };
  let host = figure.querySelector(".drawing");
  const still = host?.querySelector("svg");
  if (!host) {
    host = el("div", { class: "drawing", style: "--w:640" });
    figure.querySelector("figcaption").nextElementSibling.after(host);
  }
  host.style.position = "relative";
  const over = draw("svg", { "aria-hidden": "true", style: "position:absolute;inset:0" });
  host.append(over);

  const scale = (v, log) => (log ? Math.log10(v) : v);
  const px = x => f.left + (scale(x, block.x.scale === "log") - f.x0) / (f.x1 - f.x0 || 1) * (f.right - f.left);
  const py = y => f.bottom - (scale(y, view.log) - f.y0) / (f.y1 - f.y0 || 1) * (f.bottom - f.top);
  const seen = () => series.filter(s => !view.hidden.has(s.i));
  const changed = () => view.hidden.size || view.log !== plain.log || view.smooth || view.zoom;

  const layOut = () => {
    const narrow = host.clientWidth < 500 && host.clientWidth > 0, given = block.frame;
    W = narrow ? host.clientWidth : block.figure?.width || 640;
    H = narrow ? 260 : block.figure?.height || 320;
    f = given && !narrow ? { left: given.left, right: given.right, top: given.top, bottom: given.bottom } : { left: 52, right: W - 12, top: 14, bottom: H - 42 };
    const own = changed() || narrow || !still || !given;
    const lx = v => scale(v, block.x.scale === "log");
    const pad = Math.max(0, ...series.map(s => (s.width || 0) / 2)), ends = view.zoom || [xs[0] - pad, xs.at(-1) + pad];
    if (!own || (given && !view.zoom)) [f.x0, f.x1] = [lx(given.x_low), lx(given.x_high)];
    else [f.x0, f.x1] = [lx(view.zoom ? ends[0] : block.x.low ?? ends[0]), lx(view.zoom ? ends[1] : block.x.high ?? ends[1])];
    if (!own || (given && !changed())) [f.y0, f.y1] = [scale(given.y_low, view.log), scale(given.y_high, view.log)];
    else {
      const ys = seen().flatMap(s => s.y.concat(s.low, s.high).filter((y, i) => Number.isFinite(y) && (!view.log || y > 0) && (!view.zoom || (s.x[i % s.x.length] >= ends[0] && s.x[i % s.x.length] <= ends[1]))));
      if (seen().some(s => s.shape === "bars") && !view.log) ys.push(0);
      let low = ys.reduce((a, b) => Math.min(a, b), Infinity), high = ys.reduce((a, b) => Math.max(a, b), -Infinity);
      if (low > high) [low, high] = [view.log ? 0.1 : 0, 1];
      [low, high] = [scale(low, view.log), scale(high, view.log)];
      const room = (high - low) * 0.05 || 0.5;
      f.y0 = block.y.low !== null && !view.zoom && !view.log ? block.y.low : low - (low === 0 ? 0 : room);
      f.y1 = block.y.high !== null && !view.zoom && !view.log ? block.y.high : high + room;
    }
    over.setAttribute("viewBox", `0 0 ${W} ${H}`);
    over.style.position = own ? "static" : "absolute";
    if (still) still.style.display = own ? "none" : "";
    host.style.width = own && narrow ? "100%" : "";
    return own;
  };
  const path = (s, ys) => {
    let d = "", pen = "M";
    s.x.forEach((x, i) => {
      const y = ys[i];
      if (!Number.isFinite(y) || (view.log && y <= 0)) return void (pen = "M");
      d += s.shape === "steps" && pen === "L" ? `H${px(x).toFixed(1)}V${py(y).toFixed(1)}` : `${pen}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      pen = "L";
    });
    return d;
  };
  const smoothed = ys => {
    let last = NaN, weight = 0;
    return ys.map(y => {
      if (!Number.isFinite(y)) return NaN;
      last = (Number.isNaN(last) ? 0 : last) * view.smooth + y * (1 - view.smooth);
      weight = weight * view.smooth + 1 - view.smooth;
      return last / weight;
    });
  };
  const shapeOf = s => {
    const g = draw("g"), stroke = { fill: "none", stroke: s.colour, "stroke-width": 1.8, "stroke-dasharray": DASH[s.role] || null };
    s.y.forEach((y, i) => {
      const x = px(s.x[i]);
      if (s.low.length && s.shape !== "bars" && Number.isFinite(s.low[i])) g.append(draw("path", { d: `M${x} ${py(s.low[i])}V${py(s.high[i])}`, stroke: s.colour, opacity: s.x.length > 60 ? 0.25 : 0.7 }));
      if (!Number.isFinite(y) || (view.log && y <= 0)) return;
      const only = s.shape === "line" && !Number.isFinite(s.y[i - 1]) && !Number.isFinite(s.y[i + 1]);
      if (s.shape === "points" || only) g.append(draw("circle", { cx: x, cy: py(y), r: s.x.length > 300 ? 1.5 : 3, fill: s.colour, opacity: s.x.length > 300 ? 0.5 : 1 }));
      if (s.shape === "bars") {
        const half = (s.width || 0.8) / 2, a = px(s.x[i] - half), base = view.log ? f.bottom : py(0), top = py(y);
        g.append(draw("rect", { x: a, y: Math.min(top, base), width: Math.max(px(s.x[i] + half) - a - 0.5, 0.5), height: Math.abs(base - top), fill: s.colour, opacity: 0.75 }));
      }
    });
    if (s.shape === "line" || s.shape === "steps") {
      const smooth = view.smooth && lines.includes(s);
      g.append(draw("path", { ...stroke, d: path(s, s.y), opacity: smooth ? 0.3 : 1 }));
      if (smooth) g.append(draw("path", { ...stroke, d: path(s, smoothed(s.y)), "stroke-width": 2.2 }));
    }
    return g;
  };
  const label = (x, y, text, props = {}) => draw("text", { x, y, fill: "var(--ink-soft)", "font-size": 12, ...props }, text);
  const axes = () => {
    const g = draw("g"), names = block.x.categories;
    const ticks = (log, low, high, n) => (log ? decades(low, high).map(v => [v, 10 ** v]) : nice(low, high, n).map(v => [v, v]));
    for (const [v, y] of ticks(view.log, f.y0, f.y1, 5)) {
      const at = f.bottom - (v - f.y0) / (f.y1 - f.y0) * (f.bottom - f.top);
      g.append(draw("path", { d: `M${f.left} ${at}H${f.right}`, stroke: "var(--grid)" }), label(f.left - 6, at + 4, short(y), { "text-anchor": "end" }));
    }
    const xticks = names.length ? names.map((_, i) => [i, i]).filter((_, i) => i % Math.ceil(names.length / 10) === 0) : ticks(block.x.scale === "log", f.x0, f.x1, W < 500 ? 4 : 8);
    for (const [v, x] of xticks) {
      if (v < f.x0 || v > f.x1 || (block.x.integer && !Number.isInteger(x))) continue;
      const at = f.left + (v - f.x0) / (f.x1 - f.x0 || 1) * (f.right - f.left);
      g.append(label(at, f.bottom + 17, names.length ? names[x].slice(0, 14) : short(x), { "text-anchor": "middle" }));
    }
    g.append(draw("path", { d: `M${f.left} ${f.bottom}H${f.right}`, stroke: "var(--ink-soft)" }), label((f.left + f.right) / 2, f.bottom + 36, block.x.label, { "text-anchor": "middle" }), label(-(f.top + f.bottom) / 2, 11, block.y.label + (view.log ? " (log)" : ""), { transform: "rotate(-90)", "text-anchor": "middle" }));
    return g;
  };
  const marks = () => block.marks.map(m => {
    const x = m.x === null ? null : px(m.x), y = m.y === null ? null : py(m.y), g = draw("g");
    if (x !== null ? x < f.left || x > f.right : !(y >= f.top && y <= f.bottom)) return g;
    const end = x > (f.left + f.right) / 2;
    g.append(draw("path", { d: x !== null ? `M${x} ${f.top}V${f.bottom}` : `M${f.left} ${y}H${f.right}`, stroke: "var(--ink-soft)", "stroke-dasharray": "2 3" }), label(x !== null ? x + (end ? -4 : 4) : f.right, x !== null ? f.top + 11 : y - 4, m.label, { "text-anchor": end || x === null ? "end" : "start", "font-size": 11 }));
    return g;
  });
  const redraw = () => {
    const own = layOut();
    over.replaceChildren();
    if (own) {
      const clip = "rg-clip-" + figure.id;
      over.append(draw("clipPath", { id: clip }, draw("rect", { x: f.left, y: f.top - 3, width: f.right - f.left, height: f.bottom - f.top + 6 })), axes());
      if (block.diagonal) over.append(draw("path", { d: `M${px(f.x0)} ${py(f.x0)}L${px(f.x1)} ${py(f.x1)}`, stroke: "var(--muted)", "stroke-dasharray": "4 4", "clip-path": `url(#${clip})` }));
      over.append(draw("g", { "clip-path": `url(#${clip})` }, ...seen().map(shapeOf)), ...marks());
    }
    over.append(pointer);
    point();
  };

  // The cursor: pointer and slider move it, the legend shows the values.
  const pointer = draw("g"), outputs = series.map(() => el("output", {}));
  const near = (s, x) => s.x.findIndex(v => v === x);
  const point = () => {
    pointer.replaceChildren();
    series.forEach((s, i) => (outputs[i].textContent = at < 0 ? "" : short(s.y[near(s, xs[at])])));
    const x = xs[at], name = at < 0 ? "" : block.x.categories[x] ?? short(x);
    where.textContent = name;
    if (at < 0 || px(x) < f.left - 1 || px(x) > f.right + 1) return;
    slider.value = at;
    slider.setAttribute("aria-valuetext", `${block.x.label} ${name}: ` + seen().map(s => `${s.name} ${short(s.y[near(s, x)])}`).join(", "));
    pointer.append(draw("path", { d: `M${px(x)} ${f.top}V${f.bottom}`, stroke: "var(--ink)", "stroke-width": 1 }), ...seen().map(s => [s, s.y[near(s, x)]]).filter(([, y]) => Number.isFinite(y) && (!view.log || y > 0)).map(([s, y]) => draw("circle", { cx: px(x), cy: py(y), r: 4, fill: s.colour, stroke: "var(--surface)" })));
  };
  const xAt = event => {
    const box = over.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * W;
    const v = f.x0 + (x - f.left) / (f.right - f.left) * (f.x1 - f.x0);
    return block.x.scale === "log" ? 10 ** v : v;
  };
  const nearest = x => xs.reduce((best, v, i) => (Math.abs(v - x) < Math.abs(xs[best] - x) ? i : best), 0);
  const slider = el("input", { type: "range", min: 0, max: xs.length - 1, value: 0, "aria-label": "Cursor: " + block.x.label, oninput: () => { at = +slider.value; point(); } });
  const where = el("output");
  let from = null;
  host.addEventListener("pointermove", event => { at = nearest(xAt(event)); point(); });
  host.addEventListener("pointerleave", () => { if (document.activeElement !== slider) { at = -1; point(); } });
  host.addEventListener("pointerdown", event => (from = event.pointerType === "mouse" ? xAt(event) : null));
  host.addEventListener("pointerup", event => {
    const to = from === null ? null : xAt(event), [a, b] = [Math.min(from, to), Math.max(from, to)];
    if (to !== null && xs.filter(x => x >= a && x <= b).length > 1) zoomTo([a, b]);
    from = null;
  });
  host.addEventListener("dblclick", () => zoomTo(null));

  const apply = () => {
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", !view.hidden.has(i)));
    log.setAttribute("aria-pressed", view.log);
    smooth.value = view.smooth;
    back.hidden = !view.zoom;
    redraw();
  };
  const store = () => {
    apply();
    keep(key, changed() ? [[...view.hidden].join("."), view.log === plain.log ? "" : +view.log, view.smooth || "", view.zoom ? view.zoom.map(v => +v.toPrecision(6)).join("to") : ""].join("_") : "");
  };
  const zoomTo = range => { view.zoom = range; store(); };
  const zoomBy = factor => {
    const [a, b] = view.zoom || [xs[0], xs.at(-1)], centre = at < 0 ? (a + b) / 2 : xs[at], half = (b - a) * factor / 2;
    const range = [Math.max(xs[0], centre - half), Math.min(xs.at(-1), centre + half)];
    zoomTo(range[0] <= xs[0] && range[1] >= xs.at(-1) || range[0] >= range[1] ? null : range);
  };
  const swatch = s => draw("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" }, draw("path", { d: "M0 4H22", stroke: s.colour, "stroke-width": s.shape === "bars" ? 8 : 2.4, "stroke-dasharray": DASH[s.role] || null }));
  const buttons = series.map((s, i) => {
    const b = el("button", { type: "button", class: "series", "aria-pressed": "true", onclick: () => {
      view.hidden.has(i) ? view.hidden.delete(i) : view.hidden.add(i);
      if (view.hidden.size === series.length) view.hidden.clear();
      store();
    } }, swatch(s), s.name.length > 40 ? s.name.slice(0, 40) + "…" : s.name, outputs[i]);
    return b;
  });
  const log = button("Log scale", () => { view.log = !view.log; store(); }, { "aria-pressed": "false" });
  const smooth = el("input", { type: "range", min: 0, max: 0.95, step: 0.05, value: 0, oninput: () => { view.smooth = +smooth.value; store(); } });
  const back = button("Whole range", () => zoomTo(null), { hidden: "" });
  const options = el("details", { class: "options" }, el("summary", {}, "Options"));
  const anyPositive = series.some(s => s.y.some(y => y > 0));
  options.append(el("div", { class: "tools" }, ...(anyPositive ? [log] : []), ...(lines.length ? [el("label", {}, "Smooth", smooth)] : []), ...(block.x.categories.length ? [] : [button("Zoom in", () => zoomBy(0.5)), button("Zoom out", () => zoomBy(2))]),
    ...exporters(figure.id, () => { redraw(); return over.childNodes.length > 1 ? over : still; }),
    button("CSV", () => save(figure.id + ".csv", csv([[block.x.label, ...series.map(s => s.name)], ...xs.map(x => [block.x.categories[x] ?? x, ...series.map(s => s.y[near(s, x)])])]), "text/csv"))));
  tools.append(...buttons, el("label", {}, block.x.label.slice(0, 24), slider, where), back, options);
  const restore = () => {
    const [hidden, logged, smoothing, zoom] = (state.get(key) || "").split("_"), range = zoom ? zoom.split("to").map(Number) : [];
    view = {
      hidden: new Set((hidden || "").split(".").filter(Boolean).map(Number)),
      log: logged ? logged === "1" : plain.log,
      smooth: Math.min(Math.max(+smoothing || 0, 0), 0.95),
      zoom: range.length === 2 && range[0] < range[1] ? range : null,
    };
    apply();
  };
  restorers.push(restore);
  restore();
  new ResizeObserver(redraw).observe(figure);
}
