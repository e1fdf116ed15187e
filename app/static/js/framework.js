"use strict";
// The framework's select boxes on its security pages.
document.addEventListener("DOMContentLoaded", () => {
  if (!window.jQuery?.fn.select2) return;
  for (const box of App.all("select.my_select2, select[multiple]")) jQuery(box).select2({ width: "100%", language: { noResults: () => "没有找到" } });
  App.all("input.appbuilder_date, .appbuilder_date input").forEach((input) => { input.type = "date"; });
});
