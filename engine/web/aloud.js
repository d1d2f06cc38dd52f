// What is read aloud to those who do not see the page: politely, and each thing once.

import {$, make} from './dom.js';

const KEPT = 3; // what was read stays for a moment where screen readers look for it

/** Have it read aloud, after whatever is being read. parts: texts or elements. */
export function aloud(...parts) {
  const place = $('aloud');
  place.append(make('p', {}, ...parts));
  while (place.children.length > KEPT) place.firstElementChild.remove();
}
