/* The page of the roles: tints what is moved and not saved yet, and says in words what saving would do and to whom. */
(() => {
  const form = document.getElementById("roles"), said = document.getElementById("moved");

  function tell() {
    const moved = [...form.querySelectorAll("[role=switch]")].filter((one) => {
      const is = one.checked !== (one.dataset.saw === "on");
      one.closest("td").classList.toggle("is-new", is);
      return is;
    });
    const count = moved.length;
    const whom = new Set(moved.map((one) => one.dataset.who));
    said.textContent = count
      ? `${count} ${count === 1 ? "change" : "changes"}, not saved yet. `
        + [...moved.map((one) => one.checked ? one.dataset.on : one.dataset.off), ...whom].join(" ")
      : said.dataset.still;
  }

  form.addEventListener("change", tell);
  tell();
})();
