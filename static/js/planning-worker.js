// Keeps a guest's own plan on the device, and shows it where there is no network.
//
// It is served with a line above that says what to keep, KEPT: `shell` and `own` name its two caches,
// `prefix` begins both; `week` is the plan's address, `home` the business's, `signOut` the way out,
// `offline` the page for all others, `assets` what the kept pages look like.
//
// Its scope is `home` without a slash at the end, for that is the address of the front page. So it is
// asked for another business too whose address only begins alike, and leaves that one alone.
//
// The shell is the same for everyone. The plan is the guest's alone: it goes with their signing out,
// with the end of their session, and a month after it was last read.
"use strict";

const PATIENCE_MS = 5000;
const LONGEST_MS = 31 * 24 * 60 * 60 * 1000;
const REFRESH_MS = 60 * 1000;

let refreshedAt = 0;
// How often somebody has signed out here: what was asked for before is not theirs who come after.
let partings = 0;

self.addEventListener("install", (event) => {
  const fill = async () => {
    const shell = await caches.open(KEPT.shell);
    await shell.addAll([...KEPT.assets, KEPT.offline]);
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const begin = async () => {
    for (const name of await caches.keys()) {
      const isOurs = name.startsWith(KEPT.prefix);
      if (isOurs && name !== KEPT.shell && name !== KEPT.own) await caches.delete(name);
    }
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(begin());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && !isHere(url.pathname)) return;
  if (request.method === "POST") {
    if (url.pathname.startsWith(KEPT.signOut)) event.respondWith(signOut(request));
    return;
  }
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    const isPlan = url.pathname === KEPT.week && url.search === "";
    event.respondWith(isPlan ? plan(event) : other(event));
  } else if (KEPT.assets.includes(url.pathname + url.search)) {
    event.respondWith(asset(request));
  }
});

function isHere(path) {
  return path === KEPT.home || path.startsWith(`${KEPT.home}/`);
}

async function signOut(request) {
  partings += 1;
  await caches.delete(KEPT.own);
  return fetch(request);
}

async function asset(request) {
  return (await caches.match(request, { cacheName: KEPT.shell, ignoreVary: true })) ?? fetch(request);
}

async function other(event) {
  try {
    const answer = await fromNetwork(event);
    event.waitUntil(refresh());
    return answer;
  } catch {
    return offline();
  }
}

async function plan(event) {
  const kept = await keptPlan();
  const fresh = askAndKeep(() => fromNetwork(event));
  try {
    return await (kept ? inTime(fresh) : fresh);
  } catch {
    event.waitUntil(fresh.catch(() => undefined));
    return kept ? marked(kept) : offline();
  }
}

async function fromNetwork(event) {
  return (await event.preloadResponse) ?? fetch(event.request);
}

async function askAndKeep(ask) {
  const before = partings;
  const answer = await ask();
  if (before === partings) await keep(answer);
  // Somebody may have signed out while it was written.
  if (before !== partings) await caches.delete(KEPT.own);
  return answer;
}

async function keep(answer) {
  if (answer.ok && !answer.redirected) {
    const own = await caches.open(KEPT.own);
    await own.put(KEPT.week, answer.clone());
    refreshedAt = Date.now();
  } else if (answer.redirected || answer.type === "opaqueredirect") {
    // Nobody is signed in any more: what is kept was for somebody who was.
    await caches.delete(KEPT.own);
  }
}

// What is booked or cancelled meanwhile changes the plan: once somebody keeps it, it follows.
async function refresh() {
  if (Date.now() - refreshedAt < REFRESH_MS || !(await keptPlan())) return;
  refreshedAt = Date.now();
  await askAndKeep(() => fetch(KEPT.week, { redirect: "manual", credentials: "same-origin" })).catch(
    () => undefined,
  );
}

async function keptPlan() {
  if (!(await caches.has(KEPT.own))) return undefined;
  const kept = await caches.match(KEPT.week, { cacheName: KEPT.own, ignoreVary: true });
  const from = Date.parse(kept?.headers.get("x-made-at") ?? "");
  return Date.now() - from < LONGEST_MS ? kept : undefined;
}

async function marked(kept) {
  const page = await kept.text();
  const headers = new Headers(kept.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(page.replace(" data-offline hidden", " data-offline"), { headers });
}

async function offline() {
  const kept = await caches.match(KEPT.offline, { cacheName: KEPT.shell, ignoreVary: true });
  return kept ?? Response.error();
}

function inTime(promise) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("too slow")), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
