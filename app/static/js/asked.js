"use strict";
// Fields that conditions ask for: while a form is filled in the server says which, as it will when the form is saved.
App.asked = (form) => {
  let timer = 0, asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    try {
      const found = await App.json(form.dataset.askedUrl, { method: "POST", body, signal: asked.signal });
      for (const [name, [isAsked, isRequired]] of Object.entries(found)) {
        const group = document.getElementById(`${name}-g`);
        if (!group) continue;
        group.hidden = !isAsked;
        group.querySelector("label").classList.toggle("req", isRequired);
      }
    } catch { /* what is asked for the save decides */ }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(ask, 250); };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
};
document.addEventListener("DOMContentLoaded", () => App.all("form[data-asked-url]").forEach(App.asked));
