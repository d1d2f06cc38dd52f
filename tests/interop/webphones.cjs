// Softphone libraries for browsers, run by Node.js against a node: what they make of its signalling, a word a line.
// Usage: node webphones.cjs LIBRARY SCENARIO URL DOMAIN; libraries are looked for where NODE_PATH says.
'use strict';

const [, , library, scenario, url, domain] = process.argv;
const say = (...words) => console.log(words.join(' '));
const end = (code) => setTimeout(() => process.exit(code), 200);
const password = (account) => `${account}-secret`;
setTimeout(() => { say('nothing happened'); process.exit(2); }, 12000);

// A browser's media, as far as signalling asks for it: plain RTP, and nothing behind it.
const SDP = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0',
  'm=audio 40000 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', ''].join('\r\n');
class PeerConnection {
  constructor() {
    this.iceConnectionState = this.connectionState = 'connected';
    this.iceGatheringState = 'complete';
    this.signalingState = 'stable';
    this.localDescription = null;
  }
  addEventListener() {}
  removeEventListener() {}
  addTrack() {}
  getSenders() { return []; }
  close() { this.signalingState = 'closed'; }
  async createOffer() { return {type: 'offer', sdp: SDP}; }
  async createAnswer() { return {type: 'answer', sdp: SDP}; }
  async setLocalDescription(description) { this.localDescription = description; }
  async setRemoteDescription(description) {
    if (description.sdp.includes('RTP/SAVP')) throw new Error('no keys here');
  }
}
globalThis.window = globalThis;
globalThis.RTCPeerConnection = PeerConnection;
globalThis.RTCSessionDescription = class { constructor(description) { Object.assign(this, description); } };

function jssip(account) {
  const JsSIP = require('jssip');
  class Socket {
    constructor() { this.via_transport = 'WSS'; this.sip_uri = `sip:${domain};transport=ws`; this.url = url; }
    connect() {
      this.ws = new WebSocket(url, 'sip');
      this.ws.onopen = () => this.onconnect();
      this.ws.onmessage = (event) => this.ondata(event.data);
      this.ws.onclose = (event) => this.ondisconnect(!event.wasClean, event.code, event.reason);
    }
    disconnect() { this.ws.close(); }
    isConnected() { return this.ws && this.ws.readyState === 1; }
    isConnecting() { return this.ws && this.ws.readyState === 0; }
    send(message) { this.ws.send(message); return true; }
  }
  const phone = new JsSIP.UA({sockets: [new Socket()], uri: `sip:${account}@${domain}`, password: password(account)});
  phone.on('registrationFailed', (event) => { say('refused', event.cause); end(1); });
  return phone;
}

const scenarios = {
  'jssip register': () => {
    const phone = jssip('gus');
    phone.on('registered', (event) => {
      say('registered', event.response.getHeader('Require'));
      phone.unregister();
    });
    phone.on('unregistered', () => { say('unregistered'); end(0); });
    phone.start();
  },
  'jssip call': () => {
    const media = {mediaStream: {getTracks: () => []}};
    const [callee, caller] = [jssip('gus'), jssip('visitor')];
    let waiting = 2;
    const ready = () => {
      if ((waiting -= 1) === 0) {
        const call = caller.call(`sip:gus@${domain}`, media);
        call.on('failed', (event) => { say('failed', event.cause); end(1); });
        call.on('confirmed', () => { say('confirmed'); setTimeout(() => call.terminate(), 300); });
      }
    };
    callee.on('newRTCSession', ({session}) => {
      session.on('ended', () => { say('ended'); end(0); });
      session.answer(media);
    });
    for (const phone of [callee, caller]) { phone.on('registered', ready); phone.start(); }
  },
  'sip.js register': async () => {
    const {UserAgent, Registerer, RegistererState} = require('sip.js');
    const phone = new UserAgent({
      uri: UserAgent.makeURI(`sip:gus@${domain}`), transportOptions: {server: url}, logLevel: 'error',
      authorizationUsername: 'gus', authorizationPassword: password('gus'),
    });
    await phone.start();
    const registerer = new Registerer(phone);
    registerer.stateChange.addListener((state) => {
      say(state.toLowerCase());
      if (state === RegistererState.Registered) setImmediate(() => registerer.unregister());
      if (state === RegistererState.Unregistered) end(0);
    });
    await registerer.register();
  },
};
scenarios[`${library} ${scenario}`]();
