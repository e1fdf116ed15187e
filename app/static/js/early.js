"use strict";
// Runs before the first paint, so that a kept theme or folded menu does not flash.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    if (localStorage.getItem("side") === "mini") root.dataset.side = "mini";
  } catch { /* storage may be switched off */ }
})();
