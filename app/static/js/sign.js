"use strict";
// A signature by hand (A11): drawn with finger, pen or mouse on a white sheet, sent as a small PNG with the decision.
App.signed = (place) => {
  const sheet = place.querySelector("canvas"), kept = place.querySelector("[data-sign-value]");
  const again = place.querySelector("[data-sign-clear]"), hint = place.querySelector("[data-sign-hint]");
  const pen = sheet.getContext("2d");
  let last = null, isDrawn = false;
  const wipe = () => {
    pen.fillStyle = "#fff"; // paper, whatever the theme: it is printed
    pen.fillRect(0, 0, sheet.width, sheet.height);
    Object.assign(pen, { strokeStyle: "#111", lineWidth: 8, lineCap: "round", lineJoin: "round" });
  };
  const tell = () => {
    kept.value = isDrawn ? sheet.toDataURL("image/png") : "";
    again.hidden = !isDrawn;
    hint.hidden = isDrawn;
    kept.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const at = (event) => {
    const box = sheet.getBoundingClientRect();
    return [(event.clientX - box.left) * sheet.width / box.width, (event.clientY - box.top) * sheet.height / box.height];
  };
  const draw = (event) => {
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const now = at(one);
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...now);
      pen.stroke();
      last = now;
    }
  };
  sheet.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button > 0) return;
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    last = at(event);
    isDrawn = true;
    hint.hidden = true;
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(last[0] + 0.1, last[1]);
    pen.stroke();
  });
  sheet.addEventListener("pointermove", (event) => { if (last && event.isPrimary) draw(event); });
  for (const name of ["pointerup", "pointercancel"]) {
    sheet.addEventListener(name, (event) => { if (last && event.isPrimary) { last = null; tell(); } });
  }
  again.addEventListener("click", () => { isDrawn = false; wipe(); tell(); });
  wipe();
  place.querySelector("[data-sign-pad]").hidden = false;
  place.querySelector("[data-sign-needs]").remove(); // said to who has no scripts
  if (kept.value) { // sent before and refused for something else: it need not be written again
    const picture = new Image();
    picture.addEventListener("load", () => {
      pen.drawImage(picture, 0, 0, sheet.width, sheet.height);
      isDrawn = true;
      tell();
    });
    picture.src = kept.value;
  }
};
App.all("[data-sign]").forEach(App.signed);
