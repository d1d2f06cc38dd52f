// Choosing microphone, loudspeaker and language: the same three lists on every page.

import {choices} from './dom.js';
import {LANGUAGES, language, onLanguage, say, speak} from './words.js';

/** Fill the lists of devices, now and whenever some are plugged in or out. changed: gets the new stream. */
export function deviceChoices(microphone, microphones, speakers, outputs, changed) {
  const fill = async () => {
    const [ins, outs] = [await microphone.devices('audioinput'), await microphone.devices('audiooutput')];
    choices(microphones, named(ins, 'microphone'), microphone.chosen.microphone);
    choices(speakers, named(outs, 'speaker'), microphone.chosen.speaker);
    speakers.disabled = !('setSinkId' in HTMLMediaElement.prototype);
  };
  microphone.addEventListener('devices', fill);
  onLanguage(fill);
  microphones.addEventListener('change', async () => {
    const stream = await microphone.choose(microphones.value).catch(() => null);
    if (stream) changed(stream);
  });
  speakers.addEventListener('change', () => microphone.chooseSpeaker(speakers.value, ...outputs()));
  return fill;
}

function named(devices, kind) {
  const listed = devices.map((each, at) => [each.deviceId, each.label || say(`${kind}.number`, {n: at + 1})]);
  return [['', say(`${kind}.default`)], ...listed];
}

/** Fill the lists of languages, each in its own words, and speak what is chosen. */
export function languageChoices(...selects) {
  for (const select of selects) {
    choices(select, Object.entries(LANGUAGES).map(([code, words]) => [code, words['language.this']]), language());
    select.addEventListener('change', () => speak(select.value, {keep: true}));
    onLanguage((code) => { select.value = code; });
  }
}
