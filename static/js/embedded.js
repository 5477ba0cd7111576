// Inside a frame on another site: tells the page around how high it is, whenever that changes, and is
// told whether that page is dark.
"use strict";
(() => {
  if (window.parent === window) return;
  const tell = () => {
    const height = Math.ceil(document.getElementById("main").getBoundingClientRect().height) + 16;
    window.parent.postMessage({ seatline: "height", height }, "*");
  };
  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || data?.seatline !== "look") return;
    document.documentElement.dataset.theme = data.dark ? "dark" : "light";
  });
  new ResizeObserver(tell).observe(document.getElementById("main"));
  window.addEventListener("load", tell);
})();
