"use strict";
// Grids of child rows: rows added and taken out, keys as in a sheet, and whole blocks pasted from one.

// A block as sheets copy it: tabs between cells, lines between rows, a cell with either of them in quotes.
App.block = (text) => {
  const rows = [[]];
  let cell = "", isQuoted = false, isStart = true;
  const close = () => { rows.at(-1).push(cell.trim()); cell = ""; isStart = true; };
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') { cell += '"'; i += 1; } else isQuoted = false;
    } else if (char === '"' && isStart) { isQuoted = true; isStart = false; } else if (char === "\t") close();
    else if (char === "\n") { close(); rows.push([]); } else if (char !== "\r") { cell += char; isStart = false; }
  }
  close();
  while (rows.length && rows.at(-1).every((found) => !found)) rows.pop();
  return rows;
};

App.grid = (grid) => {
  const body = grid.querySelector("tbody"), blank = grid.querySelector("[data-blank]"), most = Number(grid.dataset.rowsMax);
  const rows = () => App.all("tr[data-row]", body);
  const cells = (row) => App.all("td[data-cell]", row);
  // What one types into: of a look-up the box, not the hidden id behind it.
  const control = (td) => td.querySelector(".lookup input[type=text]") ?? td.querySelector("input:not([type=hidden]), select, textarea");
  const changed = () => grid.dispatchEvent(new Event("change", { bubbles: true }));
  const number = () => {
    rows().forEach((row, n) => { row.querySelector(".no span").textContent = n + 1; });
    grid.querySelector("[data-count]").textContent = rows().filter((row) => !("dropped" in row.dataset)).length || "";
  };
  let next = rows().reduce((top, row) => Math.max(top, Number(/-(\d+)-/.exec(row.querySelector("input").name)[1])), -1) + 1;
  const ready = (row) => {
    App.all("input[data-lookup-url]", row).forEach(App.lookup);
    for (const input of App.all("[data-kind=money] input", row)) {
      input.dataset.money = "";
      input.inputMode = "decimal";
      const fen = App.fen(input.value);
      if (fen !== null) input.value = App.money(fen);
    }
    for (const input of App.all("[data-kind=rate] input, [data-kind=int] input", row)) input.dataset.rate = "";
  };
  const add = (after) => {
    if (!blank || rows().length >= most) { App.toast(`${grid.querySelector("h2").firstChild.textContent.trim()}最多 ${most} 行`, "warn"); return null; }
    const copy = App.make("tbody");
    copy.innerHTML = blank.innerHTML.replaceAll("__n__", String(next));
    next += 1;
    const row = copy.firstElementChild;
    if (after) (after.nextElementSibling?.matches(".said") ? after.nextElementSibling : after).after(row); else body.append(row);
    ready(row);
    number();
    return row;
  };
  const enter = (row, at = 0) => {
    const found = row && control(cells(row)[Math.min(at, cells(row).length - 1)]);
    found?.focus();
    found?.select?.();
  };
  const drop = (row) => {
    const isNew = !row.querySelector("[name$='-_id']").value, mark = row.querySelector("[name$='-_drop']");
    const beside = row.nextElementSibling?.matches(".said") ? row.nextElementSibling : null;
    if (isNew) {
      const to = rows()[rows().indexOf(row) + 1] ?? rows()[rows().indexOf(row) - 1];
      beside?.remove();
      row.remove();
      if (to) enter(to); else grid.querySelector("[data-add]")?.focus();
    } else {
      mark.value = mark.value ? "" : "1";
      row.toggleAttribute("data-dropped", Boolean(mark.value));
      const button = row.querySelector("[data-drop]"), words = mark.value ? "恢复这一行" : "删除这一行";
      button.replaceChildren(App.icon(mark.value ? "undo" : "trash"));
      button.setAttribute("aria-label", words);
      button.title = words;
    }
    number();
    changed();
  };
  // Words of a choice become the choice; words that are none stand there until they are corrected: nothing is lost.
  const put = (td, text) => {
    const hidden = td.querySelector("input[data-lookup-url]"), input = control(td);
    td.classList.remove("has-error");
    td.querySelector(".error-block")?.remove();
    input.removeAttribute("aria-invalid");
    if (hidden) {
      hidden.choose("", text);
      hidden.value = text && td.dataset.kind === "reference" ? `=${text}` : text;
    } else if (input instanceof HTMLSelectElement) {
      const known = [...input.options].find((option) => option.value === text || option.text.trim() === text);
      if (known || !text) input.value = known ? known.value : "";
      else { input.append(new Option(text, text)); input.value = text; }
    } else {
      const fen = "money" in input.dataset ? App.fen(text) : null;
      input.value = fen === null ? ("day" in input.dataset ? App.day(text) : text) : App.money(fen);
    }
  };
  const labels = () => App.all("thead th:not(.no, .tool) > span:first-child", grid).map((node) => node.textContent.trim());
  // A first line of headings says which column is which.
  const placed = (found, from) => {
    const known = labels(), heads = found[0].map((text) => known.indexOf(text.replace(/[*＊（(].*$/, "").trim()));
    const isHead = found[0].filter(Boolean).length > 1 && heads.every((at, i) => at >= 0 || !found[0][i]);
    if (isHead) return [found.slice(1), heads];
    return [found, found[0].map((_, i) => from + i)];
  };
  const paste = (td, text) => {
    const row = td.closest("tr"), width = cells(row).length;
    const [lines, places] = placed(App.block(text), cells(row).indexOf(td));
    const wide = lines.reduce((top, line) => Math.max(top, line.length), 0);
    while (places.length < wide) places.push(places.length ? places.at(-1) + 1 : 0);
    const lost = lines.some((line) => line.some((one, i) => one && !(places[i] >= 0 && places[i] < width)));
    if (lost) { App.toast(`粘贴的内容超出右边的列，没有粘贴；表格从这一格起还有 ${width - cells(row).indexOf(td)} 列`, "warn"); return; }
    const below = rows().slice(rows().indexOf(row)).filter((one) => !("dropped" in one.dataset));
    if (rows().length + lines.length - below.length > most) { App.toast(`最多 ${most} 行，粘贴的内容有 ${lines.length} 行，没有粘贴`, "warn"); return; }
    lines.forEach((line, i) => {
      const into = below[i] ?? add();
      line.forEach((one, at) => { if (places[at] >= 0) put(cells(into)[places[at]], one); });
    });
    changed();
    App.toast(`已粘贴 ${lines.length} 行`, "ok");
  };

  grid.addEventListener("paste", (event) => {
    const td = event.target.closest("td[data-cell]"), text = event.clipboardData?.getData("text/plain") ?? "";
    if (!td || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return; // a word goes where the caret is
    if (td.dataset.kind === "long_text" && !text.includes("\t") && !text.startsWith('"')) return; // so do lines of a text
    event.preventDefault();
    paste(td, text);
  });
  grid.addEventListener("click", (event) => {
    if (event.target.closest("[data-add]")) enter(add());
    const button = event.target.closest("[data-drop]");
    if (button) drop(button.closest("tr"));
  });
  grid.addEventListener("change", ({ target }) => { if (target.matches?.("[data-day]")) target.value = App.day(target.value); });
  const step = (td, by) => {
    const row = td.closest("tr"), at = cells(row).indexOf(td), to = rows()[rows().indexOf(row) + by];
    if (to) enter(to, at);
  };
  const onward = (td) => {
    const row = td.closest("tr"), beside = cells(row)[cells(row).indexOf(td) + 1], below = rows()[rows().indexOf(row) + 1];
    if (beside) { const found = control(beside); found.focus(); found.select?.(); } else enter(below ?? add());
  };
  grid.addEventListener("keydown", (event) => {
    const td = event.target.closest("td[data-cell]");
    if (event.isComposing || event.defaultPrevented || !td) return;
    const isText = event.target.matches("input") && event.target.getAttribute("role") !== "combobox";
    if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); enter(add(td.closest("tr"))); }
    else if (event.key === "Enter" && !event.altKey && !event.shiftKey) { event.preventDefault(); onward(td); } // not half a form
    else if (event.key === "Delete" && event.ctrlKey && td.closest("tr").querySelector("[data-drop]")) { event.preventDefault(); drop(td.closest("tr")); }
    else if (/^Arrow(Up|Down)$/.test(event.key) && isText) { event.preventDefault(); step(td, event.key === "ArrowUp" ? -1 : 1); }
    else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && td === cells(td.closest("tr")).at(-1) && td.closest("tr") === rows().at(-1) && event.target.value) {
      const row = add();
      if (row) { event.preventDefault(); enter(row); }
    }
  });
  grid.addEventListener("chosen", (event) => { // Enter in a look-up chooses and goes on
    const td = event.target.closest("td[data-cell]");
    if (event.detail.byKey && td?.contains(document.activeElement)) onward(td);
  });
  rows().forEach(ready);
  number();
  if (!rows().length && blank) add();
};

document.addEventListener("DOMContentLoaded", () => App.all("[data-grid]").forEach(App.grid));

// A form offers its grids; the one that is asked for is fetched, with the rows that stand.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-grid-open]");
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const answer = await fetch(button.dataset.url, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error("没有打开，请重试");
    const piece = App.make("div");
    piece.innerHTML = await answer.text();
    const grid = piece.querySelector("[data-grid]");
    button.closest("[data-grids]").append(grid);
    button.hidden = true;
    App.grid(grid);
    grid.scrollIntoView({ block: "center" });
    (grid.querySelector("tr[data-row] .lookup input[type=text], tr[data-row] td[data-cell] :is(input:not([type=hidden]), select, textarea)") ?? grid.querySelector("[data-add]"))?.focus();
  } catch (error) { App.toast(error.message, "warn"); }
  button.disabled = false;
});
