// Passkeys. A form with data-passkey asks the browser for one ("create") or for its answer ("get"), and sends that.
// The challenge stands in the form as JSON; where it does not, the form is posted without an answer to get it.
(() => {
  "use strict";

  const UNABLE = "This browser cannot use passkeys here. Use another way, or a newer browser.";
  const NOTHING = "No passkey was used. Try again, or use another way.";

  async function challengeOf(form) {
    const ready = form.querySelector("script");
    if (ready) return JSON.parse(ready.textContent);
    form.querySelector("[data-answer]").value = "";
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    return (await answer.json()).request_options;
  }

  async function answerOf(form) {
    const { publicKey } = await challengeOf(form);
    if (form.dataset.passkey === "get") {
      return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
    }
    // Alone it must be found without a name, and the device must know the person.
    if (form.querySelector("[name=passwordless]").checked) {
      Object.assign(publicKey.authenticatorSelection, {
        residentKey: "required", requireResidentKey: true, userVerification: "required",
      });
    }
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const trouble = form.querySelector("[data-trouble]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      trouble.textContent = "";
      if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
        trouble.textContent = UNABLE;
        return;
      }
      try {
        form.querySelector("[data-answer]").value = JSON.stringify((await answerOf(form)).toJSON());
      } catch {
        trouble.textContent = NOTHING;
        return;
      }
      form.submit();
    });
  }
})();
