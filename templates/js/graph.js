// The graph: move and zoom it, open and close its folded parts, find a layer, see what a box stands for.
const SIDES = ["x", "y", "width", "height"];
const write = (node, values) => SIDES.forEach((name, i) => put(node, name, values[i]));
const shift = (node, x, y) => node?.setAttribute("transform", `translate(${x} ${y})`);
const points = path => path.getAttribute("d").split("M").slice(1).map(part => {
  const v = part.match(/[-\d.]+/g);
  return v.flatMap((_, i) => (i % 2 ? [] : [[+v[i], +v[i + 1]]]));
});
const drawn = new Map();
const cardOf = (block, id) => block.cards.find(card => card.id === id);

// Boxes open and close in place. What a folded card holds was drawn when the report was made; all else makes room for it:
// a box that changes its size moves what is beside and below it. `grown` hears of each new size of the drawing.
const unfold = (block, svg, grown) => {
  const boxes = new Map(), { x, y, width, height } = svg.viewBox.baseVal, whole = [x, y, width, height];
  const self = { block, boxes, size: whole }, [lines, heads] = all("[data-part=edges] path, [data-part=heads]", svg);
  const views = all(".graph").map(f => [blockOf(f), one("svg", f)]);
  const add = (node, { id, title, group, parent }, text) => {
    const [inside, drawing] = views.find(([v, d]) => d && !text && v.card === id && v.parent === block.id) ?? [], rect = text ? node : one("rect", node);
    boxes.set(id, { id, node, text, title, inside, drawing, up: text ? parent : group, at: SIDES.map(name => +rect.getAttribute(name)), key: "-" });
  };
  for (const node of all("[data-card]", svg)) add(node, cardOf(block, node.dataset.card));
  for (const group of heads ? block.groups : []) {
    const [node, text] = all("[data-group]", svg).filter(n => n.dataset.group === group.id);
    if (node) add(node, group, text);
  }
  drawn.set(svg, self);
  if (!heads) return self;
  const list = [...boxes.values()], edges = block.edges.filter(ends => ends.every(end => boxes.get(end)?.text === undefined && (boxes.has(end) || block.card)));
  const curves = points(lines), tips = points(heads), is = box => view.open.includes(box.key);
  // The outermost closed frame around a box.
  const around = box => {
    let found;
    while ((box = boxes.get(box.up))) if (is(box)) found = box;
    return found;
  };
  const toggle = box => set({ open: is(box) ? view.open.replace(box.key, "") : view.open + box.key });
  const openUp = box => {
    const copy = box.drawing.cloneNode(true);
    box.rim = draw("rect", { rx: 9, fill: "var(--raised)", stroke: "var(--muted)", [DASHES]: "4 3" });
    box.group = draw("g", {}, box.rim, draw("text", { x: 12, y: 19, "font-size": 11, "font-weight": 650 }, clip(box.title, 28)), copy);
    box.sign.before(box.group);
    box.inner = unfold(box.inside, copy, () => box.inner && apply());
    box.copy = copy;
  };
  const apply = () => {
    const changed = [];
    for (const box of list) {
      const [x, y, w, h] = box.at, on = is(box);
      box.frame = around(box);
      if (on && !box.inner && !box.text) openUp(box);
      if (box.frame || !on) continue;
      const beside = list.some(other => !other.text && around(other) !== box && other.at[1] < y + h && other.at[1] + other.at[3] > y);
      changed.push([x, y, w, h, ...(box.inner ? [box.inner.size[2] + 16, box.inner.size[3] + 32] : [w, beside ? h : 34])]);
    }
    // Where a coordinate comes to lie: boxes in one column (side 0) or row (side 1) share the room that the largest needs.
    const move = (side, v) => {
      const rooms = {};
      for (const c of changed) {
        const size = c[side + 2], more = (c[side + 4] - size) * (min(max((v - c[side]) / size, 0), 1) - 0.5), middle = round(c[side] + size / 2);
        if (abs(more) > abs(rooms[middle] ?? 0)) rooms[middle] = more;
      }
      return Object.values(rooms).reduce((a, b) => a + b, v);
    };
    const point = ([x, y]) => [move(0, x), move(1, y)], area = ([x, y, w, h]) => {
      const [left, top] = point([x, y]), [right, bottom] = point([x + w, y + h]);
      return [left, top, right - left, bottom - top];
    };
    for (const box of list) {
      const { node, text, at, frame, group } = box, on = is(box), now = (box.now = area(at)), opened = on && !text;
      // A card moves as one; a frame and an opened card change their size.
      box.by = on || text ? null : [now[0] - at[0] + (now[2] - at[2]) / 2, now[1] - at[1] + (now[3] - at[3]) / 2];
      [[node, opened], [text], [box.sign], [group, !on]].forEach(([part, hidden]) => part?.setAttribute("display", frame || hidden ? "none" : "inline"));
      if (text) write(node, now);
      else if (box.by) shift(node, ...box.by);
      shift(text, now[0] - at[0], now[1] - at[1]);
      if (opened) {
        shift(group, now[0], now[1]);
        write(box.rim, [0, 0, now[2], now[3]]);
        const [, , w, h] = box.inner.size;
        write(box.copy, [(now[2] - w) / 2, 26, w, h]);
      }
      if (!box.sign) continue;
      shift(box.sign, box.by ? at[0] + at[2] + box.by[0] : now[0] + now[2], box.by ? at[1] + at[3] / 2 + box.by[1] : now[1] + 17);
      put(box.sign, "aria-expanded", !text === on);
      put(box.sign.lastChild, "d", !text === on ? "M-4 0H4" : "M-4 0H4M0-4V4");
    }
    // The ends of an edge stay at their boxes, what lies between moves along.
    const seen = {};
    let at = 0, ways = "", arrows = "";
    curves.forEach((curve, i) => {
      const [from, to] = (edges[i] ?? []).map(end => boxes.get(end)), last = curve.length - 1, tip = to && tips[at++];
      const [outer, target] = [from, to].map(box => (box?.frame ?? box)?.id), pair = outer + ">" + target;
      if (seen[pair] || (edges[i] && outer === target)) return;
      const along = (box, p) => (box?.by ? [p[0] + box.by[0], p[1] + box.by[1]] : point(p));
      let way = curve.map((p, k) => along(k < 2 ? from : k > last - 2 ? to : null, p));
      if (from?.frame || to?.frame) {
        seen[pair] = 1;
        const [a, b] = [from?.frame?.now, to?.frame?.now], start = a ? [a[0] + a[2] / 2, a[1] + a[3]] : way[0], end = b ? [b[0] + b[2] / 2, b[1]] : way[last];
        way = [start, [start[0], start[1] + 12], [end[0], end[1] - 12], end];
      }
      const [first, ...rest] = way.map(p => p.map(v => v.toFixed(1)).join(" "));
      ways += "M" + first + "C" + rest.join(" ");
      if (tip) arrows += "M" + tip.map(p => p.map((v, k) => (v + way.at(-1)[k] - tip[0][k]).toFixed(1)).join(" ")).join("L") + "Z";
    });
    put(lines, "d", ways);
    put(heads, "d", arrows);
    self.size = area(whole);
    put(svg, "viewBox", self.size.join(" "));
    write(svg, self.size);
    grown(self.size);
  };
  let keys = 0;
  for (const box of list) {
    if (!box.text && !box.inside) continue;
    box.key = String.fromCodePoint(97 + keys++);
    box.sign = draw("g", { role: "button", tabindex: 0, label: "Open or close " + box.title, onclick: () => toggle(box), onkeydown: event => {
      if (!/^(Enter| )$/.test(event.key)) return;
      event.preventDefault();
      toggle(box);
    } }, draw("circle", { r: 13, opacity: 0 }), draw("circle", { r: 9, fill: "var(--surface)", stroke: SOFT }), draw("path", { stroke: "var(--ink)", "stroke-width": 1.6 }));
    svg.append(box.sign);
  }
  // Opens whatever hides a box, and the box itself when its inside is wanted; returns what is to be looked at.
  self.show = (id, inside) => {
    const box = boxes.get(id);
    for (let frame; (frame = around(box)); ) toggle(frame);
    if (inside && box.inside && !is(box)) toggle(box);
    return inside ? box.inner : box.node;
  };
  const [view, set, restore] = bind(`g.${block.id}.`, ["open"], apply);
  restore();
  return self;
};

const middle = node => {
  const r = rectOf(node);
  return [r.left + r.width / 2, r.top + r.height / 2];
};

function addGraph(figure) {
  const block = blockOf(figure), port = one(".bare", figure), svg = port && one("svg", port);
  if (!svg || !block.cards.length || block.card) return;
  const panel = el("div", { role: "status", class: "panel" }), fingers = new Map(), count = el("output");
  let x, y, w, h, start, moved = 0;
  const active = () => port.classList.contains("viewport");
  // The middle of the window stays on the drawing, so that it cannot be lost.
  const held = (at, size, side) => min(max(at, start[side] - size / 2), start[side] + start[side + 2] - size / 2);
  const show = () => {
    [x, y] = [held(x, w, 0), held(y, h, 1)];
    put(svg, "viewBox", `${x} ${y} ${w} ${h}`);
  };
  // Who starts to move it goes on from what is seen now, unless the whole is wanted.
  const on = (wanted, whole) => {
    const r = rectOf(svg), p = rectOf(port), k = start[2] / r.width;
    [x, y, w, h] = whole || !wanted ? start : [(p.left - r.left) * k, (p.top - r.top) * k, p.width * k, p.height * k];
    port.classList.toggle("viewport", wanted);
    press(explore, wanted);
    show();
  };
  // The drawing is centred in its window at one scale: drawing units a pixel, and the point under the pointer.
  const scale = () => max(w / port.clientWidth, h / port.clientHeight);
  const zoom = (factor, event) => {
    active() || on(true);
    const [cx, cy] = middle(port), k = min(max(w * factor, start[2] / 60), start[2] * 3) / w, s = scale();
    const [px, py] = [x + w / 2 + ((event?.clientX ?? cx) - cx) * s, y + h / 2 + ((event?.clientY ?? cy) - cy) * s];
    [x, y, w, h] = [px - (px - x) * k, py - (py - y) * k, w * k, h * k];
    show();
  };
  const pan = (dx, dy) => { x -= dx * scale(); y -= dy * scale(); show(); };
  const apart = (a, b) => hypot(a.clientX - b.clientX, a.clientY - b.clientY);
  const lift = event => fingers.delete(event.pointerId);
  fill(port, {
    onwheel: event => {
      if (!active() || !(event.ctrlKey || event.metaKey || doc.activeElement === port)) return;
      event.preventDefault();
      zoom(exp(event.deltaY / 400), event);
    },
    onpointerdown: event => { moved = 0; if (active()) fingers.set(event.pointerId, event); },
    onpointermove: event => {
      const before = fingers.get(event.pointerId), other = [...fingers.values()].find(f => f.pointerId !== event.pointerId);
      if (!before) return;
      if (other) zoom(apart(before, other) / (apart(event, other) || 1), other);
      else pan(event.clientX - before.clientX, event.clientY - before.clientY);
      moved += apart(event, before);
      if (moved > 4) port.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
    },
    onpointerup: lift, onpointercancel: lift,
    onkeydown: event => {
      const act = active() && !event.ctrlKey && { ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60), "+": () => zoom(0.8), "-": () => zoom(1.25), 0: () => on(true, true), Escape: () => on(false) }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    },
    onclick: event => {
      const node = event.target.closest("[data-card]");
      if (!node) return;
      event.preventDefault();
      if (moved < 5) describe(cardOf(drawn.get(node.closest("svg")).block, node.dataset.card), node);
    },
  });
  const describe = (card, node) => {
    const maps = all(".montage").find(m => one("img", m) && card.members.includes(blockOf(m).layer));
    panel.replaceChildren(button("×", () => { panel.replaceChildren(); explore.focus(); }, { class: "close", label: "Close" }), el("b", card.title + (card.repeat > 1 ? ` × ${card.repeat}` : "")), el("p", [card.type, ...card.lines, card.mark_text].filter(Boolean).join(". ")),
      ...(byId(card.target) ? [el("a", { href: "#" + card.target }, "Layer table")] : []),
      ...report().layers.filter(l => card.members.includes(l.name)).slice(0, 3).map(l => el("details", el("summary", "Numbers of " + l.name), pairs(Object.entries(l.numbers).map(([k, v]) => [k, isFinite(v) ? short(v) : "– " + v.missing])))),
      ...(maps ? [el("a", { href: "#" + maps.id }, ...pictureOf(maps, 260))] : []));
    // It stands beside the box, not over it.
    if (node) panel.style.left = middle(node)[0] > middle(port)[0] + 9 ? 0 : "auto";
  };
  // The scale stays when the drawing gets wider than its window.
  let same;
  const tree = unfold(block, svg, size => {
    const frame = port.firstElementChild;
    same ??= rectOf(frame).width / block.figure.width;
    frame.style.setProperty("--w", size[2]);
    frame.style.minWidth = size[2] * same + "px";
    port.scrollLeft += (size[2] - (start ?? size)[2]) * same / 2;
    start = size;
    figure.classList.toggle("grown", size[3] !== block.figure.height);
    if (active()) show();
    else [x, y, w, h] = size;
  });
  start ??= tree.size;
  // All cards, those inside of others after them, each with its way there.
  const views = all(".graph").map(blockOf), cards = (view, way) => [...view.cards.map(card => [card, way]), ...views.filter(v => v.parent === view.id && v.card).flatMap(v => cards(v, [...way, v.card]))];
  const every = cards(block, []);
  const search = el("input", { type: "search", placeholder: "Find a layer", label: "Find a layer", oninput: () => {
    const wanted = lower(search.value), hits = every.filter(([c]) => wanted && [c.title, c.type, ...c.members].some(t => lower(t).includes(wanted)));
    drawn.forEach(one => one.boxes.forEach((box, id) => box.text || box.node.classList.toggle("dim", wanted !== "" && !hits.some(([c]) => c === cardOf(one.block, id)))));
    say(count, wanted && `${hits.length} found`);
    if (!hits.length) return;
    const [card, way] = hits.findLast(([c]) => c.members.some(t => lower(t) === wanted)) ?? hits[0];
    const node = way.reduce((one, id) => one?.show(id, true), tree)?.show?.(card.id);
    if (node) {
      const [a, b] = middle(node), [c, d] = middle(port);
      active() ? pan(c - a, d - b) : port.scrollBy(a - c, b - d);
    }
    describe(card, node);
  } });
  const explore = button("Move and zoom", () => on(!active()), { "aria-pressed": "false" });
  one(".tools", figure).append(search, count, explore, button("+", () => zoom(0.7), { label: "Zoom in" }), button("−", () => zoom(1.4), { label: "Zoom out" }), button("Fit", () => on(true, true)), ...exporters(figure.id, () => svg));
  port.before(panel);
}
