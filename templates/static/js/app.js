// Small comforts; every page is complete without them.
(() => {
  "use strict";
  const menu = document.querySelector("[data-menu]");
  if (menu) {
    document.addEventListener("click", (e) => {
      if (!menu.contains(e.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }

  // The lesson on show should be in sight in a long outline, without moving the page.
  const here = document.querySelector("[data-outline] [aria-current]");
  const box = document.querySelector(".reader-side");
  if (here && box && box.scrollHeight > box.clientHeight) {
    box.scrollTop += here.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
  }

  // A second click within five seconds must not send a form twice.
  const sent = new WeakSet();
  document.addEventListener("submit", (e) => {
    if (e.target.method !== "post") return;
    if (sent.has(e.target)) e.preventDefault();
    sent.add(e.target);
    setTimeout(() => sent.delete(e.target), 5000);
  });
})();
