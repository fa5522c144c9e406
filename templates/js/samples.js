// Samples: one filter for each output drives its cards and the list of all its records; a cell of the matrix sets it.
const browsers = new Map();
const share = v => (isFinite(v) ? (v * 100).toFixed(1) + "%" : "–");
const finite = v => (isFinite(v) ? v : null);
const CLASSES = ["binary", "multiclass"];
const SAID = { right: "✓ Right", wrong: "✕ Wrong" };

const recordsOf = table => {
  const [truth, predicted, confidence, loss] = ["truth", "prediction", "confidence", "loss"].map(column => unpack(table[column]));
  const classes = CLASSES.includes(table.task), word = v => (isFinite(v) ? (classes && table.class_names[v]) || short(v) : "");
  return Array.from(unpackRaw(table.keys), (key, i) => ({
    key: key.toString(16).padStart(16, "0"), label: table.ids[i] ?? "", truth: word(truth[i]), prediction: word(predicted[i]), text: "",
    outcome: !classes || !isFinite(truth[i]) ? "unknown" : truth[i] === predicted[i] ? "right" : "wrong", confidence: finite(confidence[i]), loss: finite(loss[i]),
  }));
};

// The browser of one output: its filter bar stands in the tools of `node`, its list after it.
const browserOf = (output, node) => {
  if (browsers.has(output)) return browsers.get(output);
  const table = report().samples.find(t => t.output === output), total = table?.keys.length ?? 0, tools = one(".tools", node) ?? el("div"), cards = [], controls = {};
  let records, rows, turn = 0, most = 60;
  const matching = list => {
    const wanted = lower(view.text), [field, sign] = view.sort === "low" ? ["confidence", 1] : [view.sort, -1];
    const found = list.filter(({ s }) => (!view.outcome || s.outcome === view.outcome) && (!view.truth || s.truth === view.truth) && (!view.predicted || s.prediction === view.predicted) &&
      (!view.low || s.confidence * 100 >= +view.low) && (!view.high || (finite(s.confidence) ?? 2) * 100 <= +view.high) && (!wanted || (s.words ??= lower([s.label, s.key, s.text, s.truth, s.prediction].join("\n"))).includes(wanted)));
    return view.sort ? found.sort((a, b) => isFinite(b.s[field]) - isFinite(a.s[field]) || sign * (a.s[field] - b.s[field])) : found;
  };
  const found = () => rows ??= matching((records ??= total ? recordsOf(table).map(s => ({ s })) : []));
  const control = (name, node) => {
    controls[name] = node;
    return fill(node, { oninput: () => set({ [name]: node.value }) });
  };
  const pick = (name, label, options) => control(name, choice(label, [["", label], ...options]));
  const field = (name, type, label) => control(name, el("input", { type, label, placeholder: label, min: 0, max: 100 }));
  const judged = CLASSES.includes(table?.task), seen = blockOf(node).samples ?? [], sure = judged || seen.some(s => s.confidence !== null), names = (judged ? table.class_names : []).map(n => [n, clip(n)]), count = el("output"), body = el("tbody");
  tools.append(...(judged || seen.some(s => s.outcome !== "unknown") ? [pick("outcome", "Right and wrong", Object.entries(SAID))] : []), ...(names.length ? [pick("truth", "Any truth", names), pick("predicted", "Any prediction", names)] : []),
    ...(sure ? [field("low", "number", "Confidence ≥ %"), field("high", "number", "Confidence ≤ %")] : []), field("text", "search", "Id or text"), pick("sort", "Order as drawn", [["loss", "Highest loss"], ...(sure ? [["confidence", "Highest confidence"], ["low", "Lowest confidence"]] : [])]),
    button("Clear", () => set(empty)), count);
  const more = button("Show more", () => { most += 200; list(); });
  const whole = el("details", { class: "numbers screen", ontoggle: () => list() }, el("summary", `All ${grouped(total)} sample records as a list`),
    el("div", { class: "scroll", tabindex: 0, role: "group", label: "Sample records" }, el("table", { class: "data" }, el("thead", el("tr", ...["Sample", "Outcome", "Predicted", "Truth", "Confidence", "Loss"].map((t, i) => el("th", { scope: "col", class: i > 3 ? "num" : "" }, t)))), body)),
    more, button("Save CSV", () => saveCsv("samples", [["key", "id", "truth", "prediction", "outcome", "confidence", "loss"], ...found().map(({ s }) => [s.key, s.label, s.truth, s.prediction, s.outcome, s.confidence, s.loss])])));
  if (total) node.after(whole);
  const list = () => {
    if (!whole.open) return;
    found();
    const byKey = new Map(cards.map(c => [c.s.key, c.node]));
    body.replaceChildren(...rows.slice(0, most).map(({ s }) => {
      const card = byKey.get(s.key), name = el("bdi", s.label || s.key);
      return el("tr", el("th", { scope: "row" }, card ? el("a", { href: "#" + card.id }, ...pictureOf(card), name) : name), ...[SAID[s.outcome] ?? "", s.prediction, s.truth].map(t => el("td", t)), ...[share(s.confidence), short(s.loss)].map(t => el("td", { class: "num" }, t)));
    }));
    more.hidden = rows.length <= most;
  };
  const [view, set, restore] = bind(`s.${output}.`, ["outcome", "truth", "predicted", "low", "high", "text", "sort"], () => {
    for (const name in controls) if (controls[name].value !== view[name]) controls[name].value = view[name];
    const shown = matching(cards), mine = ++turn, add = c => mine === turn && c.home.append(c.node);
    // Taken out, not hidden: a browser takes seconds to lay out a few cards among a thousand hidden ones.
    new Set(cards.map(c => c.home)).forEach(home => home.replaceChildren());
    shown.slice(0, 48).forEach(add);
    inParts(shown.slice(48), 48, add);
    rows = null;
    say(count, changed(view) ? `${shown.length} of ${cards.length} cards` + (total ? `, ${grouped(found().length)} of ${grouped(total)} records` : "") : "");
    list();
  });
  const empty = { ...view };
  const browser = { cards, restore, cell: (truth, predicted) => { whole.open = true; set({ ...empty, truth, predicted }); controls.truth?.focus(); tools.scrollIntoView(); } };
  browsers.set(output, browser);
  return browser;
};

const pictureOf = (card, room = 0) => {
  const image = one("img", card)?.cloneNode();
  if (!image) return [];
  image.removeAttribute("data-asset");
  const step = room && max(1, floor(min(room, innerWidth * 0.8) / image.style.getPropertyValue("--w")));
  if (step) for (const name of ["--zoom", "--narrow"]) image.style.setProperty(name, step);
  return [image];
};
const enlarge = (cards, i) => {
  const open = cards.filter(c => c.node.isConnected), { s, node } = open.at(i % open.length), old = one("dialog");
  const facts = [["predicted", s.prediction], ["truth", s.truth], ["confidence", s.confidence === null ? "" : share(s.confidence)], ["loss", short(finite(s.loss))], ...s.details, ["key", s.key]].filter(([, v]) => v);
  const box = el("dialog", { label: "Sample " + s.label, onclose: () => { box.remove(); one(".zoom", node).focus(); }, onkeydown: event => ({ ArrowLeft: () => enlarge(cards, i - 1), ArrowRight: () => enlarge(cards, i + 1) })[event.key]?.() },
    button("Close", () => box.close(), { class: "close" }), el("h3", s.label || s.key), ...pictureOf(node, 400), el("p", { class: "words" }, s.text),
    pairs(facts), button("‹ Previous", () => enlarge(cards, i - 1)), " ", button("Next ›", () => enlarge(cards, i + 1)));
  old?.remove();
  doc.body.append(box);
  box.showModal();
};

function addSamples(node) {
  if (node.matches(".matrix")) return addCells(node);
  const block = blockOf(node), browser = browserOf(block.output, node), cards = all(".sample", node).map((card, i) => ({ node: card, home: card.parentNode, s: block.samples[i] }));
  inParts(cards, 24, card => {
    card.node.append(button("⤢", () => enlarge(cards, cards.filter(c => c.node.isConnected).indexOf(card)), { class: "zoom", label: "Enlarge " + card.s.label }));
  });
  browser.cards.push(...cards);
  if (state.size) browser.restore();
}

function addCells(node) {
  const block = blockOf(node), tables = report().samples, table = tables.find(t => t.output && node.id.includes(t.output)) ?? tables.find(t => t.class_names.includes(block.rows[0])) ?? tables[0];
  if (!table) return;
  const gallery = all(".gallery").find(g => blockOf(g).output === table.output) ?? node;
  all("[data-cell]", node).forEach(cell => {
    const [truth, predicted] = cell.dataset.cell.split(",").map((i, side) => [block.rows, block.columns][side][i]), text = cell.textContent;
    const show = () => browserOf(table.output, gallery).cell(truth, predicted);
    // A cell of the drawing is for the pointer; the table beside it is for everyone.
    if (cell.matches("g")) fill(cell, { onclick: show, cursor: "pointer" });
    else cell.replaceChildren(button(text, show, { class: "cellbtn", label: `${text}: ${truth} predicted as ${predicted}, show samples` }));
  });
}
