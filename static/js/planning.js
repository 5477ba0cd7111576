// The plan on a device: registers the worker that keeps it, and offers to install where a browser can.
(() => {
  "use strict";

  const { worker, scope } = document.currentScript.dataset;
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register(worker, { scope }).catch(() => undefined);
  }

  const button = document.querySelector("[data-install]");
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    button.hidden = false;
    button.addEventListener("click", () => event.prompt(), { once: true });
  });
  addEventListener("appinstalled", () => {
    button.hidden = true;
  });
})();
