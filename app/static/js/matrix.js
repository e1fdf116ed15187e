"use strict";
// Permission matrix: a box in a module's head sets its column, and shows whether all, some or none are set.
document.addEventListener("DOMContentLoaded", () => {
  for (const group of App.all("[data-matrix]")) {
    for (const head of App.all("[data-column]", group)) {
      const boxes = () => App.all(`tr:not(.module) > :nth-child(${Number(head.dataset.column) + 1}) input`, group);
      const show = () => {
        const all = boxes(), on = all.filter((box) => box.checked).length;
        head.disabled = !all.length;
        head.checked = all.length > 0 && on === all.length;
        head.indeterminate = on > 0 && on < all.length;
      };
      head.addEventListener("change", () => { for (const box of boxes()) box.checked = head.checked; });
      group.addEventListener("change", show);
      show();
    }
  }
});
