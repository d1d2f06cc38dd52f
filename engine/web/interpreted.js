// What a caller is told of an interpreter: when she hears one, when not any more, and why.

import {say} from './words.js';

const TOLD_MS = 15000; // of one that is gone

let heard = false; // in this call
let gone = 0; // since when not any more: ms of performance.now

/** The sentence for how her call stands now, as the node told it; empty for nothing to say. */
export function interpreted(stands) {
  if (stands?.state !== 'talking') return '';
  const {voice, fault} = stands;
  if (voice !== 'off') {
    heard = true;
    return fault ? `${say(`interpreter.${fault}`)} ${say('caller.interpreter.back')}` : say(`caller.interpreter.${voice}`);
  }
  if (heard) gone = performance.now();
  heard = false;
  return gone && performance.now() - gone < TOLD_MS ? say('caller.interpreter.off') : '';
}

/** Another call begins. */
export function nobodyInterprets() {
  heard = false;
  gone = 0;
}
