// Captions and notes: what is said and written, newest last, read aloud as it comes.

import {aloud} from './aloud.js';
import {make, text} from './dom.js';
import {language, onLanguage, say} from './words.js';

const KEPT = 100; // on the page
const BEGUN = 2; // sentences of a side after which an older one is as final as it gets
// what a caption may be marked with -> who is behind it
const MARKS = {low_accuracy: 'by', gist: 'translated_by', no_pair: '', failed: 'translated_by', shed: '', unspoken: ''};
const END = 40; // px from the end within which the list follows what comes

/** Whoever sees the newest goes on seeing it, also where the room for the list becomes less. */
export function follow(list) {
  let room = list.clientHeight;
  new ResizeObserver(() => {
    if (list.scrollHeight - list.scrollTop - room < END) list.scrollTop = list.scrollHeight;
    room = list.clientHeight;
  }).observe(list);
}

/** A caption, or a newer version of one, which takes its place. mine: the side that this page's person is; other: what
 * the other side is called, where that is known.
 *
 * Screen readers are told of a sentence once, when it is final, or when that side has begun two others: not of each word.
 */
export function caption(list, told, mine, other = '') {
  const id = `${told.call}-${told.side}-${told.line}`;
  const before = [...list.children].find((each) => each.dataset.id === id) || null;
  if (before && 'final' in before.dataset && !told.final) return; // it came late
  const speaker = told.side === mine ? say('captions.you') : other || say(`captions.${told.side}`);
  const said = [words(told.text, told.guess, told.language)];
  if (told.translation) said.push(words(told.translation, told.guess_translated, told.to || language()));
  if (told.side !== mine) said.reverse(); // whoever reads has her own language first
  said.slice(1).forEach((each) => each.classList.add('other'));
  const made = make('div', {class: 'caption', 'data-id': id, 'data-call': told.call, 'data-side': told.side},
    make('b', {textContent: speaker}), ...said, chips(told));
  if (told.side === mine) made.dataset.mine = '';
  if (told.final) made.dataset.final = '';
  if (before && 'told' in before.dataset) made.dataset.told = '';
  add(list, made, before);
  if (told.final) tell(made);
  else if (!before) [...list.querySelectorAll(`.caption[data-side="${told.side}"]`)].slice(0, -BEGUN).forEach(tell);
  if (list.querySelector('.mark, .guess')) explain(list);
}

/** What stands, and the guess after it. */
function words(said, guess, tongue) {
  const letters = [...said];
  const stands = letters.length - Math.min(guess, letters.length);
  const made = make('span', {lang: tongue, dir: 'auto'}, letters.slice(0, stands).join(''));
  if (guess) made.append(make('i', {class: 'guess', textContent: letters.slice(stands).join('')}));
  return made;
}

function tell(made) {
  if ('told' in made.dataset) return;
  made.dataset.told = '';
  const [speaker, said] = made.children;
  const heard = make('span', {lang: said.lang, dir: 'auto', textContent: said.textContent});
  const marks = [...made.querySelectorAll('.mark')].map((each) => each.textContent).join(', ');
  aloud(`${speaker.textContent}: `, heard, marks && ` (${marks})`);
}

// --- marks: what is not as good as it might be ----------------------------------------------------

function chips(told) {
  const those = [told.low_accuracy && 'low_accuracy', told.gist && 'gist', ...told.marks].filter((each) => each in MARKS);
  if (!those.length) return null;
  return make('p', {class: 'marks'}, ...those.map((mark) => {
    const by = MARKS[mark];
    return labelled(make('span', {class: 'mark', 'data-mark': mark, 'data-key': by, 'data-by': told[by] || ''}));
  }));
}

function labelled(chip) {
  const {mark, key, by} = chip.dataset;
  text(chip, say(`caption.${mark}`));
  chip.title = say(`caption.${mark}.more`) + (by ? ` ${say(`caption.${key}`, {name: by})}` : '');
  return chip;
}

/** What the marks in a list mean, for those who cannot point at them. */
function explain(list) {
  const place = list.parentElement.querySelector('.meanings');
  const meant = new Map([[say('caption.guess'), ['guess', say('caption.guess.more')]]]);
  for (const each of list.querySelectorAll('.mark')) meant.set(each.textContent, ['mark', each.title]);
  place.hidden = false;
  const rows = [...meant].flatMap(([mark, [look, more]]) => [
    make('dt', {}, make('span', {class: look, textContent: mark})), make('dd', {textContent: more}),
  ]);
  const told = place.querySelector('dl');
  if (told.textContent !== rows.map((each) => each.textContent).join('')) told.replaceChildren(...rows);
}

onLanguage(() => {
  document.querySelectorAll('.mark[data-mark]').forEach(labelled);
  const list = document.getElementById('captions');
  if (list?.querySelector('.mark, .guess')) explain(list);
});

// --- the list -------------------------------------------------------------------------------------

/** Show those of the call in focus, or all where there is none; forget those of calls that are gone. Whether any are
 * shown; null where there are none of any call.
 */
export function captionsOf(list, focus, calls) {
  for (const each of list.querySelectorAll('.caption')) {
    if (!calls.includes(each.dataset.call)) each.remove();
    else each.hidden = Boolean(focus) && each.dataset.call !== focus;
  }
  if (!list.children.length) forget(list);
  return list.querySelector('.caption') && Boolean(list.querySelector('.caption:not([hidden])'));
}

/** None of them is left. */
export function forget(list) {
  list.replaceChildren(make('p', {class: 'soft small', 'data-say': 'captions.empty', textContent: say('captions.empty')}));
  list.parentElement.querySelector('.meanings').hidden = true;
}

/** Something that was written to the agent. */
export function note(list, told) {
  const at = new Intl.DateTimeFormat(language(), {hour: '2-digit', minute: '2-digit'}).format(told.at * 1000);
  add(list, make('div', {class: 'note'},
    make('p', {class: 'small'}, make('b', {}, make('bdi', {textContent: told.by})), ' · ', make('bdi', {textContent: at})),
    make('p', {dir: 'auto', textContent: told.text})));
}

function add(list, made, before = null) {
  list.querySelector(':scope > .soft')?.remove();
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < END;
  if (before) before.replaceWith(made);
  else list.append(made);
  while (list.children.length > KEPT) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
