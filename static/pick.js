// The rows of the orders page: a way through them by arrows. And their ticks: the whole page, ranges with Shift, the count,
// and what a row's swap would take away.
(() => {
  "use strict";
  const { desk, htmx } = window;

  // ── The table's head is one stop of Tab and all its rows are another; arrows walk in both. Nothing in a row is marked for
  // it: rows come and go with polls, and without this script each button is a stop of its own. ──
  const PARTS = ".grid-o > :is(thead, tbody)";
  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const stops = (part) => [...part.querySelectorAll("a[href], button, input")].filter((stop) => stop.checkVisibility({ visibilityProperty: true }));
  let tabs = false, leaves = false, at = ""; // whether Tab was the last key, whether it leads out, and the id of the last stop
  const next = (stop, [down, right]) => {
    const cell = stop.closest("td, th"), row = cell.parentElement, rows = [...document.querySelectorAll(".grid-o tr")];
    const beside = stops(row);
    if (right) return beside[beside.indexOf(stop) + right];
    const to = rows[rows.indexOf(row) + down], same = to && stops(to.cells[cell.cellIndex]);
    return to && (same[stops(cell).indexOf(stop)] ?? same[0] ?? to.querySelector(".id") ?? stops(to)[0]);
  };
  document.addEventListener("keydown", (event) => {
    const { key, target, shiftKey, ctrlKey, metaKey, altKey } = event, part = target.closest(PARTS);
    tabs = key === "Tab";
    if (!part || target.closest(".ask") || ctrlKey || metaKey || altKey || event.defaultPrevented) return;
    if (tabs) { // from its end the browser itself goes on
      leaves = true;
      stops(part).at(shiftKey ? 0 : -1).focus({ preventScroll: true });
      leaves = false;
    } else if (key in ARROWS && !shiftKey) {
      event.preventDefault();
      next(target, ARROWS[key])?.focus();
    }
  });
  document.addEventListener("focusin", ({ target, relatedTarget }) => {
    const rows = target.closest("#rows");
    if (!rows || leaves) return;
    const to = tabs && !rows.contains(relatedTarget) && (document.getElementById(at) ?? rows.querySelector(".id"));
    if (to && to !== target && rows.contains(to)) return to.focus();
    at = target.id;
    if (!tabs || localStorage.walked) return;
    localStorage.walked = "yes";
    desk.toast("Arrow keys walk through the orders, Tab leaves them.");
  });

  const form = document.getElementById("pick");
  const whole = document.getElementById("tick-page");
  const shown = document.getElementById("ticked");
  if (!form || !whole) return;

  const ticks = () => [...document.querySelectorAll(".row .c-tick input")];
  const picked = new Set(); // a swapped row comes unticked, so what is ticked is kept here
  const LIST = form.elements.match.value;
  let last = null;

  // The pill loads the page anew: what is ticked comes along, also what new orders have pushed off the page.
  const carried = () => [...form.querySelectorAll("[data-carried]")];
  const carry = () => {
    const kept = JSON.parse(sessionStorage.ticked ?? "null");
    sessionStorage.removeItem("ticked");
    for (const order of kept?.list === LIST ? kept.orders : []) {
      const tick = document.querySelector(`.row .c-tick input[value="${order}"]`);
      if (tick) tick.checked = true;
      else {
        const gone = Object.assign(document.createElement("input"), { type: "hidden", name: "order", value: order });
        gone.dataset.carried = "";
        form.append(gone);
      }
    }
  };
  document.addEventListener("click", ({ target }) => {
    if (!target.closest("#fresh-a")) return;
    const orders = [...picked, ...carried().map((gone) => gone.value)];
    if (orders.length) sessionStorage.ticked = JSON.stringify({ list: LIST, orders });
  });

  const tell = () => {
    const all = ticks();
    for (const tick of all) tick.checked ? picked.add(tick.value) : picked.delete(tick.value);
    whole.checked = picked.size === all.length;
    whole.indeterminate = picked.size > 0 && !whole.checked;
    const gone = carried().length, count = picked.size + gone;
    shown.textContent = `the ${count} ticked`;
    document.getElementById("ticked-where").textContent = gone ? `, ${gone} of them further down` : " on this page";
    if (count) htmx.trigger(form.querySelector("[hx-get]") ?? form, "desk:ticked");
  };
  const range = (from, to, checked) => {
    const all = ticks(), ends = [all.findIndex((tick) => tick.value === from), all.indexOf(to)].sort((a, b) => a - b);
    if (ends[0] >= 0) for (const tick of all.slice(ends[0], ends[1] + 1)) tick.checked = checked;
  };

  document.addEventListener("click", ({ target, shiftKey }) => {
    if (!target.matches(".row .c-tick input")) return;
    if (shiftKey && last !== null) range(last, target, target.checked);
    last = target.value;
    tell();
  });
  whole.addEventListener("change", () => {
    for (const tick of ticks()) tick.checked = whole.checked;
    tell();
  });
  form.addEventListener("reset", () => setTimeout(() => { // once the browser has unticked them
    last = null;
    for (const gone of carried()) gone.remove();
    tell();
    whole.focus();
    desk.say("Nothing is ticked.");
  }));
  // Whatever brings a row anew: the poll, or an action in it.
  document.addEventListener("htmx:load", ({ target }) => {
    for (const tick of target.querySelectorAll?.(".c-tick input") ?? []) tick.checked = picked.has(tick.value);
  });
  addEventListener("pageshow", tell); // what the browser has kept of an earlier visit
  carry();
  tell();
})();
