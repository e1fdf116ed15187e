"use strict";
// 文书模板: the text as it will look, placeholders as chips with Chinese names; the box of text beneath stays the truth.
App.letter = async (box) => {
  const { letter: url, letterProjects: projects, letterMost: most } = box.dataset;
  const known = await App.json(url).catch((error) => { App.toast(error.message, "warn"); return null; });
  if (!known) return;
  const { groups, names } = known;
  const TOKEN = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/;
  const MASTER = new RegExp(`<!--[\\s\\S]*?-->|${TOKEN.source}|</?([a-zA-Z][\\w]*)(?:"[^"]*"|'[^']*'|[^>"'])*>`, "g");
  const PARTS = new Set(["TABLE", "THEAD", "TBODY", "TFOOT", "TR", "COLGROUP", "UL", "OL"]);
  const TAGS = new Set("H1 H2 H3 H4 P DIV SPAN BR HR B STRONG I EM U S SUB SUP SMALL OL UL LI TABLE CAPTION COLGROUP COL THEAD TBODY TFOOT TR TH TD BLOCKQUOTE PRE".split(" "));
  const KEPT = { "*": ["class", "style", "align"], TD: ["colspan", "rowspan"], TH: ["colspan", "rowspan"], OL: ["start", "type"] };
  const BLOCKS = "p, h1, h2, h3, h4, li, td, th, div, blockquote, pre";
  const MARK = "jinja ";

  // --- the frame
  const make = App.make;
  const button = (label, title, act, look = "") => {
    const made = make("button", { class: `btn btn-sm ${look}`, type: "button", title, "aria-label": title }, label);
    made.addEventListener("pointerdown", (event) => event.preventDefault()); // the caret stays in the text
    made.addEventListener("click", act);
    return made;
  };
  const root = make("div", { class: "letter" });
  const bar = make("div", { class: "letter-bar", role: "toolbar", "aria-label": "格式" });
  const top = make("div", { class: "letter-top" });
  const main = make("div", { class: "letter-main" });
  const left = make("div", { class: "letter-left" });
  const surface = make("div", { class: "draft-paper letter-text", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-label": "正文", tabindex: "0", spellcheck: "false" });
  const side = make("div", { class: "letter-side", "aria-label": "占位符" });
  const said = make("div", { class: "letter-said", role: "status", "aria-live": "polite", hidden: "" });
  const shown = make("div", { class: "letter-preview", hidden: "" });
  box.before(root);
  left.append(bar, surface, box);
  main.append(left, side);
  root.append(top, said, main, shown);
  box.classList.add("letter-source");
  const say = (text, tone = "") => { said.hidden = !text; said.textContent = text; said.dataset.tone = tone; };

  const wrong = box.closest(".form-group")?.querySelector(".error-block")?.textContent ?? "";
  if (wrong) say(wrong, "bad"); // beside the text: below it nobody would look

  // --- names
  const pathOf = (path, scope) => {
    const [first, ...rest] = path.split(".");
    return first in scope ? [scope[first] && `${scope[first]}[]`, ...rest].filter(Boolean).join(".") : path;
  };
  const WAYS = { capital: "（大写）", cn_date_formal: "（汉字）" };
  const nameOf = (path, scope) => {
    if (path === "loop.index") return "序号";
    if (path in scope) return `本项${names[scope[path]] ?? ""}`;
    return names[pathOf(path, scope)];
  };
  const spoken = (expression, scope) => expression.replace(/[A-Za-z_][\w.]*/g, (word) => {
    const fixed = { and: "且", or: "或", not: "没有", is: "", none: "空", "loop.last": "是最后一项", "loop.first": "是第一项" }[word];
    return fixed ?? nameOf(word, scope) ?? word;
  }).replace(/\s+/g, " ").trim();
  // What a chip says and how it looks; loops name their item in `scope` while the text is gone through.
  const describe = (token, scope) => {
    let match = /^\{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)\s*-?%\}$/.exec(token);
    if (match) {
      const path = pathOf(match[2], scope);
      scope[match[1]] = path;
      return { text: `逐项：${names[path] ?? match[2]}`, look: path in names ? "rule" : "wrong" };
    }
    if (/^\{%-?\s*endfor/.test(token)) return { text: "逐项结束", look: "rule" };
    if ((match = /^\{%-?\s*(?:el)?if\s+([\s\S]+?)\s*-?%\}$/.exec(token))) {
      const bare = /^[\w.]+$/.test(match[1]);
      return { text: `${token.includes("elif") ? "否则如果" : "如果"}${bare ? "有 " : " "}${spoken(match[1], scope)}`, look: "rule" };
    }
    if (/^\{%-?\s*else/.test(token)) return { text: "否则", look: "rule" };
    if (/^\{%-?\s*endif/.test(token)) return { text: "如果结束", look: "rule" };
    match = /^\{\{-?\s*([\w.]+)\s*((?:\|[\s\S]*?)?)-?\}\}$/.exec(token);
    const name = match && nameOf(match[1], scope);
    if (name) return { text: name + (WAYS[match[2].replace(/^\|\s*|\s+$/g, "")] ?? ""), look: "" };
    return { text: token.replace(/^\{[{%#]-?\s*|\s*-?[}%#]\}$/g, ""), look: match && !match[2].includes("default") ? "wrong" : "" };
  };
  const chip = (token, scope) => {
    const { text, look } = describe(token, scope);
    const made = make("span", { class: `chip ${look}`.trim(), contenteditable: "false", "data-token": token, title: look === "wrong" ? `没有这个占位符：${token}` : token }, text);
    return made;
  };

  // --- the text as it looks, and back
  const clean = (node) => {
    for (const child of [...node.childNodes]) {
      if (child.nodeType === Node.ELEMENT_NODE) {
        if (["SCRIPT", "STYLE", "IFRAME", "OBJECT", "NOSCRIPT", "TITLE", "META", "LINK", "HEAD"].includes(child.tagName)) { child.remove(); continue; }
        if (child.dataset.token !== undefined) continue;
        clean(child);
        if (!TAGS.has(child.tagName)) { child.replaceWith(...child.childNodes); continue; }
        for (const { name, value } of [...child.attributes]) {
          if (name === "data-implied") continue;
          if (![...KEPT["*"], ...(KEPT[child.tagName] ?? [])].includes(name)) child.removeAttribute(name);
          else if (name === "style") {
            const good = value.split(";").map((one) => one.trim()).filter((one) => one && !/[(\\@<]|\/\*|\d{5}|\de\+?\d|--/i.test(one));
            if (good.length) child.setAttribute("style", good.join("; ")); else child.removeAttribute("style");
          } else if (name === "class" && !value.trim()) child.removeAttribute("class");
        }
        if (child.tagName === "SPAN" && !child.attributes.length) child.replaceWith(...child.childNodes);
      } else if (child.nodeType !== Node.TEXT_NODE && child.nodeType !== Node.COMMENT_NODE) child.remove();
    }
  };
  const drawn = (source) => {
    const scope = {}, open = [];
    const chips = [];
    // Rows that stand in a table without a body get one, or the parser would part loops from what they repeat.
    const bodied = (text, isRow) => {
      if (open.at(-1) !== "TABLE" || !isRow) return text;
      open.push("TBODY");
      return `<tbody data-implied>${text}`;
    };
    const html = source.replace(MASTER, (found, tag, at) => {
      if (found.startsWith("<!--")) return found;
      if (tag) {
        const upper = tag.toUpperCase();
        if (upper === "TR" && !found.startsWith("</")) { const text = bodied(found, true); open.push("TR"); return text; }
        if (found.startsWith("</")) { const at = open.lastIndexOf(upper); if (at >= 0) open.length = at; }
        else if (!["BR", "HR", "COL"].includes(upper) && !found.endsWith("/>")) open.push(upper);
        return found;
      }
      chips.push(chip(found, scope));
      const before = bodied("", /^\s*<tr\b/i.test(source.slice(at + found.length, at + found.length + 200)));
      return before + (PARTS.has(open.at(-1)) ? `<!--${MARK}${chips.length - 1}-->` : `<i data-chip="${chips.length - 1}"></i>`);
    });
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const content = holder.content;
    for (const place of App.all("i[data-chip]", content)) place.replaceWith(chips[Number(place.dataset.chip)]);
    const walker = document.createTreeWalker(content, NodeFilter.SHOW_COMMENT);
    while (walker.nextNode()) {
      const { data } = walker.currentNode;
      if (data.startsWith(MARK)) walker.currentNode.data = MARK + chips[Number(data.slice(MARK.length))].dataset.token;
    }
    clean(content);
    return content;
  };
  const written = (node) => {
    const copy = node.cloneNode(true), tokens = [];
    const put = (token) => { tokens.push(token); return `\uE000${tokens.length - 1}\uE001`; };
    for (const one of App.all("[data-token]", copy)) one.replaceWith(put(one.dataset.token));
    const walker = document.createTreeWalker(copy, NodeFilter.SHOW_COMMENT), comments = [];
    while (walker.nextNode()) comments.push(walker.currentNode);
    for (const one of comments) if (one.data.startsWith(MARK)) one.data = `\uE002${put(one.data.slice(MARK.length))}`;
    for (const one of App.all("[data-each]", copy)) one.removeAttribute("data-each");
    for (const one of App.all("[data-implied]", copy)) one.replaceWith(...one.childNodes);
    clean(copy);
    const holder = document.createElement("div");
    holder.append(...copy.childNodes);
    return holder.innerHTML.replace(/<!--\uE002(\uE000\d+\uE001)-->/g, "$1").replace(/\uE000(\d+)\uE001/g, (_, at) => tokens[at]).replace(/\u200b/g, "");
  };
  const tokensOf = (source) => source.replace(/<!--[\s\S]*?-->/g, "").match(new RegExp(TOKEN.source, "g")) ?? [];
  const isFaithful = (source) => {
    const holder = make("div");
    holder.append(drawn(source));
    const again = written(holder), words = (text) => { const one = make("template"); one.innerHTML = text; return one.content.textContent.replace(/\s+/g, ""); };
    return tokensOf(source).join("\n") === tokensOf(again).join("\n") && words(source) === words(again);
  };
  // Rows and items of a loop say so: what repeats them stands between tags, where nothing can be seen.
  const decorate = () => {
    for (const one of App.all("[data-each]", surface)) one.removeAttribute("data-each");
    const walker = document.createTreeWalker(surface, NodeFilter.SHOW_COMMENT), scope = {};
    while (walker.nextNode()) {
      const { data } = walker.currentNode;
      if (!data.startsWith(MARK)) continue;
      const { text } = describe(data.slice(MARK.length), scope);
      const next = walker.currentNode.nextElementSibling;
      if (/^(逐项：|如果|否则)/.test(text) && next) (next.matches("tr") ? next.cells[0] ?? next : next).setAttribute("data-each", text);
    }
  };

  // --- one truth: what is seen goes into the box
  let isSource = false, timer = 0, isSeenDirty = false;
  const flush = () => {
    clearTimeout(timer);
    if (isSource || !isSeenDirty) return;
    isSeenDirty = false;
    box.value = written(surface);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const changed = () => { isSeenDirty = true; clearTimeout(timer); timer = setTimeout(flush, 250); };
  surface.addEventListener("input", changed);
  surface.addEventListener("blur", flush);
  const tooLong = () => box.value.length > Number(most);
  box.form.addEventListener("submit", (event) => {
    flush();
    if (!tooLong()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(`正文过大（${(box.value.length / 10000).toFixed(1)} 万字），最多 ${Number(most) / 10000} 万字，没有保存，内容都保留着`, "bad");
    root.scrollIntoView({ block: "start" });
  }, true);
  const load = (source) => { surface.replaceChildren(drawn(source)); decorate(); };
  const show = (asSource) => {
    flush();
    if (!asSource && !isFaithful(box.value)) { if (!wrong) say("这份模板的写法较复杂，可视编辑会改动它，已改为显示源码", "warn"); asSource = true; }
    isSource = asSource;
    if (!asSource) load(box.value);
    surface.hidden = bar.hidden = asSource;
    box.hidden = !asSource;
    seen.setAttribute("aria-pressed", String(!asSource));
    raw.setAttribute("aria-pressed", String(asSource));
  };

  // --- where the caret is
  let last = null; // where the caret was before a search box or a list of choices took it
  document.addEventListener("selectionchange", () => {
    const selection = getSelection();
    if (document.activeElement === surface && selection.rangeCount && surface.contains(selection.getRangeAt(0).commonAncestorContainer)) last = selection.getRangeAt(0).cloneRange();
  });
  const range = () => {
    const selection = getSelection();
    if (document.activeElement === surface && selection.rangeCount && surface.contains(selection.getRangeAt(0).commonAncestorContainer)) return selection.getRangeAt(0);
    const kept = last && surface.contains(last.commonAncestorContainer) ? last : null;
    const made = kept ?? document.createRange();
    if (!kept) { made.selectNodeContents(surface); made.collapse(false); }
    surface.focus({ preventScroll: true });
    selection.removeAllRanges();
    selection.addRange(made);
    return made;
  };
  const here = (selector) => {
    const node = range().startContainer, element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const found = element.closest(selector);
    return found && found !== surface && surface.contains(found) ? found : null;
  };
  const after = (node) => {
    const made = document.createRange();
    made.setStartAfter(node);
    made.collapse(true);
    getSelection().removeAllRanges();
    getSelection().addRange(made);
  };
  // Names of the items of the loops around the caret.
  const scopeHere = () => {
    const at = range(), open = [], scope = {};
    const walker = document.createTreeWalker(surface, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const token = node.nodeType === Node.COMMENT_NODE ? (node.data.startsWith(MARK) ? node.data.slice(MARK.length) : "") : node.dataset.token ?? "";
      if (!token || at.comparePoint(node, 0) > 0) continue;
      const match = /for\s+(\w+)\s+in/.exec(token);
      if (token.startsWith("{%") && match) { describe(token, scope); open.push(match[1]); } else if (/endfor/.test(token)) delete scope[open.pop()];
    }
    return scope;
  };
  const put = (token) => {
    if (isSource) { box.setRangeText(token, box.selectionStart, box.selectionEnd, "end"); box.focus(); box.dispatchEvent(new Event("input", { bubbles: true })); return; }
    const at = range(), made = chip(token, scopeHere());
    at.deleteContents();
    at.insertNode(made);
    after(made);
    changed();
  };
  const putBlock = (html) => {
    if (isSource) { put(html); return; }
    range();
    let block = here(`${BLOCKS}, table, ul, ol`);
    while (block && block.parentElement !== surface && !block.parentElement.matches("td, th")) block = block.parentElement;
    const content = drawn(html), first = content.querySelector("td, li");
    if (block?.matches("td, th")) block.append(content); else if (block) block.after(content); else surface.append(content);
    if (first) { const made = document.createRange(); made.setStart(first, 0); made.collapse(true); getSelection().removeAllRanges(); getSelection().addRange(made); }
    decorate();
    changed();
  };
  const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
  const tableOf = (group) => `<table>\n<thead><tr>${group.items.map(([label]) => `<th>${escaped(label)}</th>`).join("")}</tr></thead>\n<tbody>{% for row in ${group.each} %}<tr>${group.items.map(([, text]) => `<td${/money/.test(text) ? ' class="num"' : ""}>${text}</td>`).join("")}</tr>\n{% endfor %}</tbody>\n</table>\n<p><br></p>`;

  // --- the list of placeholders
  const finder = make("input", { class: "form-control", type: "search", placeholder: "查找占位符", "aria-label": "查找占位符", autocomplete: "off" });
  side.append(make("div", { class: "letter-side-head" }, "占位符"), finder);
  finder.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); side.querySelector(".letter-offer:not([hidden])")?.click(); } });
  for (const [number, group] of groups.entries()) {
    const part = make("details", { class: "letter-group", ...(number < 3 && { open: "" }) });
    part.append(make("summary", {}, group.label));
    if (group.each) part.append(button("插入整张表", `插入${group.label}的表格，每项一行`, () => putBlock(group.items[0]?.[1] === "{{ row }}" ? `<ul>{% for row in ${group.each} %}<li>{{ row }}</li>{% endfor %}</ul>` : tableOf(group))));
    for (const [label, text, example] of group.items) {
      const offer = make("button", { class: "letter-offer", type: "button", title: `${text}　例：${example}` });
      offer.append(make("b", {}, label), make("small", {}, example || "（可能为空）"));
      offer.addEventListener("pointerdown", (event) => event.preventDefault());
      offer.addEventListener("click", () => {
        if (!group.each) { put(text); return; }
        const name = isSource ? "row" : Object.entries(scopeHere()).find(([, path]) => path === group.each)?.[0];
        if (name) put(text.replace(/\brow\b/, name)); else App.toast("请先插入整张表，再在表格的重复行里选择这一项", "warn");
      });
      part.append(offer);
    }
    side.append(part);
  }
  finder.addEventListener("input", () => {
    const asked = finder.value.trim();
    for (const part of App.all(".letter-group", side)) {
      const label = part.firstElementChild.textContent;
      let count = 0;
      for (const offer of App.all(".letter-offer", part)) { offer.hidden = !`${label}${offer.textContent}`.includes(asked); count += !offer.hidden; }
      part.hidden = !count;
      if (asked) part.open = true;
    }
  });

  // --- formats
  const run = (command, value = null) => () => { range(); document.execCommand(command, false, value); changed(); };
  // The browser passes chips by, as they are no text: they follow what stands around them.
  const mark = (command, tag) => () => {
    const at = range().cloneRange();
    document.execCommand(command);
    const isOn = document.queryCommandState(command);
    for (const one of App.all(".chip", surface).filter((each) => at.intersectsNode(each))) {
      const around = one.closest(tag);
      if (isOn && !around) { const made = make(tag); one.replaceWith(made); made.append(one); }
      if (!isOn && around && around.childNodes.length === 1) around.replaceWith(one);
    }
    changed();
  };
  const select = (label, options, act) => {
    const made = make("select", { class: "form-control", "aria-label": label, title: label });
    made.append(...options.map(([value, text]) => new Option(text, value)));
    made.addEventListener("change", () => act(made.value));
    return made;
  };
  const align = (name) => () => {
    const at = range();
    const found = App.all(BLOCKS, surface).filter((one) => at.intersectsNode(one) && !one.querySelector(BLOCKS));
    for (const one of found) {
      one.classList.remove("center", "right", "flush", "num");
      one.style.removeProperty("text-align");
      one.removeAttribute("align");
      if (name) one.classList.add(name);
      if (!one.classList.length) one.removeAttribute("class");
      if (!one.getAttribute("style")) one.removeAttribute("style");
    }
    changed();
  };
  const style = select("段落样式", [["p", "正文"], ["h1", "文书标题"], ["h2", "章标题"], ["h3", "节标题"]], (tag) => run("formatBlock", tag)());
  const cell = (act) => () => {
    const found = here("td, th");
    if (!found) { App.toast("请先把光标放在表格里", "warn"); return; }
    act(found, found.parentElement, found.closest("table"));
    decorate();
    changed();
  };
  const emptied = (row) => { const copy = row.cloneNode(true); for (const one of copy.cells) { one.removeAttribute("data-each"); one.replaceChildren(make("br")); } return copy; };
  const columnAt = (table, at, act) => { for (const row of table.rows) if (row.cells[at]) act(row.cells[at]); };
  const TABLE = {
    行下加行: cell((_, row) => row.after(emptied(row))),
    删除行: cell((_, row, table) => { row.remove(); if (!table.rows.length) table.remove(); }),
    右侧加列: cell((one, _, table) => columnAt(table, one.cellIndex, (each) => { const made = make(each.tagName); made.append(make("br")); each.after(made); })),
    删除列: cell((one, _, table) => { columnAt(table, one.cellIndex, (each) => each.remove()); if (!table.rows[0]?.cells.length) table.remove(); }),
  };
  const tables = select("表格", [["", "表格…"], ["new", "插入表格（3×3）"], ...Object.keys(TABLE).map((name) => [name, name])], (name) => {
    if (name === "new") putBlock(`<table><tbody>${`<tr>${"<td><br></td>".repeat(3)}</tr>`.repeat(3)}</tbody></table><p><br></p>`);
    else TABLE[name]?.();
    tables.value = "";
  });
  const flat = groups.filter((group) => !group.each).flatMap((group) => group.items.map(([label, text]) => [text, `${group.label} · ${label}`])).filter(([text]) => !/capital|formal/.test(text));
  const lists = groups.filter((group) => group.each).map((group) => [`{{ ${group.each} }}`, group.label]);
  const when = select("有值才显示", [["", "有值才显示…"], ...flat, ...lists], (text) => {
    when.value = "";
    const at = range().cloneRange(), path = text.replace(/^\{\{\s*|\s*(\|.*)?\}\}$/g, "");
    const end = at.cloneRange(), scope = scopeHere();
    end.collapse(false);
    end.insertNode(chip("{% endif %}", scope));
    at.collapse(true);
    const made = chip(`{% if ${path} %}`, scope);
    at.insertNode(made);
    after(made);
    changed();
  });
  bar.append(
    style, button("B", "加粗（Ctrl B）", mark("bold", "b"), "b"), button("I", "倾斜", mark("italic", "i"), "it"), button("U", "下划线", mark("underline", "u"), "ul"),
    button("左", "左对齐，首行缩进", align("")), button("中", "居中", align("center")), button("右", "右对齐", align("right")), button("顶格", "不缩进", align("flush")),
    button("•", "项目符号", run("insertUnorderedList")), button("1.", "编号", run("insertOrderedList")),
    tables, when, button("撤销", "撤销（Ctrl Z）", run("undo")), button("重做", "重做", run("redo")),
  );
  document.addEventListener("selectionchange", () => {
    if (surface.contains(getSelection().anchorNode)) style.value = here("h1, h2, h3")?.tagName.toLowerCase() ?? "p";
  });
  document.execCommand("defaultParagraphSeparator", false, "p");
  surface.addEventListener("paste", (event) => {
    event.preventDefault();
    const html = event.clipboardData.getData("text/html"), text = event.clipboardData.getData("text/plain");
    const holder = make("template");
    holder.innerHTML = html || text.split(/\r?\n/).map((line) => `<p>${escaped(line)}</p>`).join("");
    for (const one of App.all("*", holder.content)) for (const { name } of [...one.attributes]) if (!["colspan", "rowspan", "data-token"].includes(name)) one.removeAttribute(name);
    clean(holder.content);
    for (const one of App.all("[data-token]", holder.content)) one.replaceWith(one.dataset.token);
    const plain = holder.content.children.length > 1 || html ? holder : null;
    if (!plain) { document.execCommand("insertText", false, text); return; }
    const at = range();
    at.deleteContents();
    const content = drawn(written(holder.content)), last = content.lastChild;
    const block = here("p, h1, h2, h3, h4");
    if (content.querySelector("p, table, h1, h2, h3, h4, ul, ol") && block) block.after(content); else at.insertNode(content);
    if (last) after(last);
    decorate();
    changed();
  });
  surface.addEventListener("keydown", (event) => {
    const act = (event.ctrlKey || event.metaKey) && { b: mark("bold", "b"), i: mark("italic", "i"), u: mark("underline", "u") }[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });

  // --- preview, Word
  const sent = (more = {}) => { flush(); return new URLSearchParams({ body: box.value, project: project?.value ?? "", ...more }); };
  const look = async () => {
    flush();
    if (tooLong()) { say(`正文过大，最多 ${Number(most) / 10000} 万字`, "bad"); return null; }
    try {
      const found = await App.json(`${url}/preview`, { method: "POST", body: sent() });
      say("");
      return found;
    } catch (error) { say(error.message, "bad"); return null; }
  };
  let project = null;
  const seen = button("可视编辑", "所见即所得", () => show(false)), raw = button("源码", "直接修改 HTML", () => show(true));
  top.append(seen, raw, make("span", { class: "push" }));
  if (projects) {
    project = make("input", { type: "hidden", id: "letter-project", "data-lookup-url": projects, "data-placeholder": "预览用的项目（不选用示例）", "aria-label": "预览用的项目" });
    const place = make("span", { class: "letter-project" });
    place.append(project);
    top.append(place);
    App.lookup(project);
    place.addEventListener("input", (event) => event.stopPropagation()); // no part of what is saved
    place.addEventListener("change", (event) => event.stopPropagation());
  }
  const preview = async () => {
    const found = await look();
    if (!found) return;
    const paper = make("div", { class: "draft-paper" }), head = make("div", { class: "letter-preview-head" });
    const content = make("template");
    content.innerHTML = found.html; // sanitised by the server, and no script runs here anyway
    paper.append(content.content);
    head.append(make("b", {}, "预览"), make("span", { class: "muted" }, found.note), make("span", { class: "push" }), button("关闭", "关闭预览", () => { shown.hidden = true; }));
    shown.replaceChildren(head, paper);
    shown.hidden = false;
    shown.scrollIntoView({ block: "nearest" });
  };
  const pdf = async () => {
    if (!(await look())) return;
    const form = make("form", { method: "post", action: `${url}/preview`, target: "_blank", hidden: "" });
    for (const [name, value] of [...sent({ pdf: "1" }), ["csrf_token", App.token()]]) { const one = make("textarea", { name }); one.value = value; form.append(one); }
    document.body.append(form);
    form.submit();
    form.remove();
  };
  const file = make("input", { type: "file", accept: ".docx", hidden: "", "aria-label": "Word 文件" });
  file.addEventListener("change", async (event) => {
    event.stopPropagation();
    const [chosen] = file.files;
    if (!chosen) return;
    const body = new FormData();
    body.append("file", chosen);
    file.value = "";
    try {
      const found = await App.json(`${url}/word`, { method: "POST", body });
      if (box.value.trim() && !(await App.confirm({ text: `用“${chosen.name}”的内容替换现在的正文。保存之前都可以取消。`, verb: "替换正文" }))) return;
      box.value = found.html;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      isSeenDirty = false;
      show(isSource);
      say(`已从“${chosen.name}”导入。${found.notes.join("；")}`, "ok");
    } catch (error) { say(error.message, "bad"); }
  });
  top.append(file, button("从 Word 导入", "上传 .docx，转成正文", () => file.click()), button("预览", "用所选项目或示例数据预览", preview), button("预览 PDF", "在新窗口打开 PDF", pdf));
  show(false);
};

document.addEventListener("DOMContentLoaded", () => App.all("textarea[data-letter]").forEach(App.letter));
