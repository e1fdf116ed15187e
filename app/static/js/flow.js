"use strict";
// The flow editor: cards that are dragged or moved by keys, numbered as they stand, and drawn anew by the server.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-flow]");
  if (!form) return;
  const gone = form.querySelector("[data-gone]"), sketch = form.querySelector("[data-sketch]");
  const blank = (name) => form.querySelector(`template[data-blank-${name}]`).innerHTML;
  const own = (box, name) => box.querySelector(`:scope > input[data-at="${name}"]`);
  const isKept = (box) => box.querySelector(":scope > input[name$='-_id']")?.value;
  const top = form.querySelector("[data-line]");
  let next = App.all("input[name$='-_id']", form).reduce((most, input) => Math.max(most, Number(/-(\d+)-/.exec(input.name)?.[1] ?? -1)), -1) + 1;

  // --- numbers: what stands in order keeps its number, what was moved takes a free one between its neighbours
  const number = (inputs, limit, others = []) => {
    const value = inputs.map((input) => Number(input.value) || 0), used = new Set([...value, ...others]);
    for (const input of App.all("input[data-at]", gone)) if (input.dataset.at === inputs[0]?.dataset.at) used.add(Number(input.value));
    const length = value.map(() => 1), before = value.map(() => -1); // the longest run that rises already
    for (let i = 0; i < value.length; i += 1) for (let j = 0; j < i; j += 1) {
      if (value[j] > 0 && value[j] < value[i] && length[j] + 1 > length[i]) { length[i] = length[j] + 1; before[i] = j; }
    }
    const kept = new Set();
    let at = value.reduce((best, one, i) => (one > 0 && (best < 0 || length[i] > length[best]) ? i : best), -1);
    for (; at >= 0; at = before[at]) kept.add(at);
    let isTight = false, low = 0;
    for (let i = 0; i < inputs.length && !isTight; i += 1) {
      if (kept.has(i)) { low = value[i]; continue; }
      let end = i;
      while (end < inputs.length && !kept.has(end)) end += 1;
      const high = end < inputs.length ? value[end] : low + (end - i + 1) * 10;
      const free = [];
      for (let n = low + 1; n < high; n += 1) if (!used.has(n)) free.push(n);
      if (end === inputs.length) for (let n = high; free.length < end - i + 9; n += 1) if (!used.has(n)) free.push(n);
      const step = free.length / (end - i + 1);
      isTight = free.length < end - i;
      for (let k = i; k < end && !isTight; k += 1) { // tens where there is room, as people number
        const tens = free.filter((n) => n % 10 === 0), pick = tens.length >= end - i ? tens[k - i] : free[Math.min(free.length - 1, Math.floor(step * (k - i + 1)))];
        inputs[k].value = String(pick);
        used.add(pick);
      }
      low = Number(inputs[end - 1].value);
      i = end - 1;
    }
    if (!isTight && inputs.every((input, i) => !i || Number(input.value) > Number(inputs[i - 1].value))) return;
    const start = Math.ceil((Math.max(0, ...used) + 1) / 10) * 10, step = start + inputs.length * 10 <= limit ? 10 : 1;
    inputs.forEach((input, i) => { input.value = String(start + i * step); });
  };
  const set = (input, text) => { if (input) input.value = text; };
  const renumber = () => {
    const live = (selector) => App.all(selector, top);
    number(live("[data-node]").map((node) => own(node, "seq")), 999);
    for (const fork of live("[data-fork]")) {
      const mine = App.all(":scope > [data-lanes] > [data-lane]", fork), others = live("[data-lane]").filter((lane) => !mine.includes(lane));
      number(mine.map((lane) => own(lane, "no")), 999, others.map((lane) => Number(own(lane, "no").value)));
    }
    const inside = (box) => { const lane = box.parentElement.closest("[data-lane]"); return lane ? own(lane, "no").value : ""; };
    for (const node of live("[data-node]")) set(own(node, "branch_no"), inside(node));
    const taken = new Set(live("[data-lane]").map((lane) => Number(own(lane, "fork_no").value)).filter(Boolean));
    for (const fork of live("[data-fork]")) {
      const lanes = App.all(":scope > [data-lanes] > [data-lane]", fork);
      let group = lanes.map((lane) => own(lane, "fork_no").value).find(Boolean);
      if (!group) { let n = 1; while (taken.has(n)) n += 1; taken.add(n); group = String(n); }
      for (const lane of lanes) {
        set(own(lane, "fork_no"), group);
        set(own(lane, "inside_no"), inside(fork));
        set(own(lane, "kind"), fork.querySelector("[data-kind-of]").value);
      }
    }
  };

  // --- what a card asks depends on what was chosen on it
  const show = (node) => {
    const value = (name) => node.querySelector(`:scope > .form-grid [name$='-${name}']`)?.value;
    const asked = { position_id: value("chooser") === "POSITION", role_name: value("chooser") === "ROLE", quorum_pct: value("mode") === "VOTE", pass_pct: value("mode") === "VOTE" };
    for (const [name, isAsked] of Object.entries(asked)) {
      const group = node.querySelector(`:scope > .form-grid .form-group[id$='-${name}-g']`);
      if (group) group.hidden = !isAsked && !group.classList.contains("has-error");
    }
  };

  // --- the drawing beside, as the server sees it
  let timer = 0, asked = null;
  const draw = async () => {
    renumber();
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await App.ask(form.dataset.sketchUrl, { method: "POST", body: new FormData(form), signal: asked.signal, headers: { Accept: "text/html", "X-CSRFToken": App.token() } });
      if (!answer.ok) throw new Error(`流程图没有画出（${answer.status}），请重试`);
      sketch.innerHTML = await answer.text();
      mark();
    } catch (error) { if (error.name !== "AbortError") App.toast(error.message, "warn"); }
  };
  const later = (pause = 400) => { clearTimeout(timer); timer = setTimeout(draw, pause); };
  const boxOf = (button) => {
    const { gapSeq: seq, gapBranch: no } = button.dataset;
    return App.all(seq ? "[data-node]" : "[data-lane]", top).find((box) => own(box, seq ? "seq" : "no").value === (seq || no));
  };
  const mark = () => {
    for (const box of App.all(".has-gap", form)) box.classList.remove("has-gap");
    for (const button of App.all(".bad > [data-gap-seq]", sketch)) boxOf(button)?.classList.add("has-gap");
  };
  const changed = () => { form.dispatchEvent(new Event("change", { bubbles: true })); };

  // --- cards made, moved and taken away
  const ready = (root) => {
    App.all("input[data-lookup-url]", root).forEach(App.lookup);
    App.all("textarea[data-rule-url]", root).forEach(App.rule);
    for (const input of App.all("[data-kind=money] input", root)) { input.dataset.money = ""; input.inputMode = "decimal"; }
    for (const input of App.all("[data-kind=rate] input, [data-kind=int] input", root)) { input.dataset.rate = ""; input.inputMode = "decimal"; }
    App.all("[data-node]", root.parentElement ?? root).forEach(show);
  };
  const make = (name) => {
    const box = App.make("div");
    box.innerHTML = blank(name).replaceAll("__n__", String(next));
    next += 1;
    return box.firstElementChild;
  };
  const addLane = (fork, label) => {
    const lane = make("lane");
    fork.querySelector("[data-lanes]").append(lane);
    lane.querySelector(".fe-name input").value = label;
    ready(lane);
    return lane;
  };
  const remove = (box) => {
    const boxes = [box, ...App.all("[data-node], [data-lane]", box)];
    for (const one of boxes.filter((found) => found.matches("[data-node], [data-lane], [data-example]") && isKept(found))) {
      one.querySelector(":scope > [data-drop-mark]").value = "1";
      gone.append(...App.all(":scope > input", one));
    }
    box.remove();
    changed();
  };
  const move = (box, by) => { // through branches too: what leaves one enters the next
    const beside = (one) => (by < 0 ? one.previousElementSibling : one.nextElementSibling), to = beside(box);
    if (box.matches("[data-lane]")) { if (to) by < 0 ? to.before(box) : to.after(box); return; }
    const lanes = box.matches("[data-node]") && to?.matches("[data-fork]") ? App.all(":scope > [data-lanes] > [data-lane] > [data-line]", to) : [];
    const lane = box.parentElement.closest("[data-lane]");
    if (lanes.length) by < 0 ? lanes.at(-1).append(box) : lanes[0].prepend(box);
    else if (to) by < 0 ? to.before(box) : to.after(box);
    else if (lane) {
      const other = beside(lane)?.querySelector(":scope > [data-line]"), fork = lane.closest("[data-fork]");
      if (other && !box.contains(other)) by < 0 ? other.append(box) : other.prepend(box);
      else by < 0 ? fork.before(box) : fork.after(box);
    }
  };
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[type=button]"), line = button?.closest(".fe-add")?.previousElementSibling;
    if (!button) return;
    const box = button.closest("[data-item], [data-lane], [data-example]");
    if ("addNode" in button.dataset) {
      const node = make("node");
      line.append(node);
      ready(node);
      node.querySelector(".fe-name input").focus();
      changed();
    } else if ("addFork" in button.dataset) {
      const fork = make("fork"), isParallel = button.dataset.addFork === "PARALLEL";
      line.append(fork);
      fork.querySelector("[data-kind-of]").value = button.dataset.addFork;
      const first = addLane(fork, isParallel ? "分支一" : "符合条件");
      addLane(fork, isParallel ? "分支二" : "其余");
      first.querySelector(".fe-name input").focus();
      changed();
    } else if ("addLane" in button.dataset) {
      const fork = button.closest("[data-fork]"), lanes = App.all(":scope > [data-lanes] > [data-lane]", fork);
      const lane = addLane(fork, `分支${lanes.length + 1}`);
      if (fork.querySelector("[data-kind-of]").value === "CONDITION" && lanes.length) lanes.at(-1).before(lane); // the rest stays last
      lane.querySelector(".fe-name input").focus();
      changed();
    } else if ("up" in button.dataset || "down" in button.dataset) {
      move(box, "up" in button.dataset ? -1 : 1);
      button.focus();
      changed();
    } else if ("remove" in button.dataset) remove(box);
    else if ("gapSeq" in button.dataset) { const found = boxOf(button); found?.scrollIntoView({ block: "center" }); found?.querySelector("input:not([type=hidden])")?.focus(); }
    else if ("keepExample" in button.dataset) keep(button.dataset.keepExample);
  });
  form.addEventListener("keydown", (event) => {
    const box = event.target.closest("[data-item], [data-lane]");
    if (!event.altKey || !box || !/^Arrow(Up|Down)$/.test(event.key)) return;
    event.preventDefault();
    move(box, event.key === "ArrowUp" ? -1 : 1);
    event.target.focus();
    changed();
  });
  const keep = (way) => { // what 试算 was asked, with the way that it takes now
    const made = make("example"), value = (name) => form.elements[`try_${name}`]?.value ?? "";
    form.querySelector("[data-examples]").append(made);
    const put = (name, text) => { const control = made.querySelector(`[name$='-${name}']`); if (control) control.value = text; };
    for (const [name, from] of [["amount", "amount"], ["product_id", "product"], ["department_id", "department"], ["customer_kind", "customer_kind"], ["risk_grade", "risk_grade"]]) put(name, value(from));
    for (const name of ["product", "department"]) {
      const chosen = form.elements[`try_${name}`], control = made.querySelector(`[name$='-${name}_id']`);
      if (control && chosen?.value) control.dataset.text = chosen.selectedOptions[0].textContent;
    }
    put("expected", way);
    const title = made.querySelector(".fe-name input");
    title.value = value("amount") ? `金额 ${value("amount")}` : "";
    ready(made);
    made.querySelector("details").open = true;
    title.focus();
    changed();
  };

  // --- drag: only the grip starts one
  let moved = null;
  form.addEventListener("pointerdown", (event) => { const grip = event.target.closest(".fe-head > .grip"); if (grip) grip.closest("[data-item]").draggable = true; });
  form.addEventListener("dragstart", (event) => {
    moved = event.target.closest("[data-item]");
    if (!moved) return;
    event.stopPropagation();
    moved.classList.add("dragging");
    event.dataTransfer.effectAllowed = "move";
  });
  form.addEventListener("dragover", (event) => {
    const line = event.target.closest("[data-line]") ?? event.target.closest("[data-lane]")?.querySelector(":scope > [data-line]");
    if (!moved || !line || moved.contains(line)) return;
    event.preventDefault();
    const over = App.all(":scope > [data-item]", line).find((item) => item !== moved && event.clientY < item.getBoundingClientRect().top + item.offsetHeight / 2);
    if (over) { if (over.previousElementSibling !== moved) over.before(moved); } else if (line.lastElementChild !== moved) line.append(moved);
  });
  form.addEventListener("dragend", () => {
    if (!moved) return;
    moved.classList.remove("dragging");
    moved.draggable = false;
    moved = null;
    changed();
  });

  form.addEventListener("input", () => later());
  form.addEventListener("change", ({ target }) => { const node = target.closest?.("[data-node]"); if (node) show(node); later(150); });
  form.addEventListener("chosen", () => later(150));
  form.addEventListener("submit", renumber, { capture: true });
  App.all("[data-node]", top).forEach(show);
  mark();
});
