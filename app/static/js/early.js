"use strict";
// Runs before the first paint, so that a theme or a folded menu does not flash.
(() => {
  const root = document.documentElement;
  if (!["dark", "light"].includes(root.dataset.theme)) { // the person has not chosen: as the machine is set
    root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  try {
    if (localStorage.getItem("side") === "mini") root.dataset.side = "mini";
  } catch { /* storage may be switched off */ }
})();
