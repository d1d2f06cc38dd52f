// How the network is, in words: figures of the browser's connection, looked at every two seconds.

const EVERY_MS = 2000;

// The first row that holds says how it is; shares are of packets, times are milliseconds.
const WORDS = [
  ['lost', ({silent}) => silent],
  ['bad', ({loss, round, jitter}) => loss > 0.08 || round > 600 || jitter > 120],
  ['fair', ({loss, round, jitter}) => loss > 0.025 || round > 300 || jitter > 50],
  ['good', () => true],
];

export class Quality {
  /** tell: gets {word, loss, round, jitter} every two seconds: what is heard here, and what the far end reports. */
  constructor(pc, tell) {
    this.before = null;
    this.timer = setInterval(async () => {
      if (pc.connectionState === 'closed') return;
      const figures = this.#compare(await look(pc));
      if (figures) tell({...figures, word: WORDS.find(([, holds]) => holds(figures))[0]});
    }, EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  #compare(now) {
    const before = this.before;
    this.before = now;
    if (!before) return null;
    const [received, lost] = [now.received - before.received, now.lost - before.lost];
    const here = received + lost > 0 ? Math.max(0, lost) / (received + lost) : 0;
    return {loss: Math.max(here, now.lostThere), round: now.round, jitter: now.jitter, silent: received === 0};
  }
}

async function look(pc) {
  const found = {received: 0, lost: 0, jitter: 0, round: 0, lostThere: 0};
  for (const each of (await pc.getStats()).values()) {
    if (each.type === 'inbound-rtp' && each.kind === 'audio') {
      found.received += each.packetsReceived || 0;
      found.lost += each.packetsLost || 0;
      found.jitter = 1000 * (each.jitter || 0);
    } else if (each.type === 'remote-inbound-rtp') {
      found.lostThere = each.fractionLost || 0;
      found.round = Math.max(found.round, 1000 * (each.roundTripTime || 0));
    } else if (each.type === 'candidate-pair' && each.nominated && each.currentRoundTripTime !== undefined) {
      found.round = Math.max(found.round, 1000 * each.currentRoundTripTime);
    }
  }
  return found;
}
