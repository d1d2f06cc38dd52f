// What a caller is told of her call besides its sound: how it stands, her place, captions. And what she thinks of it.

const PROTOCOL = 'isogloss.caller.v1';
const AGAIN_MS = [500, 1000, 2000, 4000];
const ANSWER_MS = 10000;

function lineAt(base) {
  const {protocol, host} = new URL(base || location.href, location.href);
  return `${protocol.replace('http', 'ws')}//${host}/v1/callers/line`;
}

export class Line extends EventTarget {
  /** Events: `call` and `caption`, with what came as detail. base: an address of the node that has the call. */
  constructor(token, base) {
    super();
    Object.assign(this, {token, url: lineAt(base)});
    this.failures = 0;
    this.wanted = true;
    this.asked = new Map();
    this.number = 0;
    this.#connect();
  }

  /** The call is at another node now. */
  move(base) {
    if (lineAt(base) === this.url) return;
    this.url = lineAt(base);
    this.failures = 0;
    this.socket.close(1000);
  }

  #connect() {
    const socket = new WebSocket(this.url, PROTOCOL);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({type: 'token', token: this.token}));
    socket.onmessage = ({data}) => {
      const told = JSON.parse(data);
      this.failures = 0;
      if (told.type === 'done' || told.type === 'refused') this.#settle(told.re, told.type === 'done');
      else this.dispatchEvent(new CustomEvent(told.type, {detail: told[told.type]}));
    };
    socket.onclose = () => {
      for (const re of [...this.asked.keys()]) this.#settle(re, false);
      if (!this.wanted || this.failures >= 8) return; // without it the call goes on
      const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)];
      this.failures += 1;
      this.timer = setTimeout(() => this.#connect(), wait);
    };
  }

  #settle(re, done) {
    const waiting = this.asked.get(re);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.asked.delete(re);
    waiting.resolve(done);
  }

  /** Whether the node has taken it. stars: 1 to 5. */
  rate(stars, comment) {
    this.number += 1;
    const re = this.number;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(re, false), ANSWER_MS);
      this.asked.set(re, {resolve, timer});
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({type: 'rate', re, stars, comment}));
      else this.#settle(re, false);
    });
  }

  close() {
    this.wanted = false;
    clearTimeout(this.timer);
    this.socket.close(1000);
  }
}
