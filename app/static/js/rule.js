"use strict";
// A rule (规则语言): a text box that is checked while one types, offers the labels, and can be filled in by rows.
App.rule = (box) => {
  const { ruleUrl: url, ruleField: field, ruleAbout: named, ruleEmpty: empty = "留空表示不限" } = box.dataset;
  const about = () => box.form?.elements[named]?.value ?? "";
  const panel = App.make("div", { class: "rule" });
  const said = App.make("div", { class: "rule-said", role: "status", id: `${box.id}-said` });
  const list = App.make("ul", { class: "options", role: "listbox", id: `${box.id}-options`, hidden: "" });
  const opener = App.make("button", { class: "btn btn-sm", type: "button", "aria-expanded": "false" }, "按行填写");
  const rows = App.make("div", { class: "rule-rows", hidden: "" });
  opener.hidden = "ruleEmpty" in box.dataset; // rows make conditions, no values
  box.spellcheck = false;
  box.setAttribute("aria-describedby", [box.getAttribute("aria-describedby"), said.id].filter(Boolean).join(" "));
  box.after(panel);
  panel.append(list, said, opener, rows);

  // --- what may be named, asked for once
  const words = new Map();
  const load = async () => {
    const query = new URLSearchParams({ field, about: about() });
    if (!words.has(about())) words.set(about(), App.json(`${url}?${query}`).catch(() => ({ fields: [], children: [] })));
    return words.get(about());
  };

  // --- the check while one types
  let timer = 0, asked = null;
  const say = (text, tone) => { said.textContent = text; said.dataset.tone = tone; };
  const check = async () => {
    asked?.abort();
    asked = new AbortController();
    if (!box.value.trim()) { say(empty, ""); return; }
    if (named && !about()) { say("请先选择业务对象", ""); return; }
    const body = new URLSearchParams({ field, about: about(), text: box.value });
    try {
      const found = await App.json(url, { method: "POST", body, signal: asked.signal });
      if (found.error) say(found.error, "bad");
      else say(`读作：${found.sentence}${found.rows === undefined ? "" : `　符合的${found.label} ${found.rows} 条`}`, "ok");
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, "bad");
    }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(check, 300); };

  // --- labels offered for what is being typed
  let at = -1;
  const items = () => App.all("li", list);
  const mark = (index) => {
    const found = items();
    at = found.length ? (index + found.length) % found.length : -1;
    found.forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
  };
  const close = () => { list.hidden = true; at = -1; };
  const typed = () => /[\p{L}\p{N}_「]+$/u.exec(box.value.slice(0, box.selectionStart))?.[0] ?? "";
  const put = (text) => {
    const end = box.selectionStart, start = end - typed().length;
    box.setRangeText(`${text} `, start, end, "end");
    close();
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  };
  const offer = async () => {
    const part = typed().replace("「", "");
    if (!part || /^\d/.test(part)) { close(); return; }
    const { fields, children } = await load();
    const known = [
      ...fields.map((one) => [one.label, one.choices.length ? "选项" : ""]), ...children.map((label) => [label, "明细"]),
      ...fields.flatMap((one) => one.choices.map((choice) => [`“${choice}”`, one.label])),
    ];
    const found = known.filter(([label]) => label.includes(part) && label !== part).slice(0, 8);
    list.replaceChildren(...found.map(([label, hint]) => {
      const item = App.make("li", { role: "option", "aria-selected": "false" });
      item.append(App.make("span", { class: "clip" }, label), App.make("small", {}, hint));
      item.addEventListener("pointerdown", (event) => event.preventDefault());
      item.addEventListener("click", () => put(label));
      return item;
    }));
    list.hidden = !found.length;
    at = -1;
  };
  box.addEventListener("input", (event) => { later(); if (!event.isComposing) offer(); });
  box.addEventListener("compositionend", offer);
  box.addEventListener("blur", () => setTimeout(close, 120));
  box.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
    else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) { event.preventDefault(); items()[at].click(); }
    else if (event.key === "Escape") { event.stopPropagation(); close(); }
  });

  // --- the same by rows: field, operator, value, joined by 且 or 或
  const EMPTY = ["为空", "不为空"];
  const written = (kind, value) => {
    if (kind === "TEXT" || kind === "CODE" || kind === "RECORD") return `“${value.replace(/[“”"]/g, "")}”`;
    return kind === "PERCENT" && !/%\s*$/.test(value) ? `${value}%` : value;
  };
  const select = (options, chosen, label) => {
    const found = App.make("select", { class: "form-control", "aria-label": label });
    found.append(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
    return found;
  };
  const joint = select([["且", "全部满足（且）"], ["或", "满足其一（或）"]], "且", "怎样合并");
  const add = App.make("button", { class: "btn btn-sm", type: "button" }, "添加一行");
  const lines = App.make("div", { class: "rule-lines" });
  rows.append(joint, lines, add);
  const write = () => {
    const found = App.all(".rule-line", lines).map((line) => line.read()).filter(Boolean);
    box.value = found.join(` ${joint.value} `);
    later();
  };
  const line = (fields, start = {}) => {
    const made = App.make("div", { class: "rule-line" });
    const name = select([["", "选择字段"], ...fields.map((one) => [one.label, one.label])], start.label ?? "", "字段");
    const operator = select([], "", "比较");
    const place = App.make("span", { class: "rule-value" });
    const remove = App.make("button", { class: "btn btn-sm", type: "button", "aria-label": "删除这一行" }, "×");
    const kind = () => fields.find((one) => one.label === name.value);
    const value = () => place.firstElementChild;
    const draw = (chosen = "", given = "") => {
      const one = kind();
      operator.replaceChildren(...(one?.operators ?? []).map((sign) => new Option(sign, sign, false, sign === chosen)));
      const known = one?.kind === "FLAG" ? ["是", "否"] : one?.choices ?? [];
      const control = known.length ? select(known.map((text) => [text, text]), given, "值")
        : App.make("input", { class: "form-control", "aria-label": "值", autocomplete: "off", placeholder: { MONEY: "如 500万", PERCENT: "如 70%", DATE: "如 2026-03-31、今天-30天；在：近90天、上月" }[one?.kind] ?? "" });
      if (!known.length) control.value = given;
      place.replaceChildren(control);
      value().hidden = EMPTY.includes(operator.value);
    };
    made.read = () => {
      const one = kind();
      if (!one) return "";
      if (EMPTY.includes(operator.value)) return `${one.label} ${operator.value}`;
      return value().value.trim() ? `${one.label} ${operator.value} ${written(one.kind, value().value.trim())}` : "";
    };
    name.addEventListener("change", () => { draw(); write(); });
    operator.addEventListener("change", () => { value().hidden = EMPTY.includes(operator.value); write(); });
    place.addEventListener("input", write);
    remove.addEventListener("click", () => { made.remove(); write(); });
    draw(start.operator, start.value);
    made.append(name, operator, place, remove);
    return made;
  };
  // A text as rows, where it is one that rows could have written; null where it says more than they can.
  const read = (text, fields) => {
    if (!text.trim()) return { word: "且", found: [{}] };
    const bare = text.replace(/“[^”]*”/g, (quoted) => quoted.replace(/[且或]/g, "\u0000"));
    const word = / 或 /.test(bare) ? "或" : "且";
    let from = 0;
    const parts = bare.split(` ${word} `).map((part) => { const mine = text.slice(from, from + part.length); from += part.length + 3; return mine; });
    const found = parts.map((part) => {
      const match = /^(\S+) (=|≠|>|≥|<|≤|在|不在|包含|不包含|为空|不为空)(?: ([^()且或]+))?$/.exec(part.trim());
      const known = match && fields.find((one) => one.label === match[1] && one.operators.includes(match[2]));
      return known ? { label: match[1], operator: match[2], value: (match[3] ?? "").replace(/^“|”$/g, "") } : null;
    });
    return found.every(Boolean) ? { word, found } : null;
  };
  opener.addEventListener("click", async () => {
    const { fields } = await load();
    const isOpen = rows.hidden;
    if (isOpen) {
      const known = read(box.value, fields);
      if (!known) { say("这条规则比按行填写能表达的多，请直接修改文字", ""); return; }
      joint.value = known.word;
      lines.replaceChildren(...known.found.map((one) => line(fields, one)));
    }
    rows.hidden = !isOpen;
    box.readOnly = isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
    opener.textContent = isOpen ? "改为文字" : "按行填写";
  });
  joint.addEventListener("change", write);
  add.addEventListener("click", async () => { lines.append(line((await load()).fields)); });
  check();
};

document.addEventListener("DOMContentLoaded", () => App.all("textarea[data-rule-url]").forEach(App.rule));
