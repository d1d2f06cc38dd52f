// How lines did: hours by lines, the worst line first, with what is wrong told of whatever has the focus.

import {languageChoices} from './devices.js';
import {$, choices, make, press, show, text} from './dom.js';
import {drawIcons} from './icons.js';
import {FIGURES, LEVELS, cellName, figure, moment, reasonWords, value} from './lines_view.js';
import {tab} from './storage.js';
import {onLanguage, preferred, say, speak} from './words.js';

const KEPT = 'isogloss.token';
const EVERY_MS = 60000;
const LOOK_MS = 500;
const HOUR_S = 3600;
const SPANS = [12, 24, 48, 168];
const DIGITS = {n: 24};

let token = tab.get(KEPT) || '';
let report = null;
let stands = new Map();
let shown = {line: '', hour: null}; // what the details are of
let timer = 0;
let probing = null;

// --- asking the node --------------------------------------------------------------------------------

class Refused extends Error {}

async function ask(path, options = {}) {
  const headers = {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'};
  const answer = await fetch(path, {...options, headers});
  if (answer.status === 401 || answer.status === 403) throw new Refused((await answer.json()).detail);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail || String(answer.status));
  return told;
}

async function load() {
  clearTimeout(timer);
  try {
    const [told, lines] = await Promise.all([ask(`/v1/lines/report?hours=${$('hours').value || DIGITS.n}`), ask('/v1/lines?limit=1000')]);
    report = told;
    stands = new Map(lines.items.map((each) => [each.name, each]));
    tab.set(KEPT, token);
    show($('signin'), false);
    show($('report'), true);
    show($('fault'), false);
    render();
  } catch (fault) {
    failed(fault);
  }
  if (token) timer = setTimeout(load, EVERY_MS);
}

function failed(fault) {
  const away = fault instanceof TypeError;
  if (fault instanceof Refused || !report) {
    if (fault instanceof Refused) signOut();
    show($('signin'), true);
    text($('signin-fault'), say(fault instanceof Refused ? 'lines.signin.wrong' : away ? 'error.away' : 'error.unknown', {detail: fault.message}));
    $('token').focus();
  } else {
    text($('fault').lastElementChild, say(away ? 'error.away' : 'error.unknown', {detail: fault.message}));
    show($('fault'), true);
  }
}

function signOut() {
  token = '';
  report = null;
  tab.remove(KEPT);
  clearTimeout(timer);
  show($('report'), false);
  show($('signin'), true);
  $('token').value = '';
}

// --- what is shown ----------------------------------------------------------------------------------

function render() {
  if (!report) return;
  text($('when'), say('lines.when', {from: moment(report.since), to: moment(report.until)}));
  const known = report.lines.length > 0;
  show($('nothing'), !known);
  show($('scroll'), known);
  if (!report.lines.some(({line}) => line === shown.line)) shown = {line: report.lines[0]?.line || '', hour: null};
  drawHeat();
  drawFigures();
  drawDetail();
}

function hoursOf() {
  const [first, last] = [Date.parse(report.since), Date.parse(report.until)];
  const found = [];
  for (let at = first; at < last; at += HOUR_S * 1000) found.push(at);
  return found;
}

function drawHeat() {
  const focused = document.activeElement?.dataset?.key;
  const hours = hoursOf();
  $('heat').dataset.hours = hours.length;
  const every = hours.length > 60 ? 24 : 3;
  const corner = make('th', {class: 'corner', scope: 'col'}, make('span', {class: 'quiet', textContent: say('lines.line')}));
  const heads = hours.map((at, place) => {
    const named = new Date(at).getHours() % every === 0 && place < hours.length - 1;
    return make('th', {class: 'hour number', scope: 'col'}, named ? moment(at, every > 3 ? 'day' : 'hour') : make('span', {class: 'quiet', textContent: moment(at, 'hour')}));
  });
  $('heat').tHead.replaceChildren(make('tr', {role: 'row'}, corner, ...heads));
  $('heat').tBodies[0].replaceChildren(...report.lines.map((line) => row(line, hours)));
  const again = focused && $('heat').querySelector(`[data-key="${CSS.escape(focused)}"]`);
  if (again) again.focus();
}

function row(line, hours) {
  const by = new Map(line.hours.map((each) => [Date.parse(each.at), each]));
  const worst = line.reasons[0] ? reasonWords(line.reasons[0]) : say(`lines.level.${line.level}`);
  const head = button(line.line, null, make('span', {}, make('b', {}, make('bdi', {textContent: line.line})), make('small', {textContent: worst})));
  const cells = hours.map((at) => {
    const part = by.get(at);
    const cell = button(line.line, at, make('i', {'data-level': part?.level || 'none'}));
    cell.classList.add('cell');
    cell.setAttribute('aria-label', cellName(line.line, at, part));
    return make('td', {role: 'gridcell'}, cell);
  });
  return make('tr', {role: 'row'}, make('th', {class: 'line', scope: 'row', role: 'rowheader'}, head), ...cells);
}

/** A cell that can have the focus; one of all of them is reached by the tab key, the others by arrows. */
function button(line, hour, ...content) {
  const chosen = line === shown.line && hour === shown.hour;
  const made = make('button', {type: 'button', tabIndex: chosen ? 0 : -1, 'data-key': `${line}|${hour ?? ''}`, 'aria-current': String(chosen)}, ...content);
  made.addEventListener('focus', () => choose(line, hour, made));
  made.addEventListener('click', () => choose(line, hour, made));
  return made;
}

function choose(line, hour, at) {
  if (line === shown.line && hour === shown.hour) return;
  shown = {line, hour};
  for (const each of $('heat').querySelectorAll('[aria-current="true"]')) {
    each.setAttribute('aria-current', 'false');
    each.tabIndex = -1;
  }
  at.setAttribute('aria-current', 'true');
  at.tabIndex = 0;
  drawDetail();
}

$('heat').addEventListener('keydown', (event) => {
  const here = event.target.closest('td, th');
  const column = here ? here.cellIndex : 0;
  const line = here?.parentElement;
  const ahead = document.documentElement.dir === 'rtl' ? -1 : 1;
  const to = {
    ArrowRight: () => line.cells[column + ahead],
    ArrowLeft: () => line.cells[column - ahead],
    ArrowDown: () => line.nextElementSibling?.cells[column],
    ArrowUp: () => line.previousElementSibling?.cells[column],
    Home: () => line.cells[0],
    End: () => line.cells[line.cells.length - 1],
  }[event.key]?.();
  if (to === undefined && !['Home', 'End'].includes(event.key)) return;
  event.preventDefault();
  to?.querySelector('button')?.focus();
});

function drawFigures() {
  const heads = ['line', ...FIGURES].map((name) => make('th', {scope: 'col', textContent: say(`lines.${name}`)}));
  $('figures').tHead.replaceChildren(make('tr', {}, ...heads));
  const rows = report.lines.map((line) => {
    const cells = FIGURES.map((name) => {
      const [said, level] = figure(name, line);
      return make('td', {textContent: said, ...(level && {'data-level': level})});
    });
    return make('tr', {}, make('th', {scope: 'row'}, make('bdi', {textContent: line.line})), ...cells);
  });
  $('figures').tBodies[0].replaceChildren(...rows);
}

// --- details ----------------------------------------------------------------------------------------

function drawDetail() {
  const line = report.lines.find((each) => each.line === shown.line);
  show($('detail'), Boolean(line));
  if (!line) return;
  const part = shown.hour === null ? line : line.hours.find((each) => Date.parse(each.at) === shown.hour);
  const level = part?.level || 'none';
  text($('detail-title'), shown.hour === null ? line.line : say('lines.at', {line: line.line, when: moment(shown.hour)}));
  text($('detail-level'), say(`lines.level.${level}`));
  $('detail-level').dataset.level = level;
  const body = [];
  if (shown.hour === null) body.push(standing(line.line));
  if (part?.reasons.length) body.push(make('ul', {class: 'reasons'}, ...part.reasons.map(reason)));
  if (part) body.push(facts(part));
  if (shown.hour === null && line.regions.length > 1) body.push(...regions(line));
  $('detail-body').replaceChildren(...body.filter(Boolean));
  drawProbe(line);
}

const reason = (each) => make('li', {textContent: reasonWords(each), 'data-level': each.weight >= 1 ? 'bad' : 'fair'});

function standing(name) {
  const now = stands.get(name);
  return now && make('p', {class: 'small soft', textContent: say(`lines.state.${now.state}`, {n: now.active})});
}

function facts(part) {
  const rows = FIGURES.filter((name) => part.figures[name] !== null && part.figures[name] !== 0 || name === 'calls');
  return make('dl', {class: 'facts'}, ...rows.flatMap((name) => [make('dt', {textContent: say(`lines.${name}`)}), make('dd', {textContent: figure(name, part)[0]})]));
}

function regions(line) {
  const rows = line.regions.flatMap(({region, level, reasons}) => [
    make('dt', {}, make('bdi', {textContent: region || say('lines.region.none')})),
    make('dd', {textContent: reasons[0] ? reasonWords(reasons[0]) : say(`lines.level.${level}`)}),
  ]);
  return [make('h3', {textContent: say('lines.regions')}), make('dl', {class: 'facts'}, ...rows)];
}

// --- probes -----------------------------------------------------------------------------------------

function drawProbe(line) {
  const now = stands.get(line.line);
  show($('probing'), shown.hour === null && Boolean(now?.probe_number));
  const last = line.newest;
  const told = !last ? say('lines.probe.none') : last.passed ? say('lines.probe.passed', {when: moment(last.at), mos: value('mos', last.mos), delay: value('delay_ms', last.delay_ms)})
    : say('lines.probe.failed', {when: moment(last.at), why: LEVELS.includes(last.fault) ? last.fault : say(`lines.fault.${last.fault.replaceAll(' ', '_').replaceAll("'", '')}`)});
  text($('probe-last'), told);
  if (probing?.line !== line.line) $('probe-steps').replaceChildren();
}

press($('probe'), async () => {
  const line = shown.line;
  const path = `/v1/lines/${encodeURIComponent(line)}/probes`;
  try {
    probing = await ask(path, {method: 'POST', body: '{}'});
    while (!probing.result) {
      steps(line);
      await new Promise((done) => setTimeout(done, LOOK_MS));
      probing = await ask(`${path}/${probing.id}`);
    }
    steps(line);
    await load();
  } catch (fault) {
    text($('probe-last'), fault instanceof Refused ? say('lines.probe.forbidden') : say('error.unknown', {detail: fault.message}));
  }
});

function steps(line) {
  if (shown.line === line) $('probe-steps').replaceChildren(...probing.steps.map((each) => make('li', {textContent: each.words, lang: 'en', dir: 'ltr'})));
}

// --- the beginning ----------------------------------------------------------------------------------

function legend() {
  $('legend').replaceChildren(...LEVELS.map((level) => make('li', {}, make('span', {class: 'box'}, make('i', {'data-level': level})), make('span', {textContent: say(`lines.level.${level}`)}))));
  choices($('hours'), SPANS.map((n) => [String(n), n > 48 ? say('lines.span.days', {n: n / 24}) : say('lines.span.hours', {n})]), $('hours').value || String(DIGITS.n));
}

$('signin-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  text($('signin-fault'), '');
  load();
});
$('hours').addEventListener('change', load);
press($('signout'), async () => {
  signOut();
  $('token').focus();
});
onLanguage(() => {
  document.title = `Isogloss: ${say('lines.title')}`;
  legend();
  render();
});
drawIcons(document);
languageChoices($('signin-language'), $('language'));
speak(preferred());
if (token) load();
else {
  show($('signin'), true);
  $('token').focus();
}
