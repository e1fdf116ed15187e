"use strict";
// Long work and files: progress that can be watched, uploads with a bar, the arrangement of the workbench.
App.renewSteps = async () => { // read anew from the page itself: one place says how a step looks
  const shown = document.querySelector("[data-job-steps]"), answer = shown && (await fetch(location.href));
  const fresh = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-job-steps]");
  if (fresh) shown.replaceWith(fresh);
};

App.watch = (box) => {
  const bar = box.querySelector("progress"), percent = box.querySelector("[data-job-percent]"), label = box.querySelector("[data-job-label]");
  let pause = 1000;
  const step = async () => {
    try {
      const job = await App.json(box.dataset.jobUrl);
      if (bar) bar.value = job.percent;
      if (percent) percent.textContent = `${Math.floor(job.percent)}%`;
      const hasMoved = label && job.label && label.textContent !== job.label;
      if (hasMoved) label.textContent = job.label;
      if (hasMoved && "jobReload" in box.dataset) await App.renewSteps();
      if (["done", "failed"].includes(job.state)) {
        const isDone = job.state === "done";
        bar?.classList.toggle("bad", !isDone);
        if (label && job.url && label instanceof HTMLAnchorElement) label.href = job.url;
        App.toast(isDone ? `${job.label || "任务"}已完成` : `${job.label || "任务"}没有完成`, isDone ? "ok" : "warn", job.url ? { url: job.url, label: "查看" } : null);
        if ("jobReload" in box.dataset) setTimeout(() => location.reload(), 800);
        return;
      }
      pause = Math.min(pause * 1.2, 5000);
    } catch { pause = 10000; } // the work goes on without us; ask again later
    setTimeout(step, document.hidden ? 15000 : pause);
  };
  setTimeout(step, 500);
};

App.upload = (form) => {
  const input = form.querySelector("input[type=file]"), bar = form.querySelector("progress"), drop = form.querySelector(".drop");
  const send = () => {
    if (!input.files.length || form.dataset.sent) return;
    form.dataset.sent = "1";
    const request = new XMLHttpRequest(); // fetch tells nothing about the progress of an upload
    request.open("POST", form.action);
    request.setRequestHeader("X-CSRFToken", App.token());
    request.setRequestHeader("Accept", "application/json");
    bar.hidden = false;
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = (event.loaded / event.total) * 100; });
    request.addEventListener("loadend", () => {
      delete form.dataset.sent;
      bar.hidden = true;
      let answer = null;
      try { answer = JSON.parse(request.responseText); } catch { /* a page, not JSON */ }
      if (request.status >= 200 && request.status < 400) {
        if (answer?.url && new URL(answer.url, location.href).href !== location.href) location.assign(answer.url);
        else location.reload(); // an address with a fragment that is shown already would only be scrolled to
        return;
      }
      input.value = "";
      App.toast(answer?.message || (request.status === 413 ? "文件太大，请压缩或拆分后再上传" : request.status ? "上传没有成功，请重试" : "网络不通，请检查连接后重试"), "warn");
    });
    request.send(new FormData(form));
  };
  input.addEventListener("change", send);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    input.files = event.dataTransfer.files;
    send();
  });
};

// Fill a card of the workbench; one that cannot be read says so in its place and can be asked for again.
App.fillCard = async (card) => {
  try {
    const fresh = App.make("div", {});
    fresh.innerHTML = await App.part(card.dataset.laterUrl);
    card.replaceChildren(...fresh.querySelector("section").children);
    card.removeAttribute("data-later-url");
    App.all(".table-wrap", card).forEach(App.fitTable);
  } catch (error) {
    const again = App.make("button", { class: "btn btn-sm", type: "button" }, "重试"), words = App.make("div", { class: "empty" });
    words.append(App.make("span", {}, error.message), again);
    again.addEventListener("click", () => App.fillCard(card));
    card.replaceChildren(card.firstElementChild, words);
  }
  card.removeAttribute("aria-busy");
};

document.addEventListener("DOMContentLoaded", async () => {
  App.all("[data-job-url]").forEach(App.watch);
  App.all("form[data-upload]").forEach(App.upload);

  const desk = document.querySelector("[data-arrange-url]");
  if (!desk) return;
  // Only the grip starts a drag, so that text in a card can be selected.
  desk.addEventListener("pointerdown", (event) => { const grip = event.target.closest(".grip"); if (grip) grip.closest("[data-key]").draggable = true; });
  desk.addEventListener("dragend", (event) => { event.target.closest("[data-key]").draggable = false; });
  for (const column of App.all(".stack", desk)) App.sortable(column, "[data-key]", async () => {
    const keys = App.all("[data-key]", desk).map((card) => card.dataset.key);
    try {
      await App.json(desk.dataset.arrangeUrl, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ keys }) });
    } catch (error) { App.toast(error.message, "warn"); }
  });
  for (const card of App.all("[data-later-url]", desk)) await App.fillCard(card); // one by one: a desk takes one worker, not ten
});
