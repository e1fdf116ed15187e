"use strict";
// Forms: amounts with separators, Ctrl+S, Esc, errors tied to their fields, plain values on demand, phrases.
// Dates are typed and read as 2026-11-25 whatever language the browser speaks; the calendar is one click away.
App.day = (text, now = new Date()) => {
  const digits = text.trim().replace(/[年月./]/g, "-").replace(/日$/, "");
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(digits) ?? /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(digits);
  const short = match ? null : /^(\d{1,2})-(\d{1,2})$/.exec(digits);
  const [year, month, day] = match ? match.slice(1) : short ? [String(now.getFullYear()), short[1], short[2]] : [];
  return year ? `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}` : text;
};
App.dated = (input) => {
  if (matchMedia("(pointer: coarse)").matches) return; // a thumb is better off with the phone's own wheel
  const wrap = App.make("span", { class: "dated" });
  const picker = App.make("input", { type: "date", tabindex: "-1", "aria-hidden": "true" });
  const open = App.make("button", { type: "button", tabindex: "-1", "aria-label": "打开日历" });
  open.append(App.icon("cal"), picker);
  input.replaceWith(wrap);
  input.type = "text";
  input.inputMode = "numeric";
  input.maxLength = 11;
  input.autocomplete = "off";
  input.placeholder ||= "年-月-日";
  input.classList.add("form-control");
  wrap.append(input, open);
  open.addEventListener("click", (event) => {
    if (event.target === picker || input.readOnly || input.disabled) return;
    picker.value = App.day(input.value);
    picker.showPicker();
  });
  picker.addEventListener("change", () => {
    input.value = picker.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
  input.addEventListener("change", () => { input.value = App.day(input.value); });
};

// What is typed is kept as its author's draft every few seconds until it is saved; passwords and files are not.
App.drafted = (form, isDirty) => {
  const place = form.dataset.draft, note = form.querySelector("[data-draft-note]"), state = form.querySelector("[data-draft-state]");
  if (!place) return;
  let timer = 0, isAsked = Boolean(note), sent = "";
  const said = (words) => { if (state) state.textContent = words; };
  const keep = () => {
    clearTimeout(timer);
    timer = 0;
    const secret = new Set(App.all("input[type=password], [name=csrf_token], [name=form_key], [name=draft]", form).map((input) => input.name));
    const fields = JSON.stringify([...new FormData(form)].filter(([name, value]) => typeof value === "string" && !secret.has(name)));
    if (isAsked || !isDirty() || fields === sent) return;
    sent = fields;
    const title = document.querySelector("h1")?.textContent.trim() || document.title;
    App.json("/drafts/keep", { method: "POST", keepalive: fields.length < 20000, body: new URLSearchParams({ place, title, fields }) }).then((answer) => {
      form.querySelector("[name=draft]").value = "1";
      said(`草稿已存 ${answer.at}`);
    }).catch((error) => { sent = ""; said(`草稿没有存上：${error.message}`); });
  };
  const later = () => { if (!isAsked && !timer) timer = setTimeout(keep, 1500); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", () => { clearTimeout(timer); isAsked = true; });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });
  note?.querySelector("[data-draft-drop]").addEventListener("click", async () => {
    try {
      await App.json("/drafts/drop", { method: "POST", body: new URLSearchParams({ place, from: "form" }) });
      note.remove();
      isAsked = false;
      later();
    } catch (error) { App.toast(error.message, "warn"); }
  });
};

document.addEventListener("DOMContentLoaded", () => {
  App.all(".control > input[type=date], .form-group > input[type=date]").forEach(App.dated);
  for (const input of App.all(".control > input[type=file]")) { // says in our words what was chosen
    input.addEventListener("change", () => { input.parentElement.dataset.chosen = [...input.files].map((file) => file.name).join("、"); });
  }

  // The control says what is wrong with it to readers of every kind.
  for (const group of App.all(".form-group")) {
    const control = group.querySelector("input:not([type=hidden]), select, textarea");
    const problem = group.querySelector(".error-block"), help = group.querySelector(".help-block[id]");
    if (!control) continue;
    if (problem) control.setAttribute("aria-invalid", "true");
    const ids = [problem?.id, help?.id].filter(Boolean).join(" ");
    if (ids && !control.hasAttribute("aria-describedby")) control.setAttribute("aria-describedby", ids);
  }

  // Amounts: 6,000,000.00 while one reads, bare digits while one types, none of the commas in what is sent.
  const shown = (text) => {
    const fen = App.fen(text);
    return fen === null ? text : App.money(fen);
  };
  const bare = (text) => text.replace(/[,，]/g, "");
  const isAmount = (node) => node instanceof HTMLInputElement && (node.matches("[data-money]") || node.closest("[data-kind=money]")) && node.type === "text";
  for (const input of App.all("[data-kind=money] input, input[data-money]")) {
    input.dataset.money = "";
    input.inputMode = "decimal";
    input.autocomplete = "off";
    if (isAmount(input)) input.value = shown(input.value);
  }
  for (const input of App.all("[data-kind=rate] input, [data-kind=int] input")) { input.dataset.rate = ""; input.inputMode = "decimal"; }
  const isNumber = (node) => isAmount(node) || (node instanceof HTMLInputElement && "rate" in node.dataset && node.type === "text");
  // Whoever comes to a number means to type it anew: what stood there is selected, by Tab and by the first click.
  let pressed = null;
  document.addEventListener("pointerdown", (event) => { pressed = isNumber(event.target) && event.target !== document.activeElement ? event.target : null; });
  document.addEventListener("click", (event) => { // the press has put the caret between two digits
    if (event.target === pressed && pressed.selectionStart === pressed.selectionEnd) pressed.select();
    pressed = null;
  });
  document.addEventListener("focusin", (event) => {
    if (!isNumber(event.target) || event.target.readOnly) return;
    if (isAmount(event.target)) event.target.value = bare(event.target.value);
    event.target.select();
  });
  document.addEventListener("focusout", (event) => { if (isAmount(event.target)) event.target.value = shown(event.target.value.trim()); });
  document.addEventListener("formdata", (event) => {
    const amounts = App.all("input[data-money][name]", event.target).filter((input) => isAmount(input) && !input.disabled);
    for (const name of new Set(amounts.map((input) => input.name))) event.formData.delete(name);
    for (const input of amounts) event.formData.append(input.name, bare(input.value)); // many lines may share a name
  });

  // Plain values of personal data: each look is a request of its own, and logged there.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-reveal-url]");
    if (!button || button.disabled) return;
    button.disabled = true;
    try {
      const answer = await App.json(button.dataset.revealUrl, { method: "POST" });
      const into = button.dataset.revealInto && document.getElementById(button.dataset.revealInto);
      if (into) { into.value = answer.value; into.readOnly = false; (button.closest(".help-block") ?? button).remove(); } else {
        const cell = button.parentElement;
        cell.title = "";
        cell.replaceChildren(document.createTextNode(answer.value));
      }
    } catch (error) {
      App.toast(error.message, "warn");
      button.disabled = false;
    }
  });

  for (const phrase of App.all("[data-phrase]")) {
    phrase.addEventListener("click", () => {
      const box = document.querySelector("#opinion");
      box.value = box.value.trim() ? `${box.value.trim()}；${phrase.dataset.phrase}` : phrase.dataset.phrase;
      box.focus();
    });
  }

  // A long list of boxes has one for all of them, which shows whether all, some or none are ticked.
  for (const list of App.all(".choices[data-all]")) {
    const boxes = App.all("input", list), all = App.make("input", { type: "checkbox" });
    const show = () => {
      const on = boxes.filter((box) => box.checked).length;
      all.checked = on === boxes.length;
      all.indeterminate = on > 0 && on < boxes.length;
    };
    const label = App.make("label");
    label.append(all, ` 全部 ${boxes.length} 项`);
    list.prepend(label);
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
    list.addEventListener("change", show);
    show();
  }

  // One begins to type where one is: at the first wrong field, at the one that the address names, or at the first.
  const editable = (root) => App.all("input:not([type=hidden]):not([type=file]), select, textarea", root).find((node) => !node.readOnly && !node.disabled && node.offsetParent);
  const wrong = document.querySelector("#form .has-error"), named = location.hash && document.getElementById(location.hash.slice(1));
  const written = document.querySelector("#form:has(.form-part)"), entry = written && editable(wrong || named || written);
  const isHere = wrong || named || (!document.querySelector("[data-focus]") && matchMedia("(pointer: fine)").matches);
  if (entry && isHere && !isNumber(entry)) entry.focus({ preventScroll: true }); // a number is selected by the first click
  if (entry && (wrong || named)) entry.scrollIntoView({ block: "center" });

  // Leaving with something typed asks first.
  const form = document.querySelector("#form[data-guard]");
  if (!form) return;
  let isDirty = false;
  form.addEventListener("input", (event) => { if (event.target.name || event.target.closest(".lookup")) isDirty = true; });
  form.addEventListener("change", () => { isDirty = true; });
  form.addEventListener("submit", () => { isDirty = false; });
  addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
  App.drafted(form, () => isDirty);

  // A day that was proposed months after another stays as far behind it, until somebody types it or it was sent.
  const [from, until] = form.action.includes("/do/") && !form.querySelector("[role=alert], [name=seen]") ? App.all("[data-kind=date] input[name]", form) : [];
  const month = (text) => { const [year, number] = text.split("-").map(Number); return year * 12 + number - 1; };
  const span = until?.value && from.value ? month(until.value) - month(from.value) : 0;
  let proposed = until?.value;
  if (span > 0) from.addEventListener("change", () => {
    if (until.value !== proposed || !/^\d{4}-\d\d-\d\d$/.test(from.value)) return;
    const at = month(from.value) + span, last = new Date(Date.UTC(Math.floor(at / 12), at % 12 + 1, 0)).getUTCDate();
    const parts = [Math.floor(at / 12), at % 12 + 1, Math.min(Number(from.value.slice(8)), last)];
    until.value = proposed = parts.map((part) => String(part).padStart(2, "0")).join("-");
  });

  // What is chosen proposes other values; what somebody has typed, or sent before, stays.
  const url = form.dataset.proposeUrl;
  if (!url) return;
  const typed = new Set();
  const note = (event) => { if (event.isTrusted && event.target.name) typed.add(event.target.name); };
  form.addEventListener("input", note);
  form.addEventListener("change", note);
  const isSentBefore = form.querySelector("[role=alert]") !== null;
  form.addEventListener("chosen", async ({ target }) => {
    if (!target.name || !target.value) return;
    const found = await App.json(`${url}?${new URLSearchParams({ [target.name]: target.value })}`).catch(() => ({}));
    for (const [name, value] of Object.entries(found)) {
      const control = form.elements[name];
      if (control && !typed.has(name) && !(isSentBefore && control.value)) control.value = value;
    }
  });
});

document.addEventListener("keydown", (event) => {
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    const button = document.querySelector("[data-save]:not([disabled])");
    if (!button) return;
    event.preventDefault();
    document.activeElement?.blur(); // lets an amount take its final form
    button.form.requestSubmit(button);
  } else if (event.key === "Escape" && !document.querySelector("details.dropdown[open], .options:not([hidden])")) {
    const cancel = document.querySelector("[data-cancel]");
    if (cancel) { event.preventDefault(); cancel.click(); }
  } else {
    const hot = !App.typing(event.target) && App.all("[data-hotkey]").find((node) => node.dataset.hotkey.toLowerCase() === [event.ctrlKey && "ctrl", event.altKey && "alt", event.key.toLowerCase()].filter(Boolean).join(" "));
    if (hot) { event.preventDefault(); hot.click(); }
  }
});
