// Keeps the button of a dry run true while its orders are ticked and unticked.
(() => {
  "use strict";
  const asked = document.getElementById("asked");
  if (!asked) return;
  const button = asked.closest("button");
  const ticks = [...document.querySelectorAll('input[form="press"][name="order"]')];
  const before = asked.textContent; // in the reader's number format

  const tell = () => {
    const moved = ticks.some((tick) => tick.checked !== tick.defaultChecked);
    const count = ticks.filter((tick) => tick.checked && "asks" in tick.dataset).length;
    asked.textContent = moved ? `${count} ${asked.dataset.one}${count === 1 ? "" : "s"}` : before;
    button.setAttribute("aria-disabled", String(!count));
  };
  document.addEventListener("change", ({ target }) => { if (ticks.includes(target)) tell(); });
  button.addEventListener("click", (event) => {
    if (button.getAttribute("aria-disabled") !== "true") return;
    event.preventDefault();
    window.desk?.say("No order is ticked that can be asked.");
  });
  addEventListener("pageshow", tell); // what the browser has kept of an earlier visit
  tell();
})();
