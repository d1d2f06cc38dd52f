// What helps an agent while she talks: what comes by itself, and what is looked up, typed or pointed at in captions.

import {make} from './dom.js';
import {language, say} from './words.js';

const KEPT = 30; // on the page
const AT_ONCE = new Set(['urgent', 'taboo']); // read aloud at once
const LONGEST = 120; // characters that are looked up

/** Something that may help now, newest last. told: of the node. */
export function help(list, told) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.querySelector(':scope > .soft')?.remove();
  const made = item(told);
  made.dataset.call = told.call;
  if (AT_ONCE.has(told.kind)) made.setAttribute('role', 'alert');
  list.append(made);
  while (list.children.length > KEPT) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** Forget what was of calls that are gone. */
export function helpOf(list, calls) {
  for (const each of list.querySelectorAll('.help')) if (!calls.includes(each.dataset.call)) each.remove();
  if (!list.children.length) list.replaceChildren(make('p', {class: 'soft small', 'data-say': 'help.empty', textContent: say('help.empty')}));
}

/** What was found of the words that were looked up. */
export function found(place, {words, found: all}) {
  const items = all.map(item);
  if (!items.length) items.push(make('p', {class: 'soft small', textContent: say('help.nothing', {words})}));
  place.replaceChildren(...items);
}

function item(told) {
  const own = {lang: told.language || language(), dir: 'auto'};
  const parts = [
    make('p', {class: 'small'}, make('b', {textContent: say(`help.${told.kind}`)})),
    make('p', {...own, class: 'help-title', textContent: told.title}),
  ];
  if (told.instead) parts.push(make('p', {dir: 'auto', textContent: say('help.instead', {words: told.instead})}));
  if (told.text) parts.push(make('p', {...own, class: 'small', textContent: told.text}));
  if (told.source) parts.push(make('p', {class: 'small soft', dir: 'ltr', textContent: told.source}));
  return make('div', {class: 'help', 'data-kind': told.kind}, ...parts);
}

/** The words that are pointed at in a text: what is selected, else the word under the pointer, in any script. */
export function pointedAt(event) {
  const chosen = String(getSelection()).trim();
  if (chosen) return chosen.slice(0, LONGEST);
  const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const range = place ? null : document.caretRangeFromPoint?.(event.clientX, event.clientY);
  const [node, at] = place ? [place.offsetNode, place.offset] : [range?.startContainer, range?.startOffset];
  if (node?.nodeType !== Node.TEXT_NODE) return '';
  const tongue = node.parentElement.closest('[lang]')?.lang || language();
  const words = new Intl.Segmenter(tongue, {granularity: 'word'}).segment(node.data);
  const word = words.containing(Math.min(at, node.data.length - 1));
  return word?.isWordLike ? word.segment : '';
}
