// Keeps an open page true with one poll: fast while something moves, slow when idle, silent in a hidden tab.
(() => {
  "use strict";
  const FAST = 2_000, SLOW = 15_000, LONGEST = 60_000; // ms between polls; LONGEST after errors
  const ACTED = 30_000; // ms that a person counts as busy after a key or a click
  const MARKED = 4_000; // ms that a changed row stays marked
  const NAMED = 3; // changed orders that are named aloud; of more, only how many
  const { desk, htmx } = window;
  const poll = document.getElementById("poll");
  if (!desk || !htmx) return;

  // ── Whoever had the focus on what a swap takes away gets the control that does the same, else the heading of its place ──
  const does = (el) => [el.form?.getAttribute("action"), ...["href", "formaction", "name", "value"].map((name) => el.getAttribute(name))]
    .join(" ").trim() || el.textContent.trim();
  desk.hold = () => {
    const el = document.activeElement;
    if (el === document.body) return () => {};
    const did = does(el), byKey = el.matches(":focus-visible"), places = ["main"];
    for (let at = el; at; at = at.parentElement) {
      const title = at.getAttribute("aria-labelledby");
      if (at.id || title) places.splice(-1, 0, at.id ? `#${CSS.escape(at.id)}` : `[aria-labelledby="${title}"]`);
    }
    return () => { // gives it back, if it is lost
      if (document.activeElement !== document.body) return;
      const now = places.flatMap((place) => document.querySelector(place) ?? []);
      const same = now.flatMap((place) => [...place.querySelectorAll(el.localName)]).find((one) => does(one) === did);
      for (const to of [el, same, ...now.map((place) => place.querySelector("h1, h2, h3") ?? place.querySelector("a[href]"))]) {
        if (!to?.isConnected) continue;
        if (to.tabIndex < 0) to.tabIndex = -1;
        to.focus({ preventScroll: true });
        if (document.activeElement !== to) continue;
        return byKey && to.scrollIntoView({ block: "nearest" });
      }
    };
  };

  // ── Whatever is swapped in may say in sentences what it is now. Said aloud are those that it did not say before ──
  const said = new Map();
  const hear = (aloud) => {
    for (const { id, dataset: { says, saysAnew, v } } of document.querySelectorAll("[data-says]")) {
      const of = saysAnew === undefined ? id : id + v; // what says always the same says it with each version
      const now = says.trim().split(/(?<=[.!?]) +/), before = said.get(of) ?? [];
      if (aloud) desk.say(now.filter((sentence) => !before.includes(sentence)).join(" "));
      said.set(of, now);
    }
  };
  hear(false);
  const changed = []; // what is said of each row
  document.addEventListener("htmx:beforeSwap", () => {
    const giveBack = desk.hold();
    queueMicrotask(() => { // once all is in its place
      giveBack();
      const more = changed.splice(NAMED).length;
      desk.say([...changed.splice(0), more ? `${more} more changed.` : ""].join(" ").trim());
      hear(true);
      desk.tick();
    });
  });
  document.addEventListener("htmx:afterSettle", () => desk.askedAnew?.());
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
  const facts = (row) => [row.querySelector(".badge")?.textContent, row.querySelector(".c-refill [role=img]")?.getAttribute("aria-label")];
  const takeOver = (row, fresh) => {
    const before = facts(row), news = facts(fresh).filter((fact, at) => fact && fact !== before[at]);
    if (news.length) changed.push(`Order ${row.id.slice(6)}: ${news.join(". ")}.`);
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
    if (target.id === "heard") {
      event.preventDefault();
      return desk.say(fragment.textContent.trim());
    }
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

  // ── “Live” pauses the page and goes on: no poll, no ticking time. The account remembers it, so that every page keeps to it ──
  const { dataset } = document.documentElement, light = document.getElementById("live");
  let timer = 0, due = 0, asking = false, fails = 0, lost = "", acted = 0;
  let since = ""; // when it was paused

  const pause = () => {
    if (fails) return Math.min(FAST * 2 ** fails, LONGEST);
    return document.querySelector("[data-live]") || Date.now() - acted < ACTED ? FAST : SLOW;
  };
  const plan = (wait = pause()) => {
    clearTimeout(timer);
    if (!poll || document.hidden || asking || since) return;
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
    const words = since ? `Paused at ${since}` : lost ? `No contact since ${lost}` : "Live";
    for (const item of document.querySelectorAll("[data-pauses]")) {
      item.hidden = false;
      item.lastChild.textContent = since ? "Go on live" : "Pause live updates";
    }
    if (light.textContent === words) return;
    light.hidden = false;
    light.className = `live${since ? " live-off" : lost ? " live-bad" : ""}`;
    light.title = since ? "Go on live" : "Pause: rows and times stand still, on every page";
    if (light.textContent) desk.say(since ? `${words}. Rows and times stand still.` : lost ? `${words}. What you see may be old.` : "Live again.");
    light.textContent = words;
  };
  const pauseOrGoOn = () => {
    since = since ? "" : clock();
    dataset.paused = since;
    if (!since) delete dataset.paused;
    else if (asking) htmx.trigger(poll, "htmx:abort");
    desk.tick();
    show();
    plan(0);
  };
  document.addEventListener("click", ({ target }) => {
    const source = target.closest("#live, [data-pauses]");
    if (!source) return;
    pauseOrGoOn();
    htmx.ajax("POST", "/accounts/preferences/live/", { source, swap: "none", values: { paused: since && "yes" } }).catch(() => { /* told by desk.js */ });
  });
  if ("paused" in dataset) since = clock();
  show();
  plan();
  if (!poll) return;

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
    if (since) return;
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
})();
