// Captions and notes: what is said and written, newest last, read aloud as it comes.

import {make} from './dom.js';
import {language, say} from './words.js';

const KEPT = 100; // on the page

/** A caption, or a newer version of one. mine: the side that this page's person is. */
export function caption(list, told, mine) {
  const id = `${told.call}-${told.side}-${told.line}`;
  const [main, original] = told.translation ? [told.translation, told.text] : [told.text, ''];
  const speaker = say(told.side === mine ? 'captions.you' : `captions.${told.side}`);
  const parts = [make('b', {textContent: speaker}),
    make('span', {lang: (told.translation && told.to) || told.language, dir: 'auto', textContent: main})];
  if (original) parts.push(make('div', {class: 'original', lang: told.language, dir: 'auto', textContent: original}));
  const made = make('div', {class: 'caption', 'data-id': id}, ...parts);
  if (told.side === mine) made.dataset.mine = '';
  if (told.final) made.dataset.final = '';
  add(list, made, [...list.children].find((each) => each.dataset.id === id));
}

/** Something that was written to the agent. */
export function note(list, told) {
  const at = new Intl.DateTimeFormat(language(), {hour: '2-digit', minute: '2-digit'}).format(told.at * 1000);
  add(list, make('div', {class: 'note'}, make('b', {textContent: `${told.by}, ${at}`, class: 'small'}),
    make('p', {dir: 'auto', textContent: told.text})));
}

function add(list, made, before = null) {
  list.querySelector(':scope > .soft')?.remove();
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  if (before) before.replaceWith(made);
  else list.append(made);
  while (list.children.length > KEPT) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}
