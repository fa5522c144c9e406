// The theme at once, so that nothing flashes; the rest when the page is there.
const [anchor, query] = readHash();
setTheme(new URLSearchParams(query).get("theme"));
document.addEventListener("DOMContentLoaded", () => {
  addTheme();
  addFolds();
  followOutline();
  whenNear(all(".chart"), addChart);
  whenNear(all(".table"), addTable);
  whenNear(all(".gallery, .matrix"), addSamples);
  whenNear(all(".graph"), addGraph);
  addEventListener("hashchange", onHash);
  all(".section").forEach((section, i) => setTimeout(() => (section.style.contentVisibility = "visible"), i * 99));
  if (query === undefined) return;
  adopt(query);
  // The browser looks for an anchor with the question mark in it; go to the real one.
  if (anchor) location.replace("#" + anchor);
});
