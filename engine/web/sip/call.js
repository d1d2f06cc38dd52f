// One call of the phone: a dialog with the node, and its sound.

import {Sound} from '../sound.js';
import {nameOf, tagOf, token, write} from './message.js';

const GLARE_MS = [2100, 4000]; // RFC 3261 section 14.1, for who made the Call-ID; the other waits less
const WAYS_MS = 4000; // without a way before another one is looked for

export class Refused extends Error {
  constructor(status, reason) {
    super(`${status} ${reason}`);
    this.status = status;
  }
}

export class Call extends EventTarget {
  /** state: ringing (in), calling (out), talking, ended. Events: `state`, `transfer`, `way`.
   *
   * who, name: number or account of the other side, and what it is called.
   */
  constructor(phone, {callId, target = '', who = '', invite = null}) {
    super();
    Object.assign(this, {phone, callId, invite, who});
    this.name = '';
    this.state = invite ? 'ringing' : 'calling';
    this.outgoing = !invite;
    this.cause = '';
    this.held = false;
    this.began = null; // ms of performance.now when it was answered
    this.sound = new Sound();
    this.sound.addEventListener('way', () => this.#wayChanged());
    this.tag = token(10);
    this.number = 0;
    this.target = target; // where requests within the call go
    this.local = `${phone.us};tag=${this.tag}`;
    this.remote = `<${target}>`;
    this.changing = false; // an offer of ours, or of theirs, is under way
    this.referral = null;
    if (invite) this.#begun(invite);
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
    if (state === 'talking') this.began = performance.now();
    if (state === 'ended') {
      clearTimeout(this.search);
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
      const body = await this.sound.offer();
      const answer = await this.phone.ask(this.#request('INVITE', {
        body, sent: (sent) => { this.ringing = sent; }, progress: (early) => this.#progress(early),
      }));
      if (answer.status >= 300) {
        this.#become('ended', causeOf(answer.status));
        return;
      }
      this.#established(answer);
      this.#acknowledge(answer);
      if (this.unwanted || this.state === 'ended') { // it was answered while it was being called off
        this.hangUp();
        return;
      }
      await this.sound.accept(answer.body);
      this.#become('talking');
    } catch (error) {
      this.#become('ended', error instanceof Refused ? causeOf(error.status) : 'network');
    }
  }

  #progress(early) {
    this.early = true;
    if (this.unwanted) this.phone.cancel(this.ringing);
    if (early.status === 180) this.dispatchEvent(new Event('state'));
  }

  #established(answer) {
    this.remote = answer.get('to');
    this.target = nameOf(answer.get('contact')).uri || this.target;
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
      this.phone.ask(this.#request('BYE')).catch(() => {});
      this.#become('ended', 'here');
    }
    if (this.unwanted && this.confirmed) this.phone.ask(this.#request('BYE')).catch(() => {});
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
          await this.sound.takeBack();
          if (answer.status !== 491) throw new Refused(answer.status, answer.reason);
        } finally {
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
    const value = `${this.callId};to-tag=${tagOf(this.remote)};from-tag=${this.tag}`;
    return `<${nameOf(this.remote).uri}?Replaces=${encodeURIComponent(value)}>`;
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
    if (this.state === 'talking' && way === 'disconnected') {
      this.search = setTimeout(() => this.#seek(), WAYS_MS);
    } else if (this.state === 'talking' && way === 'failed') {
      this.#seek();
    }
    this.dispatchEvent(new Event('way'));
  }

  async #seek() {
    try {
      await this.#reoffer(this.held ? 'sendonly' : 'sendrecv', true);
    } catch {
      if (this.state === 'talking') this.search = setTimeout(() => this.#seek(), WAYS_MS);
    }
  }
}

/** Why a call was not to be, in the page's words. */
export function causeOf(status) {
  const known = {403: 'forbidden', 404: 'unknown', 408: 'nobody', 480: 'away', 486: 'busy', 487: 'cancelled', 600: 'busy', 603: 'declined'};
  return known[status] || (status >= 500 ? 'overloaded' : 'refused');
}
