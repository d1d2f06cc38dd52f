// The agent's calls: the one she is in, and one beside it to ask a colleague or to bring in a third.

import {Conference, Meter, NoMicrophone} from './microphone.js';
import {make} from './dom.js';
import {Quality} from './quality.js';
import {RESUME_MS} from './recovery.js';

const KEPT = 'isogloss.calls'; // in the tab's own storage: which calls she is in, until the page is loaded again

export class Calls extends EventTarget {
  /** Events: `change`, whenever something about them did; `ended` and `back` with the call; `level` and `quality` as
   * measured.
   */
  constructor(microphone, voices) {
    super();
    Object.assign(this, {microphone, voices});
    setInterval(() => this.list.length && this.#keep(), 2000);
    this.phone = null;
    this.list = []; // the first is the one in focus
    this.conference = null;
    this.level = 0;
    this.heard = null; // of Quality
    this.transferring = false;
  }

  get first() {
    return this.list[0] || null;
  }

  get second() {
    return this.list[1] || null;
  }

  get ringing() {
    return this.list.find((each) => each.state === 'ringing') || null;
  }

  get talking() {
    return this.list.some((each) => each.state === 'talking');
  }

  #changed() {
    this.#keep();
    this.dispatchEvent(new Event('change'));
  }

  #keep() {
    const there = this.list.filter(({dialog}) => dialog);
    const {user} = this.phone || {};
    try {
      if (!there.length) sessionStorage.removeItem(KEPT);
      else sessionStorage.setItem(KEPT, JSON.stringify({
        user, seen: Date.now(), muted: this.microphone.muted,
        calls: there.map((each) => ({...each.place, asked: Boolean(each.asked)})),
      }));
    } catch { /* then a page that is loaded again does not find back */ }
  }

  /** The calls that this agent was in when the page was left, or null where the node holds them no more. */
  static kept(user) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT));
      return kept?.user === user && Date.now() - kept.seen < RESUME_MS ? kept : null;
    } catch {
      return null;
    }
  }

  /** Go on with them. Raises NoMicrophone. */
  async comeBack({muted, calls}) {
    const stream = await this.microphone.open();
    this.microphone.mute(muted);
    for (const each of calls) {
      const call = this.phone.resume(each, stream);
      call.asked = each.asked;
      this.#add(call);
    }
  }

  /** A call comes in. */
  rung(call) {
    if (this.list.length > 1) {
      call.decline(); // nobody has three hands
      return;
    }
    this.#add(call);
  }

  /** Raises NoMicrophone. */
  async dial(target) {
    const stream = await this.microphone.open();
    if (this.first?.state === 'talking' && !this.first.held) await this.first.hold(true);
    const call = this.phone.call(target, stream);
    this.#add(call);
    return call;
  }

  #add(call) {
    this.list.push(call);
    const voice = make('audio', {autoplay: true});
    voice.srcObject = call.sound.remote;
    this.voices.append(voice);
    this.microphone.direct(voice);
    call.voice = voice;
    call.addEventListener('state', () => this.#moved(call));
    call.addEventListener('way', () => this.#changed());
    call.addEventListener('sound', () => this.#sounds(call));
    call.addEventListener('back', () => this.dispatchEvent(new CustomEvent('back', {detail: call})));
    this.#changed();
  }

  /** Its sound is another one. */
  async #sounds(call) {
    call.voice.srcObject = call.sound.remote;
    call.quality?.stop();
    call.quality = null;
    if (call.state === 'talking') this.#assess(call);
    if (this.conference) await this.confer(false);
  }

  #assess(call) {
    call.quality = new Quality(call.sound.pc, (figures) => {
      if (call !== this.first) return;
      this.heard = figures;
      this.dispatchEvent(new Event('quality'));
    });
  }

  #moved(call) {
    if (call.state === 'talking' && !call.quality) this.#assess(call);
    if (call.state === 'ended') this.#remove(call);
    this.#measure();
    this.#changed();
  }

  #remove(call) {
    call.quality?.stop();
    call.voice.remove();
    this.list = this.list.filter((each) => each !== call);
    this.heard = null;
    if (this.conference) this.#endConference();
    if (!this.list.length) this.microphone.close();
    this.dispatchEvent(new CustomEvent('ended', {detail: call}));
  }

  #measure() {
    if (this.talking && this.microphone.stream && !this.meter) {
      this.meter = new Meter(this.microphone.stream, (level) => {
        this.level = this.microphone.muted ? 0 : level;
        this.dispatchEvent(new Event('level'));
      });
    } else if (!this.talking && this.meter) {
      this.meter.stop();
      this.meter = null;
      this.microphone.mute(false);
    }
  }

  /** Raises NoMicrophone; the call rings on then. */
  async answer() {
    const call = this.ringing;
    if (!call) return;
    const stream = await this.microphone.open();
    for (const each of this.list) if (each !== call && each.state === 'talking' && !each.held) await each.hold(true);
    await call.answer(stream);
    this.#focus(call);
  }

  #focus(call) {
    if (this.list.includes(call)) this.list = [call, ...this.list.filter((each) => each !== call)];
    this.#changed();
  }

  decline() {
    this.ringing?.decline();
  }

  mute(muted) {
    this.microphone.mute(muted);
    this.#changed();
  }

  /** Take another microphone in all calls. */
  async speak(stream) {
    if (this.conference) await this.#endConference();
    for (const each of this.list) if (each.state === 'talking') await each.sound.speak(stream);
    this.meter?.stop();
    this.meter = null;
    this.#measure();
  }

  async swap() {
    const [first, second] = this.list;
    if (!second || second.state !== 'talking') return;
    if (!first.held) await first.hold(true);
    if (second.held) await second.hold(false);
    this.#focus(second);
  }

  /** All three hear each other; or no longer, and the first is held again. */
  async confer(together) {
    if (!together) {
      await this.#endConference();
      if (this.second?.state === 'talking') await this.second.hold(true);
    } else if (!this.conference && this.list.length === 2) {
      for (const each of this.list) if (each.held) await each.hold(false);
      this.conference = new Conference([...this.list], this.microphone.stream);
      await this.conference.ready;
    }
    this.#changed();
  }

  async #endConference() {
    const {conference} = this;
    this.conference = null;
    if (conference && this.microphone.stream) await conference.end(this.microphone.stream);
  }

  /** Give the call in focus to a number. Raises sip/call.js Refused. */
  async transfer(target) {
    this.transferring = true;
    this.#changed();
    try {
      await this.first.transfer(target);
    } finally {
      this.transferring = false;
      this.#changed();
    }
  }

  /** Call somebody beside the one in focus, which waits; the new call comes into focus. */
  async consult(target) {
    const call = await this.dial(target);
    call.asked = true;
    this.#focus(call);
  }

  /** Bring together the two that we talk to, and leave them. */
  async finish() {
    const asked = this.list.find((each) => each.asked) || this.first;
    const customer = this.list.find((each) => each !== asked);
    this.transferring = true;
    this.#changed();
    try {
      await customer.transfer(asked);
    } finally {
      this.transferring = false;
      this.#changed();
    }
  }

  leave() {
    for (const each of [...this.list]) each.hangUp();
  }

  /** The page is left, perhaps to be loaded again: the node holds what has been answered. */
  part() {
    this.#keep();
    for (const each of [...this.list]) if (each.state === 'calling') each.hangUp();
  }
}

export {NoMicrophone};
