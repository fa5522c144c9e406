// The theme at once, so that nothing flashes; the rest when the page is there.
const [anchor, query] = readHash();
setTheme(new URLSearchParams(query).get("theme"));
addEventListener("load", () => {
  addTheme();
  addFolds();
  followOutline();
  whenNear(all(".chart"), addChart);
  whenNear(all(".table"), addTable);
  whenNear(all(".gallery, .matrix"), addSamples);
  whenNear(all(".graph"), addGraph);
  addEventListener("hashchange", onHash);
  // A picture that stands in the file once is shown wherever it belongs, also on paper.
  inParts(all("[data-again]"), 24, link => {
    const first = one(`img[data-asset="${link.dataset.again}"]`);
    if (first) link.parentNode.replaceWith(...pictureOf(first.parentNode));
  });
  inParts(all(".body > *, .sample:nth-child(-n + 48)"), 1, node => (node.style.contentVisibility = "visible"));
  if (query === undefined) return;
  adopt(query);
  // The browser looks for an anchor with the question mark in it; go to the real one.
  if (anchor) location.replace("#" + anchor);
});
