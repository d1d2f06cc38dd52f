// The sound of one call: an RTCPeerConnection with a single audio line, for SIP and WHIP alike.

const GATHER_MS = 700; // longer than any address of this machine takes; the node learns the others by itself
const RELAYED_MS = 4000; // that a relay may take to be found

export class Sound extends EventTarget {
  /** Events: `way`, when connectionState changes; `heard`, when there is something to play.
   *
   * patience: ms that addresses are waited for before an offer is said.
   */
  constructor(settings = {}, patience = GATHER_MS) {
    super();
    this.patience = patience;
    this.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', ...settings});
    this.remote = new MediaStream();
    this.line = null; // the transceiver
    this.stream = null; // that is spoken
    this.paused = false;
    this.pc.addEventListener('connectionstatechange', () => {
      this.#pause();
      this.dispatchEvent(new Event('way'));
    });
    this.pc.addEventListener('track', ({track}) => {
      this.remote.addTrack(track);
      this.dispatchEvent(new Event('heard'));
    });
  }

  /** servers, policy: of the node. Where relays are the only way it has to be told of them: it answers nobody else. */
  static by({servers, policy}) {
    return new Sound({iceServers: servers, iceTransportPolicy: policy}, policy === 'relay' ? RELAYED_MS : GATHER_MS);
  }

  /** connectionState; closed as soon as the far end has said good-bye, which browsers do not count as such. */
  get way() {
    return this.line?.sender.transport?.state === 'closed' ? 'closed' : this.pc.connectionState;
  }

  /** While there is no way nothing is spoken: browsers keep what they cannot send, and say it all at once, too late. */
  #pause() {
    const lost = ['disconnected', 'failed'].includes(this.pc.connectionState);
    if (!this.line || lost === this.paused) return;
    this.paused = lost;
    this.line.sender.replaceTrack(lost ? null : this.stream.getAudioTracks()[0]).catch(() => {});
  }

  #listen() {
    const transport = this.line?.sender.transport;
    if (!transport || this.transport === transport) return;
    this.transport = transport;
    transport.addEventListener('statechange', () => this.dispatchEvent(new Event('way')));
  }

  /** Speak what this stream hears. */
  async speak(stream) {
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    if (this.line) {
      if (!this.paused) await this.line.sender.replaceTrack(track);
    } else {
      this.pc.addTrack(track, stream);
      [this.line] = this.pc.getTransceivers();
    }
  }

  /** Our offer. direction: sendonly holds the other side. restart: look for another way through the network. */
  async offer(direction = 'sendrecv', restart = false) {
    this.line.direction = direction;
    await this.pc.setLocalDescription(await this.pc.createOffer({iceRestart: restart}));
    await gathered(this.pc, this.patience);
    return this.pc.localDescription.sdp;
  }

  async accept(answer) {
    await this.pc.setRemoteDescription({type: 'answer', sdp: answer});
    this.#listen();
  }

  /** Take their offer, and answer it. stream: what to speak, the first time. */
  async answer(offer, stream = null) {
    await this.pc.setRemoteDescription({type: 'offer', sdp: offer});
    if (stream) {
      this.stream = stream;
      [this.line] = this.pc.getTransceivers();
      this.line.direction = 'sendrecv';
      await this.line.sender.replaceTrack(stream.getAudioTracks()[0]);
    }
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this.#listen();
    await gathered(this.pc, this.patience);
    return this.pc.localDescription.sdp;
  }

  /** Whether sound can pass, as soon as that is known, or in ms. */
  reached(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      const look = () => {
        if (this.way !== 'connected') return;
        clearTimeout(timer);
        resolve(true);
      };
      this.addEventListener('way', look);
      setTimeout(look, 300); // where the way never broke nothing changes
    });
  }

  /** Forget an offer of ours that was refused. */
  async takeBack() {
    if (this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({type: 'rollback'});
  }

  /** Press keys, as telephone events (RFC 4733). False where they cannot be sent. */
  keys(digits) {
    const sender = this.line?.sender.dtmf;
    if (!sender?.canInsertDTMF) return false;
    sender.insertDTMF(sender.toneBuffer + digits, 120, 60);
    return true;
  }

  close() {
    this.pc.close();
  }
}

function gathered(pc, patience) {
  if (pc.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience);
    pc.addEventListener('icegatheringstatechange', () => {
      if (pc.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}
