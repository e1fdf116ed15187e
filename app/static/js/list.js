"use strict";
// Lists: keys, selection, the column chooser, the filter that can be added.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table[data-rows]");
  if (!table) return;
  const rows = App.all("tbody tr", table);
  const bulk = document.querySelector("#bulk");
  const boxOf = (row) => row.querySelector("input[name=keys]");
  const checkAll = table.querySelector("[data-check-all]");
  let at = -1, last = -1;

  // ---- selection
  const toNumber = (text) => Math.round(parseFloat(text.replace(/,/g, "")) * 100);
  const refresh = () => {
    if (!bulk) return;
    const chosen = rows.filter((row) => boxOf(row)?.checked);
    for (const row of rows) row.classList.toggle("selected", Boolean(boxOf(row)?.checked));
    bulk.hidden = !chosen.length;
    const isAll = bulk.elements.all.value === "1";
    bulk.querySelector("[data-selected]").textContent = isAll ? bulk.querySelector("[data-select-all]").dataset.total : chosen.length;
    checkAll.checked = chosen.length === rows.length && chosen.length > 0;
    checkAll.indeterminate = chosen.length > 0 && chosen.length < rows.length;
    const sum = isAll ? sumOfAll() : sumOf(chosen);
    bulk.querySelector("[data-sum]").textContent = sum;
    for (const button of App.all("[data-confirm]", bulk)) { // the question names how many, and how much
      button.dataset.say ??= button.dataset.confirm;
      button.dataset.confirm = button.dataset.say.replace("{n}", bulk.querySelector("[data-selected]").textContent).replace("，{sum}", sum && `，${sum}`);
    }
  };
  const sumOfAll = () => {
    const cells = table.tFoot?.rows.length > 1 ? App.all(".num", table.tFoot.rows[1]) : [];
    return cells.length && cells[0].textContent !== "…" ? `合计 ${cells[0].textContent} 元` : "";
  };
  // The first summed column, added over the selection in whole fen.
  const sumOf = (chosen) => {
    const foot = table.tFoot?.rows[0];
    if (!foot) return "";
    const cells = [...foot.cells];
    let index = 0, found = -1;
    for (const cell of cells) { if (cell.classList.contains("num")) { found = index; break; } index += cell.colSpan; }
    if (found < 0) return "";
    const head = table.tHead.rows[0].cells[found];
    const total = chosen.reduce((sum, row) => sum + (toNumber(row.cells[found].textContent) || 0), 0);
    const text = (total / 100).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    return `${head.textContent.replace(/[↑↓]/g, "").replace(/\s+\S*$/, "").trim()} ${text} ${head.querySelector(".unit")?.textContent ?? ""}`.trim();
  };
  const selectAll = (isOn) => {
    for (const row of rows) { const box = boxOf(row); if (box) box.checked = isOn; }
    if (bulk) bulk.elements.all.value = "";
    refresh();
  };
  checkAll?.addEventListener("change", () => selectAll(checkAll.checked));
  table.addEventListener("click", (event) => {
    const box = event.target.closest("input[name=keys]");
    if (!box) return;
    const index = rows.indexOf(box.closest("tr"));
    if (event.shiftKey && last >= 0) {
      const [low, high] = [Math.min(last, index), Math.max(last, index)];
      for (const row of rows.slice(low, high + 1)) boxOf(row).checked = box.checked;
    }
    last = index;
    bulk.elements.all.value = "";
    refresh();
  });
  bulk?.querySelector("[data-unselect]").addEventListener("click", () => selectAll(false));
  bulk?.querySelector("[data-select-all]").addEventListener("click", () => {
    selectAll(true);
    bulk.elements.all.value = "1";
    refresh();
  });
  bulk?.addEventListener("submit", (event) => { // actions on "all" need the filter of this list
    const button = event.submitter;
    if (button && location.search && !button.formAction.includes("?")) button.formAction += location.search;
  }, true);
  refresh();

  // ---- keys
  const stand = (index) => {
    rows[at]?.classList.remove("at");
    at = Math.max(0, Math.min(rows.length - 1, index));
    rows[at]?.classList.add("at");
    rows[at]?.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open], details.dropdown[open]")) return;
    if (event.key === "Escape" && bulk && !bulk.hidden) { selectAll(false); return; }
    const isBox = event.target.matches?.("input[type=checkbox]");
    if (App.typing(event.target) || event.target.closest?.("a, button, summary") || event.ctrlKey || event.altKey) return;
    if (event.key === "ArrowDown") { event.preventDefault(); stand(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); stand(at - 1); }
    else if (event.key === " " && at >= 0 && !isBox) {
      const box = boxOf(rows[at]);
      if (box) { event.preventDefault(); box.checked = !box.checked; refresh(); }
    } else if (event.key === "Enter" && at >= 0) {
      const link = App.opens(rows[at]);
      if (link) { event.preventDefault(); link.click(); }
    }
  });
});

// Number and sums of a long list come when the page stands; the links there ask again where they could not be had.
document.addEventListener("DOMContentLoaded", async () => {
  const row = document.querySelector("tr[data-sums-url]");
  if (!row) return;
  try {
    const { count, sums } = await App.json(row.dataset.sumsUrl);
    document.querySelector("[data-count]")?.replaceWith(count.toLocaleString("en-US"));
    for (const cell of App.all("[data-sum-of]", row)) cell.textContent = sums[cell.dataset.sumOf];
    row.querySelector("a").remove();
  } catch (error) { row.querySelector("a").title = error.message; }
  row.removeAttribute("aria-busy");
});

// Column chooser: order by dragging or Alt + arrows, sent in this order.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-columns]");
  if (!form) return;
  App.sortable(form.querySelector("ul"), "li");
  form.addEventListener("keydown", (event) => {
    const item = event.target.closest("li");
    if (!event.altKey || !item) return;
    if (event.key === "ArrowUp" && item.previousElementSibling) item.previousElementSibling.before(item);
    else if (event.key === "ArrowDown" && item.nextElementSibling) item.nextElementSibling.after(item);
    else return;
    event.preventDefault();
    event.target.focus();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name === "reset" || form.querySelector("input[type=checkbox]:checked")) return;
    event.preventDefault();
    App.toast("至少保留一列", "warn");
  });
});

// Reordering by drag; `done` is called after a drop.
App.sortable = (list, selector, done = () => {}) => {
  let moved = null;
  list.addEventListener("dragstart", (event) => {
    moved = event.target.closest(selector);
    moved?.classList.add("dragging");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(selector);
    if (!moved || !over || over.parentElement !== list) return;
    event.preventDefault();
    if (over === moved) return;
    const isAfter = moved.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    isAfter ? over.after(moved) : over.before(moved);
  });
  list.addEventListener("dragend", () => { moved?.classList.remove("dragging"); if (moved) done(); moved = null; });
};

// The order that the head of a column brings about is found again the next time.
document.addEventListener("DOMContentLoaded", () => {
  const url = document.querySelector("#list")?.dataset.orderUrl;
  document.querySelector("table[data-rows] thead")?.addEventListener("click", (event) => {
    const order = event.target.closest("a[href]") && new URL(event.target.closest("a[href]").href).searchParams.get("order");
    if (!url || !order) return;
    App.json(url, { method: "POST", body: new URLSearchParams({ order }), keepalive: true }).catch(() => {}); // a habit, nothing that one waits for
  });
});
