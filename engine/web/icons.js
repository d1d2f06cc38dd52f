// Icons as lines on a grid of 24, drawn for these pages; the text beside them says what they mean.

const DRAWN = {
  phone: ['M6.5 3.5h3l1.6 4.4-2.2 1.7a12 12 0 0 0 5.5 5.5l1.7-2.2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.3 16.3 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2z'],
  end: ['M3 14.5c-.8-1.5-.5-3 .8-4 4.7-3.4 11.7-3.4 16.4 0 1.3 1 1.6 2.5.8 4l-4.5-.9v-2.8a13.5 13.5 0 0 0-9 0v2.8z'],
  mic: ['M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z', 'M5.5 11a6.5 6.5 0 0 0 13 0', 'M12 17.5v3'],
  micoff: ['M15 10V6.5a3 3 0 0 0-5.7-1.3', 'M9 9.5v2a3 3 0 0 0 4.6 2.5', 'M5.5 11a6.5 6.5 0 0 0 10.6 5', 'M18.5 11a6.5 6.5 0 0 1-.6 2.7', 'M12 17.5v3', 'M4 3.5l16 17'],
  hold: ['M9 5.5v13', 'M15 5.5v13'],
  play: ['M8 5.5l10 6.5-10 6.5z'],
  keys: ['M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01M12 21h.01'],
  transfer: ['M4 8h13', 'M13.5 4.5L17 8l-3.5 3.5', 'M20 16H7', 'M10.5 12.5L7 16l3.5 3.5'],
  people: ['M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z', 'M3.5 19a5.5 5.5 0 0 1 11 0', 'M15.5 5.3a3 3 0 0 1 0 5.4', 'M17 14a5.5 5.5 0 0 1 3.5 5'],
  settings: ['M4 7h9M17 7h3M4 17h3M11 17h9', 'M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z', 'M9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z'],
  globe: ['M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z', 'M3.5 12h17', 'M12 3.5c5 5 5 12 0 17-5-5-5-12 0-17z'],
  star: ['M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z'],
  warning: ['M12 4l9 15.5H3z', 'M12 10v4', 'M12 16.8v.1'],
  lock: ['M6 10.5h12v9.5H6z', 'M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3'],
  check: ['M5 12.5l4.5 4.5L19 7'],
  close: ['M6 6l12 12M18 6L6 18'],
  note: ['M4.5 5.5h15v10h-8l-4 4v-4h-3z'],
  captions: ['M3.5 6h17v12h-17z', 'M10.5 10.7a2 2 0 1 0 0 2.6M17 10.7a2 2 0 1 0 0 2.6'],
  search: ['M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z', 'M15.5 15.5l5 5'],
  fine: ['M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z', 'M8.5 14a4.5 4.5 0 0 0 7 0', 'M9 9.5v.1M15 9.5v.1'],
  uneasy: ['M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z', 'M8.5 15h7', 'M9 9.5v.1M15 9.5v.1'],
  upset: ['M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z', 'M8.5 16.5a4.5 4.5 0 0 1 7 0', 'M8 8.5l2 1.2M16 8.5l-2 1.2'],
  record: ['M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z'],
  signal: ['M5 17v2M10 13v6M15 9v10M20 5v14'],
  out: ['M14 4.5h5v15h-5', 'M15 12H5', 'M8.5 8.5L5 12l3.5 3.5'],
  dial: ['M5 19L19 5', 'M9 5h10v10'],
};

/** An icon of its name. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  for (const each of DRAWN[name] || []) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', each);
    svg.append(path);
  }
  return svg;
}

/** Draw what the markup asks for by data-icon, before the element's text. */
export function drawIcons(root) {
  for (const each of root.querySelectorAll('[data-icon]')) setIcon(each, each.dataset.icon);
}

/** Change an element's icon. */
export function setIcon(element, name) {
  const before = element.querySelector(':scope > svg.icon');
  if (before?.classList.contains(`icon-${name}`)) return;
  before?.remove();
  element.prepend(icon(name));
}
