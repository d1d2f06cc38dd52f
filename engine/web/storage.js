// What a page keeps in its browser. Where that is refused, as some browsers do to pages within others', nothing is kept,
// and nothing else is different.

class Shelf {
  /** area: localStorage, or sessionStorage for what is this tab's own. */
  constructor(area) {
    this.area = area;
  }

  /** What is kept under a key, or null. */
  get(key) {
    return this.#try((storage) => JSON.parse(storage.getItem(key)));
  }

  set(key, value) {
    this.#try((storage) => storage.setItem(key, JSON.stringify(value)));
  }

  remove(key) {
    this.#try((storage) => storage.removeItem(key));
  }

  #try(act) {
    try {
      return act(window[this.area]);
    } catch {
      return null; // refused, full, or written by another version
    }
  }
}

export const tab = new Shelf('sessionStorage');
export const browser = new Shelf('localStorage');
