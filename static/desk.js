// What every page does by itself: copies, keeps relative times true, closes menus, sends a form once.
(() => {
  "use strict";
  const SENDING = 10_000; // ms until a form that got no answer may be sent again
  const SHOWN = 8_000; // ms that a toast stays
  const TOGETHER = 50, HEARD = 1_000; // ms in which sentences are gathered, and that they stand at least
  const COPIED = 1_500; // ms that a copy button shows its tick
  const root = document.documentElement;
  root.classList.add("js"); // copy buttons show themselves only where they work

  // `skew`: ms that this machine's clock is behind the server's; live.js learns it. `typed`: when a key last was mere text.
  const desk = { skew: 0, typed: 0 };
  window.desk = desk;

  // One live region for everything that is said aloud. What comes in one moment is said together, and nothing overwrites what
  // was not heard yet. Emptied first, so that the same words are said again.
  const waiting = [];
  let saying = 0;
  const say = () => {
    const heard = document.getElementById("heard");
    saying = waiting.length && setTimeout(() => {
      heard.textContent = waiting.splice(0).reduce((all, next) => `${all}${/[.!?…]$/.test(all) ? "" : "."} ${next}`);
      saying = setTimeout(say, HEARD);
    }, TOGETHER);
    if (saying) heard.textContent = "";
  };
  desk.say = (words) => {
    if (!words || waiting.includes(words)) return;
    waiting.push(words);
    if (!saying) say();
  };

  // A word that goes by itself, for what has no place of its own on the page.
  let toast = null;
  desk.toast = (words) => {
    toast?.remove();
    const shown = toast = Object.assign(document.createElement("p"), { className: "toast", textContent: words });
    (document.querySelector("dialog:modal") ?? document.body).append(shown);
    setTimeout(() => shown.remove(), SHOWN);
    desk.say(words);
  };
  // What somebody asked for and got no answer to; the poll tells of itself.
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(kind, ({ detail: { elt, requestConfig, xhr } }) => {
      if (elt.id === "poll") return;
      // Of an outage the desk says in a sentence what it is, and whether anything was done.
      const why = kind === "htmx:responseError" && xhr.status === 503 && xhr.getResponseHeader("Retry-After") && xhr.responseText;
      desk.toast(why ? why : requestConfig.verb === "get" ? "The desk did not answer. What you see is as it was."
        : "The desk gave no clear answer. It may have worked: check before you press again.");
    });
  }

  // ── Relative times: the same words as the macro `ago` in components.html ──
  const span = (s) => {
    const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [s / 60, "min"] : s < 86400 ? [s / 3600, "h"] : [s / 86400, "d"];
    return `${Math.floor(n)} ${unit}`;
  };
  const words = (s) => (Math.abs(s) < 1 ? "now" : s < 0 ? `in ${span(-s)}` : `${span(s)} ago`);
  desk.tick = () => {
    if ("paused" in root.dataset) return;
    const now = Date.now() + desk.skew;
    for (const time of document.querySelectorAll("time[data-when]")) {
      const seconds = Math.trunc((now - Date.parse(time.dateTime)) / 1000);
      // What was to come and has not: the page does not know, so it does not say that it happened.
      const { when } = time.dataset;
      const text = when === "span" ? span(Math.max(seconds, 0)) : when === "due" && seconds >= 0 ? "now" : words(seconds);
      if ((seconds < 30 * 86400 || when === "span") && time.textContent !== text) time.textContent = text;
    }
  };
  setInterval(() => { if (!document.hidden) desk.tick(); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) desk.tick(); });

  // ── Copy ──
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const box = Object.assign(document.createElement("textarea"), { value: text, className: "vh" });
    document.body.append(box); // plain http on a local network has no clipboard of its own
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    if (!done) throw new Error("no clipboard");
  };
  const mark = (button, copied) => {
    const sign = button.querySelector("use"); // of a button with words; of others the stylesheet draws it
    button.classList.toggle("is-copied", copied);
    sign?.setAttribute("href", sign.getAttribute("href").replace(/#.*/, copied ? "#i-check" : "#i-copy"));
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-of]");
    if (!button) return;
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyOf).textContent;
    try {
      await copy(text);
      mark(button, true);
      setTimeout(mark, COPIED, button, false);
      desk.say(`Copied ${button.dataset.copied ?? text}`);
      button.dispatchEvent(new CustomEvent("desk:copied", { bubbles: true }));
      button.focus();
    } catch { // the browser refuses
      import(keys).then(({ byHand }) => byHand(text, button), () => desk.toast("The browser did not let us copy."));
    }
  });

  // ── Menus close on Escape, on a click elsewhere, and when the focus goes elsewhere, which they would cover ──
  const open = () => document.querySelector("details.menu[open]");
  for (const kind of ["click", "focusin"]) {
    document.addEventListener(kind, ({ target }) => {
      const menu = open();
      if (menu && !menu.contains(target) && (kind === "click" || !target.contains(menu))) menu.open = false;
    });
  }
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && open();
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // ── What shows itself under a pointer or with the focus goes on Escape, until one comes back to it ──
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    toast?.remove();
    for (const shown of document.querySelectorAll(":is(.why, .c-status):is(:hover, :focus-within)")) shown.classList.add("is-shut");
  });
  for (const kind of ["pointerout", "focusout"]) {
    document.addEventListener(kind, ({ target, relatedTarget }) => {
      const shut = target.closest?.(".is-shut");
      if (shut && !shut.contains(relatedTarget)) shut.classList.remove("is-shut");
    });
  }

  // ── Whole names and exact times, for those who cannot hover ──
  const whole = document.querySelector("[data-whole-names]");
  const tellWhole = (on) => {
    root.classList.toggle("is-whole", on);
    whole?.setAttribute("aria-pressed", on);
  };
  tellWhole(localStorage.whole === "on");
  whole?.addEventListener("click", () => {
    localStorage.whole = localStorage.whole === "on" ? "off" : "on";
    tellWhole(localStorage.whole === "on");
  });

  // ── Keys: their script comes with the first, which is handed over; never while somebody types, or when switched off ──
  const { keys } = document.body.dataset;
  let coming = null;
  const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, repeat } = event;
    const palette = (ctrlKey || metaKey) && !altKey && key.toLowerCase() === "k";
    const single = key.length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey && !event.isComposing
      && localStorage.keys !== "off" && !event.target.closest(FIELDS);
    if (!keys || !(palette || single) || event.defaultPrevented || document.querySelector("dialog:modal")) return;
    if (palette || key === "/") event.preventDefault(); // the browser has its own search on these
    coming ??= import(keys); // one for all keys, which so come in their order
    coming.then(({ press }) => press(palette ? "palette" : key, repeat), () => {
      coming = null;
      desk.toast("The keys did not load. Press again.");
    });
  });

  // ── At a sign-in the browser's time zone goes along; a field with a list is chosen whole, so that typing searches ──
  const zone = document.querySelector("[data-browser-zone]");
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  document.addEventListener("focusin", ({ target }) => { if (target.matches("[data-whole]")) target.select(); });

  // ── A form goes once, until it is answered or one comes back to it ──
  const free = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    for (const mark of form.querySelectorAll("[data-keep]")) mark.remove();
  };
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || (submitter?.formMethod || form.method) !== "post" || "again" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    submitter?.setAttribute("aria-busy", "true");
    setTimeout(free, SENDING, form);
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) free(form);
  });

  // ── What was typed or chosen before htmx listened, or put back by a reload, is told once it does ──
  const moved = (field) => {
    const { type, checked, defaultChecked, value, defaultValue, options } = field;
    if (options) return field.selectedIndex !== Math.max(0, [...options].findIndex((one) => one.defaultSelected));
    if (type === "radio") return checked && !defaultChecked; // the other one says nothing
    return type === "checkbox" ? checked !== defaultChecked : value !== defaultValue;
  };
  document.addEventListener("htmx:load", ({ target }) => {
    if (target !== document.body) return;
    for (const field of [...document.forms].flatMap((form) => [...form.elements])) {
      const chosen = field.matches("select, [type=checkbox], [type=radio]");
      if (field.matches("input, select, textarea") && moved(field)) field.dispatchEvent(new Event(chosen ? "change" : "input", { bubbles: true }));
    }
  });

  // ── Lists that search as one types need no button, and Enter there must not send the form around them ──
  for (const button of document.querySelectorAll("[data-without-script]")) button.remove();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-as-one-types]")) event.preventDefault();
  });
})();
