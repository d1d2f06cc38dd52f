// A keypad that works by mouse, by touch and from the keyboard; keys of the keyboard press it while it is open.

import {make} from './dom.js';

const KEYS = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'], ['7', 'PQRS'], ['8', 'TUV'],
  ['9', 'WXYZ'], ['*', ''], ['0', '+'], ['#', ''],
];

/** Fill an element with keys. pressed: called with each. */
export function keypad(element, pressed) {
  element.classList.add('keypad');
  element.setAttribute('dir', 'ltr'); // keypads are the same everywhere
  for (const [key, letters] of KEYS) {
    const button = make('button', {type: 'button', class: 'key', 'data-letters': letters}, make('b', {textContent: key}));
    button.addEventListener('click', () => press(button, key, pressed));
    element.append(button);
  }
  element.addEventListener('keydown', (event) => {
    const at = KEYS.findIndex(([key]) => key === event.key);
    if (at >= 0) press(element.children[at], event.key, pressed);
  });
}

function press(button, key, pressed) {
  button.classList.add('pressed');
  setTimeout(() => button.classList.remove('pressed'), 140);
  pressed(key);
}
