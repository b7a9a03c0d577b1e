// On an order's page: tells colleagues that one is about to decide, while a form of a decision has the focus.
(() => {
  "use strict";
  const AGAIN = 15_000; // ms; what was said is forgotten after 30 s
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
  let about = "", timer = 0;
  const tell = () => fetch(`${location.pathname}deciding/`, { method: "POST", headers, body: new URLSearchParams({ about }), keepalive: true })
    .catch(() => { /* nobody learns of it; the press asks nobody then */ });
  const set = (now) => {
    if (now === about) return;
    about = now;
    clearInterval(timer);
    tell();
    if (about) timer = setInterval(tell, AGAIN);
  };
  document.addEventListener("focusin", ({ target }) => set(target.closest("[data-about]")?.dataset.about ?? ""));
  addEventListener("pagehide", () => set(""));
})();
