// Whether the node that a call is at still lives: sooner than the connection says, which takes 5 to 10 s. Where nothing is
// heard for a second that node is asked for as little as can be, and others as well: if one of them answers and it does
// not, then it is lost. If none does it is this network that is, which is not for us to mend.

const LOOK_MS = 500;
const QUIET_LOOKS = 2;
const ASK_MS = 1000;
const FIRST_MS = 2000; // between two questions; twice that after each that was answered, for silence may be meant
const LONGEST_MS = 30000;

export class Doubt {
  /** receiver: of the sound. here: an address of its node. others: of those who may have the call. lost: told once. */
  constructor({receiver, here, others, lost}) {
    Object.assign(this, {receiver, here, others, lost});
    this.packets = -1;
    this.quiet = 0;
    this.wait = FIRST_MS;
    this.next = 0;
    this.timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.stopped = true;
  }

  async #look() {
    const packets = await received(this.receiver);
    if (this.stopped) return;
    if (packets !== this.packets) {
      Object.assign(this, {packets, quiet: 0, wait: FIRST_MS});
      return;
    }
    this.quiet += 1;
    if (this.quiet < QUIET_LOOKS || this.asking || Date.now() < this.next) return;
    this.asking = true;
    const [lives, ...found] = await Promise.all([this.here, ...this.others].map(answers));
    this.asking = false;
    this.next = Date.now() + this.wait;
    this.wait = Math.min(2 * this.wait, LONGEST_MS);
    if (this.stopped || lives || !found.includes(true) || !this.quiet) return;
    this.stop();
    this.lost();
  }
}

async function received(receiver) {
  const found = await receiver.getStats().catch(() => new Map());
  return [...found.values()].reduce((sum, each) => sum + (each.type === 'inbound-rtp' ? each.packetsReceived || 0 : 0), 0);
}

/** Whether anybody is there; what is answered is no matter. */
async function answers(url) {
  try {
    await fetch(new URL('/near', url), {
      mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(ASK_MS),
    });
    return true;
  } catch {
    return false;
  }
}
