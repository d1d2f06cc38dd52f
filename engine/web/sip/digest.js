// Digest authentication with SHA-256 (RFC 7616, RFC 8760): for SIP, and for signing in at the desk.

const bytes = new TextEncoder();

/** SHA-256 of a text, in hex. Only pages that came by https, or from this very machine, have it. */
export async function hash(text) {
  const digest = await crypto.subtle.digest('SHA-256', bytes.encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What may be kept instead of the password; good for this realm alone. */
export const secretOf = (user, realm, password) => hash(`${user}:${realm}:${password}`);

export function nonceOfOurs() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The response to a challenge (RFC 7616 section 3.4.1). count: how often the nonce has been used, from 1. */
export async function respond({secret, method, uri, nonce, cnonce, count = 1}) {
  const times = count.toString(16).padStart(8, '0');
  return hash(`${secret}:${nonce}:${times}:${cnonce}:auth:${await hash(`${method}:${uri}`)}`);
}

/** The first challenge that can be answered here, or null. values: of (WWW|Proxy)-Authenticate headers. */
export function challenge(values) {
  for (const value of values) {
    if (!/^digest\s/i.test(value)) continue;
    const found = {};
    for (const [, name, quoted, plain] of value.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
      found[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    }
    const qop = (found.qop || '').split(',').map((each) => each.trim().toLowerCase());
    if ((found.algorithm || '').toUpperCase() === 'SHA-256' && qop.includes('auth') && found.nonce) return found;
  }
  return null;
}

/** The Authorization header for a request. given: of `challenge`. */
export async function authorization({user, secret, method, uri, given, count}) {
  const cnonce = nonceOfOurs();
  const response = await respond({secret, method, uri, nonce: given.nonce, cnonce, count});
  const times = count.toString(16).padStart(8, '0');
  const quoted = {username: user, realm: given.realm, nonce: given.nonce, uri, response, cnonce};
  if (given.opaque !== undefined) quoted.opaque = given.opaque;
  const parts = Object.entries(quoted).map(([name, value]) => `${name}="${value.replace(/(["\\])/g, '\\$1')}"`);
  return `Digest ${[...parts, 'algorithm=SHA-256', 'qop=auth', `nc=${times}`].join(', ')}`;
}
