// Getting back into a call whose way through the network is lost: by another way for the connection that there is (ICE
// restart), else by a connection of its own in the place of the former one. Calls by WHIP and by SIP do it alike.

const RESTART_MS = 6000; // that another way may take to be found
const AGAIN_MS = 1000;

export const RESUME_MS = 32000; // the node holds a call for 30 s

export class Recovery {
  /** restart, anew: the two ways, which throw where they fail. failed: told of that, says whether the connection that
   * there is may be of use yet. sound: the present one. over: whether the call has ended meanwhile.
   */
  constructor({restart, anew, failed, sound, over}) {
    Object.assign(this, {restart, anew, failed, sound, over});
    this.hurry = () => {}; // do not wait until the next try
  }

  /** Whether the call is back. same: begin with the connection that there is. */
  async run(same) {
    const until = Date.now() + RESUME_MS;
    while (!this.over()) {
      try {
        await (same ? this.restart() : this.anew());
        if (await this.sound().reached(RESTART_MS)) return !this.over();
        same = false;
      } catch (error) {
        same = this.failed(error, same) && same;
      }
      if (Date.now() > until) return false;
      if (!this.over()) await this.#pause();
    }
    return false;
  }

  #pause() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN_MS);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
