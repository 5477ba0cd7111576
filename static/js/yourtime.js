// Dates that one takes part in from anywhere, on the reader's own clock where it shows another time:
// <span data-from="ISO" data-until="ISO"></span>. Loaded without `defer`, so that it fills them in as
// the page is read and nothing moves on the screen.
(() => {
  "use strict";

  const { zone, words } = document.currentScript.dataset;
  const language = document.documentElement.lang || "en";
  const inZone = (timeZone, parts) => new Intl.DateTimeFormat(language, { timeZone, ...parts });
  const day = { year: "numeric", month: "numeric", day: "numeric" };
  const minute = { hour: "numeric", minute: "2-digit" };

  let theirs, own;
  try {
    [theirs, own] = [zone, undefined].map((timeZone) => ({
      day: inZone(timeZone, day),
      clock: inZone(timeZone, { ...day, ...minute }),
      range: inZone(timeZone, minute),
      longRange: inZone(timeZone, { weekday: "short", month: "short", day: "numeric", ...minute }),
    }));
    own.range.formatRange(0, 1);
  } catch {
    return; // A browser that does not know the zone, or ranges, leaves it at the business's clock.
  }

  const say = (node) => {
    const [from, until] = [new Date(node.dataset.from), new Date(node.dataset.until)];
    if (theirs.clock.format(from) === own.clock.format(from)) return;
    const isSameDay = theirs.day.format(from) === own.day.format(from);
    const range = isSameDay ? own.range : own.longRange;
    node.textContent = words.replace("{time}", range.formatRange(from, until));
  };

  const look = (root) => {
    if (root.matches?.("[data-from]")) say(root);
    for (const node of root.querySelectorAll("[data-from]")) say(node);
  };

  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) look(node);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
