// Puts a call button on any page:
//
//   <script async src="https://pbx.example.com/web/embed.js" data-destination="support" data-token="/my/token"></script>
//
// data-destination: whom to call, or several to choose from (support:Support,sales:Sales). data-token: an address of the
// page's own site that answers a POST of {destination, language} with what POST /v1/callers/tokens gave to the site.
// data-language, data-label, data-title: words; data-position: start or end. The call itself runs in a frame of the node,
// which lets itself be shown by the sites of callers.origins alone; elsewhere the button says that it cannot call.
(() => {
  'use strict';
  const {dataset, src} = document.currentScript;
  const node = new URL(src).origin;
  const OPEN = 'isogloss.open';
  const CALL = 'isogloss.around'; // the frame's call, which browsers let no frame of others keep by itself
  const PATIENCE_MS = 1500; // from the frame's load to the first word of the page in it
  const WORDS = {
    en: {call: 'Call us', hide: 'Hide the call window', back: 'Back to the call', none: 'Calls are not possible from this page at the moment.'},
    es: {call: 'Llámenos', hide: 'Ocultar la ventana', back: 'Volver a la llamada', none: 'En este momento no se puede llamar desde esta página.'},
    zh: {call: '联系我们', hide: '隐藏通话窗口', back: '返回通话', none: '目前无法从此页面拨打电话。'},
    ar: {call: 'اتصل بنا', hide: 'إخفاء نافذة المكالمة', back: 'العودة إلى المكالمة', none: 'لا يمكن الاتصال من هذه الصفحة الآن.'},
  };
  const PHONE = 'M6.5 3.5h3l1.6 4.4-2.2 1.7a12 12 0 0 0 5.5 5.5l1.7-2.2 4.4 1.6v3a2 2 0 0 1-2.2 2A16.3 16.3 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2z';
  const DOWN = 'M5.5 9l6.5 6.5L18.5 9';
  const wanted = (dataset.language || document.documentElement.lang || navigator.language || 'en').toLowerCase().split('-')[0];
  const language = wanted in WORDS ? wanted : 'en';
  const words = WORDS[language];
  const label = dataset.label || words.call;
  const STYLE = `
    :host { all: initial; position: fixed; inset-block-end: 1.25rem; inset-inline-${dataset.position === 'start' ? 'start' : 'end'}: 1.25rem; z-index: 2147483000;
      display: block; max-inline-size: calc(100vw - 2.5rem); color-scheme: light dark; font: 600 1rem/1.4 system-ui, sans-serif; }
    button { font: inherit; min-block-size: 3.5rem; padding: 0.75rem 1.5rem; border: 0; border-radius: 999px; cursor: pointer; display: flex; gap: 0.625rem;
      align-items: center; margin-inline-start: auto; background: #0b6661; color: #fff; box-shadow: 0 6px 24px rgb(0 0 0 / 25%); transition: background-color 0.12s; }
    :host([data-position="start"]) button { margin-inline: 0 auto; }
    button:hover { background: #095450; }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; }
    button[data-open] { background: #2b3836; min-block-size: 2.75rem; padding: 0.5rem 1.125rem; font-weight: 550; font-size: 0.9375rem; }
    button[data-open]:hover { background: #1c2725; }
    svg { inline-size: 1.5rem; block-size: 1.5rem; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    iframe { display: block; inline-size: min(25rem, calc(100vw - 2.5rem)); block-size: min(42rem, calc(100dvh - 6.5rem)); border: 0; border-radius: 1rem;
      margin-block-end: 0.75rem; box-shadow: 0 12px 48px rgb(0 0 0 / 30%); background: Canvas; }
    p { margin: 0 0 0.75rem; padding: 0.875rem 1.125rem; border-radius: 0.875rem; max-inline-size: 20rem; font-weight: 500; background: Canvas; color: CanvasText;
      box-shadow: 0 6px 24px rgb(0 0 0 / 25%); }
    [hidden] { display: none; }`;

  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const host = made('div', {lang: language, dir: language === 'ar' ? 'rtl' : 'ltr'});
  if (dataset.position === 'start') host.dataset.position = 'start';
  const root = host.attachShadow({mode: 'open'});
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const button = made('button', {type: 'button'});
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(path);
  const said = made('span', {});
  const fault = made('p', {hidden: true});
  fault.setAttribute('role', 'alert');
  button.append(svg, said);
  root.append(fault, button);
  let frame = null;
  let answered = false; // the page in the frame is the node's, and runs
  let calling = false;

  const remember = (key, value) => {
    try {
      if (value) sessionStorage.setItem(key, value);
      else sessionStorage.removeItem(key);
    } catch { /* then a reload closes it */ }
  };
  const recall = (key) => {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  };

  function draw() {
    const open = Boolean(frame) && !frame.hidden;
    button.toggleAttribute('data-open', open);
    button.setAttribute('aria-expanded', String(open));
    path.setAttribute('d', open ? DOWN : PHONE);
    said.textContent = open ? words.hide : calling ? words.back : label;
  }

  function show(open) {
    if (open && !frame) {
      const query = new URLSearchParams({to: dataset.destination || '', lang: language});
      if (dataset.title) query.set('title', dataset.title);
      answered = false;
      frame = made('iframe', {src: `${node}/call?${query}`, title: label, allow: `microphone ${node}; autoplay ${node}; speaker-selection ${node}`});
      frame.addEventListener('load', () => setTimeout(() => answered || giveUp(), PATIENCE_MS), {once: true});
      root.prepend(frame);
    }
    if (frame) frame.hidden = !open;
    fault.hidden = true;
    remember(OPEN, open && '1');
    draw();
    if (open) frame.focus();
  }

  /** The node does not let this site show its page, or it cannot be reached. */
  function giveUp() {
    frame?.remove();
    frame = null;
    remember(OPEN, '');
    draw();
    fault.hidden = false;
    fault.textContent = words.none;
    console.warn(`Isogloss: ${node} cannot be reached, or does not name ${location.origin} in callers.origins`);
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
    if (!frame || source !== frame.contentWindow || origin !== node) return;
    answered = true;
    if (data?.isogloss === 'keep') {
      remember(CALL, data.kept && JSON.stringify(data.kept));
    } else if (data?.isogloss === 'kept?') {
      frame.contentWindow.postMessage({isogloss: 'kept', kept: JSON.parse(recall(CALL) || 'null')}, node);
    } else if (data?.isogloss === 'state') {
      calling = data.state === 'live';
      draw();
    } else if (data?.isogloss === 'wanted') {
      const {destination, language: spoken} = data;
      frame.contentWindow.postMessage({isogloss: 'ticket', ticket: await ticket({destination, language: spoken})}, node);
    }
  });
  button.addEventListener('click', () => show(!frame || frame.hidden));
  draw();
  const place = () => document.body.append(host);
  if (document.body) place();
  else document.addEventListener('DOMContentLoaded', place);
  if (recall(OPEN)) show(true); // the page was loaded again: so is the call
})();
