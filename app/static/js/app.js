"use strict";
// What every page needs: requests with the CSRF token, toasts, theme, menu, keys, one submit per form.
const App = {
  all: (selector, root = document) => [...root.querySelectorAll(selector)],

  make(tag, attributes = {}, text = "") {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text) node.textContent = text;
    return node;
  },

  icon(name) {
    const known = document.querySelector("use");
    const file = known ? known.getAttribute("href").split("#")[0] : "";
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "i");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${file}#${name}`);
    svg.append(use);
    return svg;
  },

  keep(name, value) {
    try { localStorage.setItem(name, value); } catch { /* storage may be switched off */ }
  },

  kept(name) {
    try { return localStorage.getItem(name) ?? ""; } catch { return ""; }
  },

  // An amount as people type it (1,200.5, 600万, 1.2亿元) in whole fen, as the server reads it; null where it is none.
  fen(text) {
    const plain = text.normalize("NFKC").replace(/[,\s]/g, "").replace(/整$/, "");
    const match = /^([+-]?)(\d*)(?:\.(\d*))?(千元|百万元|千万元|万元|亿元|万|亿|元|圆)?$/.exec(plain);
    if (!match || !(match[2] || match[3])) return null;
    const places = 2 + ({ 千元: 3, 万: 4, 万元: 4, 百万元: 6, 千万元: 7, 亿: 8, 亿元: 8 }[match[4]] ?? 0);
    const part = (match[3] ?? "").replace(/0+$/, "");
    if (part.length > places) return null;
    const value = BigInt((match[2] || "0") + part.padEnd(places, "0"));
    return match[1] === "-" ? -value : value;
  },

  money(fen) {
    const text = String(fen < 0n ? -fen : fen).padStart(3, "0");
    return `${fen < 0n ? "-" : ""}${text.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${text.slice(-2)}`;
  },

  token: () => document.querySelector("meta[name=csrf-token]")?.content ?? "",

  // The answer of the server; throws an Error whose message can be shown.
  async ask(url, options) {
    let answer;
    try {
      answer = await fetch(url, { credentials: "same-origin", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("网络不通，请检查连接后重试");
    }
    if (answer.redirected && answer.url.includes("/login")) throw new Error("登录已过期，请重新登录");
    return answer;
  },

  // Answers parsed JSON; throws like `ask`.
  async json(url, options = {}) {
    const headers = { Accept: "application/json", ...options.headers };
    if (options.method && options.method !== "GET") headers["X-CSRFToken"] = App.token();
    const answer = await App.ask(url, { ...options, headers });
    const body = await answer.json().catch(() => null);
    if (!answer.ok) throw new Error(body?.message || `没有成功（${answer.status}），请重试`);
    return body;
  },

  // A part of a page as markup; throws like `ask`.
  async part(url) {
    const answer = await App.ask(url, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`没有读到（${answer.status}），请重试`);
    return answer.text();
  },

  toast(text, tone = "ok", link = null) {
    const box = document.querySelector(".toasts");
    const toast = App.make("div", { class: "toast" });
    toast.append(App.icon(tone === "ok" ? "check" : "warn"), App.make("span", {}, text));
    if (link) toast.append(App.make("a", { href: link.url, ...(link.isPaper && { target: "_blank", rel: "noopener" }) }, link.label));
    const close = App.make("button", { class: "x", type: "button", "aria-label": "关闭" }, "×");
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    box.append(toast);
    setTimeout(() => toast.remove(), tone === "ok" && !link ? 6000 : 12000);
  },

  // The link that opens a row itself; quiet ones lead to what it refers to.
  opens: (row) => row.querySelector("td:not(.ck) > a[href]:not(.key)") ?? row.querySelector("td:not(.ck) > a[href]"),

  typing: (node) => node instanceof Element && node.matches("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable=true]"),
};

document.addEventListener("DOMContentLoaded", () => {
  const root = document.documentElement;
  document.querySelector("#theme")?.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    const body = new URLSearchParams({ theme: root.dataset.theme.toUpperCase() });
    App.json("/settings/theme", { method: "POST", body }).catch((error) => App.toast(error.message, "warn"));
  });
  document.querySelector("#fold")?.addEventListener("click", () => {
    root.dataset.side = root.dataset.side === "mini" ? "" : "mini";
    App.keep("side", root.dataset.side);
  });

  // The menu: a module opens in place; folded, it leads to its first entry.
  document.querySelector("#drawer")?.addEventListener("click", (event) => {
    event.stopPropagation();
    document.body.classList.add("drawer");
    document.querySelector("#side a")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (document.body.classList.contains("drawer") && !event.target.closest("#side")) document.body.classList.remove("drawer");
    for (const open of App.all("details.dropdown[open]")) if (!open.contains(event.target)) open.open = false;
  });
  for (const module of App.all(".menu > li > a[aria-expanded]")) {
    module.addEventListener("click", (event) => {
      const isWide = matchMedia("(min-width: 901px)").matches;
      if (event.ctrlKey || event.metaKey || (isWide && root.dataset.side === "mini")) return;
      event.preventDefault();
      const isOpen = module.parentElement.classList.toggle("open");
      module.setAttribute("aria-expanded", String(isOpen));
    });
  }
  const unfolded = new Set(App.kept("folds").split("\n").filter(Boolean));
  for (const fold of App.all(".menu .fold")) { // a fold that somebody opened stays open on every page
    const set = (isOpen) => {
      fold.parentElement.classList.toggle("open", isOpen);
      fold.setAttribute("aria-expanded", String(isOpen));
    };
    if (unfolded.has(fold.dataset.fold)) set(true);
    fold.addEventListener("click", () => {
      const isOpen = !fold.parentElement.classList.contains("open");
      set(isOpen);
      unfolded[isOpen ? "add" : "delete"](fold.dataset.fold);
      App.keep("folds", [...unfolded].join("\n"));
    });
  }
  document.querySelector(".menu .active .active")?.scrollIntoView({ block: "nearest" });

  for (const line of App.all(".stages")) { // what is going on now is in sight, also where the line is longer than the screen
    const now = line.querySelector(".now");
    if (now) line.scrollLeft = now.offsetLeft - line.offsetLeft - (line.clientWidth - now.offsetWidth) / 2;
  }
  for (const note of App.all("[data-toast]")) {
    const paper = note.querySelector("a");
    App.toast(note.querySelector("span").textContent.trim(), "ok", paper && { url: paper.href, label: paper.textContent, isPaper: true });
    note.remove();
  }
  document.querySelector("[data-focus]")?.focus();

  document.addEventListener("click", (event) => { // the page as print.css lays it out, with the tab that is open
    if (!event.target.closest("a[href='#print']")) return;
    event.preventDefault();
    print();
  });
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-why], [data-back], [data-fill-user]");
    if (!target) return;
    if (target.dataset.why) App.toast(target.dataset.why, "warn", target.dataset.mend ? { url: target.dataset.mend, label: "去处理" } : null);
    if ("back" in target.dataset) history.length > 1 ? history.back() : location.assign("/");
    if ("fillUser" in target.dataset) {
      document.querySelector("#username").value = target.dataset.fillUser;
      const password = document.querySelector("#password");
      password.value = target.dataset.fillPassword;
      password.focus();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-goto]")) location.assign(event.target.value);
  });

  // One submit per form: the second click of an impatient hand must not post twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || (event.submitter?.formMethod || form.method) !== "post") return;
    if (event.submitter?.formTarget === "_blank") return; // the page stays as it is
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => {
      for (const button of [...form.elements, ...App.all(`[form="${form.id}"]`)]) {
        if (button.type === "submit" && !button.disabled) { button.disabled = true; button.classList.add("busy"); }
      }
    });
    setTimeout(() => release(), 15000); // a download answers without leaving the page
  });
  const release = () => {
    for (const form of App.all("form[data-sent]")) delete form.dataset.sent;
    for (const button of App.all("button.busy")) { button.disabled = false; button.classList.remove("busy"); }
  };
  addEventListener("pageshow", (event) => { if (event.persisted) release(); }); // back from the next page
});

// Keys that work everywhere.
document.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // Enter and Esc belong to the input method while it composes
  if (event.key === "/" && !App.typing(event.target) && !event.ctrlKey) {
    const box = document.querySelector("#search");
    if (box) { event.preventDefault(); box.focus(); box.select(); }
  } else if (event.key === "F1") {
    const url = document.body.dataset.helpUrl;
    if (url) { event.preventDefault(); location.assign(url); }
  } else if (event.key === "Escape") {
    const open = document.querySelector("details.dropdown[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); event.stopImmediatePropagation(); return; }
    if (document.body.classList.contains("drawer")) { document.body.classList.remove("drawer"); return; }
    if (event.target.id === "search") event.target.blur();
  }
});
