// Which node is nearest: the way to each that the node names is measured, by as little as can be asked (GET /near), and
// the node that gave the token is told. It answers where to call. Whatever fails, the call is made where the token came
// from: nothing here may cost a caller her call, or more than WAIT_MS of it.

const ROUNDS = 4; // after the one that opens the connection
const WAIT_MS = 900; // from the wish to call until it is made, for what is not measured yet
const KEPT_MS = 300000; // how long a measured way counts
const AWAY_MS = 30000; // how long a node that did not answer is left alone

const known = new Map(); // origin -> {ms, at}
const away = new Map(); // origin -> when it did not answer
const under = new Map(); // origin -> promise: being measured

async function round(origin) {
  const began = performance.now();
  const answer = await fetch(`${origin}/near`, {
    cache: 'no-store', mode: 'cors', credentials: 'omit', signal: AbortSignal.timeout(4 * WAIT_MS),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return performance.now() - began;
}

async function measureOne(origin) {
  const found = [];
  try {
    await round(origin); // TCP and TLS are in this one
    for (let at = 0; at < ROUNDS; at += 1) {
      found.push(await round(origin));
      known.set(origin, {ms: Math.min(...found), at: Date.now()}); // what is on the way besides makes it longer, never shorter
    }
  } catch { // out of reach, or it lets us ask no more: what was measured counts
    if (!found.length) away.set(origin, Date.now());
  }
}

const fresh = (origin) => known.has(origin) && Date.now() - known.get(origin).at < KEPT_MS;

const asked = (origin) => fresh(origin) || Date.now() - (away.get(origin) ?? -Infinity) < AWAY_MS;

/** Measure the ways to these nodes, those that are not known; all are measured at once. nodes: [{node, origin}]. */
export async function measure(nodes) {
  await Promise.all(nodes.filter(({origin}) => !asked(origin)).map(({origin}) => {
    if (!under.has(origin)) under.set(origin, measureOne(origin).finally(() => under.delete(origin)));
    return under.get(origin);
  }));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The ticket, made out for the node that is nearest. ticket: as POST /v1/callers/tokens answers. others: nodes to measure
 * where it names none. */
export async function toNearest(ticket, others = []) {
  const nodes = ticket.nodes?.length ? ticket.nodes : others;
  if (nodes.length < 2) return ticket;
  try {
    await Promise.race([measure(nodes), pause(WAIT_MS)]);
    const ms = Object.fromEntries(nodes.filter(({origin}) => fresh(origin)).map(({node, origin}) => [node, known.get(origin).ms]));
    const answer = await fetch(new URL('/near', ticket.base || window.location.href), {
      method: 'POST', cache: 'no-store', signal: AbortSignal.timeout(WAIT_MS),
      headers: {Authorization: `Bearer ${ticket.token}`, 'Content-Type': 'application/json'}, body: JSON.stringify({ms}),
    });
    if (!answer.ok) return ticket;
    const {node, origin, url} = await answer.json();
    const told = nodes.some((each) => each.origin === origin && new URL(url).origin === origin);
    if (!node || !told || origin === window.location.origin) return ticket;
    return {...ticket, url, base: url, node, ice_servers: undefined}; // it has its own
  } catch {
    return ticket;
  }
}
