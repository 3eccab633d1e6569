/** One sound at a time: the voice note that is being listened to. */

let audio = null;
let current = null;

/** Whether the sound at this address is on. */
export function playing(url) {
  return current === url;
}

/** Play it, or stop it when it plays; `changed` is called at start and end. */
export function play(url, changed) {
  audio?.pause();
  const again = current === url;
  current = again ? null : url;
  if (!again) {
    audio = new Audio(url);
    audio.addEventListener("ended", () => { if (current === url) current = null; changed(); });
    audio.play().catch(() => { current = null; changed(); });
  }
  changed();
}
