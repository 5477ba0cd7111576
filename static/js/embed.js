// On a business's own site: makes frames with the attribute data-seatline as high as what is in them.
// It believes a frame only about itself, and only where the message comes from the frame's own site.
"use strict";
(() => {
  const LONGEST = 20000;
  window.addEventListener("message", (event) => {
    const said = event.data;
    if (!said || said.seatline !== "height" || typeof said.height !== "number") return;
    for (const frame of document.querySelectorAll("iframe[data-seatline]")) {
      if (frame.contentWindow !== event.source) continue;
      if (new URL(frame.src, location.href).origin !== event.origin) continue;
      frame.style.height = `${Math.min(Math.max(said.height, 0), LONGEST)}px`;
    }
  });
})();
