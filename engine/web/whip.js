// A call by WHIP (RFC 9725): an offer is posted, the answer comes back, and the call is held through what may happen.
//
// Another network: another way is sought for the same connection (ICE restart). Nothing helps, or the page was loaded
// again: the call is posted once more with the same token, and the node puts us back into it. The node is lost: another
// one has the call then (doubt.js).

import {Doubt} from './doubt.js';
import {RESUME_MS, Recovery} from './recovery.js';
import {Sound} from './sound.js';
import {tab} from './storage.js';

const KEPT = 'isogloss.call'; // in the tab's own storage
const GATHER_MS = 150; // addresses that take longer follow (trickle ICE)
const SEEK_MS = 3000; // that a node may take to say whether it has the call, or to take another way to it
const PATIENCE_MS = 1000; // without a way before another one is sought
const FRAGMENT = 'application/trickle-ice-sdpfrag';

/** What the node refused. name: of its problem (`unauthorized`, `overloaded` …), '' where there was no answer. */
export class Refused extends Error {
  constructor(status, name, detail = '', next = '') {
    super(detail || name);
    Object.assign(this, {status, name, next});
  }
}

/** The call that this tab was in before the page was loaded again, or null. kept: of `kept` events. */
export function interrupted(kept = tab.get(KEPT)) {
  return kept && Date.now() - kept.seen < RESUME_MS ? kept : null;
}

export class WhipCall extends EventTarget {
  /** Events: `state`, and `kept` with what `resume` needs after a reload. state: connecting, connected, reconnecting,
   * ended; then `cause` says why: here, there, lost, network, or the name of the node's problem.
   *
   * ticket: {token, url, ice_servers, ice_transport_policy} as POST /v1/callers/tokens answers; url and token are enough.
   */
  constructor(ticket) {
    super();
    this.ticket = ticket;
    this.state = 'connecting';
    this.cause = '';
    this.id = ''; // of the call, in the node's records
    this.resumed = false;
    this.began = Date.now();
    this.remote = null; // the stream to play
    this.late = []; // candidates that came after the offer
    this.others = ticket.others || []; // where the call is, should its node be lost
    this.#watchNetwork();
  }

  #become(state, cause = '') {
    if (this.state === 'ended' || this.state === state) return;
    this.state = state;
    this.cause = cause;
    if (state === 'ended') {
      this.over = Date.now();
      this.#over();
    }
    this.dispatchEvent(new Event('state'));
  }

  // --- beginning and ending ---------------------------------------------------------------------

  async start(stream) {
    this.stream = stream;
    try {
      await this.#servers();
      await this.#post(false);
      this.#become('connected');
    } catch (error) {
      this.#become('ended', error instanceof Refused ? error.name || 'network' : 'network');
    }
  }

  /** Go on with a call that was there before the page was loaded again. kept: of `interrupted`. */
  async resume(stream, kept) {
    this.stream = stream;
    this.began = kept.began;
    await this.#recover(false);
  }

  async hangUp() {
    const {location} = this;
    this.#become('ended', 'here');
    if (location) await this.#fetch(location, {method: 'DELETE', keepalive: true}).catch(() => {});
  }

  /** The node has said that the call is over, sooner than the connection does. */
  finished() {
    this.#become('ended', 'there');
  }

  #over() {
    clearTimeout(this.timer);
    clearInterval(this.keeper);
    this.doubt?.stop();
    this.unwatch();
    this.sound?.close();
    tab.remove(KEPT);
    this.dispatchEvent(new CustomEvent('kept', {detail: null}));
  }

  /** Speak what another microphone hears. */
  speak(stream) {
    this.stream = stream;
    return this.sound?.speak(stream);
  }

  keys(digits) {
    return this.state === 'connected' && this.sound.keys(digits);
  }

  // --- the node ---------------------------------------------------------------------------------

  async #fetch(url, {headers = {}, ...more}) {
    let answer;
    try {
      answer = await fetch(new URL(url, this.base), {
        ...more, cache: 'no-store', headers: {Authorization: `Bearer ${this.ticket.token}`, ...headers},
      });
    } catch {
      throw new Refused(0, '');
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, String(problem.type || '').split(':').pop(), problem.detail, problem.next);
  }

  get base() {
    return this.ticket.base || window.location.href;
  }

  /** The STUN and TURN servers, where the ticket does not name them. */
  async #servers() {
    if (this.ticket.ice_servers) return;
    const answer = await this.#fetch(this.ticket.url, {method: 'OPTIONS'});
    this.ticket.ice_servers = serversOf(answer.headers.get('Link') || '');
  }

  async #post(resuming) {
    const {ice_servers: iceServers = [], ice_transport_policy: iceTransportPolicy = 'all'} = this.ticket;
    const sound = new Sound({iceServers, iceTransportPolicy}, GATHER_MS);
    this.#take(sound);
    await sound.speak(this.stream);
    this.said = await sound.offer();
    const answer = await (resuming ? this.#seek(this.said) : this.#send(this.said));
    const resumed = answer.headers.get('Isogloss-Resumed') === 'true';
    this.location = new URL(answer.headers.get('Location'), answer.url).href;
    this.etag = answer.headers.get('ETag') || '';
    this.others = nextsOf(answer.headers.get('Link') || '');
    this.ticket = {...this.ticket, others: this.others};
    if (this.state === 'ended' || (resuming && !resumed)) { // hung up while it began, or not the call that was
      this.#become('ended', 'lost');
      await this.#fetch(this.location, {method: 'DELETE'}).catch(() => {});
      return;
    }
    this.id = answer.headers.get('Isogloss-Call') || this.id;
    this.resumed = resumed;
    this.answer = await answer.text();
    await sound.accept(this.answer);
    this.#keep();
    this.#trickle();
    this.#doubt(sound);
  }

  /** Post the offer; where the node stops and names another one, there. */
  async #send(body, hops = 2) {
    try {
      return await this.#fetch(this.ticket.url, {method: 'POST', body, headers: {'Content-Type': 'application/sdp'}});
    } catch (error) {
      if (!(error instanceof Refused) || error.name !== 'draining' || !error.next || !hops) throw error;
      this.ticket = {...this.ticket, url: error.next, base: error.next};
      return this.#send(body, hops - 1);
    }
  }

  /** Post the offer where the call is: at its node, or, should that be lost, at the one that has taken it over. */
  async #seek(body) {
    const first = this.ticket;
    const others = this.others.map((url) => ({...first, url, base: url}));
    const ways = this.deserted ? [...others, first] : [first, ...others];
    let fault = null;
    for (const way of ways) {
      this.ticket = way;
      try {
        return await this.#fetch(resuming(way.url, this.base), {
          method: 'POST', body, headers: {'Content-Type': 'application/sdp'}, signal: AbortSignal.timeout(SEEK_MS),
        });
      } catch (error) {
        if (!(error instanceof Refused) || ![0, 421].includes(error.status)) throw error;
        fault = error;
      }
    }
    this.ticket = first;
    throw fault;
  }

  #take(sound) {
    const before = this.sound;
    this.doubt?.stop();
    this.sound = sound;
    this.remote = sound.remote;
    this.late = [];
    before?.close();
    sound.addEventListener('way', () => sound === this.sound && this.#wayChanged());
    sound.pc.addEventListener('icecandidate', ({candidate}) => {
      if (!candidate || sound !== this.sound) return;
      this.late.push(candidate.candidate);
      if (this.answer) this.#trickle();
    });
    this.answer = null;
  }

  /** Tell of addresses that were found after the offer was said; a restart tells of its own. */
  async #trickle() {
    const fresh = this.late.splice(0).filter((each) => each && !this.said.includes(each));
    if (!fresh.length || this.recovery) return;
    const body = fragmentOf(this.said, fresh);
    await this.#fetch(this.location, {
      method: 'PATCH', body, headers: {'Content-Type': FRAGMENT, 'If-Match': this.etag},
    }).catch(() => {}); // the call may go through without them
  }

  #keep() {
    const note = () => {
      const {ticket, location, began, id} = this;
      const kept = {ticket, location, began, id, seen: Date.now()};
      tab.set(KEPT, kept);
      this.dispatchEvent(new CustomEvent('kept', {detail: kept}));
    };
    note();
    clearInterval(this.keeper);
    this.keeper = setInterval(note, 2000);
  }

  // --- what may happen to a call ----------------------------------------------------------------

  #doubt(sound) {
    this.doubt?.stop();
    this.deserted = false;
    if (!this.others.length) return;
    this.doubt = new Doubt({
      receiver: sound.line.receiver,
      here: this.location,
      others: this.others,
      lost: () => {
        this.deserted = true;
        if (this.recovery) this.recovery.hurry();
        else if (this.state === 'connected') this.#recover(false);
      },
    });
  }

  #watchNetwork() {
    const changed = () => {
      if (this.state === 'connected') this.#recover(true);
      else this.recovery?.hurry();
    };
    const link = navigator.connection;
    window.addEventListener('online', changed);
    link?.addEventListener?.('typechange', changed);
    this.unwatch = () => {
      window.removeEventListener('online', changed);
      link?.removeEventListener?.('typechange', changed);
    };
  }

  #wayChanged() {
    clearTimeout(this.timer);
    const {way} = this.sound;
    if (this.recovery || this.state !== 'connected') return;
    if (way === 'disconnected') this.timer = setTimeout(() => this.#recover(true), PATIENCE_MS);
    else if (way === 'failed' || way === 'closed') this.#recover(true);
  }

  /** Get back into the call, for as long as the node holds it. restart: try the connection that there is first. */
  async #recover(restart) {
    if (this.recovery || this.state === 'ended') return;
    if (!restart || ['disconnected', 'failed'].includes(this.sound.way)) this.#become('reconnecting');
    this.recovery = new Recovery({
      restart: () => this.#restart(),
      anew: () => {
        this.#become('reconnecting');
        return this.#post(true);
      },
      failed: (error, same) => this.#mayRestart(error, same),
      sound: () => this.sound,
      over: () => this.state === 'ended',
    });
    const back = await this.recovery.run(restart);
    this.recovery = null;
    this.#become(back ? 'connected' : 'ended', back ? '' : 'lost');
  }

  /** Whether the connection that there is may still be of use. Ends the call where the node says that there is none. */
  #mayRestart(error, same) {
    if (!(error instanceof Refused)) return true;
    if (!error.status && this.others.length) return false; // the node may be lost: another one has the call then
    if (error.status === 404) this.#become('ended', same ? 'there' : 'lost');
    else if (error.status === 401 || error.status === 403) this.#become('ended', 'lost');
    return error.status !== 410;
  }

  async #restart() {
    const said = await this.sound.offer('sendrecv', true);
    try {
      const answer = await this.#fetch(this.location, {
        method: 'PATCH', body: fragmentOf(said), headers: {'Content-Type': FRAGMENT, 'If-Match': '*'},
        signal: AbortSignal.timeout(SEEK_MS),
      });
      this.etag = answer.headers.get('ETag') || this.etag;
      this.answer = renewed(this.answer, await answer.text());
      await this.sound.accept(this.answer);
    } catch (error) {
      await this.sound.takeBack();
      throw error;
    }
  }
}

/** The ICE part of a description (RFC 8840). candidates: those to tell; all by default. */
export function fragmentOf(sdp, candidates = null) {
  const lines = sdp.split('\r\n');
  const found = (name) => lines.filter((line) => line.startsWith(`a=${name}:`));
  const told = candidates ? candidates.map((each) => `a=${each}`) : found('candidate');
  const media = lines.find((line) => line.startsWith('m=')) || 'm=audio 9 UDP/TLS/RTP/SAVPF 0';
  const parts = [media, ...found('mid').slice(0, 1), ...found('ice-ufrag').slice(0, 1), ...found('ice-pwd').slice(0, 1), ...told];
  return `${parts.join('\r\n')}\r\n`;
}

/** The answer that stood, with the ICE part of a fragment in the place of its own. */
export function renewed(answer, fragment) {
  const ours = /^a=(ice-ufrag|ice-pwd|candidate|end-of-candidates)\b/;
  const fresh = fragment.split(/\r?\n/).filter((line) => ours.test(line));
  const lines = answer.split(/\r?\n/).filter((line) => line && !ours.test(line));
  const media = lines.findIndex((line) => line.startsWith('m='));
  const after = lines.findIndex((line, at) => at > media && !/^[cib]=/.test(line));
  lines.splice(after < 0 ? lines.length : after, 0, ...fresh);
  return `${lines.join('\r\n')}\r\n`;
}

/** The servers of Link headers (RFC 9725 section 4.6), as RTCPeerConnection takes them. */
export function serversOf(header) {
  return links(header).filter(({rel}) => rel === 'ice-server').map(({to, username, credential}) => (
    username ? {urls: [to], username, credential} : {urls: [to]}
  ));
}

const nextsOf = (header) => links(header).filter(({rel}) => rel === 'next').map(({to}) => to);

function resuming(url, base) {
  const whole = new URL(url, base);
  whole.searchParams.set('resume', 'true');
  return whole.href;
}

function links(header) {
  return [...header.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^",;\s]+))*)/g)].map(([, to, rest]) => {
    const found = {to};
    for (const [, name, quoted, plain] of rest.matchAll(/;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]+))/g)) {
      found[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    }
    return found;
  });
}
