// The page's texts: one table a language (words/), all with the same keys, which a test holds them to.
//
// An entry is a text, or an object by plural category (Intl.PluralRules) where {n} decides its form. Elements name
// their texts in the markup: data-say for the content, data-say-label, -title and -placeholder for attributes.

import {browser} from './storage.js';
import ar from './words/ar.js';
import en from './words/en.js';
import es from './words/es.js';
import zh from './words/zh.js';

export const LANGUAGES = {en, es, zh, ar};
const RIGHT_TO_LEFT = new Set(['ar']);
const KEPT = 'isogloss.language';
const ATTRIBUTES = {sayLabel: 'aria-label', sayTitle: 'title', sayPlaceholder: 'placeholder'};

const [ALONE, OVER] = ['\u2068', '\u2069']; // around names and numbers, which have a direction of their own

let current = 'en';
const listeners = new Set();

/** The language that was asked for in the address, chosen before, or is the browser's; English where it has none. */
export function preferred() {
  const wanted = [new URLSearchParams(location.search).get('lang'), browser.get(KEPT), ...(navigator.languages || [])];
  for (const each of wanted) {
    const code = String(each || '').toLowerCase().split('-')[0];
    if (code in LANGUAGES) return code;
  }
  return 'en';
}

export const language = () => current;

/** Speak this language from now on. */
export function speak(code, {keep = false} = {}) {
  current = code in LANGUAGES ? code : 'en';
  document.documentElement.lang = current;
  document.documentElement.dir = RIGHT_TO_LEFT.has(current) ? 'rtl' : 'ltr';
  if (keep) browser.set(KEPT, current);
  apply(document);
  for (const each of listeners) each(current);
}

export function onLanguage(listener) {
  listeners.add(listener);
}

/** The text of a key, with {names} filled in; a key without a text says itself, so that it is seen. */
export function say(key, values = {}) {
  let text = LANGUAGES[current][key] ?? LANGUAGES.en[key] ?? key;
  if (typeof text === 'object') {
    text = text[new Intl.PluralRules(current).select(values.n)] ?? text.other;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? new Intl.NumberFormat(current).format(value) : `${ALONE}${value}${OVER}`;
  });
}

/** Whether there is a text for what may be an operator's own word. */
export const known = (key) => key in LANGUAGES.en;

/** Put the texts into what names them. */
export function apply(root) {
  for (const each of root.querySelectorAll('[data-say]')) each.textContent = say(each.dataset.say);
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    const selector = `[data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const each of root.querySelectorAll(selector)) each.setAttribute(attribute, say(each.dataset[name]));
  }
}

/** A language's name in the page's own language. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([current], {type: 'language'}).of(code);
  } catch {
    return code;
  }
}

/** Minutes and seconds, as clocks show them. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:` : ''}${hours ? pad(minutes) : minutes}:${pad(whole % 60)}`;
}
