// One call of the phone: a dialog with the node, and its sound.

import {Recovery} from '../recovery.js';
import {Sound} from '../sound.js';
import {nameOf, replaces, tagOf, token, write} from './message.js';
import {Refused, causeOf} from './refused.js';

const GLARE_MS = [2100, 4000]; // RFC 3261 section 14.1, for who made the Call-ID; the other waits less
const WAYS_MS = 1000; // without a way before another one is looked for

export class Call extends EventTarget {
  /** state: ringing (in), calling (out), returning, talking, ended. Events: `state`, `transfer`, `way`, `sound` when
   * `sound` is another one, `back` when we are in the call again.
   *
   * who, name: number or account of the other side, and what it is called. kept: the `place` of a call that was there
   * before the page was loaded again.
   */
  constructor(phone, {callId, target = '', who = '', invite = null, kept = null}) {
    super();
    Object.assign(this, {phone, callId, invite, who});
    this.name = '';
    this.state = invite ? 'ringing' : kept ? 'returning' : 'calling';
    this.outgoing = !invite;
    this.cause = '';
    this.held = false;
    this.began = null; // ms of performance.now when it was answered
    this.dialog = null; // what names it at the node, once it was answered: {callId, to, from}
    this.recovery = null;
    this.#take(Sound.by(this.phone.ice));
    this.#anonymous(callId, target);
    this.changing = false; // an offer of ours, or of theirs, is under way
    this.referral = null;
    if (invite) this.#begun(invite);
    if (kept) Object.assign(this, {...kept, began: performance.now() - (Date.now() - kept.began)});
  }

  #take(sound) {
    this.sound = sound;
    sound.addEventListener('way', () => sound === this.sound && this.#wayChanged());
  }

  /** A dialog that is still to begin. target: where requests within it go. */
  #anonymous(callId, target) {
    this.callId = callId;
    this.tag = token(10);
    this.number = 0;
    this.target = target;
    this.local = `${this.phone.us};tag=${this.tag}`;
    this.remote = `<${target}>`;
    this.confirmed = null;
  }

  /** What is to be kept of it, so that a page that is loaded again finds back. */
  get place() {
    const {dialog, who, name, outgoing, held, target} = this;
    const for_s = this.began === null ? 0 : (performance.now() - this.began) / 1000;
    return {dialog, who, name, outgoing, held, target, began: Date.now() - 1000 * for_s};
  }

  /** Whether nothing is heard at the moment. */
  get lost() {
    const {way} = this.sound;
    return ['disconnected', 'failed', 'closed'].includes(way) || (this.recovery !== null && way !== 'connected');
  }

  #begun(invite) {
    const from = invite.get('from');
    ({name: this.name, user: this.who} = nameOf(from));
    this.remote = from;
    this.target = nameOf(invite.get('contact')).uri;
  }

  #become(state, cause = '') {
    if (this.state === 'ended' || this.state === state) return;
    this.state = state;
    this.cause = cause;
    if (state === 'talking') this.began ??= performance.now();
    if (state === 'ended') {
      clearTimeout(this.search);
      this.recovery?.hurry();
      this.phone.calls.delete(this.callId);
      this.sound.close();
      this.referral?.ended();
    }
    this.dispatchEvent(new Event('state'));
  }

  // --- beginning --------------------------------------------------------------------------------

  /** Call out. */
  async dial(stream) {
    try {
      await this.sound.speak(stream);
      await this.#invite();
      this.#become('talking');
    } catch (error) {
      this.#become('ended', error instanceof Refused ? causeOf(error.status) : 'network');
    }
  }

  /** Raises Refused. */
  async #invite(headers = []) {
    const body = await this.sound.offer(this.held ? 'sendonly' : 'sendrecv');
    const answer = await this.phone.ask(this.#request('INVITE', {
      body, headers, sent: (sent) => { this.ringing = sent; }, progress: (early) => this.#progress(early),
    }));
    if (answer.status >= 300) throw new Refused(answer.status, answer.reason);
    this.#established(answer);
    this.#acknowledge(answer);
    if (this.unwanted || this.state === 'ended') { // it was answered while it was being called off
      this.unwanted = true;
      this.hangUp();
      return;
    }
    await this.sound.accept(answer.body);
  }

  #progress(early) {
    this.early = true;
    if (this.unwanted) this.phone.cancel(this.ringing);
    if (early.status === 180) this.dispatchEvent(new Event('state'));
  }

  #established(answer) {
    this.remote = answer.get('to');
    this.target = nameOf(answer.get('contact')).uri || this.target;
    this.#named();
  }

  #named() {
    this.dialog = {callId: this.callId, to: tagOf(this.remote), from: this.tag};
  }

  #acknowledge(answer) {
    this.confirmed = answer;
    this.phone.transmit(write(`ACK ${this.target} SIP/2.0`, [
      ['Via', `SIP/2.0/WSS ${this.phone.host};branch=z9hG4bK${token(14)}`], ['Max-Forwards', 70],
      ['From', this.local], ['To', this.remote], ['Call-ID', this.callId],
      ['CSeq', `${answer.sequence.number} ACK`],
    ]));
  }

  /** The node missed our ACK. */
  confirmAgain(answer) {
    if (this.confirmed && answer.sequence.method === 'INVITE') this.#acknowledge(answer);
  }

  /** A call comes in: tell the node that it rings here. */
  ring() {
    this.phone.respond(this.invite, 180, {tag: this.tag, headers: [['Contact', this.phone.contact]]});
    this.local = `${this.invite.get('to')};tag=${this.tag}`;
  }

  async answer(stream) {
    if (this.state !== 'ringing') return;
    try {
      const body = await this.sound.answer(this.invite.body, stream);
      if (this.state !== 'ringing') return; // the caller gave up meanwhile
      this.phone.respond(this.invite, 200, this.#described(body));
      this.#named();
      this.#become('talking');
    } catch {
      this.phone.respond(this.invite, 488, {tag: this.tag});
      this.#become('ended', 'sound');
    }
  }

  decline() {
    if (this.state !== 'ringing') return;
    this.phone.respond(this.invite, 603, {tag: this.tag});
    this.#become('ended', 'declined');
  }

  /** End it, whatever its state. */
  hangUp() {
    if (this.state === 'ringing') {
      this.decline();
    } else if (this.state === 'calling') {
      this.unwanted = true;
      if (this.early) this.phone.cancel(this.ringing);
      if (!this.confirmed) this.#become('ended', 'cancelled');
    } else if (this.state === 'talking') {
      this.#bye();
      this.#become('ended', 'here');
    } else if (this.state === 'returning') {
      this.#become('ended', 'here'); // and once more when it is answered
    }
    if (this.unwanted && this.confirmed) this.#bye();
  }

  #bye() {
    const bye = this.#request('BYE');
    this.phone.ready().then(() => this.phone.ask(bye)).catch(() => {});
  }

  // --- within the call --------------------------------------------------------------------------

  #request(method, more = {}) {
    const headers = [['Contact', this.phone.contact], ...(more.headers || [])];
    if (more.body) headers.push(['Content-Type', 'application/sdp']);
    return {
      method, uri: this.target, from: this.local, to: this.remote, callId: this.callId,
      number: () => (this.number += 1), ...more, headers,
    };
  }

  #described(body) {
    return {tag: this.tag, body, headers: [['Contact', this.phone.contact], ['Content-Type', 'application/sdp']]};
  }

  /** Put the other side on hold, or take it back. */
  async hold(held) {
    if (this.state !== 'talking' || held === this.held) return;
    await this.#reoffer(held ? 'sendonly' : 'sendrecv', false);
    this.held = held;
    this.dispatchEvent(new Event('state'));
  }

  async #reoffer(direction, restart) {
    for (let attempt = 0; attempt < 4; attempt += 1) {
      if (!this.changing) {
        this.changing = true;
        try {
          const answer = await this.phone.ask(this.#request('INVITE', {
            body: await this.sound.offer(direction, restart),
          }));
          if (answer.status < 300) {
            this.#acknowledge(answer);
            await this.sound.accept(answer.body);
            return;
          }
          if (answer.status !== 491) throw new Refused(answer.status, answer.reason);
        } finally {
          await this.sound.takeBack();
          this.changing = false;
        }
      }
      const [least, most] = this.outgoing ? GLARE_MS : [0, 2000];
      await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)));
    }
    throw new Refused(491, 'both sides keep changing the call');
  }

  keys(digits) {
    return this.state === 'talking' && this.sound.keys(digits);
  }

  /** Give the other side to somebody else, or to whom another call of ours talks. Resolves when it is there. */
  async transfer(target) {
    if (this.referral) throw new Refused(491, 'a transfer is under way');
    const to = target instanceof Call ? target.#replacement() : `<sip:${encodeURIComponent(target)}@${this.phone.domain}>`;
    const done = new Promise((resolve, reject) => {
      this.referral = {
        told: (status) => {
          if (status >= 300) reject(new Refused(status, 'transfer failed'));
          else if (status >= 200) resolve();
        },
        ended: () => resolve(), // the node lets us go when somebody has the other side
      };
    });
    try {
      const answer = await this.phone.ask(this.#request('REFER', {headers: [['Refer-To', to]]}));
      if (answer.status >= 300) throw new Refused(answer.status, answer.reason);
      await done;
    } finally {
      this.referral = null;
    }
  }

  #replacement() {
    return `<${nameOf(this.remote).uri}?Replaces=${encodeURIComponent(replaces(this.dialog))}>`;
  }

  // --- what the node asks -----------------------------------------------------------------------

  requested(request) {
    const answers = {
      INVITE: () => this.#reinvited(request),
      CANCEL: () => this.#cancelled(request),
      BYE: () => this.#left(request),
      NOTIFY: () => this.#notified(request),
      OPTIONS: () => this.phone.respond(request, 200),
      INFO: () => this.phone.respond(request, 200),
      ACK: () => {},
    };
    const answer = answers[request.method];
    if (answer) answer();
    else this.phone.respond(request, 405);
  }

  async #reinvited(invite) {
    if (this.state !== 'talking' || this.changing) {
      this.phone.respond(invite, 491);
      return;
    }
    this.changing = true;
    try {
      const body = invite.body ? await this.sound.answer(invite.body) : await this.sound.offer(this.sound.line.direction);
      this.target = nameOf(invite.get('contact')).uri || this.target;
      this.phone.respond(invite, 200, this.#described(body));
    } catch {
      this.phone.respond(invite, 488);
    } finally {
      this.changing = false;
    }
  }

  #cancelled(cancel) {
    this.phone.respond(cancel, 200, {tag: this.tag});
    if (this.state !== 'ringing') return;
    this.phone.respond(this.invite, 487, {tag: this.tag});
    const elsewhere = /200/.test(cancel.get('reason'));
    this.#become('ended', elsewhere ? 'elsewhere' : 'missed');
  }

  #left(bye) {
    this.phone.respond(bye, 200);
    const cause = /cause=(\d+)/.exec(bye.get('reason'))?.[1];
    this.#become('ended', {41: 'network', 102: 'network', 42: 'busy'}[cause] || 'there');
  }

  #notified(notify) {
    this.phone.respond(notify, 200);
    const status = Number(/SIP\/2\.0 (\d\d\d)/.exec(notify.body)?.[1] || 0);
    if (status && this.referral) {
      this.referral.told(status);
      this.dispatchEvent(new CustomEvent('transfer', {detail: status}));
    }
  }

  // --- the way through the network --------------------------------------------------------------

  #wayChanged() {
    const way = this.sound.way;
    clearTimeout(this.search);
    if (this.state === 'talking' && !this.recovery) {
      if (way === 'disconnected') this.search = setTimeout(() => this.#recover(true), WAYS_MS);
      else if (way === 'failed') this.#recover(true);
      if (['disconnected', 'failed'].includes(way)) this.phone.check();
    }
    this.dispatchEvent(new Event('way'));
  }

  /** The phone has another connection: the network may be another one, too. */
  reconnected() {
    if (this.state === 'talking') this.#recover(true);
  }

  /** Go on with a call that was there before the page was loaded again. */
  async resume(stream) {
    this.sound.stream = stream;
    await this.#recover(false);
  }

  /** Get back into the call, for as long as the node holds it. same: try the connection that there is first. */
  async #recover(same) {
    if (this.recovery || this.state === 'ended') return;
    const lost = this.lost || !same;
    this.recovery = new Recovery({
      restart: () => this.#restart(),
      anew: () => this.#anew(),
      failed: (error) => this.#mayRestart(error),
      sound: () => this.sound,
      over: () => this.state === 'ended',
    });
    this.dispatchEvent(new Event('way'));
    const back = await this.recovery.run(same);
    this.recovery = null;
    this.#become(back ? 'talking' : 'ended', back ? '' : 'lost');
    if (back && lost) this.dispatchEvent(new Event('back'));
    this.dispatchEvent(new Event('way'));
  }

  async #restart() {
    await this.phone.ready();
    await this.#reoffer(this.held ? 'sendonly' : 'sendrecv', true);
  }

  /** Take the place of the dialog that was lost, by one with a connection of its own (RFC 3891). */
  async #anew() {
    await this.phone.ready();
    const before = this.sound;
    this.phone.calls.delete(this.callId);
    this.#anonymous(token(20), this.target);
    this.phone.calls.set(this.callId, this);
    this.#take(Sound.by(this.phone.ice));
    before.close();
    await this.sound.speak(before.stream);
    this.dispatchEvent(new Event('sound'));
    await this.#invite([['Replaces', replaces(this.dialog)], ['Require', 'replaces']]);
  }

  /** Whether the connection that there is may still be of use. Ends the call where the node says that there is none. */
  #mayRestart(error) {
    if (!(error instanceof Refused)) return true;
    if ([401, 403, 404, 481, 603].includes(error.status)) this.#become('ended', 'lost');
    return error.status === 491;
  }
}
