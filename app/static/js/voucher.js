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
  // Whole fen, so that no binary fraction makes a balanced voucher look unbalanced.
  const fen = (text) => {
    const match = /^([+-]?)(\d*)(?:\.(\d{0,2}))?$/.exec(text.replace(/[,，\s]/g, ""));
    if (!match || !(match[2] || match[3])) return 0n;
    const value = BigInt(match[2] || "0") * 100n + BigInt((match[3] || "").padEnd(2, "0"));
    return match[1] === "-" ? -value : value;
  };
  const money = (value) => {
    const text = String(value < 0n ? -value : value).padStart(3, "0");
    return `${value < 0n ? "-" : ""}${text.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${text.slice(-2)}`;
  };
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
    show();
    copy.querySelector("[name=line_memo]").focus();
    return copy;
  };
  const at = () => document.activeElement?.closest?.("[data-line]") ?? lines().at(-1);
  const set = (hidden, value, text) => {
    hidden.value = value;
    const box = hidden.nextElementSibling?.querySelector("input[type=text]");
    if (box) box.value = text;
    hidden.dataset.text = text;
  };
  const acts = {
    add: () => add(at()),
    copy: () => {
      const line = at(), above = line?.previousElementSibling;
      if (!above?.matches("[data-line]")) return;
      line.querySelector("[name=line_memo]").value = above.querySelector("[name=line_memo]").value;
      for (const hidden of App.all("input[data-lookup-url]", line)) {
        const from = above.querySelector(`[name=${hidden.name}]`);
        set(hidden, from.value, from.nextElementSibling?.querySelector("input[type=text]")?.value ?? "");
      }
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
    const button = event.target.closest("[data-act], [data-drop]");
    if (!button) return;
    if ("drop" in button.dataset) {
      const line = button.closest("[data-line]");
      if (lines().length > 2) line.remove();
      else for (const input of App.all("input, select", line)) input.value = "";
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
  table.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Insert") { event.preventDefault(); acts.add(); }
    else if (event.key === "F4") { event.preventDefault(); acts.copy(); }
    else if (event.key === "=" && /^line_(debit|credit)$/.test(event.target.name)) { event.preventDefault(); acts.balance(); }
    else if (event.key === "Enter" && event.target.matches("input") && event.target.getAttribute("aria-expanded") !== "true") {
      event.preventDefault(); // next cell instead of saving half a voucher
      const cells = App.all(".entries input[type=text], .entries select", form).filter((node) => !node.readOnly && node.offsetParent);
      const next = cells[cells.indexOf(event.target) + 1];
      if (next) next.focus(); else add(at());
    }
  });
  show();
});
