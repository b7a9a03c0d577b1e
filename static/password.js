// Shows what is typed into the fields of a new password, as long as the box is ticked.
(() => {
  "use strict";

  const box = document.querySelector("[data-shows]");
  box?.addEventListener("change", () => {
    for (const field of document.querySelectorAll("[autocomplete=new-password]")) field.type = box.checked ? "text" : "password";
  });
})();
