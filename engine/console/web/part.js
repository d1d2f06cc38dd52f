// A part of a page: HTML from the node, laid over what is there, so that focus, selection and what is open stay.
//
// What can be pressed says so in the markup: data-do (an act of the node, with the data-* beside it or the fields of
// its form), data-go on links (another page without a new document), data-opens and data-closes (dialogs). Times run
// here: data-since counts up, data-at is a moment in the reader's own time.

import {h} from 'vue';

const html = document.documentElement;
const policy = globalThis.trustedTypes?.createPolicy('isogloss', {createHTML: (text) => text}) ?? {createHTML: (text) => text};
let ahead = 0; // s that the node's clock is before this one's
let formats = {};
let wentOn = false; // to another place: its heading gets the focus
let sent = false; // a form: the first field that is wrong gets it

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
};

const TIMES = 'time[data-since], time[data-at]';
const FORMS = {
  time: {hour: '2-digit', minute: '2-digit', second: '2-digit'},
  minute: {hour: '2-digit', minute: '2-digit'},
  day: {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'},
  full: {dateStyle: 'medium', timeStyle: 'medium'},
};

function moment(at, form) { // as her browser's own country writes it, where that is of the page's language
  formats[form] ??= new Intl.DateTimeFormat(
    navigator.languages?.find((each) => each.split('-')[0] === html.lang) || html.lang, {...FORMS[form] || FORMS.time, numberingSystem: 'latn'});
  return formats[form].format(new Date(at * 1000));
}

const now = () => Date.now() / 1000 + ahead;

function tell(each) {
  const {since, at, form} = each.dataset;
  const text = since !== undefined ? clock(now() - Number(since)) : at === 'now' ? moment(now(), form) : moment(Number(at), form);
  if (each.textContent !== text) each.textContent = text;
}

setInterval(() => {
  for (const each of document.querySelectorAll('time[data-since], time[data-at="now"]')) tell(each);
}, 1000);

// --- laying over ------------------------------------------------------------------------------------

const KEPT = new Set(['open', 'value', 'checked', 'data-heard', 'aria-expanded']); // what people change
const key = (node) => node.nodeType === 1 ? node.dataset.key || node.id || '' : '';
const same = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

function times(root) {
  if (root.matches(TIMES)) tell(root);
  for (const each of root.querySelectorAll(TIMES)) tell(each);
}

function over(have, want) {
  if (have.nodeType !== 1) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  for (const {name} of [...have.attributes]) if (!KEPT.has(name) && !want.hasAttribute(name)) have.removeAttribute(name);
  for (const {name, value} of [...want.attributes]) if (!KEPT.has(name) && have.getAttribute(name) !== value) have.setAttribute(name, value);
  if (have.type === 'hidden' || (have.hasAttribute('data-follows') && have !== document.activeElement)) have.value = want.getAttribute('value') ?? '';
  if (have.matches(TIMES)) tell(have);
  else if (!have.hasAttribute('data-own')) children(have, want);
}

function children(have, want) {
  const keyed = new Map([...have.children].filter(key).map((each) => [key(each), each]));
  let at = have.firstChild;
  for (const each of [...want.childNodes]) {
    const named = key(each);
    const found = named ? keyed.get(named) : at && !key(at) ? at : null;
    if (found && same(found, each)) {
      if (found === at) at = at.nextSibling;
      else have.insertBefore(found, at);
      over(found, each);
    } else {
      have.insertBefore(each, at);
      if (each.nodeType === 1) times(each);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// What had the focus has gone, as a row that was done with does: its heading has it, so that keys go on from there.
function* ancestors(node, root) {
  for (let each = node.parentElement; each && each !== root.parentElement; each = each.parentElement) yield each;
}

function refocus(around) {
  const card = around.find((each) => each.isConnected && each.querySelector('h2'));
  const heading = card?.querySelector('h2') ?? document.querySelector('h1');
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({preventScroll: true});
}

// --- what is pressed --------------------------------------------------------------------------------

const NAMES = /^(?!do$|here$|go$|key$|opens$|closes$|own$|since$|at$|form$)/;

const ticked = (form) => Object.fromEntries([...form.querySelectorAll('[type="checkbox"]')].map(({name}) => [name, true]));

function fields(source) {
  const found = {};
  for (const [name, value] of Object.entries(source.dataset)) if (NAMES.test(name)) found[name] = value;
  const form = source.tagName === 'FORM' ? source : source.form;
  if (form) {
    for (const [name, value] of new FormData(form)) { // what is ticked of several goes as one, a line each
      if (typeof value === 'string') found[name] = name in found && name in ticked(form) ? `${found[name]}\n${value}` : value;
    }
  }
  if (source.name) found[source.name] = source.value;
  return found;
}

const hand = () => import('/console/web/hand.js'); // when it is wanted: most pages are no phones

const browser = {
  theme() {
    const next = {'': 'light', light: 'dark', dark: ''}[html.dataset.theme || ''];
    html.dataset.theme = next;
    localStorage.setItem('isogloss.theme', next);
    for (const each of document.querySelectorAll('[data-themes]')) each.dataset.theme = next;
  },
  wall() {
    const full = !html.hasAttribute('data-wall');
    html.toggleAttribute('data-wall', full);
    if (full) html.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  },
  async sit(button, emit) { // her phone is this page, unless she names another
    const {mode} = button.dataset;
    const at = document.getElementById('beside-at')?.value.trim() || '';
    try {
      if (!at) await (await hand()).ready();
      emit('act', {name: mode, fields: {at}});
    } catch (error) {
      emit('act', {name: 'unheard', fields: {why: error.why || 'failed'}});
    }
  },
  async mute() {
    (await hand()).mute();
  },
  async copy(button) { // what stands elsewhere on the page, or a link, with where this console is
    const {copy, copies} = button.dataset;
    const from = copies && document.getElementById(copies);
    const text = from ? [...from.querySelectorAll('li')].map((each) => each.textContent).join('\n') || from.textContent : new URL(copy, location.href).href;
    try {
      await navigator.clipboard.writeText(text);
      button.toggleAttribute('data-copied', true);
    } catch { // there is none without TLS, or it may not be: marked, to be copied by hand
      const box = from ? null : button.parentElement.querySelector('input');
      if (from) getSelection().selectAllChildren(from);
      else if (box) {
        box.value = text;
        box.select();
      }
    }
  },
  line(button) {
    const box = document.getElementById(button.dataset.in);
    if (box) at(box, Number(button.dataset.line));
  },
  menu() {
    menu(!html.hasAttribute('data-menu'));
  },
};

function menu(open) { // of a narrow screen
  html.toggleAttribute('data-menu', open);
  document.querySelector('[data-here="menu"]')?.setAttribute('aria-expanded', String(open));
}

addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !html.hasAttribute('data-menu')) return;
  menu(false);
  document.querySelector('[data-here="menu"]')?.focus();
});

function at(box, line) { // the caret at the beginning of a line of a text, and that in sight
  const begin = box.value.split('\n').slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const end = box.value.indexOf('\n', begin);
  box.focus({preventScroll: true});
  box.setSelectionRange(begin, end < 0 ? box.value.length : end);
  box.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(box).lineHeight));
}

function pressed(event, emit) {
  const link = event.target.closest('a[data-go]');
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    go(link.getAttribute('href'), emit);
    return;
  }
  const button = event.target.closest('[data-do], [data-opens], [data-closes], [data-here]');
  if (!button || button.tagName === 'FORM' || button.tagName === 'SELECT') return;
  const {opens, closes, here} = button.dataset;
  if (here) browser[here]?.(button, emit);
  if (opens) document.getElementById(opens)?.showModal();
  if (closes !== undefined) button.closest('dialog')?.close();
  if (button.dataset.do) emit('act', {name: button.dataset.do, fields: fields(button)});
}

function go(address, emit, {past = false, onward = true} = {}) {
  if (!past) history.pushState(null, '', address);
  wentOn = onward;
  menu(false);
  emit('act', {name: 'go', fields: {to: address}});
}

// A recording that is drawn: pressed where it is to go on, or gone through by keys.
const soundOf = (wave) => wave.closest('figure').querySelector('audio');
const lengthOf = (wave) => Number(wave.dataset.wave);

function goOn(player, at) {
  if (player.readyState === 0) { // nothing of it was asked for yet
    player.preload = 'metadata';
    player.addEventListener('loadedmetadata', () => { player.currentTime = at; }, {once: true});
    player.load();
  } else player.currentTime = at;
}

function seek(wave, at) {
  const to = Math.min(lengthOf(wave), Math.max(0, at));
  goOn(soundOf(wave), to);
  played(wave, to);
}

function played(wave, at) {
  wave.querySelector('.played').style.inlineSize = `${100 * Math.min(1, at / lengthOf(wave))}%`;
  wave.setAttribute('aria-valuenow', String(Math.round(at)));
  wave.setAttribute('aria-valuetext', clock(at));
}

addEventListener('click', (event) => {
  const wave = event.target.closest?.('[data-wave]');
  if (!wave) return;
  const {left, width} = wave.getBoundingClientRect();
  seek(wave, lengthOf(wave) * (event.clientX - left) / width);
});
addEventListener('keydown', (event) => {
  const wave = event.target.closest?.('[data-wave]');
  if (!wave) return;
  const player = soundOf(wave);
  const steps = {ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 30, PageDown: -30};
  if (event.key in steps) seek(wave, player.currentTime + steps[event.key]);
  else if (event.key === 'Home') seek(wave, 0);
  else if (event.key === 'End') seek(wave, lengthOf(wave));
  else if (event.key === ' ' || event.key === 'Enter') player.paused ? player.play() : player.pause();
  else return;
  event.preventDefault();
});
for (const what of ['timeupdate', 'seeked']) {
  addEventListener(what, (event) => {
    const wave = event.target.closest?.('figure')?.querySelector('[data-wave]');
    if (wave) played(wave, event.target.currentTime);
  }, true);
}

// What was said follows the recording that is played, and a caption that is pressed leads to where it was said.
addEventListener('timeupdate', (event) => {
  const player = event.target;
  if (player.dataset?.begins === undefined) return;
  const at = player.currentTime + Number(player.dataset.begins);
  let said = null;
  for (const each of document.querySelectorAll('[data-begin]')) if (Number(each.dataset.begin) <= at) said = each;
  const before = document.querySelector('[data-begin][data-heard]');
  if (said === before) return;
  before?.removeAttribute('data-heard');
  said?.setAttribute('data-heard', '');
  said?.scrollIntoView({block: 'nearest'});
}, true);
addEventListener('click', (event) => {
  const said = event.target.closest?.('[data-begin]');
  const player = said && document.querySelector('audio[data-begins]');
  if (player && !getSelection().toString()) goOn(player, Math.max(0, Number(said.dataset.begin) - Number(player.dataset.begins)));
});

// A socket that is refused: the node began anew or forgot this page meanwhile, or nobody is signed in here any more. The
// page asked for anew knows; at most twice a minute, for it may be refused again. Of a node that is away nothing is asked.
const AGAIN = 30; // s
async function refused() {
  document.getElementById('popup').ariaHidden = false; // what is shown is not live
  const last = Number(sessionStorage.getItem('isogloss.again'));
  if (Date.now() / 1000 - last < AGAIN) return;
  const up = await fetch('/console/sign-in', {method: 'HEAD'}).then((answer) => answer.ok, () => false);
  if (!up) return;
  sessionStorage.setItem('isogloss.again', String(Date.now() / 1000));
  location.reload();
}
function heed() { // the socket is there once all parts are
  if (window.socket) window.socket.on('connect_error', refused);
  else setTimeout(heed, 50);
}

addEventListener('fullscreenchange', () => html.toggleAttribute('data-wall', Boolean(document.fullscreenElement)));
addEventListener('securitypolicyviolation', (event) => console.error(`blocked: ${event.violatedDirective} ${event.blockedURI}`));
html.dataset.theme = localStorage.getItem('isogloss.theme') || '';
if (new URLSearchParams(location.search).has('wall')) html.toggleAttribute('data-wall', true);

export default {
  props: {html: String, lang: String, dir: String, at: Number},
  emits: ['act'],
  render: () => h('div'),
  mounted() {
    this.lay();
    this.$el.addEventListener('click', (event) => pressed(event, this.$emit));
    this.$el.addEventListener('submit', (event) => {
      const form = event.target.closest('form[data-do], form[data-go]');
      if (!form) return;
      event.preventDefault();
      form.closest('dialog')?.close();
      if (form.dataset.go) {
        const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
        go(`${form.dataset.go}${asked.size ? `?${asked}` : ''}`, this.$emit, {onward: false});
      } else {
        sent = true;
        this.$emit('act', {name: form.dataset.do, fields: fields(form)});
      }
    });
    this.$el.addEventListener('change', (event) => {
      const select = event.target.closest('select[data-do]');
      if (select) this.$emit('act', {name: select.dataset.do, fields: fields(select)});
      else if (event.target.form?.hasAttribute('data-live')) event.target.form.requestSubmit();
    });
    if (this.lang) {
      this.speak();
      heed();
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      document.cookie = `isogloss_zone=${zone}; path=/console; max-age=31536000; samesite=strict`; // for the next document
      this.$emit('act', {name: 'zone', fields: {zone}});
      const here = new URL(location.href);
      if (here.searchParams.has('lang')) { // it is kept from now on, and may be chosen otherwise
        here.searchParams.delete('lang');
        history.replaceState(null, '', here);
      }
      addEventListener('popstate', () => go(location.pathname + location.search, this.$emit, {past: true}));
    }
  },
  watch: {
    html() { this.lay(); },
    lang() { this.speak(); },
  },
  methods: {
    speak() {
      html.lang = this.lang;
      html.dir = this.dir;
      formats = {};
      document.cookie = `isogloss_language=${this.lang}; path=/console; max-age=31536000; samesite=strict`;
      for (const each of document.querySelectorAll('time[data-at]')) tell(each);
    },
    lay() {
      if (this.at) ahead = this.at - Date.now() / 1000;
      const made = document.createElement('template');
      made.innerHTML = policy.createHTML(this.html || '');
      const held = this.$el.contains(document.activeElement) ? document.activeElement : null;
      const around = held && [...ancestors(held, this.$el)];
      children(this.$el, made.content);
      if (held && !held.isConnected) refocus(around);
      for (const tail of this.$el.querySelectorAll('[data-tail]')) if (!tail.matches(':focus, :hover')) tail.scrollTop = tail.scrollHeight;
      for (const list of this.$el.querySelectorAll('datalist[data-own="zones"]:empty')) {
        for (const zone of Intl.supportedValuesOf?.('timeZone') ?? []) list.append(new Option(zone, zone));
      }
      for (const box of this.$el.querySelectorAll('textarea[data-line]')) {
        const {line} = box.dataset;
        if (box.led === line) continue; // drawn anew, and she may be elsewhere in it
        box.led = line;
        if (line > 1) at(box, Number(line));
      }
      const wrong = sent && this.$el.querySelector('[aria-invalid="true"]');
      if (wrong) {
        sent = false;
        wrong.focus();
      }
      const title = this.$el.querySelector('[data-title]');
      if (title) document.title = title.dataset.title;
      const heading = wentOn && this.$el.querySelector('h1');
      if (heading) {
        wentOn = false;
        heading.focus({preventScroll: true});
        scrollTo(0, 0);
      }
    },
  },
};
