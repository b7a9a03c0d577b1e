// The question before a refill or a cancel, in place of its button: on the orders page and on an order's. It comes with the
// first press. Without it the button leads to a page with the same question.
const { desk, htmx } = window;
const AGAIN = 15_000; // ms until it is told once more; the desk forgets it after 30 s
const DEAF = 300; // ms in which a new question takes no press: a double click asks, and answers nothing

let asked = null; // the open question: its box, what it answers to (`to`), the id of its button, and so on

const address = (button) => button.formAction.replace(/question\/$/, ""); // what a yes posts to
const part = (tag, props, ...children) => {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
};

const fill = (button) => { // the words, which a poll may have changed
  const { ask: sentence, yes } = button.dataset;
  if (asked.words.textContent !== sentence) asked.words.textContent = sentence;
  if (asked.label.data !== yes) asked.label.data = yes;
  asked.box.setAttribute("aria-label", `${button.getAttribute("aria-label") ?? button.textContent}?`);
};

// What one is about to do, told to the desk while the question is open; it answers who else has the order open.
const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
const tell = async (to, about) => {
  const { pathname } = new URL("../deciding/", to);
  try {
    const answer = await fetch(pathname, { method: "POST", headers, body: new URLSearchParams({ about }), keepalive: true });
    return answer.ok ? (await answer.text()).trim() : "";
  } catch { // the press is asked about once more, where it matters
    return "";
  }
};

const close = (back) => {
  if (!asked) return;
  const { box, button, before, telling } = asked;
  clearInterval(telling);
  tell(asked.to, "");
  asked = null;
  if (box.hasAttribute("hx-preserve")) {
    box.hidden = true;
    box.replaceChildren();
  } else box.remove();
  if (!back) return;
  const to = before?.isConnected && before !== document.body ? before : document.getElementById(button);
  to?.focus({ preventScroll: true });
};

const answer = () => {
  const { to, box, button } = asked, row = box.closest("tr[data-v]");
  close(true);
  if (row) {
    const source = document.getElementById(button);
    htmx.ajax("POST", to, { source, target: row, swap: "outerHTML" }).catch(() => { /* told by desk.js */ });
    return;
  }
  const form = document.getElementById("act");
  form.action = to;
  form.requestSubmit();
};

// Opens it. `letter`: a bare key asked, so what follows may be text. `before`: what has the focus back afterwards.
export const ask = (button, letter, before) => {
  if (asked?.button === button.id) return asked.yes.focus();
  close(false);
  if (!button.isConnected || !button.dataset.ask) return;
  const home = button.closest("td, li");
  const box = home.querySelector(".ask") ?? part("div", { className: "ask", role: "group" });
  if (!box.isConnected) home.append(box);
  const words = part("p", { className: "say-t", id: "ask-s" }), label = document.createTextNode("");
  const yes = part("button", { type: "button", className: `btn ${button.dataset.key === "r" ? "btn-main" : "btn-yes"}` });
  yes.append(label, part("kbd", { textContent: "↵", ariaHidden: "true" }));
  const keep = part("button", { type: "button", className: "btn", textContent: "Keep" });
  asked = { box, words, label, yes, before, letter, button: button.id, key: button.dataset.key, to: address(button), at: performance.now() };
  fill(button);
  const others = part("p", { className: "say-t old", id: "ask-o" });
  yes.setAttribute("aria-describedby", `${words.id} ${others.id}`);
  box.append(words, others, yes, keep);
  box.hidden = false;
  const { to } = asked, about = to.split("/").at(-2);
  const now = async () => {
    const said = await tell(to, about);
    if (asked?.to !== to || others.textContent === said) return;
    others.textContent = said;
    desk.say(said);
  };
  now();
  asked.telling = setInterval(now, AGAIN);
  const heard = (does) => () => { if (asked && performance.now() - asked.at > DEAF) does(true); };
  yes.addEventListener("click", heard(answer));
  keep.addEventListener("click", heard(close));
  yes.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
};

// After a swap: the question stays as long as the same is offered, with the words of now.
desk.askedAnew = () => {
  if (!asked) return;
  const { box, to, key, letter, before } = asked, button = document.getElementById(asked.button);
  const isOffered = button?.dataset.ask && address(button) === to, isLost = document.activeElement === document.body;
  if (isOffered && box.isConnected) return fill(button);
  if (isOffered && isLost) { // its whole row came anew
    clearInterval(asked.telling);
    asked = null;
    return ask(button, letter, before);
  }
  const why = button && document.getElementById(button.getAttribute("aria-describedby"))?.textContent;
  const next = button ?? box.parentElement?.querySelector(`[data-key="${key}"]`);
  const had = isLost || box.contains(document.activeElement);
  close(false);
  if (had) next?.focus({ preventScroll: true });
  if (!isOffered) desk.say(`That can no longer be asked for. ${why ?? ""}`);
};

// Enter answers, once. Escape and typing close. A space answers only those who came by the button itself.
for (const kind of ["keydown", "keyup"]) {
  document.addEventListener(kind, (event) => {
    const { key, repeat, ctrlKey, metaKey, altKey, target } = event;
    const isInside = asked?.box.contains(target);
    if (kind === "keydown" && key === "Escape" && asked && (isInside || target === document.body)) {
      event.stopPropagation();
      return close(true);
    }
    if (!isInside) return;
    if ((key === " " && asked.letter) || (key === "Enter" && repeat)) event.preventDefault();
    if (kind === "keyup" || key.length > 1 || key === " " || ctrlKey || metaKey || altKey) return;
    close(true);
    if ("jk".includes(key)) return; // on to the next row
    event.stopPropagation();
    desk.typed = Date.now();
    if (document.activeElement.matches("button")) document.activeElement.blur(); // what else is typed presses nothing
  }, { capture: true });
}
