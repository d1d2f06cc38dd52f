// The supervisor's phone in this page: rung by the node for the call that she pressed a button of, and in it at once.
// What the node knows of her (which call, in which mode) is drawn by the node; here is her sound.

import {Meter, Microphone, NoMicrophone, audio} from './microphone.js';
import {secretOf} from './sip/digest.js';
import {Phone} from './sip/phone.js';

const EXPECTED_MS = 20000; // from pressing the button until it rings
const html = document.documentElement;
const microphone = new Microphone();
const player = new Audio();
let phone = null;
let lasts = 0; // until when its account does, ms of performance.now
let expected = 0; // until when a call that rings is the one that she asked for
let unrung = 0; // the timer that closes a microphone for which nobody rang
let call = null;
let meter = null;

/** Why this page is no phone; in words in the console's tables. */
class Unable extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

async function plugIn() {
  const answer = await fetch('/console/phone', {method: 'POST'});
  if (!answer.ok) throw new Unable(answer.status === 409 ? 'full' : 'failed');
  const given = await answer.json();
  if (!given.sip && !given.port) throw new Unable('away');
  phone?.stop();
  phone = new Phone({
    url: given.sip || `${given.scheme}://${location.hostname}:${given.port}/`,
    user: given.account,
    domain: given.domain,
    ice: given.ice,
    secret: (realm) => secretOf(given.account, realm, given.password),
  });
  lasts = performance.now() + 900 * given.expires_in_s;
  phone.addEventListener('ring', ({detail}) => rung(detail));
  phone.start();
}

function rung(incoming) {
  if (call || performance.now() > expected) {
    incoming.decline();
    return;
  }
  expected = 0;
  call = incoming;
  call.addEventListener('state', () => told(incoming));
  call.addEventListener('sound', () => play(incoming));
  play(incoming);
  call.answer(microphone.stream);
}

function play(incoming) {
  player.srcObject = incoming.sound.remote;
  microphone.direct(player);
  player.play().catch(() => {});
}

function told(incoming) {
  if (incoming.state === 'talking') {
    html.toggleAttribute('data-line', true);
    meter ??= new Meter(microphone.stream, (level) => {
      const bar = document.querySelector('.own-level i');
      if (bar) bar.style.transform = `scaleX(${microphone.muted ? 0 : level})`;
    });
  }
  if (incoming.state !== 'ended' || incoming !== call) return;
  call = null;
  meter?.stop();
  meter = null;
  player.srcObject = null;
  mute(false);
  microphone.close();
  html.removeAttribute('data-line');
}

/** Have a phone here that can be rung in a moment. Rejects with an error whose `why` is of UNHEARD (hand.py). */
export async function ready() {
  if (!window.isSecureContext || !window.crypto?.subtle) throw new Unable('insecure');
  audio(); // within the press of a button
  try {
    await microphone.open();
    if (!phone || phone.state === 'refused' || performance.now() > lasts) await plugIn();
    await phone.ready();
  } catch (error) {
    if (!call) microphone.close();
    throw error instanceof NoMicrophone || error instanceof Unable ? error : new Unable('away');
  }
  expected = performance.now() + EXPECTED_MS;
  clearTimeout(unrung); // what the node refuses, or rings too late for
  unrung = setTimeout(() => call || microphone.close(), EXPECTED_MS);
}

export function mute(muted = !microphone.muted) {
  microphone.mute(muted);
  html.toggleAttribute('data-muted', muted);
}

addEventListener('beforeunload', (event) => call?.state === 'talking' && event.preventDefault()); // it would end her part
addEventListener('pagehide', () => call?.hangUp());
