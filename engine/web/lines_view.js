// What the page of lines says: figures with their units, times, and what is wrong, in the language that is spoken.

import {language, say} from './words.js';

export const LEVELS = ['good', 'fair', 'bad', 'none'];
export const FIGURES = ['calls', 'connect_rate', 'drop_rate', 'pdd_s', 'pdd_p95_s', 'mos', 'loss', 'jitter_ms', 'rtt_ms', 'delay_ms', 'probe_mos', 'probes'];

const FORMS = {
  connect_rate: {style: 'percent'},
  drop_rate: {style: 'percent', maximumFractionDigits: 1},
  loss: {style: 'percent', maximumFractionDigits: 1},
  pdd_s: {style: 'unit', unit: 'second', maximumFractionDigits: 1},
  pdd_p95_s: {style: 'unit', unit: 'second', maximumFractionDigits: 1},
  jitter_ms: {style: 'unit', unit: 'millisecond', maximumFractionDigits: 0},
  rtt_ms: {style: 'unit', unit: 'millisecond', maximumFractionDigits: 0},
  delay_ms: {style: 'unit', unit: 'millisecond', maximumFractionDigits: 0},
  mos: {minimumFractionDigits: 2, maximumFractionDigits: 2},
  probe_mos: {minimumFractionDigits: 2, maximumFractionDigits: 2},
};
// the figure that a reason speaks of
const OF = {probes: 'probes', connect: 'connect_rate', drop: 'drop_rate', mos: 'mos', loss: 'loss', pdd: 'pdd_s', delay: 'delay_ms', jitter: 'jitter_ms'};
const CLOCKS = {hour: {hour: 'numeric'}, day: {day: 'numeric', month: 'numeric'}, full: {weekday: 'short', hour: '2-digit', minute: '2-digit'}};

/** A figure as text; a dash for what nobody measured. */
export function value(name, number) {
  if (number === null || number === undefined) return '–';
  return new Intl.NumberFormat(language(), FORMS[name]).format(number);
}

/** A line's figure as text, and how bad it is: fair, bad or nothing. */
export function figure(name, part) {
  const found = part.figures;
  const reason = part.reasons.find((each) => OF[each.kind] === name);
  const level = reason ? (reason.weight >= 1 ? 'bad' : 'fair') : '';
  if (name === 'probes') return [found.probes ? `${value('', found.probes_passed)}/${value('', found.probes)}` : '–', level];
  return [value(name, found[name]), level];
}

export function reasonWords({kind, value: number}) {
  const form = kind === 'probes' ? 'connect_rate' : OF[kind];
  return say(`lines.reason.${kind}`, {value: value(form, number)});
}

/** When something was or began. at: epoch ms, or as the API writes it. */
export function moment(at, form = 'full') {
  return new Intl.DateTimeFormat(language(), CLOCKS[form]).format(new Date(at));
}

/** What a cell is called: whose, when, how it was and why. */
export function cellName(line, at, part) {
  const level = say(`lines.level.${part?.level || 'none'}`);
  const why = part ? part.reasons.map(reasonWords).join(', ') : '';
  return [`${line}, ${moment(at)}`, level, why, part ? say('lines.calls.n', {n: part.figures.calls}) : ''].filter(Boolean).join('. ');
}
