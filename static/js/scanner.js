// Reads guests' codes by the camera of the check-in's page; what is read goes through the page's form.
(() => {
  "use strict";

  const root = document.getElementById("scanner");
  if (!root || !navigator.mediaDevices?.getUserMedia) return;
  const video = root.querySelector("video");
  const form = root.querySelector("form");
  const answer = document.getElementById("scanned");
  const failed = root.querySelector("template");
  const state = root.querySelector("[data-state]");
  const start = root.querySelector("[data-start]");
  const stop = root.querySelector("[data-stop]");
  const EVERY_MS = 120;
  // A code that stays before the camera counts once; it counts again when it was gone for so long.
  const GONE_MS = 3000;
  const WIDEST = 800;

  let stream = null;
  let read = null;
  let sound = null;
  let busy = false;
  let last = { text: "", at: 0 };

  const canvas = document.createElement("canvas");
  const picture = canvas.getContext("2d", { willReadFrequently: true });

  const load = (src) =>
    new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = src;
      script.addEventListener("load", done);
      script.addEventListener("error", failed);
      document.head.append(script);
    });

  // The browser's own reader where there is one, else ours.
  const reader = async () => {
    const formats = (await window.BarcodeDetector?.getSupportedFormats?.()) ?? [];
    if (formats.includes("qr_code")) {
      const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
      return async () => (await detector.detect(video))[0]?.rawValue ?? "";
    }
    if (!window.QrCode) await load(root.dataset.decoder);
    return async () => {
      const scale = Math.min(1, WIDEST / video.videoWidth);
      const width = Math.round(video.videoWidth * scale);
      const height = Math.round(video.videoHeight * scale);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      picture.drawImage(video, 0, 0, width, height);
      const { data } = picture.getImageData(0, 0, width, height);
      try {
        return window.QrCode.decode({ width, height, data });
      } catch {
        return "";
      }
    };
  };

  const tone = (hertz, from, seconds) => {
    const oscillator = sound.createOscillator();
    const gain = sound.createGain();
    oscillator.frequency.value = hertz;
    gain.gain.value = 0.15;
    oscillator.connect(gain).connect(sound.destination);
    oscillator.start(sound.currentTime + from);
    oscillator.stop(sound.currentTime + from + seconds);
  };

  // High once: in. Twice: look up. Low and long: not in. The answer says the same in words.
  const signal = (how) => {
    navigator.vibrate?.(how === "success" ? 60 : [80, 60, 80]);
    if (!sound) return;
    if (how === "success") tone(880, 0, 0.12);
    else if (how === "error") tone(196, 0, 0.4);
    else [0, 0.18].forEach((from) => tone(523, from, 0.1));
  };

  const found = (text) => {
    const now = Date.now();
    const isSame = text === last.text && now - last.at < GONE_MS;
    last = { text, at: now };
    if (isSame || busy) return;
    busy = true;
    form.elements.code.value = text;
    form.requestSubmit();
  };

  // Nobody has answered: a code that is still before the camera counts again after a while.
  const tell = () => {
    const { text } = last;
    answer.replaceChildren(failed.content.cloneNode(true));
    signal("error");
    setTimeout(() => {
      if (last.text === text) last = { text: "", at: 0 };
    }, GONE_MS);
  };

  const look = async () => {
    if (!stream) return;
    if (!busy && video.videoWidth) {
      const text = await read().catch(() => "");
      if (text) found(text);
    }
    setTimeout(look, EVERY_MS);
  };

  const end = (said = "") => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    video.hidden = stop.hidden = true;
    start.hidden = false;
    state.textContent = said;
  };

  const begin = async () => {
    start.disabled = true;
    try {
      sound ??= window.AudioContext ? new AudioContext() : null;
      read ??= await reader();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = stop.hidden = false;
      start.hidden = true;
      // After each code the kit would put the cursor there, and a phone its keyboard over the picture.
      document.querySelector("[data-focus]")?.removeAttribute("data-focus");
      document.activeElement?.blur();
      state.textContent = root.dataset.looking;
      await video.play();
      look();
    } catch (error) {
      end(error.name === "NotAllowedError" ? root.dataset.refused : root.dataset.missing);
    } finally {
      start.disabled = false;
    }
  };

  start.addEventListener("click", begin);
  stop.addEventListener("click", () => end());
  window.addEventListener("pagehide", () => end());
  // The guest before is not to stand there as if it were this one's answer.
  form.addEventListener("htmx:beforeRequest", () => answer.replaceChildren());
  form.addEventListener("htmx:afterRequest", () => {
    busy = false;
  });
  // By what asked: where an error is shown, the kit decides, and it is not here.
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const isOurs = detail.elt === form || answer.contains(detail.elt);
    if (isOurs && !detail.successful) tell();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== answer) return;
    signal(event.target.querySelector("[data-scanned]")?.dataset.scanned);
    event.target.scrollIntoView({ block: "nearest" });
  });
  root.hidden = false;
})();
