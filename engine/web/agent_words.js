// What is said in the agent's calls, on her page: captions, the interpreter beside them, and the help that comes of it.

import {called} from './agent_view.js';
import {caption, captionsOf, follow} from './captions.js';
import {$, show} from './dom.js';
import {found, help, helpOf, pointedAt} from './help.js';
import {Interpreter} from './interpreter.js';

export class Words {
  /** attempt: does something and says so where it cannot be done, null then. calls: those of the desk. call: gives the
   * desk's call in focus, or null.
   */
  constructor(desk, attempt, calls, call) {
    Object.assign(this, {desk, attempt, call});
    this.interpreter = new Interpreter((type, fields) => attempt(() => desk.ask(type, fields)));
    follow($('captions'));
    desk.addEventListener('caption', ({detail: {caption: told}}) => {
      const of = calls().find(({id}) => id === told.call);
      const [mine, other] = of?.outgoing ? ['customer', called(of.name, of.who)] : ['agent', ''];
      caption($('captions'), told, mine, other);
      show($('captions-card'), true);
    });
    desk.addEventListener('help', ({detail}) => help($('helps'), detail.help));
    desk.addEventListener('found', ({detail}) => found($('found'), detail));
    $('lookup-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#lookUp($('lookup').value.trim());
    });
    $('captions').addEventListener('click', (event) => this.#lookUp(event.target.closest('.mark') ? '' : pointedAt(event)));
  }

  #lookUp(words) {
    if (!words) return;
    $('lookup').value = words;
    this.attempt(() => this.desk.ask('look_up', {words, call: this.call()?.id || ''}));
  }

  /** active: whether the page shows a call; call: the desk's, where that is known. */
  show(active, call, {calls, last}) {
    const focus = active && call ? call : null;
    const some = captionsOf($('captions'), focus?.id || '', [...calls.map(({id}) => id), last?.call]);
    show($('captions-card'), some === null ? active : some || Boolean(focus?.speech || focus?.person));
    helpOf($('helps'), calls.map(({id}) => id));
    this.interpreter.show(focus);
  }
}
