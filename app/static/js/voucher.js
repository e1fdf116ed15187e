"use strict";
// Vouchers: cells or plain money on paper; in the form, lines, sums and the balance at every keystroke.
document.addEventListener("DOMContentLoaded", () => {
  const sheets = App.all("[data-sheet]");
  const draw = (isOn) => {
    for (const sheet of sheets) sheet.classList.toggle("is-plain", !isOn);
    for (const button of App.all("[data-cells]")) {
      const isActive = (button.dataset.cells === "on") === isOn;
      button.classList.toggle("active", isActive);
      button.setAttribute("aria-pressed", String(isActive));
    }
  };
  let kept = "on";
  try { kept = localStorage.getItem("cells") || "on"; } catch { /* storage may be switched off */ }
  if (App.all("[data-cells]").length) draw(kept !== "off");
  for (const button of App.all("[data-cells]")) {
    button.addEventListener("click", () => { App.keep("cells", button.dataset.cells); draw(button.dataset.cells === "on"); });
  }

  const form = document.querySelector("[data-voucher]");
  const table = form?.querySelector(".entries");
  if (!table) return;
  const blank = form.querySelector("[data-blank]");
  const lines = () => App.all("[data-line]", table);
  let made = 0;
  const { money } = App;
  const fen = (text) => App.fen(text) ?? 0n; // whole, so that no binary fraction makes a balanced voucher look unbalanced
  const total = (side) => App.all(`[name=line_${side}]`, table).reduce((sum, input) => sum + fen(input.value), 0n);
  const show = () => {
    const debit = total("debit"), credit = total("credit"), gap = debit - credit;
    table.querySelector("[data-sum=debit]").textContent = money(debit);
    table.querySelector("[data-sum=credit]").textContent = money(credit);
    const words = table.querySelector("[data-balance]");
    words.className = gap ? "bad" : "ok";
    words.textContent = gap ? `借贷不平，差额 ${money(gap)}` : debit ? "借贷平衡" : "";
    lines().forEach((line, n) => { line.querySelector(".no").textContent = n + 1; });
  };
  const add = (after) => {
    made += 1;
    const copy = blank.content.firstElementChild.cloneNode(true);
    for (const node of App.all("[id]", copy)) node.id = `${node.id}-n${made}`;
    (after ?? lines().at(-1) ?? table.tHead).after(copy);
    App.all("input[data-lookup-url]", copy).forEach(App.lookup);
    fit(copy);
    show();
    copy.querySelector("[name=line_memo]").focus();
    return copy;
  };
  const at = () => document.activeElement?.closest?.("[data-line]") ?? lines().at(-1);
  // Of the auxiliaries a line shows what its account asks for and what is filled in; the rest on demand.
  const fit = (line) => {
    const needs = line.dataset.needs.split(" ");
    let rest = 0;
    for (const part of App.all("[data-part]", line)) {
      const isNeeded = needs.includes(part.dataset.part);
      part.hidden = !(isNeeded || "all" in line.dataset || part.querySelector("input[type=hidden], select").value);
      part.querySelector(".lbl").classList.toggle("req", isNeeded && part.dataset.part !== "cash_flow");
      rest += part.hidden;
    }
    line.querySelector("[data-parts]").hidden = !rest || !line.querySelector("[name=line_account_id]").value;
  };
  const acts = {
    add: () => add(at()),
    copy: () => {
      const line = at(), above = line?.previousElementSibling;
      if (!above?.matches("[data-line]")) return;
      line.querySelector("[name=line_memo]").value = above.querySelector("[name=line_memo]").value;
      line.dataset.needs = above.dataset.needs;
      for (const hidden of App.all("input[data-lookup-url]", line)) {
        const from = above.querySelector(`[name=${hidden.name}]`);
        hidden.choose(from.value, from.nextElementSibling?.querySelector("input[type=text]")?.value ?? "");
      }
      line.querySelector("select").value = above.querySelector("select").value;
      fit(line);
      show();
    },
    balance: () => {
      const line = at(), debit = line.querySelector("[name=line_debit]"), credit = line.querySelector("[name=line_credit]");
      debit.value = credit.value = "";
      const gap = total("debit") - total("credit");
      if (gap > 0n) credit.value = money(gap); else if (gap < 0n) debit.value = money(-gap);
      show();
    },
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act], [data-drop], [data-parts]");
    if (!button) return;
    if ("parts" in button.dataset) {
      const line = button.closest("[data-line]");
      line.dataset.all = "";
      fit(line);
      line.querySelector("[data-part] input[type=text]")?.focus();
      return;
    }
    if ("drop" in button.dataset) {
      const line = button.closest("[data-line]");
      if (lines().length > 2) line.remove();
      else {
        for (const input of App.all("input, select", line)) if (input.choose) input.choose("", ""); else input.value = "";
        line.dataset.needs = "";
        fit(line);
      }
      show();
      return;
    }
    acts[button.dataset.act]();
  });
  table.addEventListener("input", (event) => {
    // One amount per line: typing on one side clears the other.
    const other = { line_debit: "line_credit", line_credit: "line_debit" }[event.target.name];
    if (other && event.target.value.trim()) event.target.closest("[data-line]").querySelector(`[name=${other}]`).value = "";
    show();
  });
  table.addEventListener("chosen", (event) => {
    const line = event.target.closest("[data-line]");
    if (event.target.name === "line_account_id") {
      line.dataset.needs = event.detail.item.needs ?? (event.target.value ? line.dataset.needs : "");
      fit(line);
    }
    if (event.detail.byKey && document.activeElement?.closest(".lookup")?.previousElementSibling === event.target) next(document.activeElement);
  });

  // Enter goes on: through the head, along the line, from an amount to the next line, and from a balance to the button.
  const cells = (root) => App.all("input:is([type=text], [type=date], [type=number], :not([type])), select", root).filter((node) => !node.readOnly && node.offsetParent);
  const isBalanced = () => total("debit") !== 0n && total("debit") === total("credit");
  const next = (from) => {
    const line = from.closest("[data-line]");
    const isDone = from.name === "line_credit" || (from.name === "line_debit" && from.value.trim());
    if (line && isDone) {
      const below = line.nextElementSibling?.matches("[data-line]") ? line.nextElementSibling : null;
      if (isBalanced() && !below?.querySelector("[name=line_account_id]").value) form.querySelector("[data-save]").focus();
      else (below ?? add(line)).querySelector("[name=line_memo]").focus();
      return;
    }
    const all = cells(form);
    (all[all.indexOf(from) + 1] ?? form.querySelector("[data-save]")).focus();
  };
  const across = (from, step) => {
    const line = from.closest("[data-line]"), other = step < 0 ? line.previousElementSibling : line.nextElementSibling;
    if (!other?.matches("[data-line]")) return;
    const same = from.name ? other.querySelector(`[name=${from.name}]`) : other.querySelector(".e-account > .lookup input");
    same.focus();
    same.select?.();
  };
  form.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.isComposing || event.defaultPrevented || !target.matches("input, select")) return;
    if (event.key === "Enter") { event.preventDefault(); next(target); return; } // instead of saving half a voucher
    const line = target.closest("[data-line]");
    if (!line) return;
    if (event.key === "Insert") { event.preventDefault(); acts.add(); }
    else if (event.key === "F4") { event.preventDefault(); acts.copy(); }
    else if (event.key === "F7" && target.name === "line_memo") { event.preventDefault(); try { target.showPicker(); } catch { /* an old browser opens it with the arrow */ } }
    else if (event.key === "=" && /^line_(debit|credit)$/.test(target.name)) { event.preventDefault(); acts.balance(); }
    else if (/^Arrow(Up|Down)$/.test(event.key) && /^line_(debit|credit)$/.test(target.name)) { event.preventDefault(); across(target, event.key === "ArrowUp" ? -1 : 1); }
  });
  lines().forEach(fit);
  show();
});
