// Inside a frame on another site: tells the page around how high it is, whenever that changes.
"use strict";
(() => {
  if (window.parent === window) return;
  const tell = () => {
    const height = Math.ceil(document.getElementById("main").getBoundingClientRect().height) + 16;
    window.parent.postMessage({ seatline: "height", height }, "*");
  };
  new ResizeObserver(tell).observe(document.getElementById("main"));
  window.addEventListener("load", tell);
})();
