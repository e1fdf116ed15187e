"use strict";
// Look-up: a typed box over a hidden id. Answers are [{"id", "text", "hint"}], at most 20, asked for with ?q=.
App.lookup = (hidden) => {
  if (hidden.dataset.ready) return;
  hidden.dataset.ready = "1";
  hidden.type = "hidden";
  const wrap = App.make("span", { class: "lookup" });
  const listId = `${hidden.id || hidden.name}-options`;
  const box = App.make("input", {
    class: "form-control", type: "text", role: "combobox", autocomplete: "off", maxlength: "60", "aria-expanded": "false",
    "aria-controls": listId, "aria-autocomplete": "list", placeholder: hidden.dataset.placeholder || "输入名称、编号或拼音首字母",
  });
  const label = hidden.id && document.querySelector(`label[for="${CSS.escape(hidden.id)}"]`);
  if (hidden.id) { box.id = `${hidden.id}-text`; }
  if (label) label.htmlFor = box.id;
  for (const name of ["aria-invalid", "aria-describedby", "aria-label"]) if (hidden.hasAttribute(name)) box.setAttribute(name, hidden.getAttribute(name));
  const isFixed = hidden.disabled || hidden.hasAttribute("readonly");
  box.readOnly = isFixed;
  box.value = hidden.dataset.text || "";
  const clear = App.make("button", { class: "clear", type: "button", "aria-label": "清除", tabindex: "-1" });
  clear.append(App.icon("x"));
  const list = App.make("ul", { class: "options", id: listId, role: "listbox", hidden: "" });
  hidden.after(wrap);
  wrap.append(box, clear, list);

  // `drawn` is the text that the shown answers belong to; `isHasty`: Enter or Tab came before the answer did.
  let chosen = box.value, at = -1, timer = 0, asked = null, drawn = null, isHasty = false;
  const options = () => App.all("li:not(.none)", list);
  const show = (isOpen) => { list.hidden = !isOpen; box.setAttribute("aria-expanded", String(isOpen)); if (!isOpen) box.removeAttribute("aria-activedescendant"); };
  const refresh = () => { clear.hidden = isFixed || !box.value; };
  const mark = (index) => {
    const items = options();
    if (!items.length) return;
    at = (index + items.length) % items.length;
    items.forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    items[at].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", items[at].id);
  };
  const choose = (id, text, item = {}, byKey = false) => {
    clearTimeout(timer); // an answer that comes after the choice would open the list again
    asked?.abort();
    hidden.value = id;
    box.value = chosen = text;
    isHasty = false;
    show(false);
    refresh();
    hidden.dispatchEvent(new Event("change", { bubbles: true }));
    hidden.dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: { item, byKey } }));
  };
  hidden.choose = choose;
  const none = (text) => { list.replaceChildren(App.make("li", { class: "none" }, text)); show(true); };
  // What the look-up misses is made in a dialog, by whoever may, and chosen.
  const offer = (text) => {
    if (!hidden.dataset.createUrl) return;
    const option = App.make("li", { class: "create", role: "option", id: `${listId}-new`, "aria-selected": "false" });
    option.append(App.icon("plus"), App.make("span", {}, text ? `新增“${text}”` : "新增"));
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("click", async () => {
      show(false);
      const made = await App.quick(hidden.dataset.createUrl, text);
      if (made) choose(String(made.id), made.text);
      box.focus();
    });
    list.append(option);
  };
  const draw = (found) => {
    at = -1;
    const text = box.value === chosen ? "" : box.value.trim();
    if (!found.length) { none("没有找到，换个词试试"); offer(text); return; }
    list.replaceChildren(...found.slice(0, 20).map((item, i) => {
      const option = App.make("li", { role: "option", id: `${listId}-${i}`, "aria-selected": "false" });
      option.append(App.make("span", { class: "clip" }, item.text));
      if (item.hint) option.append(App.make("small", {}, item.hint));
      option.addEventListener("pointerdown", (event) => event.preventDefault()); // keep the focus in the box
      option.addEventListener("click", (event) => choose(String(item.id), item.text, item, !event.isTrusted));
      return option;
    }));
    offer(text);
    show(true);
    mark(0);
  };
  const ask = async () => {
    clearTimeout(timer);
    asked?.abort();
    asked = new AbortController();
    const url = new URL(hidden.dataset.lookupUrl, location.origin);
    const text = box.value;
    url.searchParams.set("q", text === chosen ? "" : text.trim());
    try {
      const found = await App.json(url, { signal: asked.signal });
      draw(Array.isArray(found) ? found : found?.result ?? []);
      drawn = text;
      if (isHasty) (options().find((option) => !option.matches(".create")) ?? { click: forget }).click();
    } catch (error) {
      if (error.name !== "AbortError") { isHasty = false; none(error.message); }
    }
  };
  const forget = () => { // what was typed but not chosen is not a value
    isHasty = false;
    if (document.activeElement === box) return;
    show(false);
    box.value = chosen;
    refresh();
  };
  const hurry = () => { isHasty = true; ask(); };
  const isAnswered = () => !list.hidden && drawn === box.value;
  box.addEventListener("input", (event) => {
    refresh();
    if (!box.value) { choose("", ""); }
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, 180);
  });
  box.addEventListener("compositionend", () => { clearTimeout(timer); timer = setTimeout(ask, 80); });
  box.addEventListener("click", () => { if (list.hidden && !isFixed) ask(); });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || isFixed) return;
    if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? ask() : mark(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
    else if (event.key === "F7") { event.preventDefault(); ask(); }
    else if (event.key === "Enter" && isAnswered()) { event.preventDefault(); options()[at]?.click(); }
    else if (event.key === "Enter" && box.value !== chosen) { event.preventDefault(); event.stopPropagation(); hurry(); }
    else if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); box.value = chosen; show(false); refresh(); }
    else if (event.key === "Tab" && box.value !== chosen && isAnswered()) options()[at]?.click();
    else if (event.key === "Tab" && box.value !== chosen) hurry();
  });
  box.addEventListener("blur", () => setTimeout(() => { if (!isHasty) forget(); }, 120));
  clear.addEventListener("click", () => { choose("", ""); box.focus(); });
  refresh();
};

// The small form of what a look-up misses, in a dialog: gives the new record, or null.
App.quick = async (url, text) => {
  const dialog = App.make("dialog", { class: "quick" }), draw = (html) => {
    dialog.innerHTML = html;
    for (const node of App.all("[id]", dialog)) node.id = `quick-${node.id}`; // the form below has fields of the same names
    for (const label of App.all("label[for]", dialog)) label.htmlFor = `quick-${label.htmlFor}`;
    for (const node of App.all("[aria-describedby]", dialog)) node.setAttribute("aria-describedby", `quick-${node.getAttribute("aria-describedby")}`);
    App.all("input[data-lookup-url]", dialog).forEach(App.lookup);
    App.all(".control > input[type=date]", dialog).forEach(App.dated);
    const wrong = dialog.querySelector(".has-error") ?? dialog;
    wrong.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  };
  const piece = async (where, options) => {
    const answer = await fetch(where, { ...options, headers: { Accept: "text/html" } });
    if (answer.redirected) throw new Error("变更已提交，待另一人发布后才能选用"); // four eyes: it holds not yet
    if (answer.headers.get("Content-Type")?.startsWith("application/json")) return answer.json();
    if (!answer.ok && answer.status !== 400 && answer.status !== 409) throw new Error("没有保存，请重试");
    return answer.text();
  };
  try {
    const html = await piece(`${url}?${new URLSearchParams({ text })}`);
    document.body.append(dialog);
    dialog.showModal();
    draw(html);
  } catch (error) { App.toast(error.message, "warn"); return null; }
  return new Promise((resolve) => {
    const close = (made) => { dialog.close(); dialog.remove(); resolve(made); };
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(null); });
    dialog.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) close(null); });
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const button = dialog.querySelector("[type=submit]");
      if (button.disabled) return;
      button.disabled = true;
      try {
        const made = await piece(url, { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
        if (typeof made === "object") { if (made.id) close(made); else throw new Error(made.message); } else draw(made);
      } catch (error) { App.toast(error.message, "warn"); button.disabled = false; }
    });
  });
};

document.addEventListener("DOMContentLoaded", () => App.all("input[data-lookup-url]").forEach(App.lookup));

// The search box of the top bar suggests in the same way and opens what is chosen.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("#search");
  const form = box?.form;
  if (!form || form.hidden) return;
  const list = App.make("ul", { class: "options", id: "search-options", role: "listbox", hidden: "" });
  form.append(list);
  box.setAttribute("aria-controls", "search-options");
  let timer = 0, at = -1, asked = null;
  const items = () => App.all("li[data-url]", list);
  const mark = (index) => {
    const found = items();
    at = found.length ? (index + found.length) % found.length : -1;
    found.forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    found[at]?.scrollIntoView({ block: "nearest" });
  };
  const ask = async () => {
    const word = box.value.trim();
    if (word.length === 1) { list.hidden = true; return; }
    asked?.abort();
    asked = new AbortController();
    try {
      const url = new URL(form.action);
      url.searchParams.set("q", word);
      const answer = await App.json(url, { signal: asked.signal });
      const found = (Array.isArray(answer) ? answer : answer?.result ?? []).filter((item) => item.url);
      list.replaceChildren(...found.slice(0, 20).map((item) => {
        const option = App.make("li", { role: "option", "aria-selected": "false", "data-url": item.url });
        option.append(App.make("span", { class: "clip" }, item.text), App.make("small", {}, item.hint || ""));
        option.addEventListener("pointerdown", (event) => event.preventDefault());
        option.addEventListener("click", () => location.assign(item.url));
        return option;
      }));
      at = -1;
      if (!word && found.length) list.prepend(App.make("li", { class: "none" }, "最近打开"));
      list.hidden = !found.length;
    } catch { list.hidden = true; }
  };
  box.addEventListener("focus", () => { if (!box.value) ask(); });
  box.addEventListener("click", () => { if (!box.value && list.hidden) ask(); });
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 200); });
  box.addEventListener("blur", () => setTimeout(() => { list.hidden = true; }, 120));
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); items()[at].click(); }
    else if (event.key === "Escape") { list.hidden = true; }
  });
});
