// The page of answers: the language goes as it is chosen, and what was copied is remembered on this machine for this tab.
(() => {
  "use strict";
  const all = () => document.getElementById("answers");
  const key = () => `answers-copied-${all().dataset.worklist}`;
  const kept = () => JSON.parse(sessionStorage.getItem(key()) ?? "{}");
  const texts = () => [...all().querySelectorAll(".ans-t > p[lang]")];

  // Each answer says whether its text is on a clipboard, or has changed since.
  const show = () => {
    const copied = kept();
    for (const text of texts()) {
      const row = text.closest("li"), before = copied[text.id];
      const word = row.querySelector("[data-word]");
      if (word) word.textContent = before === text.textContent ? "Copied" : "Copy";
      row.querySelector("[data-moved-on]").hidden = before === undefined || before === text.textContent;
    }
  };
  document.addEventListener("desk:copied", ({ target }) => {
    const of = target.dataset.copyOf;
    const now = texts().filter(({ id }) => of === "all" || id === of).map((text) => [text.id, text.textContent]);
    sessionStorage.setItem(key(), JSON.stringify({ ...kept(), ...Object.fromEntries(now) }));
    show();
  });
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("change", ({ target }) => {
    if ("sends" in target.dataset) target.form.requestSubmit();
  });
  show();
})();
