// The page around this one, where embed.js shows it within a company's: what the two say to each other.
//
// Who may be around, the node has said (frame-ancestors). What is no secret goes to whoever it is; what is kept of a call
// goes back to the origin alone that its token came from.

const WAIT_MS = {ticket: 10000, kept: 500};
const parent = window.parent === window ? null : window.parent;
let origin = ''; // of who answered

export const framed = parent !== null;

/** Tell how the page stands: idle, asking, denied, live, ended. */
export function tell(state) {
  parent?.postMessage({isogloss: 'state', state}, '*');
}

/** Have the page around keep what a call needs to be found again; null when it is over. */
export function keep(kept) {
  if (origin) parent?.postMessage({isogloss: 'keep', kept}, origin);
}

/** What it has kept, or null. */
export const kept = () => ask('kept', {isogloss: 'kept?'});

/** A token and what belongs to it, which the company has made; null where there is none. */
export const ticket = (destination, language) => ask('ticket', {isogloss: 'wanted', destination, language});

function ask(what, question) {
  if (!parent) return Promise.resolve(null);
  return new Promise((resolve) => {
    const done = (answer) => {
      clearTimeout(timer);
      window.removeEventListener('message', answered);
      resolve(answer);
    };
    const timer = setTimeout(() => done(null), WAIT_MS[what]);
    const answered = ({source, origin: from, data}) => {
      if (source !== parent || data?.isogloss !== what) return;
      origin = from;
      done(data[what] ?? null);
    };
    window.addEventListener('message', answered);
    parent.postMessage(question, '*');
  });
}
