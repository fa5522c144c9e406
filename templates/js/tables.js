// Tables: sort by several columns (shift adds one), filter, copy and save as CSV. Values come from the data, not the text.
function addTable(node) {
  const block = blockOf(node), body = one("tbody", node), rows = [...body.rows];
  if (!block.rows.length) return;
  const heads = [...one("thead", node).rows[0].cells];
  const after = +one("table", node).dataset.after || Infinity;
  let order = [];
  const value = (r, c) => (typeof block.rows[r][c] === "object" ? null : block.rows[r][c]);
  const compare = (a, b) => {
    for (const [c, down] of order) {
      const [x, y] = [value(a, c), value(b, c)];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      const d = isFinite(x) && isFinite(y) ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      if (d) return down ? -d : d;
    }
    return a - b;
  };
  const [view, set, restore] = bind(`t.${node.id}.`, ["sort", "q"], () => {
    const wanted = lower(view.q);
    order = view.sort.split(".").map(part => [parseInt(part), part.endsWith("d")]).filter(([c]) => c in heads);
    const shown = rows.map((_, i) => i).filter(i => lower(rows[i].textContent).includes(wanted)).sort(compare);
    shown.forEach((i, place) => rows[i].classList.toggle("later", place >= after && !wanted));
    body.replaceChildren(...shown.map(i => rows[i]));
    heads.forEach((th, c) => {
      const by = order.find(([column]) => column === c);
      put(th, "aria-sort", by ? (by[1] ? "descending" : "ascending") : "none");
    });
    say(count, wanted ? `${shown.length} of ${rows.length} rows` : "");
    if (search.value !== view.q) search.value = view.q;
  });
  heads.forEach((th, c) => {
    const title = one("bdi", th), sorter = button("", event => {
      const old = order.find(([column]) => column === c), first = isFinite(value(0, c));
      const next = !old ? [[c, first]] : old[1] === first ? [[c, !first]] : [];
      set({ sort: [...(event.shiftKey ? order.filter(([column]) => column !== c) : []), ...next].map(([column, down]) => column + (down ? "d" : "a")).join(".") });
    }, { class: "sorter" });
    th.title += " Sort; Shift adds one";
    title.replaceWith(sorter);
    sorter.append(title);
  });
  const search = el("input", { type: "search", placeholder: "Filter rows", label: "Filter rows", oninput: () => set({ q: search.value }) });
  const count = el("output");
  const records = () => [block.columns.map(c => c.title + (c.unit ? ` (${c.unit})` : "")), ...[...body.rows].map(r => block.rows[rows.indexOf(r)])];
  const copier = button("Copy CSV", () => copy(csv(records()), copier));
  one(".tools", node).append(...(rows.length > 8 ? [search, count] : []), el("span", { class: "push" }), ...(navigator.clipboard ? [copier] : []), button("Save CSV", () => saveCsv(node.id, records())));
  if (state.size) restore();
}
