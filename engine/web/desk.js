// The agent's desk: a WebSocket that is opened again when it breaks, and tells all of the desk at each change.

import {nonceOfOurs, respond, secretOf} from './sip/digest.js';
import {tab} from './storage.js';

const PROTOCOL = 'isogloss.desk.v1';
const AGAIN_MS = [500, 1000, 2000, 4000, 8000, 15000];
const ANSWER_MS = 10000;
const NOT_SIGNED_IN = 4401;
const KEPT = 'isogloss.agent'; // in the tab's own storage: who signed in, and what proves it, never the password

export class Desk extends EventTarget {
  /** Events: `welcome`, `desk`, `note`, `caption`, `help`, `found` (with what came as detail), `away`, and `refused` at signing in. */
  constructor(url = `${location.protocol.replace('http', 'ws')}//${location.host}/v1/desk`) {
    super();
    this.url = url;
    this.asked = new Map();
    this.number = 0;
    this.failures = 0;
    this.who = null; // {agent, realm, secret} or, before the first challenge, {agent, password}
    window.addEventListener('online', () => this.wanted && this.socket?.readyState !== WebSocket.OPEN && this.#connect());
  }

  /** Who signed in here before the page was loaded again. */
  static kept() {
    return tab.get(KEPT);
  }

  signIn(who) {
    this.who = who;
    this.wanted = true;
    this.#connect();
  }

  signOut() {
    this.wanted = false;
    this.who = null;
    tab.remove(KEPT);
    this.socket?.close(1000);
  }

  /** H(A1) for a realm, for the phone; null where the password is not good for it. */
  async secret(realm) {
    return this.who?.realm === realm ? this.who.secret : null;
  }

  /** Ask for something; resolves when it is done, rejects with {code, detail} of why not. */
  ask(type, fields) {
    this.number += 1;
    const re = this.number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(re, 'reject', {code: 'away', detail: ''}), ANSWER_MS);
      this.asked.set(re, {resolve, reject, timer});
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({type, re, ...fields}));
      else this.#settle(re, 'reject', {code: 'away', detail: ''});
    });
  }

  #settle(re, how, value) {
    const waiting = this.asked.get(re);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.asked.delete(re);
    waiting[how](value);
  }

  #connect() {
    clearTimeout(this.timer);
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    const socket = new WebSocket(this.url, PROTOCOL);
    this.socket = socket;
    socket.onmessage = ({data}) => this.#told(JSON.parse(data));
    socket.onclose = ({code}) => this.#lost(code);
  }

  #lost(code) {
    for (const re of [...this.asked.keys()]) this.#settle(re, 'reject', {code: 'away', detail: ''});
    if (code === NOT_SIGNED_IN) {
      this.signOut();
      this.dispatchEvent(new Event('refused'));
      return;
    }
    if (!this.wanted) return;
    this.dispatchEvent(new Event('away'));
    const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  async #told(message) {
    const {type} = message;
    if (type === 'challenge') {
      await this.#prove(message);
    } else if (type === 'done') {
      this.#settle(message.re, 'resolve');
    } else if (type === 'refused') {
      this.#settle(message.re, 'reject', message);
    } else {
      if (type === 'welcome') this.#keep();
      this.dispatchEvent(new CustomEvent(type, {detail: message}));
    }
  }

  async #prove({realm, nonce, uri, method}) {
    if (!this.who) return;
    const {agent, password} = this.who;
    if (this.who.realm !== realm || password) {
      this.who = {agent, realm, secret: password ? await secretOf(agent, realm, password) : this.who.secret};
    }
    const cnonce = nonceOfOurs();
    const response = await respond({secret: this.who.secret, method, uri, nonce, cnonce});
    this.socket.send(JSON.stringify({type: 'sign_in', agent, cnonce, response}));
  }

  #keep() {
    this.failures = 0;
    tab.set(KEPT, this.who);
  }
}
