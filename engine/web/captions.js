// Captions and notes: what is said and written, newest last, read aloud as it comes.

import {make} from './dom.js';
import {language, say} from './words.js';

const KEPT = 100; // on the page
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
 * Screen readers are told of a sentence when it is final, or when that side has begun another one: not of each word.
 */
export function caption(list, told, mine, other = '') {
  const id = `${told.call}-${told.side}-${told.line}`;
  const before = [...list.children].find((each) => each.dataset.id === id) || null;
  if (before && 'final' in before.dataset && !told.final) return; // it came late
  const speaker = told.side === mine ? say('captions.you') : other || say(`captions.${told.side}`);
  const said = [make('span', {lang: told.language, dir: 'auto', textContent: told.text})];
  if (told.translation) said.push(make('span', {lang: told.to || language(), dir: 'auto', textContent: told.translation}));
  if (told.side !== mine) said.reverse(); // whoever reads has her own language first
  said.slice(1).forEach((each) => each.classList.add('other'));
  const parts = [make('b', {textContent: speaker}), ...said];
  const made = make('div', {class: 'caption', 'data-id': id, 'data-call': told.call, 'data-side': told.side}, ...parts);
  if (told.side === mine) made.dataset.mine = '';
  if (told.final) {
    made.dataset.final = '';
  } else {
    made.setAttribute('aria-hidden', 'true');
    if (!before) settle(list, told.side);
  }
  add(list, made, before);
}

function settle(list, side) {
  for (const each of list.querySelectorAll(`.caption[aria-hidden][data-side="${side}"]`)) each.removeAttribute('aria-hidden');
}

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
