// Small hands for the document. Nothing here takes markup: what people say can only ever become text.
export const $ = (id) => document.getElementById(id);

/** Show an element, or hide it. */
export function show(element, visible) {
  element.hidden = !visible;
}

/** Change the text only where it is another one: screen readers read what changes. */
export function text(element, said) {
  if (element.textContent !== said) element.textContent = said;
}

/** An element with its properties and children; `class`, `data-…` and `aria-…` are attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'class' || name === 'role' || name === 'lang' || name === 'dir') {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Do something when a button is pressed, once at a time: it is off until what it began has ended. */
export function press(button, act) {
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    try {
      await act(button);
    } finally {
      button.removeAttribute('aria-busy');
    }
  });
}

/** Fill a choice. options: [value, text] each; the value that stood stays where it can. */
export function choices(select, options, value = select.value) {
  select.replaceChildren(...options.map(([each, said]) => make('option', {value: each, textContent: said})));
  if (options.some(([each]) => each === value)) select.value = value;
}
