// Tables: sort by several columns (shift adds one), filter, copy and save as CSV. Values come from the data, not the text.
function addTable(node) {
  const block = blockOf(node), body = node.querySelector("tbody"), rows = [...body.rows];
  if (!block.rows.length) return;
  const tools = node.querySelector(".tools"), more = node.querySelector(".more"), heads = [...node.querySelector("thead").rows[0].cells];
  const key = "t." + node.id, after = block.collapsed_after;
  let order = [], query = "";
  const value = (r, c) => {
    const v = block.rows[r][c];
    return v === null || typeof v === "object" ? null : v;
  };
  const compare = (a, b) => {
    for (const [c, down] of order) {
      const [x, y] = [value(a, c), value(b, c)];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? 1 : -1;
      const d = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      if (d) return down ? -d : d;
    }
    return a - b;
  };
  const apply = () => {
    const wanted = query.toLowerCase();
    const shown = rows.map((_, i) => i).filter(i => !wanted || rows[i].textContent.toLowerCase().includes(wanted)).sort(compare);
    const keepShown = new Set(shown);
    rows.forEach((row, i) => (row.hidden = !keepShown.has(i)));
    shown.forEach((i, place) => {
      rows[i].classList.toggle("later", place >= after && !wanted);
      body.append(rows[i]);
    });
    heads.forEach((th, c) => {
      const by = order.find(([column]) => column === c);
      by ? th.setAttribute("aria-sort", by[1] ? "descending" : "ascending") : th.removeAttribute("aria-sort");
    });
    count.textContent = wanted ? `${shown.length} of ${rows.length} rows` : "";
    if (search.value !== query) search.value = query;
  };
  const store = () => {
    apply();
    keep(key, order.map(([c, down]) => c + (down ? "d" : "a")).join("."));
    keep(key + ".q", query);
  };
  heads.forEach((th, c) => {
    const title = th.querySelector("bdi"), sorter = button("", event => {
      const old = order.find(([column]) => column === c), first = typeof value(0, c) === "number";
      const next = !old ? [[c, first]] : old[1] === first ? [[c, !first]] : [];
      order = event.shiftKey ? [...order.filter(([column]) => column !== c), ...next] : next;
      store();
    }, { class: "sorter", title: "Sort; with Shift, also by this column" });
    title.replaceWith(sorter);
    sorter.append(title);
  });
  const search = el("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows", oninput: () => { query = search.value; store(); } });
  const count = el("output");
  const text = () => csv([block.columns.map(c => c.title + (c.unit ? ` (${c.unit})` : "")), ...[...body.rows].filter(r => !r.hidden).map(r => block.rows[rows.indexOf(r)])]);
  const copier = button("Copy CSV", () => copy(text(), copier));
  tools.append(...(rows.length > 8 ? [search, count] : []), el("span", { class: "push" }), copier, button("Save CSV", () => save(node.id + ".csv", text(), "text/csv")));
  const restore = () => {
    order = (state.get(key) || "").split(".").filter(part => /^\d+[ad]$/.test(part)).map(part => [parseInt(part), part.endsWith("d")]).filter(([c]) => c < heads.length);
    query = state.get(key + ".q") || "";
    if (more && query) more.open = true;
    apply();
  };
  restorers.push(restore);
  if (state.has(key) || state.has(key + ".q")) restore();
}
