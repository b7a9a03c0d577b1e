// Keeps an open page true with one poll: fast while something moves, slow when idle, silent in a hidden tab.
(() => {
  "use strict";
  const FAST = 2_000, SLOW = 15_000, LONGEST = 60_000; // ms between polls; LONGEST after errors
  const ACTED = 30_000; // ms that a person counts as busy after a key or a click
  const MARKED = 4_000; // ms that a changed row stays marked
  const { desk, htmx } = window;
  const poll = document.getElementById("poll");
  if (!desk || !htmx) return;

  // Whatever is swapped in may say in a sentence what it is now; said once, not part by part.
  let said = document.querySelector("#order, #job, #answers, #alarms")?.dataset.says ?? "";
  document.addEventListener("htmx:afterSettle", (event) => {
    const words = event.target.dataset?.says;
    if (words && words !== said) desk.say(words);
    said = words || said;
    desk.tick();
    desk.askedAnew?.();
  });
  // A refill or a cancel asks first, where its button is. Without that script the button leads to a page that asks.
  desk.ask = (button, letter = false) => {
    const before = document.activeElement;
    button.focus({ preventScroll: true }); // an early Enter comes here, and asks
    import(document.body.dataset.question).then(({ ask }) => ask(button, letter, before), () => location.assign(button.formAction));
  };
  // The buttons in rows carry nothing for htmx, or it would search each row that comes for them.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter: source } = event;
    if (form.id === "ask") {
      event.preventDefault();
      desk.ask(source);
    }
    const target = form.id === "act" && source?.closest("tr[data-v]");
    if (!target) return;
    event.preventDefault();
    const to = source.getAttribute("formaction");
    htmx.ajax("POST", to, { source, target, swap: "outerHTML" }).catch(() => { /* told by desk.js */ });
  }, { capture: true });
  document.addEventListener("desk:said", ({ detail }) => desk.say(detail.value));
  // Of a row only the cells that differ: what is the same needs no new layout, and keeps focus, tick and open tip.
  const takeOver = (row, fresh) => {
    if (row.cells.length !== fresh.cells.length) return row.replaceWith(fresh); // its columns were chosen anew elsewhere
    const cells = [...fresh.cells];
    [...row.cells].forEach((cell, at) => {
      const asking = cell.querySelector(".ask"); // it stays, and keeps the focus: ask.js tells whether it still holds
      if (asking) cell.firstElementChild.replaceWith(cells[at].firstElementChild);
      else if (!cell.isEqualNode(cells[at])) cell.replaceWith(cells[at]);
    });
    row.className = `${fresh.className} is-changed`;
    row.dataset.v = fresh.dataset.v;
    row.toggleAttribute("data-live", "live" in fresh.dataset);
    clearTimeout(row.marked);
    row.marked = setTimeout(() => row.classList.remove("is-changed"), MARKED);
  };
  // What is the same stays in place: an alert is not announced again, a menu not closed.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const version = target.dataset.v, fresh = fragment.firstElementChild;
    if (version !== undefined && version === fresh?.dataset.v) event.detail.shouldSwap = false;
    else if (target.matches("tr[data-v]")) {
      event.preventDefault(); // htmx would tell each row of every other: of 50 rows, 1,275 events
      takeOver(target, fresh);
      desk.askedAnew?.();
    }
  });
  // What is kept through a swap is moved to its new place, and would be scrolled back to its top.
  let scrolled = [];
  document.addEventListener("htmx:beforeSwap", () => {
    scrolled = [...document.querySelectorAll("[hx-preserve] .lines")].map((box) => [box, box.scrollTop]);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [box, top] of scrolled) box.scrollTop = top;
  });
  if (!poll) return;

  const light = document.getElementById("live");
  let timer = 0, due = 0, asking = false, fails = 0, lost = "", acted = 0;

  const pause = () => {
    if (fails) return Math.min(FAST * 2 ** fails, LONGEST);
    return document.querySelector("[data-live]") || Date.now() - acted < ACTED ? FAST : SLOW;
  };
  const plan = (wait = pause()) => {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    due = Date.now() + wait;
    timer = setTimeout(() => htmx.trigger(poll, "desk:poll"), wait);
  };
  const now = () => { if (!document.hidden) plan(0); };
  const act = () => {
    acted = Date.now();
    if (!fails && due - acted > FAST) plan(FAST);
  };
  const clock = () => { // the person's, by its name
    const told = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    try {
      return new Date().toLocaleTimeString("en-GB", { ...told, timeZone: document.documentElement.dataset.zone });
    } catch { // a zone too new for this browser
      return new Date().toLocaleTimeString("en-GB", told);
    }
  };
  const show = () => {
    if (!light) return;
    light.hidden = false;
    light.classList.toggle("live-bad", Boolean(lost));
    const words = lost ? `No contact since ${lost}` : "Live";
    if (light.textContent === words) return;
    if (lost || fails === 0 && light.textContent) desk.say(lost ? `${words}. What you see may be old.` : "In contact again.");
    light.textContent = words;
  };

  poll.addEventListener("htmx:configRequest", ({ detail }) => {
    const whole = document.querySelector("#order, #job, #answers, #alarms"); // a page about one thing, which comes as a whole
    const rows = [...document.querySelectorAll("tr[data-v]")];
    detail.parameters.v = whole ? whole.dataset.v : rows.map((row) => `${row.id.slice(6)}:${row.dataset.v}`).join(",");
    detail.parameters.bar = document.getElementById("bar")?.dataset.version ?? "";
    const top = document.getElementById("fresh")?.dataset.top;
    if (top) detail.parameters.top = top;
    const counts = document.getElementById("counts")?.dataset.v;
    if (counts) detail.parameters.counts = counts;
  });
  poll.addEventListener("htmx:beforeRequest", () => { asking = true; });
  poll.addEventListener("htmx:afterRequest", ({ detail }) => {
    asking = false;
    const { xhr, successful } = detail;
    fails = successful ? 0 : fails + 1;
    if (successful) lost = "";
    else lost ||= clock();
    const said = Date.parse(xhr.getResponseHeader("Date") ?? "");
    // The header has whole seconds, so less than two of them is no skew worth the name.
    if (said) desk.skew = Math.abs(said - Date.now()) < 2000 ? 0 : said - Date.now();
    show();
    plan();
  });

  // The answer without a swap: when upstream was last asked about rows that did not move.
  document.addEventListener("desk:looked", ({ detail }) => {
    for (const time of document.querySelectorAll("time[data-looked]")) {
      const at = detail[time.dataset.looked];
      if (!at) continue;
      // Both times are on the person's clock and end in its offset: the clock keeps its name while that stays.
      const named = at.slice(19) === time.dateTime.slice(19) ? time.title.slice(20) : `UTC${at.slice(19)}`;
      time.dateTime = at;
      time.title = `${at.slice(0, 19).replace("T", " ")} ${named}`;
    }
    desk.tick();
  });

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : now()));
  addEventListener("pageshow", (event) => { if (event.persisted) now(); });
  addEventListener("online", now);
  document.addEventListener("keydown", act, { passive: true });
  document.addEventListener("pointerdown", act, { passive: true });
  show();
  plan();
})();
