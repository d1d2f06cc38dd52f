// How an agent hears the other side: as it is, or by an interpreter, a machine or a person whom she asks in.

import {$, choices, press, show, text} from './dom.js';
import {say} from './words.js';

const VOICES = ['off', 'over', 'instead'];

/** Let her choose. call: gives hers; ask: asks the node, and says where that cannot be done. */
export function interpreted(call, ask) {
  $('hear').addEventListener('change', async () => {
    const {id, speech} = call() || {};
    if (id && await ask('hear', {call: id, voice: $('hear').value}) === null) $('hear').value = speech?.voice || 'off';
  });
  press($('guest'), () => call() && ask('guest', {call: call().id, wanted: !call().guest}));
}

/** Show it of her call, as the desk has it. */
export function showInterpreter(call) {
  const {speech, guest} = call || {};
  const talks = ['talking', 'held'].includes(call?.state);
  const person = guest ? guest.standing : '';
  const chooses = Boolean(speech) && !person;
  show($('hear-choice'), chooses);
  show($('guest'), talks && Boolean(guest || call.person));
  show($('interpreter'), !$('hear-choice').hidden || !$('guest').hidden);
  if (chooses && document.activeElement !== $('hear')) {
    choices($('hear'), VOICES.map((each) => [each, say(`agent.hear.${each}`)]), speech.voice);
    $('hear').value = speech.voice;
  }
  $('guest').setAttribute('aria-pressed', String(Boolean(guest)));
  text($('guest').querySelector('span'), say(guest ? 'agent.guest.off' : 'agent.guest.ask'));
  const fault = chooses && speech.voice !== 'off' && speech.fault ? `interpreter.${speech.fault}` : '';
  text($('hear-state'), person ? say(`agent.guest.${person}`) : fault ? say(fault) : '');
}
