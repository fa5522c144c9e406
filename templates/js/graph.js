// The graph: move and zoom it, find a layer, see what a box stands for. Untouched, it is the plain drawing.
function addGraph(figure) {
  const block = blockOf(figure), port = figure.querySelector(".bare"), svg = port?.querySelector("svg");
  if (!svg || !block.cards.length) return;
  const home = svg.viewBox.baseVal, panel = el("div", { role: "status" }), fingers = new Map(), count = el("output");
  let x, y, w, h, moved = 0;
  const active = () => port.classList.contains("viewport");
  const show = () => svg.setAttribute("viewBox", `${x} ${y} ${w} ${h}`);
  const start = [home.x, home.y, home.width, home.height];
  const on = wanted => {
    port.classList.toggle("viewport", wanted);
    explore.setAttribute("aria-pressed", wanted);
    [x, y, w, h] = start;
    show();
  };
  // The drawing is centred in its window at one scale: drawing units a pixel, and the point under the pointer.
  const scale = () => Math.max(w / port.clientWidth, h / port.clientHeight);
  const zoom = (factor, event) => {
    active() || on(true);
    const r = port.getBoundingClientRect(), k = Math.min(Math.max(w * factor, start[2] / 60), start[2] * 3) / w, s = scale();
    const [px, py] = event ? [x + w / 2 + (event.clientX - r.left - r.width / 2) * s, y + h / 2 + (event.clientY - r.top - r.height / 2) * s] : [x + w / 2, y + h / 2];
    [x, y, w, h] = [px - (px - x) * k, py - (py - y) * k, w * k, h * k];
    show();
  };
  const pan = (dx, dy) => { x -= dx * scale(); y -= dy * scale(); show(); };
  const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  const lift = event => fingers.delete(event.pointerId);
  const listen = {
    wheel: event => {
      if (!active() || !(event.ctrlKey || event.metaKey || document.activeElement === port)) return;
      event.preventDefault();
      zoom(Math.exp(event.deltaY / 400), event);
    },
    pointerdown: event => { moved = 0; if (active()) fingers.set(event.pointerId, event); },
    pointermove: event => {
      const before = fingers.get(event.pointerId), other = [...fingers.values()].find(f => f.pointerId !== event.pointerId);
      if (!before) return;
      if (other) zoom(apart(before, other) / (apart(event, other) || 1), other);
      else pan(event.clientX - before.clientX, event.clientY - before.clientY);
      moved += apart(event, before);
      if (moved > 4) port.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
    },
    pointerup: lift, pointercancel: lift,
    keydown: event => {
      const act = active() && !event.ctrlKey && { ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60), "+": () => zoom(0.8), "-": () => zoom(1.25), 0: () => on(true), Escape: () => on(false) }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    },
  };
  for (const name in listen) port.addEventListener(name, listen[name], { passive: false });
  const boxes = new Map(block.cards.map(card => [card, all("[data-card]", svg).find(n => n.dataset.card === card.id) ?? all("a", svg).find(a => card.target && a.getAttribute("href") === "#" + card.target)]));
  const describe = card => panel.replaceChildren(el("b", {}, card.title + (card.repeat > 1 ? ` × ${card.repeat}` : "")), ` ${card.type}. ${card.lines.join(". ")}. ${card.mark_text} `, ...(document.getElementById(card.target) ? [el("a", { href: "#" + card.target }, "Row in the layer table")] : []),
    ...report().layers.filter(l => card.members.includes(l.name)).slice(0, 3).map(l => el("details", {}, el("summary", {}, "Numbers of " + l.name), el("dl", { class: "details" }, ...Object.entries(l.numbers).map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, typeof v === "number" ? short(v) : "– " + v.missing)))))));
  boxes.forEach((node, card) => node?.addEventListener("click", event => {
    event.preventDefault();
    if (moved < 5) describe(card);
  }));
  const search = el("input", { type: "search", placeholder: "Find a layer", "aria-label": "Find a layer", oninput: () => {
    const wanted = search.value.toLowerCase(), hits = block.cards.filter(c => wanted && [c.title, c.type, ...c.members].some(t => t.toLowerCase().includes(wanted))), node = boxes.get(hits[0]);
    boxes.forEach((other, card) => other?.classList.toggle("dim", wanted !== "" && !hits.includes(card)));
    count.textContent = wanted && `${hits.length} found`;
    if (!node) return;
    describe(hits[0]);
    const r = node.getBoundingClientRect(), p = port.getBoundingClientRect(), [dx, dy] = [p.left + p.width / 2 - r.left - r.width / 2, p.top + p.height / 2 - r.top - r.height / 2];
    active() ? pan(dx, dy) : port.scrollBy(-dx, -dy);
  } });
  const explore = button("Move and zoom", () => on(!active()), { "aria-pressed": "false" });
  figure.querySelector(".tools").append(search, count, explore, button("+", () => zoom(0.7), { "aria-label": "Zoom in" }), button("−", () => zoom(1.4), { "aria-label": "Zoom out" }), button("Fit", () => on(true)), ...exporters(figure.id, () => svg));
  port.before(panel);
}
