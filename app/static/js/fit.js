"use strict";
// What does not fit its screen: tabs fold into 更多, names in lists give way, tables become cards on a phone.
const isPhone = () => matchMedia("(max-width: 700px)").matches;

// Tabs stand in one line: what is empty folds first, then what comes last; the open one always shows.
App.foldTabs = (bar) => {
  const tabs = bar.foldedTabs ??= App.all(":scope > li", bar);
  bar.replaceChildren(...tabs);
  bar.classList.remove("folded");
  if (isPhone()) { // one line under the thumb
    const open = bar.querySelector(".active");
    if (open) bar.scrollLeft = open.offsetLeft - bar.offsetLeft - 40;
    return;
  }
  if (bar.scrollWidth <= bar.clientWidth) return;
  const widths = new Map(tabs.map((tab) => [tab, tab.getBoundingClientRect().width]));
  const gap = parseFloat(getComputedStyle(bar).columnGap) || 0;
  let free = bar.clientWidth - 112; // the padding, and 更多 with its number
  const order = [...tabs.filter((tab) => tab.matches(".active")), ...tabs.filter((tab) => !tab.matches(".active, [data-empty]")), ...tabs.filter((tab) => tab.matches("[data-empty]:not(.active)"))];
  const shown = new Set();
  for (const tab of order) {
    free -= widths.get(tab) + gap;
    if (free < 0) break;
    shown.add(tab);
  }
  const rest = tabs.filter((tab) => !shown.has(tab));
  const menu = App.make("ul", { class: "dropdown-menu" });
  menu.append(...rest);
  const fold = App.make("details", { class: "dropdown" });
  const handle = App.make("summary", {}, "更多");
  handle.append(App.make("b", { class: "n" }, String(rest.length)), App.icon("chev"));
  fold.append(handle, menu);
  const last = App.make("li", { class: "more" });
  last.append(fold);
  bar.append(last);
  bar.classList.add("folded");
};

// The questions of a report fold on a phone: what they found stands under the thumb, not three screens below.
App.foldParams = (form) => {
  const groups = App.all(":scope > .form-group", form);
  if (!isPhone() || groups.length < 3 || form.querySelector(".has-error")) return;
  const filled = groups.filter((group) => group.querySelector("input:not([type=hidden]), select")?.value).length;
  const fold = App.make("details");
  fold.append(App.make("summary", {}, filled ? `查询条件（已填 ${filled} 项）` : "查询条件"), ...App.all(":scope > :not(input[type=hidden])", form));
  form.append(fold);
};

// A table wider than its panel first clips its long names (the whole name is in the title), then keeps its first column in sight.
App.fitTable = (wrap) => {
  const table = wrap.querySelector(":scope > .table");
  if (!table) return;
  const isWide = () => wrap.scrollWidth > wrap.clientWidth + 1;
  wrap.classList.remove("pinned");
  table.classList.remove("tight", "cards");
  if (!wrap.clientWidth || !isWide()) return;
  if (isPhone()) {
    if (table.matches(".pin, .grouped")) wrap.classList.add("pinned");
    else App.cards(table);
    return;
  }
  table.classList.add("tight");
  for (const width of [220, 190, 165, 145, 125]) {
    table.style.setProperty("--clip", `${width}px`);
    if (!isWide()) break;
  }
  if (isWide()) {
    table.classList.remove("tight");
    wrap.classList.add("pinned");
    return;
  }
  for (const cell of App.all("td", table)) if (!cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
};

// Each row as a card: its link on top, then label and value; what is empty is left out.
App.cards = (table) => {
  const heads = [...table.tHead.rows[0].cells].map((head) => {
    const unit = head.querySelector(".unit")?.textContent ?? "";
    const words = head.textContent.replace(/[↑↓]/g, "").trim();
    return [unit ? words.slice(0, -unit.length).trim() : words, unit];
  });
  for (const row of [...App.all(":scope > tbody > tr, :scope > tfoot > tr", table)]) {
    let index = 0;
    const main = App.opens(row)?.parentElement;
    for (const cell of row.cells) {
      const [label, unit] = heads[index] ?? ["", ""];
      index += cell.colSpan;
      const text = cell.textContent.trim();
      if (!cell.matches(".ck, .ro") && cell !== main && cell.colSpan === 1) cell.dataset.label = label;
      if (unit && cell !== main) cell.dataset.unit = unit;
      cell.classList.toggle("main", cell === main);
      cell.classList.toggle("none", (!text || text === "—") && !cell.matches(".ck, .ro, :has(input, select, button)"));
      cell.classList.toggle("full", cell.matches(".w") || cell.colSpan > 1);
    }
  }
  table.classList.add("cards");
  const tall = App.all("td[data-label]:not(.none)", table).filter((cell) => cell.offsetHeight > 30); // read all, then write
  for (const cell of tall) cell.classList.add("full");
};

App.fit = () => {
  App.all(".tabs").forEach(App.foldTabs);
  App.all("form.params").forEach(App.foldParams);
  App.all(".table-wrap").forEach(App.fitTable);
};

document.addEventListener("DOMContentLoaded", () => {
  App.fit();
  let timer = 0, width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // the address bar of a phone comes and goes
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(App.fit, 120);
  });
});
