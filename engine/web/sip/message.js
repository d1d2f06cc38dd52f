// SIP messages as text: read, and written (RFC 3261 section 7).

const COMPACT = {
  i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type', f: 'from', k: 'supported', t: 'to', v: 'via',
  o: 'event', r: 'refer-to', e: 'content-encoding', s: 'subject', u: 'allow-events', x: 'session-expires',
};

export class Message {
  /** method and uri of a request, or status and reason of a response. headers: [name, value] each, in order. */
  constructor(start, headers, body) {
    Object.assign(this, start);
    this.headers = headers;
    this.body = body;
  }

  get(name) {
    const found = this.headers.find(([each]) => each === name);
    return found ? found[1] : '';
  }

  all(name) {
    return this.headers.filter(([each]) => each === name).map(([, value]) => value);
  }

  get sequence() {
    const [number, method] = this.get('cseq').split(/\s+/);
    return {number: Number(number), method};
  }

  get callId() {
    return this.get('call-id');
  }
}

/** A message, or null for what is none. */
export function read(text) {
  const gap = text.indexOf('\r\n\r\n');
  if (gap < 0) return null;
  const lines = text.slice(0, gap).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const start = startLine(lines[0]);
  if (!start) return null;
  const headers = [];
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) return null;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.push([COMPACT[name] || name, line.slice(colon + 1).trim()]);
  }
  return new Message(start, headers, text.slice(gap + 4));
}

function startLine(line) {
  const response = /^SIP\/2\.0 ([1-6]\d\d) (.*)$/.exec(line);
  if (response) return {status: Number(response[1]), reason: response[2]};
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(line);
  return request ? {method: request[1], uri: request[2]} : null;
}

/** start: the first line. headers: [name, value] each. */
export function write(start, headers, body = '') {
  const length = new TextEncoder().encode(body).length;
  const lines = [...headers, ['Content-Length', length]].map(([name, value]) => `${name}: ${value}`);
  return `${start}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The tag of a From or To. */
export function tagOf(value) {
  const found = /;\s*tag=([^;\s>]+)/i.exec(value.slice(value.lastIndexOf('>') + 1));
  return found ? found[1] : '';
}

/** The name, address and user of a From, To or Contact. */
export function nameOf(value) {
  const bracket = /<([^>]*)>/.exec(value);
  const uri = bracket ? bracket[1] : value.split(';')[0].trim();
  const name = bracket ? value.slice(0, bracket.index).trim().replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1') : '';
  const user = /^sips?:([^@;?]+)@/i.exec(uri);
  return {name, uri, user: user ? decoded(user[1]) : ''};
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A user part that can hold whatever somebody dialled. */
export const escaped = (user) => encodeURIComponent(user).replace(/%2B/gi, '+').replace(/%2A/gi, '*');

/** Letters and digits that nobody guesses. */
export function token(length = 16) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

/** A dialog by its name (RFC 3891 section 4), its tags as whoever reads it has them. */
export const replaces = ({callId, to, from}) => `${callId};to-tag=${to};from-tag=${from}`;
