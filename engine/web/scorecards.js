// How calls of this agent were judged, as she reads it at her page; and the call itself, by forms that let her hear it.

import {make} from './dom.js';
import {language, onLanguage, say} from './words.js';

const STALE_MS = 60000; // what is looked at again after a while is asked for again
const GOOD = 80; // as supervisors see it (engine/console/views/judged.py)
const FAIR = 60;

export class Scorecards {
  /** attempt: does something and says so where it cannot be done. place: where they are shown. */
  constructor(desk, attempt, place) {
    Object.assign(this, {desk, attempt, place});
    this.told = null;
    this.asked = 0; // when: ms of performance.now
    this.heard = new Map(); // where each is heard, by its scorecard
    desk.addEventListener('welcome', () => this.#ask());
    desk.addEventListener('scorecards', ({detail}) => {
      this.told = detail;
      this.#show();
    });
    desk.addEventListener('sound', ({detail}) => {
      this.heard.set(detail.card, detail.sources);
      this.#show();
      if (detail.sources.length) place.querySelector(`[data-card="${CSS.escape(detail.card)}"] audio`)?.play().catch(() => {});
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.told && performance.now() - this.asked > STALE_MS) this.#ask();
    });
    onLanguage(() => this.#show());
  }

  #ask() {
    this.asked = performance.now();
    this.desk.ask('judged', {}).catch(() => {}); // the page says by itself when the node is away
  }

  #show() {
    if (!this.told) return;
    const open = new Set([...this.place.querySelectorAll('details[open]')].map((each) => each.dataset.card));
    const playing = new Map([...this.place.querySelectorAll('audio')].map((each) => [each.getAttribute('src'), each]));
    const {cards, away} = this.told;
    const rows = cards.map((each) => this.#card(each, open.has(each.id), playing));
    if (!rows.length) rows.push(make('p', {class: 'soft small', textContent: say(away ? 'agent.judged.away' : 'agent.judged.empty')}));
    this.place.replaceChildren(...rows);
  }

  #card(card, open, playing) {
    const [day, time] = [{day: 'numeric', month: 'short'}, {hour: '2-digit', minute: '2-digit'}].map((form) => moment(card.at, form));
    const head = make('summary', {},
      make('span', {class: 'score number', 'data-level': level(card), textContent: card.failed ? say('agent.judged.failed') : number(card.score)}),
      make('span', {class: 'grow', dir: 'auto', textContent: card.form}),
      make('span', {class: 'soft small number', textContent: day}));
    const answers = card.answers.map((each) => make('li', {'data-missed': String(each.critical && each.given === 0)},
      make('span', {dir: 'auto', textContent: each.ask}), make('b', {textContent: answered(each)})));
    return make('details', {'data-card': card.id, open},
      head,
      card.comment ? make('p', {class: 'said', dir: 'auto', textContent: card.comment}) : null,
      make('p', {class: 'soft small', textContent: `${say('agent.judged.by', {who: card.by})} · ${day}, ${time}`}),
      make('ul', {class: 'answers'}, ...answers),
      card.hears ? this.#sound(card, playing) : null);
  }

  #sound(card, playing) {
    const sources = this.heard.get(card.id);
    if (!sources) {
      const button = make('button', {type: 'button', textContent: say('agent.judged.hear')});
      button.addEventListener('click', () => this.attempt(() => this.desk.ask('hear', {card: card.id})));
      return button;
    }
    if (!sources.length) return make('p', {class: 'soft small', textContent: say('agent.judged.unheard')});
    return make('div', {class: 'stack'}, ...sources.map((src) => playing.get(src) ?? make('audio', {controls: true, preload: 'none', src})));
  }
}

function moment(at, form) { // as her browser's own country writes it, where that is of the page's language
  const tag = navigator.languages?.find((each) => each.split('-')[0] === language()) || language();
  return new Intl.DateTimeFormat(tag, {...form, numberingSystem: 'latn'}).format(new Date(at * 1000));
}

const number = (value) => new Intl.NumberFormat(language(), {maximumFractionDigits: 0, numberingSystem: 'latn'}).format(value);
const level = ({failed, score}) => (failed || score < FAIR ? 'bad' : score < GOOD ? 'fair' : 'good');

function answered({given, scale}) {
  if (given === null) return say('agent.judged.none');
  return scale === 1 ? say(given ? 'agent.judged.yes' : 'agent.judged.no') : `\u2066${number(given)} / ${number(scale)}\u2069`;
}
