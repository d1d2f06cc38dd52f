// Ringing: a tone made here, the page's title, and a notification when nobody looks at the page.

import {audio} from './microphone.js';

const TONES_HZ = [587.3, 783.9]; // a fourth, soft enough for a room of agents
const PATTERN_S = [[0, 0.18], [0.24, 0.18]];
const AGAIN_MS = 2600;

/** Whether notifications are shown: granted, denied, or default where the person has not been asked. */
export const notifies = () => ('Notification' in window ? Notification.permission : 'denied');

/** Ask whether notifications may be shown; call it when a button is pressed. */
export async function mayNotify() {
  if (notifies() !== 'default') return;
  await Notification.requestPermission().catch(() => {});
}

export class Ringer {
  constructor() {
    this.timer = null;
    this.notification = null;
    this.title = document.title;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#unnotify();
      else if (this.timer !== null) this.#notify();
    });
  }

  /** said: what the title and the notification tell. answer: called when the notification is pressed. */
  start(said, more, answer, quiet = false) {
    this.stop();
    this.title = document.title;
    let odd = false;
    const once = () => {
      odd = !odd;
      document.title = odd ? `● ${said}` : this.title;
      if (!quiet) tone();
    };
    once();
    this.timer = setInterval(once, AGAIN_MS);
    this.told = [said, more, answer];
    if (document.hidden) this.#notify();
  }

  stop() {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    document.title = this.title;
    this.#unnotify();
  }

  #notify() {
    if (notifies() !== 'granted') return;
    const [said, body, answer] = this.told;
    try {
      this.notification = new Notification(said, {body, tag: 'isogloss-call', requireInteraction: true});
      this.notification.onclick = () => {
        window.focus();
        answer();
      };
    } catch { /* some phones notify only from service workers; the tone and the title stay */ }
  }

  #unnotify() {
    this.notification?.close();
    this.notification = null;
  }
}

/** The tone, once. */
export function tone() {
  const context = audio();
  for (const [at, length] of PATTERN_S) {
    const gain = context.createGain();
    gain.connect(context.destination);
    const start = context.currentTime + at;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.16, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, start + length);
    for (const frequency of TONES_HZ) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(start);
      oscillator.stop(start + length);
    }
  }
}
