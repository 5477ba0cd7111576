// The calendar of the dashboard. It changes nothing itself: a click on a free time and a drag lead to
// the forms with the time filled in. All times are those of the business's clock, as text without a
// zone; "UTC" below only keeps the browser's own zone out of it.
(() => {
  "use strict";

  const root = document.getElementById("calendar");
  if (!root || !window.FullCalendar) return;
  const { Calendar, plugins, locales } = window.FullCalendar;
  const isNarrow = matchMedia("(max-width: 639px)").matches;
  // Seven columns of hours cannot be read on a phone: there the week is its list, and no third view.
  const names = isNarrow
    ? { month: "dayGridMonth", week: "listWeek" }
    : { month: "dayGridMonth", week: "timeGridWeek", list: "listWeek" };
  const TIME = { hour: "2-digit", minute: "2-digit" };
  const started = Date.now();
  const openedAt = Date.parse(`${root.dataset.now}Z`);
  const show = (id, on) => (document.getElementById(id).hidden = !on);
  const wall = (text) => text.slice(0, 16);

  let hasAnswer = false;
  const load = async (info, succeed, fail) => {
    try {
      const query = `&start=${info.startStr.slice(0, 10)}&end=${info.endStr.slice(0, 10)}`;
      const answer = await fetch(root.dataset.entries + query, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      show("calendar-more", found.has_more);
      show("calendar-failed", false);
      hasAnswer = true;
      succeed(found.entries.map(({ state, note, count, url, ...entry }) => ({ ...entry, extendedProps: { state, note, count, url } })));
    } catch (error) {
      show("calendar-failed", true);
      fail(error);
    }
    // It measures itself after it has drawn, and is seen once that is done.
    requestAnimationFrame(() => requestAnimationFrame(() => root.classList.remove("calendar-unsettled")));
  };

  // The address of this page leads back to what is looked at now.
  const remember = ({ view }) => {
    const address = new URL(location.href);
    const name = Object.keys(names).find((key) => names[key] === view.type);
    const day = calendar.getDate().toISOString().slice(0, 10);
    address.searchParams.set("view", name);
    address.searchParams.set("on", day);
    history.replaceState(history.state, "", address);
    for (const field of document.querySelectorAll("form input[name=on]")) field.value = day;
    for (const field of document.querySelectorAll("form input[name=view]")) field.value = name;
  };

  const mark = ({ event, el }) => el.classList.add("calendar-entry", `calendar-${event.extendedProps.state}`);

  // What the library only labels is said in words as well: some programs read nothing but text.
  const speak = (el) => {
    if (!el.ariaLabel || el.querySelector(".sr-only")) return;
    const said = document.createElement("span");
    said.className = "sr-only";
    said.textContent = el.ariaLabel;
    el.append(said);
  };
  const speakHeaders = () => {
    for (const el of root.querySelectorAll("[role=rowheader], [role=columnheader]")) speak(el);
  };

  // In a month on a phone there is no room for names: the time and the numbers stand there whole, and
  // break only between numbers, for a number that is cut is another one.
  const whole = (text) => text.split(/(?<=\/)|(?<=\d)(?=[^\d:./])/).flatMap((part) => [part, document.createElement("wbr")]);

  // A link of our own in each entry, so that it is one in every view, for the keyboard too.
  let isDragged = false;
  const content = ({ event, timeText, view }) => {
    const link = document.createElement("a");
    link.href = event.extendedProps.url;
    link.className = view.type === names.month ? "calendar-link calendar-in-month" : "calendar-link";
    link.draggable = false;
    link.title = `${event.title} · ${event.extendedProps.note}`;
    // In narrow columns the library leaves the time out.
    const time = timeText || calendar.formatDate(event.start, TIME);
    const lines = { "calendar-time": time, "calendar-title": event.title, "calendar-note": event.extendedProps.note };
    for (const [name, text] of Object.entries(lines)) {
      if (!text) continue;
      const line = document.createElement("span");
      line.className = name;
      line.append(...(name === "calendar-time" ? whole(text) : [text]));
      link.append(line);
    }
    // Side by side there is no room for more than when they begin and what tells them apart.
    const short = document.createElement("span");
    short.className = "calendar-short";
    short.ariaHidden = "true";
    short.append(`${calendar.formatDate(event.start, TIME)} ${event.extendedProps.short}`);
    link.append(short);
    if (view.type === names.month) {
      const count = document.createElement("span");
      count.className = "calendar-count";
      count.ariaHidden = "true";
      count.append(...whole(event.extendedProps.count));
      link.append(count);
    }
    link.addEventListener("click", (click) => isDragged && click.preventDefault());
    return { domNodes: [link] };
  };

  // A week has all its hours and scrolls to the morning; the others are as high as they need to be.
  // What scrolls has to have something in it that the keyboard reaches, so an empty week is the day
  // without the night, and does not scroll.
  const hours = "timeGridWeek";
  const heightOf = (view) => (view === hours ? 720 : "auto");
  const fit = (view, count) => {
    const isBare = view === hours && !count;
    calendar.setOption("height", isBare ? "auto" : heightOf(view));
    calendar.setOption("slotMinTime", isBare ? "06:00:00" : "00:00:00");
    calendar.setOption("slotMaxTime", isBare ? "22:00:00" : "24:00:00");
  };
  // A list has no free times to click, and nothing in it is dragged.
  const hint = (view) => {
    if (document.getElementById("calendar-hint")) show("calendar-hint", !isNarrow && view !== names.list);
  };
  const first = names[root.dataset.view] ?? names.week;

  const calendar = new Calendar(root, {
    plugins,
    locales,
    locale: root.dataset.locale,
    timeZone: "UTC",
    now: () => new Date(openedAt + Date.now() - started).toISOString().slice(0, 19),
    initialDate: root.dataset.on,
    initialView: first,
    headerToolbar: {
      start: "prev,next today",
      center: "title",
      end: Object.values(names).join(","),
    },
    buttons: isNarrow ? { listWeek: { text: root.dataset.week } } : {},
    toolbarClass: "calendar-toolbar",
    // Here 0 is Monday, there it is Sunday.
    firstDay: (Number(root.dataset.first) + 1) % 7,
    height: heightOf(first),
    allDaySlot: false,
    noEventsText: root.dataset.empty,
    scrollTime: "07:00:00",
    eventTimeFormat: TIME,
    nowIndicator: true,
    dayMaxEvents: 4,
    navLinks: !isNarrow,
    navLinkDayClick: (day) => calendar.changeView(names.list, day),
    eventMinHeight: 32,
    // What is at the same time stands side by side, and of more than there is room for, a number leads
    // to the rest: nothing lies under another.
    slotEventOverlap: false,
    eventMaxStack: 3,
    eventDisplay: "block",
    eventStartEditable: true,
    eventDurationEditable: false,
    eventDidMount: mark,
    eventContent: content,
    events: load,
    datesSet: (info) => {
      remember(info);
      hint(info.view.type);
      requestAnimationFrame(speakHeaders);
    },
    // Before the first answer there are no events either, which says nothing of the week.
    eventsSet: (events) => hasAnswer && fit(calendar.view.type, events.length),
    eventDragStart: () => (isDragged = true),
    eventDragStop: () => setTimeout(() => (isDragged = false)),
    dateClick: ({ dateStr }) => {
      if (!root.dataset.new) return;
      const at = dateStr.length > 10 ? wall(dateStr) : `${dateStr}T18:00`;
      location.assign(`${root.dataset.new}?starts_at=${at}`);
    },
    eventDrop: ({ event, revert }) => {
      const at = wall(event.startStr);
      revert();
      location.assign(`${event.extendedProps.url}/edit?starts_at=${at}`);
    },
  });

  root.classList.add("calendar-unsettled");
  root.hidden = false;
  show("calendar-list", false);
  calendar.render();
})();
