// What stands around the agent's calls: her offer's facts, the network of both sides, captions, notes, queues.

import {$, make, show, text} from './dom.js';
import {clock, known, language, languageName, say} from './words.js';

/** A word of the node or of the operator, in the page's language where it is known. */
export function worded(prefix, word) {
  const key = `${prefix}.${word}`;
  return known(key) ? say(key) : word;
}

/** Who calls, as agents say it. */
export const called = (name, who) => name || (who && who !== 'anonymous' ? who : say('agent.unknown'));

/** Put a name or a number into an element that stands for itself: numbers go from left to right everywhere. */
export function put(element, said) {
  text(element, said);
  element.dir = /\p{L}/u.test(said) ? 'auto' : 'ltr';
}

/** The facts of an offer. call: of the desk; null before the node has told. */
export function facts(list, call) {
  const rows = call ? [
    ['agent.offer.queue', call.title],
    ['agent.offer.language', call.language && languageName(call.language)],
    ['agent.offer.market', call.market.toUpperCase()],
    ['agent.offer.number', call.number],
    ['agent.offer.waited', call.waited_s === null ? '' : clock(call.waited_s)],
    ['agent.offer.why', why(call)],
  ] : [];
  const made = rows.filter(([, said]) => said).flatMap(([key, said]) => [
    make('dt', {textContent: say(key)}), make('dd', {}, isolated(said)),
  ]);
  if (list.textContent !== made.map((each) => each.textContent).join('')) list.replaceChildren(...made);
}

/** A link to the page about a call, where its queue names one. */
export function pop(link, call) {
  const to = /^https?:/.test(call?.pop || '') ? call.pop : '';
  show(link, Boolean(to)); // or it would lead to whoever was before
  if (to) link.href = to;
}

function isolated(said) {
  const made = make('bdi');
  put(made, said);
  return made;
}

function why({why: reasons, misses}) {
  if (!reasons) return '';
  const said = [
    reasons.free_agents > 1 ? say('agent.offer.idle', {time: clock(reasons.idle_s)}) : say('agent.offer.only'),
    say('agent.offer.first', {n: reasons.waiting}),
  ];
  if (reasons.priority) said.push(say('agent.offer.priority', {n: reasons.priority}));
  if (misses) said.push(say('agent.offer.missed', {n: misses}));
  return said.join(' · ');
}

/** Both sides' networks, and what is wrong with them. legs: of the desk's call. */
export function network(call, figures) {
  const word = figures?.word || '';
  const signal = $('signal');
  signal.dataset.word = word;
  text($('signal-word'), call ? say(`quality.${word || 'unknown'}`) : '');
  show($('quality-card'), Boolean(call));
  text($('why-title'), say(['', 'good'].includes(word) && !troubled(call) ? 'agent.why.good' : 'agent.why'));
  if (!call) return;
  const sides = call.legs.map((leg) => {
    const mine = (leg.side === 'agent') !== call.outgoing;
    const other = call.outgoing ? called(call.name, call.who) : say('agent.side.customer');
    const lines = [make('b', {textContent: mine ? say('agent.side.agent') : other})];
    const told = [leg.codec.replace('opus', 'Opus')];
    if (leg.mos_now !== null) told.push(say('agent.mos', {mos: Math.round(leg.mos_now * 10) / 10}));
    if (leg.loss !== null) {
      const loss = new Intl.NumberFormat(language(), {style: 'percent', maximumFractionDigits: 1}).format(leg.loss);
      told.push(say('agent.figures', {loss, jitter: Math.round(leg.jitter_ms || 0)}));
    }
    lines.push(make('p', {class: 'small soft', textContent: told.filter(Boolean).join(' · ')}));
    for (const each of leg.troubles) {
      lines.push(make('p', {class: 'trouble', textContent: worded('trouble', each.kind)}));
      lines.push(make('p', {class: 'small', lang: 'en', dir: 'ltr', textContent: each.cause}));
    }
    return make('div', {class: 'side'}, ...lines);
  });
  if (!troubled(call)) {
    sides.push(make('p', {class: 'small soft', textContent: say('agent.why.none')}));
  }
  const more = $('why-more');
  const next = sides.map((each) => each.textContent).join('|');
  if (more.dataset.said !== next) {
    more.dataset.said = next;
    more.replaceChildren(...sides);
  }
}

const troubled = (call) => Boolean(call?.legs.some((leg) => leg.troubles.length));

/** The agent's queues. now: epoch seconds of the node. */
export function queues(list, all, now) {
  const rows = all.map((each) => {
    const waiting = each.waiting ? say('agent.queue.waiting', {n: each.waiting}) : say('agent.queue.empty');
    const oldest = each.oldest === null ? '' : say('agent.queue.oldest', {time: clock(now - each.oldest)});
    return make('li', {}, isolated(each.title),
      make('span', {class: 'soft number', 'data-busy': String(each.waiting > 0), textContent: [waiting, oldest].filter(Boolean).join(' · ')}));
  });
  if (!rows.length) rows.push(make('li', {class: 'soft', textContent: say('agent.queues.none')}));
  if (list.textContent !== rows.map((each) => each.textContent).join('')) list.replaceChildren(...rows);
}
