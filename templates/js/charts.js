// Curves: the drawn figure stays; a cursor is laid over it, and it is redrawn in its own frame when a reader asks for more.
const short = v => (v === undefined || v === null || isNaN(v) ? "–" : (abs(v) >= 1e6 || (v && abs(v) < 1e-3) ? v.toExponential(2) : (+v.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 9 })).replace(/^-/, "−"));
const SOFT = "var(--ink-soft)", DASHES = "stroke-dasharray";
const DASH = { train: "6 4", second: "7 3 2 3", third: "2 3", muted: "1 3" };
// Data to pixels on one axis, and back.
const axis = (low, high, from, to, log) => {
  const g = v => (log ? log10(v) : v), span = g(high) - g(low) || 1, at = v => from + (g(v) - g(low)) / span * (to - from);
  Object.assign(at, { low, high, from, to });
  at.back = p => { const v = g(low) + (p - from) / (to - from) * span; return log ? 10 ** v : v; };
  at.ticks = count => {
    const found = [], power = 10 ** floor(log10(span / count)), step = power * [1, 2, 5, 10].find(n => n * power >= span / count);
    if (log) for (let p = floor(g(low)); p <= g(high); p++) found.push(...(span < 3 ? [1, 2, 5] : [1]).map(n => n * 10 ** p));
    else for (let i = ceil(low / step); i * step <= high; i++) found.push(+(i * step).toPrecision(9));
    return found.filter(v => v >= low && v <= high);
  };
  return at;
};

function addChart(figure) {
  const block = blockOf(figure), names = block.x.categories, [logX, logY] = [block.x, block.y].map(a => a.scale === "log");
  const series = block.series.map((s, i) => ({ ...s, i: String.fromCodePoint(97 + i), x: unpack(s.x), y: unpack(s.y), low: unpack(s.low), high: unpack(s.high), colour: `var(--${s.role})`, where: new Map(unpack(s.x).map((x, i) => [x, i])) }));
  const xs = [...new Set(series.flatMap(s => s.x))].filter(isFinite).sort((a, b) => a - b), last = xs.at(-1);
  if (!xs.length) return;
  const over = draw("svg", { "aria-hidden": "true" }), pointer = draw("g"), where = el("output");
  let host = one(".drawing", figure), at = -1, from = null, X, Y, W, H;
  const still = host && one("svg", host);
  if (!host) one(".absent", figure).replaceWith(host = el("div", { class: "drawing" }));
  host.append(over);
  const valueAt = (s, x) => s.y[s.where.get(x)], textAt = x => names[x] ?? short(x);
  const seen = () => series.filter(s => !view.hidden.includes(s.i)), log = () => (view.log || +logY) == 1, zoomed = () => view.zoom && view.zoom.split("to").map(Number);
  const bars = s => s.shape === "bars", lined = s => /line|steps/.test(s.shape), good = y => isFinite(y) && (!log() || y > 0);

  const layOut = () => {
    const narrow = host.clientWidth < 500, frame = !narrow && block.frame, zoom = zoomed();
    const own = !frame || !still || changed(view);
    [W, H] = narrow ? [host.clientWidth, 260] : [block.figure?.width || 640, block.figure?.height || 320];
    const { left, right, top, bottom } = frame || { left: 52, right: W - 12, top: 22 + 14 * min(2, block.marks.length), bottom: H - 42 };
    const half = max(...series.map(s => s.width / 2));
    const drawn = block.frame ?? { x_low: block.x.low ?? xs[0] - half, x_high: block.x.high ?? last + half, y_low: block.y.low, y_high: block.y.high };
    const [x0, x1] = zoom || [drawn.x_low, drawn.x_high];
    let { y_low: y0, y_high: y1 } = drawn;
    if (view.hidden || zoom || y0 === null || y1 === null || log() !== logY) {
      const ys = seen().flatMap(s => s.y.filter((y, i) => good(y) && s.x[i] >= x0 && s.x[i] <= x1).concat(log() || !bars(s) ? [] : 0));
      [y0, y1] = ys.reduce(([a, b], y) => [min(a, y), max(b, y)], [Infinity, -Infinity]);
      if (y0 > y1) [y0, y1] = [0.1, 1];
      const room = (y1 - y0) * 0.05 || abs(y1) / 2 || 1;
      [y0, y1] = log() ? [y0 / 1.3, y1 * 1.3] : [y0 && y0 - room, y1 + room];
    }
    X = axis(x0, x1, left, right, logX);
    Y = axis(y0, y1, bottom, top, log());
    put(over, "viewBox", `0 0 ${W} ${H}`);
    host.classList.toggle("own", own);
    return own && { left, right, top, bottom };
  };
  const line = (s, ys, props) => {
    let d = "", pen = "M";
    ys.forEach((y, i) => {
      const [x, to] = [X(s.x[i]).toFixed(1), Y(y).toFixed(1)];
      if (good(y)) d += s.shape === "steps" && pen === "L" ? `H${x}V${to}` : `${pen}${x} ${to}`;
      pen = good(y) ? "L" : "M";
    });
    return draw("path", { d, fill: "none", stroke: s.colour, "stroke-width": 1.8, [DASHES]: DASH[s.role] ?? null, ...props });
  };
  const smoothed = ys => {
    let sum = 0, weight = 0;
    return ys.map(y => {
      if (!isFinite(y)) return y;
      sum = sum * view.smooth + y;
      weight = weight * view.smooth + 1;
      return sum / weight;
    });
  };
  const shapes = s => {
    const g = draw("g", { fill: s.colour, stroke: s.colour }), many = s.x.length > 300, foot = log() ? H : Y(0);
    // Bars on the same places stand side by side, as they are drawn.
    const side = series.filter(o => bars(o) && "" + o.x == s.x), width = (s.width || 0.8) / side.length;
    if (lined(s)) g.append(line(s, s.y, { opacity: view.smooth ? 0.3 : 1 }), ...(view.smooth ? [line(s, smoothed(s.y), { "stroke-width": 2.4 })] : []));
    s.y.forEach((y, i) => {
      const x = X(s.x[i]), left = s.x[i] + width * (side.indexOf(s) - side.length / 2), a = X(left), b = X(left + width);
      if (!bars(s) && good(s.low[i])) g.append(draw("path", { d: `M${x} ${Y(s.low[i])}V${Y(s.high[i])}`, opacity: many ? 0.2 : 0.6 }));
      if (!good(y)) return;
      if (s.shape === "points" || s.y.length === 1) g.append(draw("circle", { cx: x, cy: Y(y), r: many ? 1.5 : 3 }));
      if (bars(s)) g.append(draw("path", { d: `M${a} ${foot}V${Y(y)}H${max(b - 1, a + 1)}V${foot}Z`, "fill-opacity": /tr|se|wr/.test(s.role) ? 0.2 : 0.8 }));
    });
    return g;
  };
  // A rim in the colour of the page keeps a word readable that lies on the data.
  const label = (x, y, text, anchor, props = {}) => draw("text", { x, y, fill: SOFT, stroke: "var(--surface)", "stroke-width": 3, "paint-order": "stroke", "font-size": 12, "text-anchor": anchor, ...props }, text);
  const rule = (d, props) => draw("path", { d, stroke: "var(--grid)", ...props });
  // Each line's name stands at its end; where two end together, one below the other.
  const ends = right => {
    let least = 0;
    return seen().filter(lined).map(s => [Y(s.y.findLast((y, i) => good(y) && s.x[i] <= X.high)) + 4, s]).sort(([a], [b]) => a - b).map(([y, s]) => label(right + 8, least = max(y, least + 14), clip(s.name, 16), "start", { fill: s.colour }));
  };
  const redraw = () => {
    const box = layOut();
    over.replaceChildren();
    if (box) {
      const { left, right, top, bottom } = box, clip = "rg-clip-" + figure.id, inside = { "clip-path": `url(#${clip})` };
      const ticks = names.length ? names.map((_, i) => i).filter(i => i % ceil(names.length / 10) === 0) : X.ticks(W < 500 ? 4 : 8).filter(x => !block.x.integer || x % 1 === 0);
      over.append(draw("clipPath", { id: clip }, draw("path", { d: `M${left} ${top - 3}H${right}V${bottom + 3}H${left}Z` })),
        ...Y.ticks(5).flatMap(y => [rule(`M${left} ${Y(y)}H${right}`), label(left - 6, Y(y) + 4, short(y), "end")]), ...ticks.map(x => label(X(x), bottom + 17, textAt(x).slice(0, 14), "middle")),
        label((left + right) / 2, bottom + 36, block.x.label, "middle"), label(0, 11, block.y.label.replace(/ \(log.*/, "") + (log() ? " (log)" : ""), "start"), ...(right < W - 40 ? ends(right) : []),
        ...(block.diagonal ? [rule([[max(X.low, Y.low), "M"], [min(X.high, Y.high), "L"]].map(([v, pen]) => `${pen}${X(v)} ${Y(v)}`).join(""), { ...inside, stroke: "var(--muted)", [DASHES]: 4 })] : []), draw("g", inside, ...seen().map(shapes)),
        ...block.marks.flatMap((m, i) => {
          const flat = m.x === null, p = flat ? Y(m.y) : X(m.x), late = flat || p > (left + right) / 2;
          if (flat ? p < top || p > bottom : p < left || p > right) return [];
          return [rule(flat ? `M${left} ${p}H${right}` : `M${p} ${top}V${bottom}`, { stroke: SOFT, [DASHES]: "2 3" }), label(flat ? right : p + (late ? -4 : 4), flat ? p - 4 : top - 4 - i % 2 * 14, m.label, late ? "end" : "start")];
        }));
    }
    over.append(pointer);
    point();
  };

  // The cursor: pointer and slider move it, the legend shows the values.
  const point = () => {
    const x = xs[at];
    series.forEach((s, i) => (say(outputs[i], at < 0 ? "" : short(valueAt(s, x)))));
    say(where, at < 0 ? "" : textAt(x));
    pointer.replaceChildren();
    if (at < 0) return;
    slider.value = at;
    put(slider, "aria-valuetext", `${block.x.label} ${textAt(x)}: ` + seen().map(s => s.name + " " + short(valueAt(s, x))).join(", "));
    // What is being drawn over will fill the chart when the pointer is let go.
    if (from !== null) pointer.append(rule(`M${X(from)} ${Y.to}V${Y.from}H${X(x)}V${Y.to}Z`, { fill: "var(--tint)", opacity: 0.2 }));
    pointer.append(rule(`M${X(x)} ${Y.to}V${Y.from}`, { stroke: "var(--ink)" }), ...seen().filter(s => good(valueAt(s, x))).map(s => draw("circle", { cx: X(x), cy: Y(valueAt(s, x)), r: 4, fill: s.colour })));
  };
  const xAt = event => {
    const box = rectOf(over);
    return X.back((event.clientX - box.left) / box.width * W);
  };
  fill(host, { onpointermove: event => { const x = xAt(event); at = xs.reduce((best, v, i) => (abs(v - x) < abs(xs[best] - x) ? i : best), 0); point(); },
    onpointerleave: () => { at = -1; point(); }, ondblclick: () => set({ zoom: "" }),
    onpointerdown: event => (from = event.pointerType === "mouse" ? xAt(event) : null),
    onpointerup: event => { if (from !== null) zoomTo([from, xAt(event)].sort((a, b) => a - b)); from = null; } });
  const zoomTo = ([a, b]) => xs.filter(x => x >= a && x <= b).length > 1 && set({ zoom: a <= xs[0] && b >= last ? "" : `${+max(a, xs[0]).toPrecision(6)}to${+min(b, last).toPrecision(6)}` });
  const zoomBy = factor => {
    const [a, b] = zoomed() || [xs[0], last], centre = xs[at] ?? (a + b) / 2, half = (b - a) * factor / 2;
    zoomTo([centre - half, centre + half]);
  };
  const slider = el("input", { type: "range", min: 0, max: xs.length - 1, value: 0, oninput: () => { at = +slider.value; point(); } });
  const outputs = series.map(() => el("output"));
  const legend = series.map((s, i) => el("button", { type: "button", class: "series", onclick: () => {
    const hidden = view.hidden.includes(s.i) ? view.hidden.replace(s.i, "") : view.hidden + s.i;
    set({ hidden: hidden.length < series.length ? hidden : "" });
  } }, el("i", { class: lined(s) ? s.role : "solid", style: "color:" + s.colour }), clip(s.name), outputs[i]));
  const logarithm = button("Log scale", () => set({ log: log() ? (logY ? "0" : "") : "1" }));
  const smooth = el("input", { type: "range", min: 0, max: 0.95, step: 0.05, oninput: () => set({ smooth: +smooth.value ? smooth.value : "" }) });
  const wide = button("Whole range", () => { set({ zoom: "" }); slider.focus(); });
  const [view, set, restore] = bind(`c.${figure.id}.`, ["hidden", "log", "smooth", "zoom"], () => {
    if (!/^[\d.e-]+to[\d.e-]+$/.test(view.zoom)) view.zoom = "";
    legend.forEach((b, i) => press(b, !view.hidden.includes(series[i].i)));
    press(logarithm, log());
    smooth.value = view.smooth || 0;
    wide.hidden = !view.zoom;
    redraw();
  });
  one(".tools", figure).append(...legend, el("label", clip(block.x.label, 48), slider, where), wide, el("details", el("summary", "Options"), el("div", { class: "tools" },
    ...(series.some(s => s.y.some(y => y > 0)) ? [logarithm] : []), ...(series.some(s => s.x.length > 4 && !bars(s)) ? [el("label", "Smooth", smooth)] : []),
    ...(names.length ? [] : [button("Zoom in", () => zoomBy(0.5)), button("Zoom out", () => zoomBy(2))]), ...exporters(figure.id, () => (host.classList.contains("own") ? over : still)),
    button("CSV", () => saveCsv(figure.id, [[block.x.label, ...series.map(s => s.name)], ...xs.map(x => [names[x] ?? x, ...series.map(s => valueAt(s, x))])])))));
  restore();
  new ResizeObserver(redraw).observe(figure);
}
