// The agent's page: signs in at the desk, is her phone, and shows both as one.

import {Calls, NoMicrophone} from './agent_calls.js';
import {called, facts, network, pop, put, queues, worded} from './agent_view.js';
import {Words} from './agent_words.js';
import {note} from './captions.js';
import {Desk} from './desk.js';
import {deviceChoices, languageChoices} from './devices.js';
import {$, choices, press, show, text} from './dom.js';
import {drawIcons, setIcon} from './icons.js';
import {keypad} from './keypad.js';
import {Microphone, audio} from './microphone.js';
import {mayNotify, notifies, Ringer, tone} from './ring.js';
import {Scorecards} from './scorecards.js';
import {Phone} from './sip/phone.js';
import {clock, languageName, onLanguage, preferred, say, speak} from './words.js';
import {WrapUp} from './wrap_up.js';

const BACK_MS = 8000; // that she is told of it

const desk = new Desk();
const microphone = new Microphone();
const calls = new Calls(microphone, $('voices'));
const ringer = new Ringer();
const wrapUp = new WrapUp(desk);
const words = new Words(desk, attempt, () => shown?.calls || [], current);
new Scorecards(desk, attempt, $('judged'));
let phone = null;
let shown = null; // the desk as the node told it last
let ahead = 0; // of the node's clock over ours, s
let terms = null;
let back = {call: null, at: 0}; // the call that she was in again, and when: ms of performance.now
let place = ''; // the first control of what is shown in the middle

const now = () => Date.now() / 1000 + ahead;

// --- signing in -----------------------------------------------------------------------------------

function signedOut(fault = '') {
  phone?.stop();
  phone = null;
  shown = null;
  calls.leave();
  ringer.stop();
  show($('desk'), false);
  show($('signin'), true);
  $('password').value = '';
  text($('signin-fault'), fault);
  $(fault ? 'password' : 'name').focus();
}

$('signin-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const unable = !window.crypto?.subtle ? 'insecure' : 'RTCPeerConnection' in window ? '' : 'unsupported';
  if (unable) {
    text($('signin-fault'), say(unable));
    return;
  }
  text($('signin-fault'), '');
  audio(); // the press of a button lets the page ring later
  mayNotify();
  desk.signIn({agent: $('name').value.trim(), password: $('password').value});
});

desk.addEventListener('refused', () => signedOut(say('agent.signin.wrong')));
desk.addEventListener('welcome', ({detail}) => {
  terms = detail;
  if (phone) phone.ice = detail.ice;
  wrapUp.offer(terms.outcomes);
  fillWishes();
  show($('signin'), false);
  show($('desk'), true);
  show($('away'), false);
  if (!phone) plugIn();
});
desk.addEventListener('away', () => {
  if (shown) show($('away'), true);
  else text($('signin-fault'), say('error.away'));
});
desk.addEventListener('desk', ({detail}) => {
  ahead = detail.now - Date.now() / 1000;
  shown = detail.desk;
  render();
});
desk.addEventListener('note', ({detail}) => note($('notes'), detail.note));

function plugIn() {
  const {domain, scheme, port} = terms.phone;
  const url = terms.sip || `${scheme}://${location.hostname}:${port}/`;
  phone = new Phone({url, user: desk.who.agent, domain, ice: terms.ice, secret: (realm) => desk.secret(realm)});
  calls.phone = phone;
  phone.addEventListener('state', render);
  phone.addEventListener('ring', ({detail}) => calls.rung(detail));
  phone.start();
  const kept = Calls.kept(phone.user);
  if (kept) attempt(() => calls.comeBack(kept));
}

press($('signout'), async () => {
  await desk.ask('state', {state: 'logged_out', reason: ''}).catch(() => {});
  desk.signOut();
  signedOut();
});

// --- what she wishes ------------------------------------------------------------------------------

function fillWishes() {
  const paused = (reason) => say('agent.state.paused') + (reason ? `: ${worded('agent.reason', reason)}` : '');
  const options = [['available', say('agent.state.available')]];
  const reasons = new Set(terms?.reasons || []);
  if (shown?.state === 'paused') reasons.add(shown.reason);
  for (const each of reasons) options.push([`paused:${each}`, paused(each)]);
  options.push(['logged_out', say('agent.state.logged_out')]);
  choices($('wish'), options, wished());
}

function wished() {
  if (!shown) return 'logged_out';
  if (shown.pending === 'paused') return $('wish').value;
  if (shown.pending) return shown.pending;
  if (shown.state === 'paused') return `paused:${shown.reason}`;
  return shown.state === 'logged_out' ? 'logged_out' : 'available';
}

$('wish').addEventListener('change', async () => {
  const [state, ...reason] = $('wish').value.split(':');
  if (await attempt(() => desk.ask('state', {state, reason: reason.join(':')})) === null) fillWishes();
});

/** Do it, and say so where it cannot be done. failed: the sentence for what the other side's phone or the node refused. */
async function attempt(act, failed = '') {
  fault('');
  try {
    return await act();
  } catch (error) {
    if (error instanceof NoMicrophone) fault(unheard(error.why));
    else if (error.code === 'away') fault(say('error.away'));
    else if (error.status && failed) fault(say(failed, {why: cause(error.status)}));
    else if (error.status) fault(say('error.unknown', {detail: cause(error.status)}));
    else fault(say('error.unknown', {detail: error.detail || error.message}));
    return null;
  }
}

const unheard = (why) => (why === 'insecure' ? say('insecure') : `${say(`microphone.${why}`)}. ${say(`microphone.${why}.more`)}`);
const CAUSES = {403: 'forbidden', 404: 'unknown', 408: 'nobody', 480: 'away', 486: 'busy', 600: 'busy', 603: 'declined'};
const cause = (status) => say(`agent.cause.${CAUSES[status] || 'refused'}`);

function fault(said) {
  text($('fault').querySelector('span'), said);
  show($('fault'), Boolean(said));
}

// --- her calls ------------------------------------------------------------------------------------

calls.addEventListener('change', () => {
  const call = calls.ringing;
  if (call && call !== ringer.call) fault('');
  if (!call) {
    ringer.stop();
  } else if (call !== ringer.call) {
    const who = called(call.name, call.who);
    ringer.start(`${say('agent.offer')}: ${who}`, who, () => attempt(() => calls.answer()), calls.talking);
  }
  ringer.call = call;
  render();
});
calls.addEventListener('ended', ({detail}) => text($('last'), say('agent.ended', {why: say(`agent.cause.${detail.cause}`)})));
calls.addEventListener('back', ({detail}) => {
  back = {call: detail, at: performance.now()};
  render();
});
calls.addEventListener('level', () => { $('level').firstElementChild.style.transform = `scaleX(${calls.level})`; });
calls.addEventListener('quality', render);

press($('answer'), () => attempt(() => calls.answer()));
press($('decline'), () => calls.decline());
press($('hangup'), () => calls.first?.hangUp());
press($('mute'), () => calls.mute(!microphone.muted));
press($('hold'), () => attempt(() => calls.first.hold(!calls.first.held)));
press($('swap'), () => attempt(() => calls.swap()));
press($('conference'), () => attempt(() => calls.confer(!calls.conference)));
press($('finish'), () => attempt(() => calls.finish(), 'agent.transfer.failed'));
press($('drop'), () => calls.second?.hangUp());
press($('record'), () => attempt(() => {
  const call = current();
  return desk.ask('pause_recording', {call: call.id, paused: call.recording === 'on'});
}));
$('keys').addEventListener('click', () => {
  const open = $('pad-card').hidden;
  show($('pad-card'), open);
  $('keys').setAttribute('aria-expanded', String(open));
  text($('pressed'), '');
  if (open) $('pad').firstElementChild.focus();
});
keypad($('pad'), (key) => {
  if (calls.first?.keys(key)) text($('pressed'), ($('pressed').textContent + key).slice(-24));
});
$('transfer').addEventListener('click', () => {
  $('transfer-to').value = '';
  $('transfer-dialog').returnValue = '';
  $('transfer-dialog').showModal();
});
$('transfer-dialog').addEventListener('close', () => {
  const [how, to] = [$('transfer-dialog').returnValue, $('transfer-to').value.trim()];
  if (!how || !to) return;
  if (how === 'ask') attempt(() => calls.consult(to));
  else attempt(() => calls.transfer(to), 'agent.transfer.failed');
});
$('dial-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const to = $('dial').value.trim();
  if (to && !calls.list.length) attempt(() => calls.dial(to));
});
$('open-settings').addEventListener('click', () => {
  notifying();
  $('settings-dialog').showModal();
});
press($('ring-once'), tone);
press($('notify-allow'), async () => {
  await mayNotify();
  notifying();
});

function notifying() {
  const state = notifies();
  text($('notify-state'), say(`agent.notify.${state}`));
  show($('notify-allow'), state === 'default');
}
deviceChoices(microphone, $('microphones'), $('speakers'), () => calls.list.map((each) => each.voice),
  (stream) => calls.speak(stream))();
languageChoices($('language'), $('signin-language'));

window.addEventListener('beforeunload', (event) => {
  if (!calls.talking) return;
  event.preventDefault();
  event.returnValue = say('agent.leave');
});
window.addEventListener('pagehide', () => calls.part());

// --- showing it -----------------------------------------------------------------------------------

/** The desk's call that is the phone's call in focus. */
function current() {
  const outgoing = calls.first?.outgoing ?? false;
  return shown?.calls.find((each) => each.outgoing === outgoing) || null;
}

function render() {
  if (!shown) return;
  const call = current();
  const {ringing, first} = calls;
  const active = first && first.state !== 'ringing' ? first : null;
  header();
  show($('offer'), Boolean(ringing));
  if (ringing) offer(ringing, ringing === first ? call : shown.calls.find((each) => !each.outgoing));
  show($('active'), Boolean(active));
  if (active) activeCall(active, call);
  const resting = !ringing && !active && (shown.state !== 'wrap_up' || !shown.last);
  show($('idle'), resting);
  idle();
  words.show(Boolean(active), call, shown);
  const written = shown.calls.find((each) => !each.outgoing && each.connected !== null) || null;
  wrapUp.show(shown.state, written, shown.last, (shown.until || 0) - now());
  network(active && active.state === 'talking' ? call : null, calls.heard);
  queues($('queues'), shown.queues, now());
  refocus(ringing ? 'answer' : active ? 'mute' : resting ? 'dial' : 'wrap-notes');
}

/** Where the focus was has gone, as a button that was pressed does: on to what has taken its place. */
function refocus(next) {
  if (next === place) return;
  place = next;
  const {activeElement: held} = document;
  const lost = !held || held === document.body || held.closest('[hidden]');
  if (lost && (matchMedia('(pointer: fine)').matches || $(next).matches('button'))) $(next).focus({preventScroll: true});
}

function header() {
  text($('me'), shown.name);
  $('phone').dataset.state = phone?.state || 'away';
  text($('phone'), say(`agent.phone.${phone?.state || 'away'}`));
  $('pill').dataset.state = shown.state;
  const reason = shown.state === 'paused' && shown.reason ? `: ${worded('agent.reason', shown.reason)}` : '';
  text($('state'), say(`agent.state.${shown.state}`) + reason);
  text($('state-time'), clock(now() - shown.since));
  text($('pending'), shown.pending ? say('agent.state.pending', {state: say(`agent.state.${shown.pending}`)}) : '');
  if ($('wish').value !== wished() && document.activeElement !== $('wish')) fillWishes();
  if (phone?.state === 'refused') fault(say('agent.signin.phone'));
}

function offer(ringing, call) {
  const known = call || ringing;
  put($('offer-who').firstElementChild, called(known.name, known.who));
  facts($('offer-facts'), call);
  pop($('offer-pop'), call);
}

/** Who the other side of a call is, as the desk knows it; the phone knows less. */
function whoIs(call) {
  const known = shown.calls.find((each) => each.outgoing === call.outgoing) || call;
  return called(known.name, known.who);
}

function activeCall(active, call) {
  put($('call-who').firstElementChild, whoIs(active));
  text($('call-about'), call ? [call.title, call.language && languageName(call.language)].filter(Boolean).join(' · ') : '');
  pop($('call-pop'), call);
  const talking = active.state === 'talking';
  const lost = active.state === 'returning' || (talking && active.lost);
  const isBack = active === back.call && performance.now() - back.at < BACK_MS;
  const word = calls.conference ? 'agent.conference.on' : isBack ? 'agent.back' : active.held ? 'agent.held'
    : active.state === 'calling' ? 'agent.calling' : 'agent.talking';
  text($('call-state'), say(calls.transferring ? 'agent.transfer.under' : word));
  $('call-state').dataset.word = word;
  $('call-state').parentElement.dataset.look = active.held || lost || !talking ? 'wait' : '';
  text($('call-time'), active.began === null ? '' : clock((performance.now() - active.began) / 1000));
  const notice = lost ? 'agent.reconnecting' : call?.held_by.includes('customer') && !call.outgoing ? 'agent.held.there'
    : microphone.muted ? 'muted' : '';
  show($('call-notice'), Boolean(notice));
  if (notice) text($('call-notice').querySelector('span'), say(notice));
  show($('supervised'), Boolean(call?.supervisors?.length));
  toggle($('mute'), microphone.muted, ['mic', 'mute'], ['micoff', 'unmute']);
  setIcon($('level').parentElement, microphone.muted ? 'micoff' : 'mic');
  toggle($('hold'), active.held, ['hold', 'hold'], ['play', 'resume']);
  for (const each of ['mute', 'hold', 'keys', 'transfer']) $(each).disabled = !talking || calls.transferring;
  $('transfer').disabled ||= Boolean(calls.second);
  show($('record'), Boolean(call?.recording));
  if (call?.recording) {
    const paused = call.recording === 'paused';
    $('record').setAttribute('aria-pressed', String(paused));
    text($('record').querySelector('span'), say(paused ? 'agent.recording.resume' : 'agent.recording.pause'));
  }
  secondCall();
}

function toggle(button, on, [offIcon, off], [onIcon, said]) {
  button.setAttribute('aria-pressed', String(on));
  setIcon(button, on ? onIcon : offIcon);
  text(button.querySelector('span'), say(on ? said : off));
}

function secondCall() {
  const {second, first} = calls;
  show($('second'), Boolean(second));
  if (!second) return;
  put($('second-who'), whoIs(second));
  const both = first.state === 'talking' && second.state === 'talking';
  text($('second-state'), say(second.held ? 'agent.held' : second.state === 'calling' ? 'agent.calling' : 'agent.talking'));
  $('finish').disabled = !both || calls.transferring;
  for (const each of ['swap', 'conference']) $(each).disabled = !both || calls.transferring;
  $('conference').setAttribute('aria-pressed', String(Boolean(calls.conference)));
  text($('conference').querySelector('span'), say(calls.conference ? 'agent.conference.end' : 'agent.conference'));
}

function idle() {
  const why = {paused: 'agent.idle.paused', logged_out: 'agent.idle.logged_out'};
  const unregistered = shown.state === 'available' && !shown.registered;
  text($('idle-more'), say(unregistered ? 'agent.idle.unregistered' : why[shown.state] || 'agent.idle.available'));
}

onLanguage(() => {
  drawIcons(document);
  document.title = `${say('agent.title')} – ${say('brand')}`;
  if (!terms) return;
  wrapUp.offer(terms.outcomes);
  fillWishes();
  render();
});
setInterval(render, 1000);
speak(preferred());
const kept = Desk.kept();
if (kept) desk.signIn(kept);
else signedOut();
