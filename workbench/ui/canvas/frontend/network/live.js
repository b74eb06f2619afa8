/**
 * Live training: frames from the server, drawn at most once a screen refresh.
 *
 * The stream stops while the tab is hidden. When it fails twice in a row we say so once (`onLost`), and the page falls
 * back to refreshing by itself. A message is an event of a job; its `payload` is a frame when it has `edges`,
 * `{"step": 12, "edges": {id: {y, range, importance}}}`. The event named "end" closes the stream.
 */

const TRIES = 2;

export class LiveStream {
  constructor({ onFrame, onLost }) {
    this.onFrame = onFrame;
    this.onLost = onLost;
    this.onVisibility = () => (document.hidden ? this.#close() : this.#open());
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  /** Follow a stream, or none; following the same one again changes nothing. */
  follow(url) {
    if (url === this.url) return;
    this.#close();
    this.url = url;
    this.failures = 0;
    if (url && !document.hidden) this.#open();
  }

  get isOn() {
    return Boolean(this.source);
  }

  #open() {
    if (!this.url || this.source || this.ended === this.url) return;
    this.source = new EventSource(this.url);
    this.source.onmessage = (event) => this.#receive(event.data);
    this.source.addEventListener("end", () => { this.ended = this.url; this.#close(); });
    this.source.onerror = () => this.#fail();
  }

  #receive(text) {
    this.failures = 0;
    const { payload } = JSON.parse(text);
    if (!payload?.edges) return;
    this.latest = payload;
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.onFrame(this.latest);
    });
  }

  #fail() {
    this.failures += 1;
    if (this.failures < TRIES) return;
    const lost = this.url;
    this.#close();
    this.onLost(lost);
  }

  #close() {
    this.source?.close();
    this.source = null;
    if (this.request) cancelAnimationFrame(this.request);
    this.request = null;
  }

  stop() {
    this.#close();
    this.url = null;
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}
