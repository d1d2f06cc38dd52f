// How the two sides of an agent's call hear each other: as they are, or by an interpreter, a machine or a person whom
// she asks in. What keeps the machine away, and how the other one feels.

import {aloud} from './aloud.js';
import {$, choices, make, press, show, text} from './dom.js';
import {setIcon} from './icons.js';
import {language, say} from './words.js';

const VOICES = ['off', 'over', 'instead'];
const WAYS = ['louder', 'higher', 'faster', 'over']; // how something was said; other reasons are words
const TOLD = ['urgent', 'interpreter-fault', 'interpreter-fault-there'];
const base = (tongue) => tongue.toLowerCase().split('-')[0];

export class Interpreter {
  /** ask: asks the node, and says where that cannot be done; null then. */
  constructor(ask) {
    this.call = null;
    this.said = {};
    for (const id of ['hear-mine', 'hear-theirs']) {
      $(id).addEventListener('change', async () => {
        const mine = this.call.outgoing ? 'customer' : 'agent';
        const theirs = this.call.outgoing ? 'agent' : 'customer';
        const asked = {call: this.call.id, side: id === 'hear-mine' ? mine : theirs, voice: $(id).value};
        if (await ask('interpret', asked) !== null) return;
        $(id).dataset.shown = '';
        this.show(this.call);
      });
    }
    press($('guest'), () => this.call && ask('guest', {call: this.call.id, wanted: !this.call.guest}));
  }

  /** call: the desk's, or null for none. */
  show(call) {
    if (call?.id !== this.call?.id) this.said = {};
    this.call = call;
    const speech = call?.speech || null;
    const voices = speech ? [speech.voice, speech.voice_there] : [];
    const foreign = speech && (base(speech.language) !== base(speech.other) || voices.some((each) => each !== 'off'));
    const person = this.#person(call);
    show($('interpreter'), person || Boolean(foreign));
    for (const each of document.querySelectorAll('.hear')) show(each, Boolean(foreign) && !call.guest);
    show($('mood'), Boolean(speech));
    show($('cannot'), Boolean(speech?.cannot.length));
    if (!speech) {
      for (const id of TOLD) show($(id), false);
      return;
    }
    if (foreign && !call.guest) {
      offer($('hear-mine'), speech.voice);
      offer($('hear-theirs'), speech.voice_there);
    }
    this.#fault('interpreter-fault', speech.fault, 'interpreter.back');
    this.#fault('interpreter-fault-there', speech.fault_there, 'interpreter.back.there');
    cannot(speech.cannot);
    this.#mood(speech);
  }

  /** Who may be asked in, and was; whether anybody is to be. */
  #person(call) {
    const {guest, person, state} = call || {};
    const asks = ['talking', 'held'].includes(state) && Boolean(guest || person);
    show($('guest'), asks);
    $('guest').setAttribute('aria-pressed', String(Boolean(guest)));
    text($('guest').querySelector('span'), say(guest ? 'agent.guest.off' : 'agent.guest.ask'));
    text($('guest-state'), guest ? say(`agent.guest.${guest.standing}`) : '');
    return asks;
  }

  /** Why nobody interprets, and what is heard instead. */
  #fault(id, fault, instead) {
    const said = fault && `${say(`interpreter.${fault}`)} ${say(instead)}`;
    show($(id), Boolean(said));
    text($(id).querySelector('span'), said);
    this.#once(id, said, fault);
  }

  #mood({mood, reasons, urgent}) {
    const why = mood === 'fine' || !reasons.length ? '' : say('mood.why', {reasons: listed(reasons.map(reason))});
    $('mood').dataset.level = mood;
    setIcon($('mood'), mood);
    text($('mood-level'), say(`mood.${mood}`));
    text($('mood-why'), why);
    const alarm = urgent.length ? say('mood.urgent', {words: listed(urgent.map(quoted))}) : '';
    show($('urgent'), Boolean(alarm));
    text($('urgent').querySelector('span'), alarm);
    if ('mood' in this.said || mood !== 'fine') this.#once('mood', `${say(`mood.${mood}`)}. ${why}`, mood);
    else this.said.mood = mood;
    this.#once('urgent', alarm, String(urgent));
  }

  /** Have it read aloud when `what` is another than before. */
  #once(of, said, what) {
    if ((this.said[of] || '') === what) return;
    this.said[of] = what;
    if (said) aloud(said);
  }
}

/** What a select offers stays as it is while its owner looks at it. */
function offer(select, voice) {
  const shown = `${language()} ${voice}`;
  if (select.dataset.shown === shown) return;
  select.dataset.shown = shown;
  choices(select, VOICES.map((each) => [each, say(`interpreter.${each}`)]), voice);
}

/** What cannot be done; why is for whoever runs the node, in its own language. */
function cannot(all) {
  const [place] = $('cannot').getElementsByTagName('ul');
  const rows = all.map(({what, why}) => make('li', {}, `${say(`interpreter.${what}`)} `,
    make('bdi', {class: 'soft', lang: 'en', dir: 'ltr', textContent: why})));
  if (place.textContent !== rows.map((each) => each.textContent).join('')) place.replaceChildren(...rows);
}

const quoted = (word) => say('mood.word', {word});
const reason = (word) => (WAYS.includes(word) ? say(`mood.${word}`) : quoted(word));
const listed = (all) => new Intl.ListFormat(language(), {type: 'unit', style: 'short'}).format(all);
