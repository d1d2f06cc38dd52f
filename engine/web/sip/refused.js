// What the node refused, and what that is called on the page.

export class Refused extends Error {
  constructor(status, reason) {
    super(`${status} ${reason}`);
    this.status = status;
  }
}

/** Why a call was not to be, in the page's words. */
export function causeOf(status) {
  const known = {403: 'forbidden', 404: 'unknown', 408: 'nobody', 480: 'away', 486: 'busy', 487: 'cancelled', 600: 'busy', 603: 'declined'};
  return known[status] || (status >= 500 ? 'overloaded' : 'refused');
}
