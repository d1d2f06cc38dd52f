// What an agent writes about a call: during it, and in the time that she is given after it.

import {$, make, press, show, text} from './dom.js';
import {worded, called} from './agent_view.js';
import {clock, say} from './words.js';

export class WrapUp {
  constructor(desk) {
    this.desk = desk;
    this.call = '';
    this.kept = ''; // what the node has
    this.outcomes = [];
    press($('wrap-save'), () => this.save(false));
    press($('wrap-done'), () => this.save(true));
    $('outcomes').addEventListener('change', () => text($('wrap-said'), ''));
    $('wrap-notes').addEventListener('input', () => text($('wrap-said'), ''));
  }

  /** What may be chosen from; drawn anew when the language changes. */
  offer(outcomes) {
    this.outcomes = outcomes;
    const chosen = this.#written().outcome;
    $('outcomes').replaceChildren(...outcomes.map((each) => {
      const input = make('input', {type: 'radio', name: 'outcome', value: each, checked: each === chosen});
      return make('label', {class: 'chip'}, input, make('span', {textContent: worded('agent.outcome', each)}));
    }));
  }

  #written() {
    const outcome = document.querySelector('input[name="outcome"]:checked')?.value || '';
    return {outcome, notes: $('wrap-notes').value.trim()};
  }

  /** Show the form for a call. last: what the desk says of it in wrap-up, null while it goes on. */
  show(state, call, last, left) {
    const id = last?.call || call?.id || '';
    if (id !== this.call) {
      if (this.call) this.#keep();
      this.call = id;
      this.#empty();
    }
    show($('wrap'), Boolean(id));
    if (!id) return;
    const wrapping = state === 'wrap_up';
    show($('wrap-done'), wrapping);
    show($('wrap-left'), wrapping);
    text($('wrap-title'), say(wrapping ? 'agent.wrap' : 'agent.wrap.during'));
    const {who, name} = last || call;
    show($('wrap-with'), wrapping); // during the call it stands above
    text($('wrap-with'), say('agent.wrap.with', {who: called(name, who)}));
    if (wrapping) text($('wrap-left'), say('agent.wrap.left', {time: clock(left)}));
  }

  #empty() {
    this.kept = JSON.stringify({outcome: '', notes: ''});
    for (const each of document.querySelectorAll('input[name="outcome"]')) each.checked = false;
    $('wrap-notes').value = '';
    text($('wrap-said'), '');
  }

  /** The time is over, or another call is here: nothing that was written is lost. */
  #keep() {
    const written = this.#written();
    if (JSON.stringify(written) === this.kept) return;
    this.desk.ask('wrap_up', {call: this.call, ...written}).catch(() => {});
  }

  async save(over) {
    const written = this.#written();
    try {
      await this.desk.ask('wrap_up', {call: this.call, ...written, over});
      this.kept = JSON.stringify(written);
      text($('wrap-said'), say('agent.wrap.saved'));
    } catch (refused) {
      text($('wrap-said'), refused.code === 'away' ? say('error.away') : say('error.unknown', refused));
    }
  }
}
