// Puts a call button on any page:
//
//   <script async src="https://pbx.example.com/web/embed.js" data-destination="support" data-token="/my/token"></script>
//
// data-destination: whom to call, or several to choose from (support:Support,sales:Sales). data-token: an address of the
// page's own site that answers a POST of {destination, language} with what POST /v1/callers/tokens gave to the site.
// data-language, data-label, data-title: words; data-position: start or end. The call itself runs in a frame of the node.
(() => {
  'use strict';
  const {dataset, src} = document.currentScript;
  const node = new URL(src).origin;
  const OPEN = 'isogloss.open';
  const LABELS = {en: 'Call us', es: 'Llámenos', zh: '联系我们', ar: 'اتصل بنا'};
  const language = (dataset.language || document.documentElement.lang || navigator.language || 'en').toLowerCase().split('-')[0];
  const label = dataset.label || LABELS[language] || LABELS.en;
  const STYLE = `
    :host { all: initial; position: fixed; inset-block-end: 1.25rem; inset-inline-${dataset.position === 'start' ? 'start' : 'end'}: 1.25rem; z-index: 2147483000;
      display: block; color-scheme: light dark; font: 600 1rem/1.4 system-ui, sans-serif; }
    button { font: inherit; min-block-size: 3.5rem; padding: 0.75rem 1.5rem; border: 0; border-radius: 999px; cursor: pointer; display: flex; gap: 0.625rem;
      align-items: center; margin-inline-start: auto; background: #0b6661; color: #fff; box-shadow: 0 6px 24px rgb(0 0 0 / 25%); }
    button:focus-visible { outline: 3px solid #0b6661; outline-offset: 3px; }
    svg { inline-size: 1.5rem; block-size: 1.5rem; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    iframe { display: block; inline-size: min(25rem, calc(100vw - 2.5rem)); block-size: min(42rem, calc(100dvh - 7rem)); border: 0; border-radius: 1rem;
      margin-block-end: 0.75rem; box-shadow: 0 12px 48px rgb(0 0 0 / 30%); background: Canvas; }
    [hidden] { display: none; }`;

  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const host = made('div', {lang: language, dir: language === 'ar' ? 'rtl' : 'ltr'});
  const root = host.attachShadow({mode: 'open'});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const button = made('button', {type: 'button'});
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', 'M6.5 3.5h3l1.6 4.4-2.2 1.7a12 12 0 0 0 5.5 5.5l1.7-2.2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.3 16.3 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2z');
  svg.append(path);
  button.append(svg, made('span', {textContent: label}));
  button.setAttribute('aria-expanded', 'false');
  root.append(button);
  let frame = null;

  const remember = (open) => {
    try {
      if (open) sessionStorage.setItem(OPEN, '1');
      else sessionStorage.removeItem(OPEN);
    } catch { /* a reload closes it then */ }
  };

  function show(open) {
    if (open && !frame) {
      const query = new URLSearchParams({to: dataset.destination || '', lang: language});
      if (dataset.title) query.set('title', dataset.title);
      frame = made('iframe', {src: `${node}/call?${query}`, title: label, allow: `microphone ${node}; autoplay ${node}; speaker-selection ${node}`});
      root.prepend(frame);
    }
    if (frame) frame.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
    remember(open);
    if (open) frame.focus();
  }

  async function ticket(wish) {
    if (!dataset.token) return null;
    try {
      const answer = await fetch(dataset.token, {
        method: 'POST', headers: {'Content-Type': 'application/json'}, credentials: 'same-origin', body: JSON.stringify(wish),
      });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  window.addEventListener('message', async ({source, origin, data}) => {
    if (!frame || source !== frame.contentWindow || origin !== node || data?.isogloss !== 'wanted') return;
    const {destination, language: spoken} = data;
    frame.contentWindow.postMessage({isogloss: 'ticket', ticket: await ticket({destination, language: spoken})}, node);
  });
  button.addEventListener('click', () => show(!frame || frame.hidden));
  document.body.append(host);
  try {
    if (sessionStorage.getItem(OPEN)) show(true); // the page was loaded again: so is the call
  } catch { /* storage is off */ }
})();
