// The microphone and the loudspeaker: asked for, chosen, measured, muted.

import {browser} from './storage.js';

const WISHES = {echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1};
const FLOOR_DB = -60;
const KEPT = 'isogloss.devices';

/** Why there is no microphone: denied, missing, busy, insecure or failed. */
export class NoMicrophone extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

const WHY = {
  NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'missing', OverconstrainedError: 'missing',
  NotReadableError: 'busy', AbortError: 'busy',
};

/** Whether the browser will say no without asking the person again. */
export async function deniedForGood() {
  try {
    return (await navigator.permissions.query({name: 'microphone'})).state === 'denied';
  } catch {
    return false; // this browser does not tell
  }
}

export class Microphone extends EventTarget {
  /** Events: `devices`, when some were plugged in or out. */
  constructor() {
    super();
    this.stream = null;
    this.muted = false;
    this.chosen = kept();
    this.meters = new Set();
    navigator.mediaDevices?.addEventListener('devicechange', () => this.dispatchEvent(new Event('devices')));
  }

  /** Open it. Raises NoMicrophone. */
  async open() {
    if (this.stream?.active) return this.stream;
    if (!navigator.mediaDevices) throw new NoMicrophone('insecure');
    this.stream = await this.#get(this.chosen.microphone);
    this.#apply();
    return this.stream;
  }

  async #get(id) {
    const wishes = id ? {...WISHES, deviceId: {exact: id}} : WISHES;
    try {
      return await navigator.mediaDevices.getUserMedia({audio: wishes});
    } catch (error) {
      if (id && error.name === 'OverconstrainedError') return this.#get(''); // it was plugged out
      throw new NoMicrophone(WHY[error.name] || 'failed');
    }
  }

  close() {
    for (const track of this.stream?.getTracks() || []) track.stop();
    this.stream = null;
  }

  mute(muted) {
    this.muted = muted;
    this.#apply();
  }

  #apply() {
    for (const track of this.stream?.getAudioTracks() || []) track.enabled = !this.muted;
  }

  /** Take another microphone from now on; the new stream, or null where none is open. */
  async choose(id) {
    this.chosen.microphone = id;
    keep(this.chosen);
    if (!this.stream) return null;
    const before = this.stream;
    this.stream = await this.#get(id);
    this.#apply();
    for (const track of before.getTracks()) track.stop();
    return this.stream;
  }

  /** Play through another loudspeaker, where the browser can. */
  async chooseSpeaker(id, ...elements) {
    this.chosen.speaker = id;
    keep(this.chosen);
    await this.direct(...elements);
  }

  async direct(...elements) {
    for (const each of elements) {
      if (each.setSinkId) await each.setSinkId(this.chosen.speaker || '').catch(() => each.setSinkId(''));
    }
  }

  /** Devices of a kind, audioinput or audiooutput; nameless before the person has let us hear. */
  async devices(kind) {
    const all = await navigator.mediaDevices?.enumerateDevices() || [];
    return all.filter((each) => each.kind === kind && each.deviceId && each.deviceId !== 'default');
  }
}

function kept() {
  return {microphone: '', speaker: '', ...browser.get(KEPT)};
}

function keep(chosen) {
  browser.set(KEPT, chosen);
}

let context = null;

/** The page's audio context; running once the person has pressed anything. */
export function audio() {
  context ||= new AudioContext();
  if (context.state === 'suspended') context.resume();
  return context;
}

/** How loud a stream is, 0 to 1, several times a second until stopped. */
export class Meter {
  constructor(stream, tell) {
    this.node = audio().createMediaStreamSource(stream);
    this.analyser = audio().createAnalyser();
    this.analyser.fftSize = 1024;
    this.node.connect(this.analyser);
    const block = new Float32Array(this.analyser.fftSize);
    this.timer = setInterval(() => {
      this.analyser.getFloatTimeDomainData(block);
      const power = block.reduce((sum, sample) => sum + sample * sample, 0) / block.length;
      const level = power > 0 ? 10 * Math.log10(power) : FLOOR_DB;
      tell(Math.min(1, Math.max(0, 1 - level / FLOOR_DB)));
    }, 80);
  }

  stop() {
    clearInterval(this.timer);
    this.node.disconnect();
  }
}

/** Two calls and us in one conversation: each hears us and the other. The mixing is done here, in the page. */
export class Conference {
  constructor(calls, stream) {
    const mixer = audio();
    const ours = mixer.createMediaStreamSource(stream);
    this.nodes = [ours];
    this.calls = calls;
    const theirs = calls.map((call) => {
      const node = mixer.createMediaStreamSource(call.sound.remote);
      this.nodes.push(node);
      return node;
    });
    this.ready = Promise.all(calls.map((call, at) => {
      const to = mixer.createMediaStreamDestination();
      ours.connect(to);
      theirs[1 - at].connect(to);
      return call.sound.speak(to.stream);
    }));
  }

  /** Everybody for themselves again. */
  async end(stream) {
    for (const node of this.nodes) node.disconnect();
    await Promise.all(this.calls.filter((call) => call.state !== 'ended').map((call) => call.sound.speak(stream)));
  }
}
