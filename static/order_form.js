// The order form: what is typed stays while its fields change, and when the session ends.
(() => {
  "use strict";
  const PAUSED = 700; // ms without a key until somebody is not in mid-word: a slow typist needs 500 from key to key

  // ── Fields that come for another service take over what was typed while they were on their way ──
  document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
    if (target.id !== "fields") return;
    for (const typed of target.querySelectorAll(".in-t")) {
      let next = fragment.querySelector(`[name="${typed.name}"]`);
      if (!next && typed.value) {
        next = Object.assign(document.createElement("input"), { type: "hidden", name: typed.name });
        fragment.firstElementChild.append(next);
      }
      if (next) next.value = typed.value;
    }
  });

  // ── A session that ended in mid-form: the form itself goes to sign in, so that what is typed comes back ──
  let leaving = 0;
  const leave = (form) => {
    leaving = 0;
    if (form.dataset.sent) return; // by Place, which keeps what is typed as well
    const mark = Object.assign(document.createElement("input"), { type: "hidden", name: "keep", value: "1" });
    mark.dataset.keep = ""; // nobody pressed Place: nothing may be ordered by this
    form.append(mark);
    form.requestSubmit();
  };
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = event.target.closest("form[data-kept]");
    if (!form || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault();
    leaving ||= setTimeout(leave, PAUSED, form); // every question is answered so, and the form goes once
  });
  document.addEventListener("input", (event) => {
    const form = leaving && event.target.closest("form[data-kept]");
    if (!form) return;
    clearTimeout(leaving);
    leaving = setTimeout(leave, PAUSED, form);
  });
})();
