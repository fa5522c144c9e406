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
  // One block a frame: laid out all at once, a large page would not answer for a while.
  const show = ([block, ...rest]) => block && requestAnimationFrame(() => {
    block.style.contentVisibility = "visible";
    show(rest);
  });
  show(all(".body > *"));
  if (query === undefined) return;
  adopt(query);
  // The browser looks for an anchor with the question mark in it; go to the real one.
  if (anchor) location.replace("#" + anchor);
});
