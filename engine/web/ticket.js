// With what a call is let in: the token and what belongs to it, and where it comes from.

import * as around from './around.js';
import {Refused} from './whip.js';

/** What the node offers to anybody: {destinations}, of calls that it gives tokens for by itself. */
export async function terms() {
  try {
    const answer = await fetch('/call-terms', {cache: 'no-store'});
    return answer.ok ? await answer.json() : {destinations: []};
  } catch {
    return {destinations: []};
  }
}

const given = () => new URLSearchParams(location.hash.slice(1)).get('token');

/** Whether the token came with the address, as in a link that somebody was sent. */
export const linked = () => Boolean(given());

/** {token, url, …} for a call. Raises whip.js Refused. */
export async function ticketFor(destination, language) {
  const token = given();
  if (token) return {token, url: `/whip/${encodeURIComponent(destination)}`};
  const made = await around.ticket(destination, language);
  if (typeof made?.token === 'string') return {url: `/whip/${encodeURIComponent(destination)}`, ...made};
  return fromNode(destination, language);
}

async function fromNode(destination, language) {
  let answer;
  try {
    answer = await fetch('/call-token', {
      method: 'POST', cache: 'no-store', headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({destination, language}),
    });
  } catch {
    throw new Refused(0, 'network');
  }
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, String(problem.type || 'unauthorized').split(':').pop(), problem.detail);
}
