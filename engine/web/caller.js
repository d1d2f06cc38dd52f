// The caller's page: asks for the microphone, calls, waits, talks, and asks how it was.
//
// A link leads here (/call/support), or embed.js shows it within a company's page. Where its token comes from: the
// address (#token=…), the page around it, or, where the node is set up so for trying out, the node itself.

import * as around from './around.js';
import {caption, follow, forget} from './captions.js';
import {deviceChoices, languageChoices} from './devices.js';
import {$, choices, make, press, show, text} from './dom.js';
import {drawIcons, icon, setIcon} from './icons.js';
import {interpreted, nobodyInterprets} from './interpreted.js';
import {keypad} from './keypad.js';
import {Line} from './line.js';
import {Meter, Microphone, NoMicrophone, deniedForGood} from './microphone.js';
import * as near from './near.js';
import {Quality} from './quality.js';
import {linked, terms, ticketFor} from './ticket.js';
import {WhipCall, interrupted} from './whip.js';
import {clock, language, onLanguage, preferred, say, speak} from './words.js';

const STARS = 5;
const ASKED_MS = 200; // who has allowed the microphone before sees no question
const FAILURES = {
  unauthorized: 'token', 'foreign-origin': 'origin', 'wrong-destination': 'token', 'unknown-destination': 'unknown',
  'not-acceptable': 'network', 'too-many-requests': 'busy', overloaded: 'busy', draining: 'busy', 'browsers-away': 'busy',
  network: 'network', lost: 'lost',
};

const UNABLE = {insecure: ['microphone.failed', 'insecure'], unsupported: ['caller.failed', 'unsupported']};
const DISCS = {connecting: 'phone', ringing: 'phone', waiting: 'people', talking: 'phone', held: 'hold', reconnecting: 'warning'};

const microphone = new Microphone();
let state = 'idle'; // idle, asking, denied, live, ended
let why = ''; // there is no microphone, or the call did not go through
let call = null;
let line = null;
let stands = null; // the call as the node tells it: {state, position, wait_s, held}
let connected = null; // ms when somebody was there first
let meter = null;
let quality = null;
let destinations = [];
let nodes = []; // {node, origin}, to measure the ways to

// --- calling --------------------------------------------------------------------------------------

async function start(kept = null) {
  if (!('RTCPeerConnection' in window)) {
    why = 'unsupported';
    go('denied');
    return;
  }
  const asked = setTimeout(() => go('asking'), ASKED_MS);
  let stream;
  try {
    stream = await microphone.open();
  } catch (error) {
    why = error instanceof NoMicrophone ? error.why : 'failed';
    clearTimeout(asked);
    go('denied');
    return;
  }
  clearTimeout(asked);
  fillDevices();
  stands = null;
  connected = null;
  nobodyInterprets();
  try {
    const ticket = kept ? kept.ticket : await near.toNearest(await ticketFor($('destination').value, language()), nodes);
    call = new WhipCall(ticket);
  } catch (error) {
    why = error.name || 'unauthorized';
    ended();
    return;
  }
  call.addEventListener('state', moved);
  call.addEventListener('kept', ({detail}) => around.keep(detail));
  line = new Line(call.ticket.token, call.ticket.base);
  line.addEventListener('call', ({detail}) => told(detail));
  line.addEventListener('caption', ({detail}) => {
    $('page').setAttribute('data-captions', '');
    caption($('captions'), detail, 'customer');
  });
  go('live');
  await (kept ? call.resume(stream, kept) : call.start(stream));
}

function moved() {
  if (call.state === 'connected') {
    $('voice').srcObject = call.remote;
    line.move(call.ticket.base);
    microphone.direct($('voice'));
    measure();
  } else if (call.state === 'ended') {
    why = ['here', 'there'].includes(call.cause) ? '' : call.cause;
    ended();
    return;
  }
  render();
}

function told(now) {
  if (now.state === 'ending' || now.state === 'ended') {
    if (now.call === call.id) call.finished();
    return;
  }
  stands = now;
  if (now.state === 'talking' || now.state === 'held') connected ??= Date.now() - 1000 * now.talk_s;
  render();
}

function measure() {
  meter ||= new Meter(microphone.stream, (level) => {
    $('level').firstElementChild.style.transform = `scaleX(${microphone.muted ? 0 : level})`;
  });
  quality?.stop();
  heard('');
  quality = new Quality(call.sound.pc, ({word}) => heard(word));
}

function heard(word) {
  $('signal').dataset.word = word;
  $('signal').title = word ? say(`quality.${word}.more`) : '';
  text($('signal-word'), say(`quality.${word || 'unknown'}`));
}

function ended() {
  meter?.stop();
  quality?.stop();
  meter = quality = null;
  microphone.mute(false);
  microphone.close();
  $('voice').srcObject = null;
  for (const each of document.querySelectorAll('input[name="stars"]')) each.checked = false;
  $('comment').value = '';
  text($('rated'), '');
  light(0);
  show($('rating'), connected !== null);
  go('ended');
}

// --- showing it -----------------------------------------------------------------------------------

function go(next) {
  const before = state;
  state = next;
  $('page').dataset.state = next;
  around.tell(next);
  for (const each of ['idle', 'asking', 'denied', 'live', 'ended']) show($(each), each === next);
  render();
  if (before !== next && next !== 'idle') $(next).querySelector('h1').focus();
  else if (before !== next) $('start').focus();
}

function render() {
  if (state === 'denied') denied();
  if (state === 'live') live();
  if (state === 'ended') over();
  show($('whom'), destinations.length > 1);
  const chosen = destinations.find(([name]) => name === $('destination').value);
  text($('title'), new URLSearchParams(location.search).get('title') || chosen?.[1] || say('brand'));
  document.title = `${say('caller.title')} – ${$('title').textContent}`;
}

function denied() {
  const [title, more] = UNABLE[why] || [`microphone.${why}`, `microphone.${why}.more`];
  text($('denied-title'), say(title));
  text($('denied-more'), say(more));
  show($('denied-steps'), why === 'denied');
}

/** What the call's state is to the caller: a heading and a sentence. */
function standing() {
  if (call?.state === 'reconnecting') return ['reconnecting', say('caller.reconnecting'), say('caller.reconnecting.more')];
  if (!stands && call?.state === 'connected') return ['talking', say('caller.talking'), ''];
  if (!stands || call?.state === 'connecting') return ['connecting', say('caller.connecting'), say('caller.connecting.more')];
  if (stands.held) return ['held', say('caller.held'), say('caller.held.more')];
  if (stands.state === 'talking') return ['talking', say('caller.talking'), interpreted(stands)];
  if (['dialling', 'transferring'].includes(stands.state)) return ['ringing', say('caller.ringing'), say('caller.ringing.more')];
  const place = stands.position > 1 ? say('caller.position', {n: stands.position - 1}) : stands.position === 1 ? say('caller.next') : '';
  const wait = stands.wait_s === null ? '' : say('caller.wait', {n: Math.max(1, Math.ceil(stands.wait_s / 60))});
  const more = [place, wait].filter(Boolean).join(' · ') || say('caller.waiting.more');
  return ['waiting', say('caller.waiting'), more];
}

function live() {
  const [word, title, more] = standing();
  $('page').dataset.call = word;
  text($('live-title'), title);
  text($('live-more'), more);
  setIcon($('live-disc'), DISCS[word]);
  text($('time'), clock((Date.now() - (connected ?? call?.began ?? Date.now())) / 1000));
  if (word === 'reconnecting') heard('lost');
  const muted = microphone.muted;
  $('level-row').toggleAttribute('data-muted', muted);
  setIcon($('level-row'), muted ? 'micoff' : 'mic');
  text($('level-name'), say(muted ? 'muted' : 'microphone.level'));
  $('mute').setAttribute('aria-pressed', String(muted));
  setIcon($('mute'), muted ? 'micoff' : 'mic');
  text($('mute').querySelector('span'), say(muted ? 'unmute' : 'mute'));
}

function over() {
  const failed = Boolean(why);
  text($('ended-title'), say(failed && connected === null ? 'caller.failed' : 'caller.ended'));
  const took = connected === null ? '' : say('caller.ended.time', {time: clock((call.over - connected) / 1000)});
  const fault = FAILURES[why] || 'network';
  text($('ended-more'), failed ? say(`caller.failed.${fault === 'token' && linked() ? 'link' : fault}`) : took);
  text($('call-again').querySelector('span'), say(failed ? 'retry' : 'caller.again'));
  $('ended-disc').classList.toggle('bad', failed);
  setIcon($('ended-disc'), failed ? 'warning' : connected === null ? 'end' : 'check');
}

// --- what is pressed ------------------------------------------------------------------------------

press($('start'), () => start());
press($('again'), async () => {
  if (why === 'denied' && await deniedForGood()) location.reload(); // some browsers ask again only of a new page
  else await start();
});
press($('call-again'), () => {
  line?.close();
  forget($('captions'));
  $('page').removeAttribute('data-captions');
  heard('');
  return start();
});
press($('hangup'), () => call?.hangUp());
press($('mute'), () => {
  microphone.mute(!microphone.muted);
  render();
});
$('keys').addEventListener('click', () => {
  const open = $('pad-card').hidden;
  show($('pad-card'), open);
  $('page').toggleAttribute('data-pad', open);
  $('keys').setAttribute('aria-expanded', String(open));
  text($('pressed'), '');
  if (open) $('pad').firstElementChild.focus();
});
keypad($('pad'), (key) => {
  if (call?.keys(key)) text($('pressed'), ($('pressed').textContent + key).slice(-20));
});
$('open-settings').addEventListener('click', () => $('settings-dialog').showModal());
$('destination').addEventListener('change', render);
follow($('captions'));
const fillDevices = deviceChoices(microphone, $('microphones'), $('speakers'), () => [$('voice')], (stream) => {
  call?.speak(stream);
  meter?.stop();
  meter = null;
  if (call?.state === 'connected') measure();
});

for (let n = 1; n <= STARS; n += 1) {
  const input = make('input', {type: 'radio', name: 'stars', value: String(n)});
  $('stars').append(make('label', {class: 'star'}, input, make('span', {}, icon('star'))));
}
$('stars').addEventListener('change', ({target}) => {
  light(Number(target.value));
  $('rate').disabled = false;
});

function light(n) {
  [...$('stars').children].forEach((each, at) => each.toggleAttribute('data-on', at < n));
  $('rate').disabled = n === 0;
}

$('rating').addEventListener('submit', async (event) => {
  event.preventDefault();
  const stars = Number(document.querySelector('input[name="stars"]:checked')?.value);
  if (!stars || !line) return;
  const kept = await line.rate(stars, $('comment').value.trim());
  text($('rated'), say(kept ? 'caller.rated' : 'error.away'));
  show($('rating'), !kept);
});

onLanguage(() => {
  drawIcons(document);
  [...$('stars').children].forEach((each, at) => each.firstElementChild.setAttribute('aria-label', say('caller.stars', {n: at + 1})));
  heard($('signal').dataset.word || '');
  render();
});

/** Destinations to choose from: of the address (?to=support:Support,sales:Sales), or the node's own. */
async function fillDestinations() {
  const given = new URLSearchParams(location.search).get('to') || '';
  const [, fixed] = /^\/call\/([^/]+)/.exec(location.pathname) || [];
  destinations = given.split(',').filter(Boolean).map((each) => {
    const [name, ...said] = each.split(':');
    return [name, said.join(':') || name];
  });
  if (fixed && !destinations.length) destinations = [[decodeURIComponent(fixed), '']];
  const offered = terms();
  offered.then((told) => {
    nodes = told.nodes || [];
    if (nodes.length > 1) near.measure(nodes); // before anybody calls
  });
  if (!destinations.length) destinations = (await offered).destinations.map(({name, title}) => [name, title]);
  choices($('destination'), destinations);
}

setInterval(() => state === 'live' && live(), 1000);
languageChoices($('language'));
speak(preferred());
await fillDestinations();
const kept = interrupted() || interrupted(await around.kept());
if (kept) start(kept);
else go('idle');
