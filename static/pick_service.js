// The service picker of the order form: arrows and Enter choose from the list, which folds once a service is chosen.
(() => {
  "use strict";
  const search = document.getElementById("q");
  const combo = search?.closest(".combo");
  if (!combo) return;

  const list = () => document.getElementById("found");
  const radios = () => [...list().querySelectorAll(".pick input[type=radio]")];
  const unfold = (open) => list().classList.toggle("is-open", open);
  const typed = () => search.value.trim();
  let chosenSoon = false; // Enter came before the list for these words

  const choose = (radio) => {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    (document.querySelector("#fields .in-t") ?? radio).focus();
  };
  // The choice that no search found stands first, and is not what was searched for.
  const chooseFirst = () => {
    chosenSoon = false;
    const first = radios().find((radio) => !radio.matches("[data-not-found]"));
    // An id is that service's or none's: 101 is not 1010.
    if (/^\d+$/.test(typed()) && first?.value !== typed()) window.desk.say(`No service on sale has the id ${typed()}.`);
    else if (first) choose(first);
    else window.desk.say("No service found.");
  };
  const walk = (by) => {
    unfold(true);
    const all = radios(), at = all.indexOf(document.activeElement);
    (all[at + by] ?? (at + by < 0 ? search : all[at]))?.focus();
  };

  combo.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (ctrlKey || metaKey || altKey || event.isComposing) return;
    const inList = target.matches(".pick input");
    if (!inList && target !== search) return;
    if (key === "ArrowDown") walk(1);
    else if (key === "ArrowUp" && inList) walk(-1);
    else if (key === "Enter" && inList) choose(target);
    else if (key === "Enter" && typed()) list().dataset.q === typed() ? chooseFirst() : chosenSoon = true;
    else if (key === "Escape" && (inList || !typed())) { unfold(!list().querySelector(":checked")); search.focus(); }
    else {
      // A letter goes on with the search instead of being a shortcut.
      if (inList && key.length === 1 && key !== " ") { search.focus(); event.stopPropagation(); }
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  // Words that came before this script are told again once it listens, and are still the words of that Enter.
  combo.addEventListener("input", ({ isTrusted }) => { chosenSoon &&= !isTrusted; });
  combo.addEventListener("change", ({ target }) => { if (target.matches(".pick input")) unfold(false); });
  combo.addEventListener("click", ({ target }) => {
    if (!target.closest(".f-more")) return;
    unfold(true);
    search.focus();
    search.select();
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (chosenSoon && list()?.dataset.q === typed()) chooseFirst();
  });
})();
