// What single keys do, and the dialogs they open. Comes with the first key: desk.js hands that and all others over.
const { desk, htmx } = window;
const CHORD = 1_500; // ms that g waits for the key after it
const ROWS = "main :is(.row, .jobs li, .line li)";
const FIELDS = ["main #q", "#find"]; // the page's own, else that of the bar
const GO = JSON.parse(document.body.dataset.goKeys); // key after g → path
const style = new Promise((resolve) => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: document.body.dataset.keysStyle });
  link.onload = link.onerror = resolve;
  document.head.append(link);
});

let chord = 0; // since when g waits
let opening = false, typed = ""; // keys that came while the palette was on its way

// ── The cursor is the real focus, on the first link of a row ──
const links = () => [...document.querySelectorAll(ROWS)].map((row) => row.querySelector("a[href]")).filter(Boolean);
const rowOf = (link) => link?.closest(ROWS);
const here = () => rowOf(document.activeElement); // nothing is done to a row that does not show the cursor
const go = (to) => location.assign(to);
const nothing = (words) => { // what follows is perhaps text as well
  desk.typed = Date.now();
  desk.toast(words);
};

// Walks from the cursor; where there is none, to where it was last, also after a visit to that order.
const move = (step) => {
  const all = links();
  if (!all.length) return nothing("There is no list here to walk through.");
  const row = here();
  const at = all.findIndex((link) => (row ? rowOf(link) === row : link.id && link.id === sessionStorage.cursor));
  const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : row ? Math.min(Math.max(at + step, 0), all.length - 1) : at;
  all[to].focus({ preventScroll: true });
  rowOf(all[to]).scrollIntoView({ block: "nearest" });
  sessionStorage.cursor = all[to].id;
};

const none = () => nothing(here() ? "This row has no such button." : "No row is chosen. Press j to come to the first.");
const tick = (shiftKey) => {
  const box = here()?.querySelector(".c-tick input");
  if (!box) return none();
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
  const count = document.getElementById("ticked")?.textContent;
  desk.say(`Order ${box.value} ${box.checked ? "ticked" : "not ticked"}${count ? `; ${count}` : ""}`);
};

const asks = (name) => (here() ?? document.getElementById("order"))?.querySelector(`[data-key="${name}"]`);
const ask = (name) => {
  const button = asks(name);
  if (!button) return none();
  if (button.dataset.ask) return desk.ask(button, true);
  button.focus(); // so that its reason shows
  desk.say(document.getElementById(button.getAttribute("aria-describedby"))?.textContent);
};

const turn = (rel, which) => {
  const link = document.querySelector(`main a[rel="${rel}"]`);
  if (link) link.click();
  else nothing(`There is no ${which} page here.`);
};

// ── Searching: Escape leads back to where one was ──
let before = null;
const search = () => {
  const field = FIELDS.map((one) => document.querySelector(one)).find((one) => one?.checkVisibility());
  if (!field) return open("palette");
  before = desk.hold();
  field.focus();
  field.select();
};
document.addEventListener("keydown", ({ key, target }) => {
  if (key !== "Escape" || !before || !target.matches(FIELDS.join())) return;
  target.blur(); // also where that is gone
  before();
  before = null;
});

// ── Dialogs: fetched when they are opened, and gone when they are closed ──
const open = async (name) => {
  if (opening || document.querySelector("dialog:modal")) return;
  if (location.pathname === `/${name}/`) return document.getElementById("go")?.focus(); // one is on its page
  const giveBack = desk.hold();
  const dialog = Object.assign(document.createElement("dialog"), { className: `dialog dialog-${name}` });
  document.body.append(dialog);
  [opening, typed] = [true, ""];
  try {
    await Promise.all([style, htmx.ajax("GET", `/${name}/`, { target: dialog, swap: "innerHTML" })]);
  } catch { /* told by desk.js */ } finally {
    opening = false;
  }
  if (!dialog.firstElementChild) return dialog.remove();
  dialog.addEventListener("click", ({ target }) => { if (target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    dialog.remove();
    giveBack(); // what had the focus may have been swapped
  });
  dialog.showModal();
  (name === "palette" ? choose : showSwitch)(dialog);
};

const showSwitch = (root) => {
  const single = root.querySelector("#single");
  if (!single) return;
  if (root !== document) root.setAttribute("aria-labelledby", "keys-title");
  const box = single.querySelector("input");
  single.hidden = false;
  box.checked = localStorage.keys !== "off";
  box.addEventListener("change", () => { localStorage.keys = box.checked ? "on" : "off"; });
};

// ── Where the browser does not let desk.js copy, the text opens selected ──
export const byHand = (text, button) => {
  const dialog = Object.assign(document.createElement("dialog"), { className: "dialog refused" });
  dialog.innerHTML = '<header><h2 id="by-hand">Copy it by hand</h2></header><div class="in"><p>The browser did not let us copy. '
    + 'The text is selected: press Ctrl+C (on a Mac ⌘C).</p><textarea class="in-t" rows="8" readonly aria-labelledby="by-hand"></textarea></div>'
    + '<footer><form method="dialog"><button class="btn">Close</button></form></footer>';
  dialog.setAttribute("aria-labelledby", "by-hand");
  const box = dialog.querySelector("textarea");
  box.value = text;
  dialog.addEventListener("close", () => { dialog.remove(); button.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  box.select();
};

// ── The palette: a field that is typed in, and a list that is chosen from ──
const choose = (dialog) => {
  const field = dialog.querySelector("#go"), said = dialog.querySelector("#go-said");
  const list = () => dialog.querySelector("#go-list");
  const options = () => [...dialog.querySelectorAll("[role=option]")];
  let entered = false; // Enter came before what it is meant for
  const current = () => list().dataset.q === field.value.trim();
  const mark = (chosen) => {
    for (const option of options()) option.setAttribute("aria-selected", option === chosen);
    if (chosen) field.setAttribute("aria-activedescendant", chosen.id);
    else field.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  };
  const marked = () => dialog.querySelector("[aria-selected=true]");

  dialog.setAttribute("aria-label", "Go to");
  dialog.addEventListener("submit", (event) => event.preventDefault());
  const begin = () => {
    const all = options();
    mark(all[0]);
    said.textContent = `${all.length} found`;
    if (entered && current()) all[0]?.click();
  };
  dialog.addEventListener("htmx:afterSettle", begin);
  field.addEventListener("input", () => { entered = false; });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options(), at = all.indexOf(marked());
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, all.length - 1), PageUp: Math.max(at - 8, 0) };
    if (event.key in to) {
      event.preventDefault();
      mark(all.at(to[event.key] % all.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (current()) marked()?.click();
      else entered = true;
    }
  });
  begin();
  if (!typed) return;
  field.value = typed;
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

const KEYS = {
  "/": search, "?": () => open("keys"), palette: () => open("palette"),
  j: () => move(1), k: () => move(-1), x: () => tick(false), X: () => tick(true),
  r: () => ask("r"), c: () => ask("c"),
  n: () => go(GO.n), g: () => { chord = Date.now(); },
  "[": () => turn("prev", "previous"), "]": () => turn("next", "next"),
  u: () => [...document.querySelectorAll(".crumb > nav:first-child a")].at(-1)?.click(),
};
const REPEATS = "jk"; // while they are held down

// ── Somebody may be typing where nothing takes it: then no letter leads away or does a thing ──
// Where a form is to be filled in, letters rest, but for those that only ask. After a key that does nothing, all rest.
const TEXT = 1_000; // ms without a key until what was typed is over
const FILLED_IN = "main form[method=post]:not(#pick) :is(textarea, select, input:not([type=hidden]))";
const rests = (key) => key.toLowerCase() !== key.toUpperCase() && !(key in { r: 0, c: 0 } && asks(key))
  && [...document.querySelectorAll(FILLED_IN)].some((field) => field.checkVisibility());
document.addEventListener("keydown", ({ key }) => {
  if (key !== " ") return;
  chord = 0;
  if (Date.now() - desk.typed < TEXT) desk.typed = Date.now();
});

export const press = (key, repeated) => {
  const field = document.activeElement;
  if (opening) {
    if (key.length === 1) typed += key;
    return;
  }
  if (field?.matches(FIELDS.join()) && key.length === 1) { // pressed after “/”, while this script was on its way
    field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return;
  }
  if (repeated && !REPEATS.includes(key)) return;
  if (key.length > 1) return KEYS[key]();
  const now = Date.now();
  const does = now - chord < CHORD && key in GO ? () => go(GO[key]) : Object.hasOwn(KEYS, key) && KEYS[key];
  chord = 0;
  const isText = !does || rests(key) || (now - desk.typed < TEXT && !REPEATS.includes(key));
  desk.typed = isText ? now : 0;
  if (!isText) does();
};

showSwitch(document);
