// Everything here only adds to a page that is already whole. Text from the report enters the page as text nodes only.
const doc = document, root = doc.documentElement;
root.classList.add("js");
const { abs, ceil, exp, floor, hypot, log10, max, min, round } = Math;
const all = (selector, node = doc) => [...node.querySelectorAll(selector)];
const one = (selector, node = doc) => node.querySelector(selector);
const put = (node, name, value) => node.setAttribute(name, value);
const rectOf = node => node.getBoundingClientRect();
const changed = view => Object.values(view).some(Boolean);
const lower = text => text.toLowerCase();
const press = (node, on) => put(node, "aria-pressed", on);
const byId = id => doc.getElementById(id);
const { isFinite, isNaN } = Number;
const grouped = count => count.toLocaleString("en");
// The name of a namespace, which nobody asks for over a network; written so that no address stands in our files.
const SVG = ["http:", "www.w3.org/2000/svg"].join("//");
const fill = (node, props, kids = []) => {
  for (const [key, value] of Object.entries(props)) if (value !== null) key.startsWith("on") ? node.addEventListener(key.slice(2), value) : put(node, key === "label" ? "aria-label" : key, value);
  node.append(...kids);
  return node;
};
// The properties may be left out.
const el = (tag, ...kids) => fill(doc.createElement(tag), kids[0]?.constructor === Object ? kids.shift() : {}, kids);
const say = (node, text) => (node.textContent = text);
const draw = (tag, props = {}, ...kids) => fill(doc.createElementNS(SVG, tag), props, kids);
const button = (text, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, text);
const clip = (text, room = 40) => (text.length > room ? text.slice(0, room - 1) + "…" : text);
const pairs = rows => el("dl", { class: "details" }, ...rows.map(([k, v]) => el("div", el("dt", k), el("dd", v))));
const choice = (label, options, onchange) => el("select", { label, onchange }, ...options.map(([value, text]) => el("option", { value }, text)));

// The report's own data, parsed when first needed.
let parsed;
const report = () => (parsed ??= JSON.parse(one("body > script[type='application/json']").textContent));
const blockOf = node => node.dataset.b.split(".").reduce((at, i) => at.blocks[i], { blocks: report().sections });
const arrayOf = ([, kind, size]) => globalThis[(size > 4 && kind !== "f" ? "Big" : "") + { f: "Float", i: "Int", u: "Uint" }[kind] + size * 8 + "Array"];
const unpackRaw = column => new (arrayOf(column.dtype))(Uint8Array.from(atob(column.data), c => c.charCodeAt(0)).buffer);
const unpack = column => (column ? Array.from(unpackRaw(column), Number) : []);

// State lives behind a question mark in the hash, so that a view can be sent: #training?theme=dark
let state = new URLSearchParams();
const restorers = [];
const readHash = () => location.hash.slice(1).split("?");
const writeHash = () => history.replaceState(null, "", "#" + readHash()[0] + (state.size ? "?" + state : ""));
const keep = (key, value) => {
  value ? state.set(key, value) : state.delete(key);
  writeHash();
};
const adopt = query => {
  state = new URLSearchParams(query);
  restorers.forEach(restore => restore());
};
// A few named texts of one part of the page: the view, how to change it, and how to read it back from the hash.
const bind = (prefix, fields, apply) => {
  const view = Object.fromEntries(fields.map(field => [field, ""]));
  const restore = () => {
    fields.forEach(field => (view[field] = state.get(prefix + field) || ""));
    apply();
  };
  const set = changes => {
    for (const field in changes) keep(prefix + field, (view[field] = changes[field]));
    apply();
  };
  restorers.push(restore);
  return [view, set, restore];
};
const reveal = anchor => {
  const node = anchor && byId(anchor);
  if (!node) return;
  for (let at = node; (at = at.parentElement?.closest("details")); ) at.open = true;
  if (node.matches(".section")) node.firstElementChild.open = true;
  node.scrollIntoView();
};
const onHash = () => {
  const [anchor, query] = readHash();
  if (query !== undefined && query !== "" + state) adopt(query);
  if (query === undefined && state.size) writeHash();
  reveal(anchor);
};

// A theme that the style does not know leaves the system's colours.
const setTheme = theme => (root.dataset.theme = theme ?? "");
const addTheme = () => {
  const select = choice("Colours", [["", "System colours"], ["light", "Light"], ["dark", "Dark"]], () => {
    keep("theme", select.value);
    setTheme(select.value);
  });
  one("[data-tools=page]")?.append(select);
  restorers.push(() => {
    setTheme(state.get("theme"));
    select.value = state.get("theme") ?? "";
  });
};

// Which parts are open or closed against how the page was written.
const addFolds = () => {
  const folds = all(".section > details, .fold").map(node => ({ node, id: node.closest(".fold") ? one("[id]", node).id : node.parentElement.id, open: node.open }));
  let quiet = false;
  const note = () => quiet || keep("fold", folds.filter(f => f.node.open !== f.open).map(f => f.id).join("."));
  folds.forEach(f => fill(f.node, { ontoggle: note }));
  restorers.push(() => {
    const changed = new Set((state.get("fold") || "").split("."));
    quiet = true;
    folds.forEach(f => (f.node.open = changed.has(f.id) ? !f.open : f.open));
    setTimeout(() => (quiet = false), 50);
  });
};

const followOutline = () => {
  const links = new Map(all(".outline li a").map(a => [byId(a.hash.slice(1)), a]));
  const watcher = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const link = links.get(entry.target) ?? links.get(byId("rg-main"));
      links.forEach(other => other.removeAttribute("aria-current"));
      put(link, "aria-current", "true");
      const nav = link.closest("nav");
      nav.scrollLeft = link.offsetLeft - 24;
    }
  }, { rootMargin: "-15% 0% -75%" });
  all(".section, .summary, .masthead").forEach(section => watcher.observe(section));
};

// Files for the reader: figures and tables.
const save = (name, part, type) => {
  const href = URL.createObjectURL(new Blob([part], { type }));
  el("a", { download: name, href }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
};
const csv = rows => rows.map(row => row.map(cell => {
  let text = typeof cell === "object" || cell === undefined || isNaN(cell) ? "" : String(cell); // no value, and why
  // A spreadsheet would run a text that starts like a formula.
  if (typeof cell === "string" && /^[=+\-@\t]/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}).join(",")).join("\r\n") + "\r\n";
const saveCsv = (name, rows) => save(name + ".csv", csv(rows), "text/csv");
const copy = async (text, control) => {
  await navigator.clipboard.writeText(text);
  say(control, "Copied");
};
// A drawing outside the page has no page to take its colours from: write them in.
const standalone = source => {
  const svg = source.cloneNode(true), probe = el("i"), seen = {};
  doc.body.append(probe);
  const colour = text => text.replace(/var\((--[\w-]+)[^)]*\)/g, (whole, name) => {
    if (!seen[name]) {
      probe.style.color = `var(${name})`;
      seen[name] = getComputedStyle(probe).color;
    }
    return seen[name];
  });
  [svg, ...all("*", svg)].forEach(node => [...node.attributes].forEach(a => a.value.includes("var(") && put(node, a.name, colour(a.value))));
  const { width, height } = source.viewBox.baseVal;
  fill(svg, { xmlns: SVG, width, height, style: `background:${colour("var(--surface)")};color:${colour("var(--ink)")};font-family:sans-serif` });
  probe.remove();
  return [new XMLSerializer().serializeToString(svg), width, height];
};
const savePng = (source, name) => {
  const [text, width, height] = standalone(source);
  const image = new Image();
  image.onload = () => {
    const canvas = el("canvas", { width: width * 2, height: height * 2 });
    canvas.getContext("2d").drawImage(image, 0, 0, width * 2, height * 2);
    canvas.toBlob(blob => save(name, blob), "image/png");
  };
  image.src = "data:image/svg+xml," + encodeURIComponent(text);
};
const exporters = (id, svg) => [
  button("SVG", () => save(id + ".svg", standalone(svg())[0], "image/svg+xml")),
  button("PNG", () => savePng(svg(), id + ".png")),
];

// Work is done in slices of some 8 ms with their layout, so that the page paints and answers between them.
const jobs = [];
let waiting;
const wake = () => jobs.length && (waiting ||= setTimeout(slice));
const slice = () => {
  const end = performance.now() + 8;
  waiting = 0;
  try {
    while (jobs.length && performance.now() < end) {
      jobs.shift()();
      doc.body.offsetHeight;
    }
  } finally {
    wake();
  }
};
const later = job => {
  jobs.push(job);
  wake();
};
const inParts = (list, size, work) => list.length && later(() => {
  list.slice(0, size).forEach(work);
  inParts(list.slice(size), size, work);
});
// Only for what comes near the window.
const whenNear = (nodes, work) => {
  const watcher = new IntersectionObserver(entries => entries.forEach(entry => {
    if (!entry.isIntersecting) return;
    watcher.unobserve(entry.target);
    later(() => work(entry.target));
  }), { rootMargin: "400px" });
  nodes.forEach(node => watcher.observe(node));
};
