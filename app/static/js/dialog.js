"use strict";
// Confirmation: names the consequence, may ask for a reason, repeats the verb; focus starts on the harmless button.
App.confirm = ({ text, verb, ask = "", askRequired = false, danger = false }) => new Promise((resolve) => {
  const dialog = App.make("dialog", { "aria-labelledby": "confirm-title" });
  const form = App.make("form", { method: "dialog", novalidate: "" });
  form.append(App.make("h2", { id: "confirm-title" }, ask && !text ? verb : `${verb}？`));
  if (text) form.append(App.make("p", {}, text));
  const group = App.make("div", { class: "form-group" });
  const label = App.make("label", { for: "confirm-reason", ...(askRequired && { class: "req" }) }, ask);
  const input = App.make("input", { class: "form-control", id: "confirm-reason", maxlength: "500", autocomplete: "off" });
  const problem = App.make("span", { class: "error-block", id: "confirm-error", hidden: "" }, `请填写${ask}`);
  group.append(label, input, problem);
  if (ask) form.append(group);
  const foot = App.make("div", { class: "foot" });
  const no = App.make("button", { class: "btn", type: "button" }, /^[取撤]/.test(verb) ? "返回" : "取消");
  const yes = App.make("button", { class: `btn ${danger ? "btn-danger" : "btn-primary"}`, type: "submit" }, verb);
  foot.append(no, yes);
  form.append(foot);
  dialog.append(form);
  document.body.append(dialog);

  const close = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
  no.addEventListener("click", () => close(null));
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(null); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const reason = input.value.trim();
    if (ask && askRequired && !reason) {
      group.classList.add("has-error");
      problem.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", "confirm-error");
      input.focus();
      return;
    }
    close({ reason });
  });
  for (const open of App.all("details.dropdown[open]")) open.open = false;
  dialog.showModal();
  (ask && !danger ? input : no).focus();
});

App.put = (form, name, value) => {
  let field = form.querySelector(`input[type=hidden][data-put][name="${CSS.escape(name)}"]`);
  if (!field) {
    field = App.make("input", { type: "hidden", name, "data-put": "" });
    form.append(field);
  }
  field.value = value;
};

// Buttons that post: ask first where they say so, then send their fields along with the form.
document.addEventListener("submit", async (event) => {
  const button = event.submitter;
  const form = event.target;
  if (!button || button.dataset.agreed) return;
  const needed = button.dataset.needs ? document.getElementById(button.dataset.needs) : null;
  if (needed && !needed.value.trim()) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const group = needed.closest(".form-group");
    group.classList.add("has-error");
    needed.setAttribute("aria-invalid", "true");
    if (!group.querySelector(".error-block")) group.append(App.make("span", { class: "error-block" }, `${button.textContent.trim()}时请写明意见`));
    needed.focus({ preventScroll: true });
    group.scrollIntoView({ block: "center" }); // not behind the dock
    return;
  }
  if (!("confirm" in button.dataset)) {
    if (button.dataset.fields) for (const [name, value] of JSON.parse(button.dataset.fields)) App.put(form, name, value);
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  const answer = await App.confirm({
    text: button.dataset.confirm,
    verb: button.dataset.verb || button.textContent.trim(),
    ask: button.dataset.ask,
    askRequired: "askRequired" in button.dataset,
    danger: "danger" in button.dataset || button.classList.contains("btn-danger"),
  });
  if (!answer) { button.focus(); return; }
  if (button.dataset.ask) App.put(form, "reason", answer.reason);
  if (button.dataset.fields) for (const [name, value] of JSON.parse(button.dataset.fields)) App.put(form, name, value);
  button.dataset.agreed = "1";
  form.requestSubmit(button);
  delete button.dataset.agreed;
}, true);
