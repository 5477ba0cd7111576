// What the kit does where scripts run; every page works without it.
(() => {
  "use strict";

  // The answer to a form, where the browser may not keep it: who goes back to it or reloads it gets that page anew,
  // and is not asked whether to send the form again. Empty: at its own address.
  const { again } = document.documentElement.dataset;
  if (again !== undefined) history.replaceState(history.state, "", again || location.href);

  // Time that runs out: <span data-countdown="ISO" data-running="… {time} …" data-over="…">.
  const clock = (ms) => {
    const seconds = Math.ceil(ms / 1000);
    const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
    if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
    return parts.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
  };

  const tick = () => {
    for (const node of document.querySelectorAll("[data-countdown]")) {
      const left = Date.parse(node.dataset.countdown) - Date.now();
      const text = left > 0 ? node.dataset.running.replace("{time}", clock(left)) : node.dataset.over;
      if (node.textContent !== text) node.textContent = text;
    }
  };

  let timer = 0;
  const startClocks = () => {
    if (timer || !document.querySelector("[data-countdown]")) return;
    tick();
    timer = setInterval(tick, 1000);
  };

  // Copying: <button data-copy="id of the text" data-copied="Copied" hidden>.
  const showCopyButtons = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span");
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    const before = label.textContent;
    label.textContent = button.dataset.copied;
    document.getElementById("live").textContent = button.dataset.copied;
    setTimeout(() => (label.textContent = before), 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Text that a select offers, put where the cursor is: <button data-insert="id of the textarea"
  // data-from="id of the select">. Where there was no cursor yet it goes to the end.
  const visited = new WeakSet();

  document.addEventListener("focusin", ({ target }) => visited.add(target));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const text = button && document.getElementById(button.dataset.from).selectedOptions[0]?.dataset.text;
    if (!text) return;
    event.preventDefault();
    const into = document.getElementById(button.dataset.insert);
    const [start, end] = visited.has(into) ? [into.selectionStart, into.selectionEnd] : Array(2).fill(into.value.length);
    into.setRangeText(text, start, end, "end");
    into.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Selects and boxes that send their form at once: <select data-submit>.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // An end that keeps its distance from the start: <input data-ends="id of the end">. Both are read
  // as if no clock ever changed, so that an hour stays one on the wall.
  const asIf = (input) => Date.parse(`${input.value}Z`);

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-ends]")) event.target.dataset.was = event.target.value;
  });

  document.addEventListener("change", (event) => {
    const start = event.target;
    if (!start.matches("[data-ends]")) return;
    const end = document.getElementById(start.dataset.ends);
    const lasts = asIf(end) - Date.parse(`${start.dataset.was ?? start.defaultValue}Z`);
    if (lasts > 0 && start.value) {
      end.value = new Date(asIf(start) + lasts).toISOString().slice(0, 16);
      start.dataset.was = start.value;
    }
  });

  // What somebody changes in a form while an answer to it is on its way stands again after that
  // answer has replaced parts of the form, which hold what was sent.
  const typed = new WeakMap();

  const fieldsOf = (form) => {
    const found = new Map();
    for (const field of form.elements) {
      const { name, type } = field;
      if (!name || !type || /^(hidden|file|submit|button|fieldset|select-multiple)$/.test(type)) continue;
      const ticks = type === "radio" || type === "checkbox";
      const key = `${name}\n${ticks ? field.value : ""}`;
      let at = 0;
      while (found.has(`${key}\n${at}`)) at += 1;
      found.set(`${key}\n${at}`, { field, part: ticks ? "checked" : "value" });
    }
    return found;
  };

  const valuesOf = (form) =>
    new Map([...fieldsOf(form)].map(([key, { field, part }]) => [key, field[part]]));

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const form = detail.elt.closest("form");
    if (form) typed.set(detail.xhr, { form, sent: valuesOf(form) });
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const kept = typed.get(detail.xhr);
    if (!kept) return;
    const now = [...valuesOf(kept.form)];
    kept.since = now.filter(([key, value]) => kept.sent.has(key) && kept.sent.get(key) !== value);
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const { form, since } = typed.get(detail.xhr) ?? {};
    if (!since || !form.isConnected) return;
    typed.delete(detail.xhr);
    const fields = fieldsOf(form);
    for (const [key, value] of since) {
      const { field, part } = fields.get(key) ?? {};
      if (!field || field[part] === value) continue;
      if (field.options && ![...field.options].some((option) => option.value === value)) continue;
      field[part] = value;
    }
  });

  // htmx calls it an error when a newer request takes the place of one, though that is given up on purpose. What
  // fails by itself ends in other ways, and the console hears of it.
  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    const { onabort } = detail.xhr;
    detail.xhr.onabort = () => {
      detail.error = "";
      onabort.call(detail.xhr);
    };
  });

  // A field that is changed is called wrong no longer.
  document.addEventListener("input", ({ target: field }) => {
    if (field.getAttribute("aria-invalid") !== "true") return;
    field.removeAttribute("aria-invalid");
    document.getElementById(`${field.id}-error`)?.remove();
    if (!field.form.querySelector(".field-error")) field.form.querySelector("[data-of-fields]")?.remove();
  });

  // The open tab of a row that is wider than the screen.
  const showOpenTab = () => {
    const tab = document.querySelector(".tabs-line [aria-current]");
    if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 48;
  };

  const arrive = () => {
    startClocks();
    showCopyButtons();
    showOpenTab();
    // Once: what is swapped in later leaves the keyboard where it is.
    const first = document.querySelector("[data-focus]");
    first?.focus();
    first?.removeAttribute("data-focus");
  };

  document.addEventListener("htmx:afterSettle", arrive);
  arrive();
})();
