"use strict";
// Filters of a list: rows of field, operator and value, as many as one wants; applied at once, or kept as a view.
document.addEventListener("DOMContentLoaded", () => {
  const opener = document.querySelector("details[data-filters]");
  const form = document.querySelector("form[data-filter-form]");
  if (!opener || !form) return;
  const box = form.querySelector("[data-conditions]");
  const said = form.querySelector("[data-keep-error]");
  let known = null, made = 0;

  const input = (type, extra = {}) => App.make("input", { class: "form-control", type, "data-part": "", ...extra });
  const typeOf = (kind) => (["date", "datetime"].includes(kind) ? "date" : "text");
  const select = (options, extra = {}) => {
    const control = App.make("select", { class: "form-control", "data-part": "", ...extra });
    control.append(...options.map(([value, text]) => new Option(text, value)));
    return control;
  };

  // --- the ways to say a value
  const ticks = (id, options) => { // a searchable list to tick
    const found = App.make("div", { class: "choices", id, role: "group", "aria-label": "值" });
    if (options.length > 8) {
      const find = App.make("input", { class: "form-control", type: "search", placeholder: "查找选项", "aria-label": "查找选项" });
      find.addEventListener("input", () => {
        for (const line of App.all("label", found)) line.hidden = !line.textContent.includes(find.value.trim()) && !line.firstChild.checked;
      });
      find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
      found.append(find);
    }
    found.append(...options.map(([value, text]) => tick(value, text, false)));
    return [found];
  };
  const tick = (value, text, isOn) => {
    const line = App.make("label", {}, text);
    line.prepend(Object.assign(App.make("input", { type: "checkbox", value, "data-part": "" }), { checked: isOn }));
    return line;
  };
  const looked = (id, url, isMany) => { // by typing; each that is chosen joins the ticked ones where several may be
    const control = App.make("div", { class: "control" });
    const hidden = App.make("input", { type: "hidden", id, "data-lookup-url": url, ...(!isMany && { "data-part": "" }) });
    control.append(hidden);
    if (!isMany) return [control];
    const found = App.make("div", { class: "choices", hidden: "" });
    hidden.addEventListener("chosen", (event) => {
      const { item } = event.detail;
      if (!item?.id || App.all("input", found).some((one) => one.value === String(item.id))) return;
      found.append(tick(String(item.id), item.text, true));
      found.hidden = false;
      hidden.choose("", "");
    });
    return [control, found];
  };
  const days = (id) => { // days that move with the calendar
    const counted = new Set(known.counted.map(([code]) => code));
    const chosen = select([["", "请选择"], ...known.periods, ...known.counted], { id });
    const count = App.make("input", { class: "form-control", type: "number", min: "1", max: "3660", "aria-label": "天数", placeholder: "天数", hidden: "" });
    chosen.addEventListener("change", () => { count.hidden = !counted.has(chosen.value); if (!count.hidden) count.focus(); });
    chosen.said = () => (counted.has(chosen.value) ? count.value && `${chosen.value}_${count.value}` : chosen.value);
    return [chosen, count];
  };
  const spread = (id, kind) => {
    const row = App.make("div", { class: "row-flex" });
    row.append(input(typeOf(kind), { id, "aria-label": "从" }), App.make("span", { class: "muted" }, "至"), input(typeOf(kind), { "aria-label": "到" }));
    return [row];
  };
  const valuesOf = (field, code, id) => {
    const options = field.options && known.options[field.options];
    if (code === "rel") return days(id);
    if (code === "between") return spread(id, field.kind);
    if (field.lookup_url) return looked(id, field.lookup_url, code === "in");
    if (options) return code === "in" ? ticks(id, options) : [select([["", "请选择"], ...options], { id })];
    return [input(typeOf(field.kind), { id, maxlength: "200", "aria-label": "值", ...(["money", "rate", "int"].includes(field.kind) && { inputmode: "decimal" }) })];
  };

  // --- a row
  const fields = (id) => {
    const control = App.make("select", { class: "form-control", id, "aria-label": "字段" });
    control.append(new Option("选择字段…", ""));
    const groups = new Map();
    known.fields.forEach((field, index) => {
      if (!groups.has(field.group)) groups.set(field.group, App.make("optgroup", { label: field.group }));
      const option = new Option(field.label, field.key);
      option.dataset.at = index;
      groups.get(field.group).append(option);
    });
    control.append(...groups.values());
    return control;
  };
  const addRow = () => {
    const tail = made++ ? `-${made}` : "";
    const row = App.make("div", { class: "condition" });
    const field = fields(`flt-field${tail}`);
    const operator = App.make("select", { class: "form-control", id: `flt-operator${tail}`, "aria-label": "条件", hidden: "" });
    const values = App.make("div", { class: "values" });
    const gone = App.make("button", { class: "x", type: "button", "aria-label": "去掉这一条", hidden: "" });
    gone.append(App.icon("x"));
    row.append(field, operator, values, gone);
    box.append(row);
    const now = () => known.fields[field.selectedOptions[0].dataset.at];
    const draw = () => {
      const isBlank = ["empty", "filled"].includes(operator.value);
      values.replaceChildren(...(isBlank ? [] : valuesOf(now(), operator.value, `flt-value${tail}`)));
      App.all("input[data-lookup-url]", values).forEach(App.lookup);
      App.all("input[type=date]", values).forEach(App.dated);
    };
    field.addEventListener("change", () => {
      const isChosen = Boolean(field.value);
      operator.hidden = gone.hidden = !isChosen;
      if (!isChosen) { values.replaceChildren(); return; }
      operator.replaceChildren(...now().operators.map(([value, text]) => new Option(text, value)));
      draw();
      if (row === box.lastElementChild) addRow();
    });
    operator.addEventListener("change", draw);
    gone.addEventListener("click", (event) => {
      event.stopPropagation(); // what is gone stands in no menu any more, and the menu would close as if left
      row.remove();
      if (!box.children.length) addRow();
    });
    row.said = () => {
      if (!field.value) return null;
      const code = operator.value;
      if (["empty", "filled"].includes(code)) return `${field.value}:${code}:`;
      const parts = App.all("[data-part]", values).map((part) => (part.said ? part.said() : part.type === "checkbox" ? (part.checked ? part.value : "") : part.value.trim()));
      if (!parts.some(Boolean)) { values.querySelector("input, select")?.focus(); throw new Error(`请填写“${now().label}”的值`); }
      return `${field.value}:${code}:${code === "between" ? parts.join("..") : parts.filter(Boolean).join(",")}`;
    };
  };
  const conditions = () => App.all(".condition", box).map((row) => row.said()).filter((raw) => raw !== null);

  const open = async () => {
    if (!known) {
      box.textContent = "正在读取可用的条件…";
      try { known = await App.json(opener.dataset.filters); } catch (error) { box.textContent = error.message; return; }
      box.textContent = "";
      addRow();
    }
    box.querySelector("select")?.focus();
  };
  opener.addEventListener("toggle", (event) => { if (event.target === opener && opener.open) open(); });

  // --- applied: as further filters of the address
  form.addEventListener("submit", (event) => {
    try {
      const found = conditions();
      App.all("input[data-made]", form).forEach((one) => one.remove());
      for (const value of found) form.append(App.make("input", { type: "hidden", name: "f", value, "data-made": "" }));
      if (!form.elements.rule.value.trim()) form.elements.rule.disabled = true;
      setTimeout(() => { form.elements.rule.disabled = false; });
    } catch (error) {
      event.preventDefault();
      App.toast(error.message, "warn");
    }
  });

  // --- kept as a view: what the list shows and what is being added; a refusal leaves everything as it was typed
  const keep = document.querySelector("#view-keep");
  keep?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isNew = event.submitter?.name !== "key";
    try {
      const data = new URLSearchParams(new FormData(keep, event.submitter));
      if (isNew && known) for (const raw of conditions()) data.append("f", raw);
      if (form.elements.rule.value.trim()) data.set("rule", form.elements.rule.value.trim());
      event.submitter.disabled = true;
      const { url } = await App.json(keep.action, { method: "POST", body: data });
      location.assign(url);
    } catch (error) {
      if (event.submitter) event.submitter.disabled = false;
      if (!isNew) { App.toast(error.message, "warn"); return; }
      said.textContent = error.message;
      said.hidden = false;
    }
  });
});
