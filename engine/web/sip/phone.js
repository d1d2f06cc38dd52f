// A SIP phone over a WebSocket (RFC 7118): registered with one connection that is opened again when it breaks.
//
// The far end of everything is one node, which keeps its own timers, so that this is the part of RFC 3261 that a
// reliable connection to a single peer leaves: no retransmissions, no forking, no routes but the node's.

import {Call} from './call.js';
import {authorization, challenge} from './digest.js';
import {escaped, read, token, write} from './message.js';

const EXPIRES_S = 300;
const ANSWER_MS = 32000; // timer B and F
const PULSE_MS = 2000; // for the node to answer on a connection that may be dead
const READY_MS = 5000;
const AGAIN_MS = [500, 1000, 2000, 4000, 8000, 15000];
const HURRY = 1; // of these, while there are calls
const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, INFO';
const KEPT = 'isogloss.phone';

export const REASONS = {
  100: 'Trying', 180: 'Ringing', 200: 'OK', 400: 'Bad Request', 405: 'Method Not Allowed', 481: 'Call Does Not Exist',
  486: 'Busy Here', 487: 'Request Terminated', 488: 'Not Acceptable Here', 491: 'Request Pending', 500: 'Fault',
  603: 'Decline',
};

export class Phone extends EventTarget {
  /** Events: `state` (connecting, registered, away, refused) and `ring`, whose detail is the call that comes in.
   *
   * secret: a function from a realm to H(A1) of SHA-256, or null where the password is not good for it. ice: of the
   * desk's welcome, for calls to come.
   */
  constructor({url, user, domain, ice, secret}) {
    super();
    Object.assign(this, {url, user, domain, ice, secret});
    this.state = 'away';
    this.calls = new Map(); // by Call-ID
    this.host = `${token(12)}.invalid`;
    this.contact = `<sip:${token(8)}@${this.host};transport=ws>`;
    this.instance = device();
    this.us = `<sip:${escaped(user)}@${domain}>`;
    this.asked = new Map(); // by branch and method: who waits for the answer
    this.registration = {callId: token(20), number: 0, tag: token(8)};
    this.failures = 0;
    for (const each of [[window, 'online'], [navigator.connection, 'change']]) {
      each[0]?.addEventListener?.(each[1], () => this.check());
    }
  }

  start() {
    this.wanted = true;
    this.#connect();
  }

  async stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    if (this.state === 'registered') await this.#register(0).catch(() => {});
    this.socket?.close(1000);
    this.#become('away');
  }

  /** Call somebody; the call begins to ring at once and tells by events how it goes. */
  call(target, stream) {
    const uri = `sip:${escaped(target)}@${this.domain}`;
    const call = new Call(this, {callId: token(20), target: uri, who: target});
    this.calls.set(call.callId, call);
    call.dial(stream);
    return call;
  }

  /** Go on with a call that this tab was in before it was loaded again. kept: of `Call.place`. */
  resume(kept, stream) {
    const call = new Call(this, {callId: token(20), who: kept.who, kept});
    call.resume(stream);
    return call;
  }

  /** The network is another one, or there again: do not wait to find out that the connection is dead. */
  check() {
    if (!this.wanted) return;
    if (this.socket?.readyState !== WebSocket.OPEN) {
      this.failures = 0;
      this.#connect();
    } else if (!this.pulse) { // RFC 5626 section 4.4.1
      this.pulse = setTimeout(() => this.#connect(), PULSE_MS);
      this.transmit('\r\n\r\n');
    }
  }

  /** Resolves once it is registered; rejects where that takes too long. */
  ready() {
    if (this.state === 'registered' && this.socket?.readyState === WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.removeEventListener('state', look);
        this.check();
        reject(new Error('there is no connection'));
      }, READY_MS);
      const look = () => {
        if (this.state !== 'registered') return;
        clearTimeout(timer);
        this.removeEventListener('state', look);
        resolve();
      };
      this.addEventListener('state', look);
    });
  }

  // --- the connection ---------------------------------------------------------------------------

  #connect() {
    clearTimeout(this.timer);
    this.#beats();
    if (this.socket) this.socket.onclose = this.socket.onopen = this.socket.onmessage = null;
    this.socket?.close();
    this.#fail();
    this.#become('connecting');
    const socket = new WebSocket(this.url, 'sip');
    this.socket = socket;
    socket.onopen = () => this.#register(EXPIRES_S).catch(() => socket.close());
    socket.onmessage = ({data}) => typeof data === 'string' && this.#received(data);
    socket.onclose = () => this.#lost();
  }

  /** The connection leads somewhere, or is another one. */
  #beats() {
    clearTimeout(this.pulse);
    this.pulse = null;
  }

  #fail() {
    for (const each of [...this.asked.values()]) each.fail(new Error('the connection broke'));
  }

  #lost() {
    this.#beats();
    this.#fail();
    if (this.state !== 'refused') this.#become('away');
    if (!this.wanted || this.state === 'refused') return;
    const patience = this.calls.size ? HURRY : AGAIN_MS.length - 1;
    const wait = AGAIN_MS[Math.min(this.failures, patience)];
    this.failures += 1;
    this.timer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
    if (state === 'registered') for (const call of [...this.calls.values()]) call.reconnected();
  }

  async #register(expires) {
    const {callId, tag} = this.registration;
    const contact = `${this.contact};reg-id=1;+sip.instance="<urn:uuid:${this.instance}>";expires=${expires}`;
    const answer = await this.ask({
      method: 'REGISTER', uri: `sip:${this.domain}`, from: `${this.us};tag=${tag}`, to: this.us, callId,
      number: () => (this.registration.number += 1),
      headers: [['Contact', contact], ['Supported', 'path, outbound'], ['Expires', expires]],
    });
    if (answer.status === 200) {
      this.failures = 0;
      this.#become(expires ? 'registered' : 'away');
      const listed = answer.all('contact').join(', ');
      const ours = listed.slice(Math.max(0, listed.indexOf(this.host)));
      const granted = Number(/expires=(\d+)/i.exec(ours)?.[1] || answer.get('expires') || EXPIRES_S);
      clearTimeout(this.timer);
      if (expires) this.timer = setTimeout(() => this.#register(EXPIRES_S).catch(() => this.socket.close()), granted * 700);
    } else if ([401, 403, 404, 407].includes(answer.status)) {
      this.#become('refused');
      this.socket.close();
    } else {
      throw new Error(`registering was answered ${answer.status}`);
    }
  }

  // --- requests of ours -------------------------------------------------------------------------

  /** Send a request, with a password if one is asked for; its final answer. progress: called with earlier ones. */
  async ask(request) {
    let given = null;
    for (;;) {
      const answer = await this.#send(request, given);
      if (answer.status !== 401 && answer.status !== 407) return answer;
      const header = answer.status === 401 ? 'www-authenticate' : 'proxy-authenticate';
      const next = challenge(answer.all(header));
      const secret = next && await this.secret(next.realm);
      if (!secret || (given && !/^true$/i.test(next.stale || ''))) return answer;
      given = {...next, secret, header: answer.status === 401 ? 'Authorization' : 'Proxy-Authorization'};
    }
  }

  async #send(request, given) {
    const {method, uri, from, to, callId, headers = [], body = ''} = request;
    const branch = `z9hG4bK${token(14)}`;
    const number = request.number();
    const lines = [
      ['Via', `SIP/2.0/WSS ${this.host};branch=${branch}`], ['Max-Forwards', 70], ['From', from], ['To', to],
      ['Call-ID', callId], ['CSeq', `${number} ${method}`], ['Allow', ALLOW], ['User-Agent', 'Isogloss page'], ...headers,
    ];
    if (given) {
      const made = await authorization({user: this.user, secret: given.secret, method, uri, given, count: 1});
      lines.push([given.header, made]);
    }
    const sent = {branch, number, uri, from, to, callId};
    const answer = await this.#answered(method, branch, request.progress, () => {
      request.sent?.(sent);
      this.transmit(write(`${method} ${uri} SIP/2.0`, lines, body));
    });
    if (method === 'INVITE' && answer.status >= 300) this.#acknowledgeRefusal(sent, answer);
    return answer;
  }

  #answered(method, branch, progress, send) {
    const key = `${branch} ${method}`;
    return new Promise((resolve, reject) => {
      const over = () => {
        clearTimeout(timer);
        this.asked.delete(key);
      };
      const fail = (error) => {
        over();
        reject(error);
      };
      const limit = method === 'INVITE' ? 200000 : ANSWER_MS; // an INVITE rings for as long as the node lets it
      const timer = setTimeout(() => fail(new Error('no answer')), limit);
      const take = (answer) => {
        if (answer.status < 200) {
          progress?.(answer);
          return;
        }
        over();
        resolve(answer);
      };
      this.asked.set(key, {take, fail});
      try {
        send();
      } catch (error) {
        fail(error);
      }
    });
  }

  #acknowledgeRefusal({branch, number, uri, from, callId}, answer) {
    this.transmit(write(`ACK ${uri} SIP/2.0`, [
      ['Via', `SIP/2.0/WSS ${this.host};branch=${branch}`], ['Max-Forwards', 70], ['From', from],
      ['To', answer.get('to')], ['Call-ID', callId], ['CSeq', `${number} ACK`],
    ]));
  }

  /** Call off an INVITE that rings. */
  cancel({branch, number, uri, from, to, callId}) {
    this.#answered('CANCEL', branch, null, () => this.transmit(write(`CANCEL ${uri} SIP/2.0`, [
      ['Via', `SIP/2.0/WSS ${this.host};branch=${branch}`], ['Max-Forwards', 70], ['From', from], ['To', to],
      ['Call-ID', callId], ['CSeq', `${number} CANCEL`],
    ]))).catch(() => {});
  }

  /** Raises where there is no connection. */
  transmit(text) {
    if (this.socket?.readyState !== WebSocket.OPEN) throw new Error('there is no connection');
    this.socket.send(text);
  }

  // --- what comes -------------------------------------------------------------------------------

  #received(text) {
    this.#beats();
    const message = read(text);
    if (!message) return; // a keep-alive
    if (message.method) {
      this.#requested(message);
      return;
    }
    const branch = /branch=([^;,\s]+)/i.exec(message.get('via'))?.[1];
    const waiting = this.asked.get(`${branch} ${message.sequence.method}`);
    if (waiting) waiting.take(message);
    else if (message.status === 200) this.calls.get(message.callId)?.confirmAgain(message);
  }

  #requested(request) {
    const call = this.calls.get(request.callId);
    if (call) {
      call.requested(request);
    } else if (request.method === 'INVITE') {
      this.#rung(request);
    } else if (request.method === 'OPTIONS') {
      this.respond(request, 200, {headers: [['Allow', ALLOW]]});
    } else if (request.method !== 'ACK') {
      this.respond(request, 481);
    }
  }

  #rung(invite) {
    if (!/^m=audio/m.test(invite.body)) {
      this.respond(invite, 488, {tag: token(8)});
      return;
    }
    const call = new Call(this, {callId: invite.callId, invite});
    this.calls.set(call.callId, call);
    call.ring();
    this.dispatchEvent(new CustomEvent('ring', {detail: call}));
  }

  respond(request, status, {headers = [], body = '', tag = ''} = {}) {
    const to = request.get('to');
    const lines = [
      ...request.all('via').map((via) => ['Via', via]), ['From', request.get('from')],
      ['To', tag && !/;\s*tag=/i.test(to) ? `${to};tag=${tag}` : to], ['Call-ID', request.callId],
      ['CSeq', request.get('cseq')], ...headers,
    ];
    try {
      this.transmit(write(`SIP/2.0 ${status} ${REASONS[status] || 'Unknown'}`, lines, body));
    } catch { /* the connection broke; the node asks again over the next one */ }
  }
}

/** One id for this tab, so that its registration takes the place of the one before a reload. */
function device() {
  let kept = null;
  try {
    kept = sessionStorage.getItem(KEPT);
    if (!kept) sessionStorage.setItem(KEPT, kept = crypto.randomUUID());
  } catch {
    kept = crypto.randomUUID();
  }
  return kept;
}
