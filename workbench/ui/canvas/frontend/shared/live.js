/**
 * What running jobs say, as they say it: frames of a fit, drawn at most once a screen refresh, and news for Python.
 *
 * A stream carries the events of one job; its address may end in `?after=N`, the number of the last event Python has
 * seen. An event whose `payload` has `edges`, or `functions`, is a frame. Any other payload, and the event named "end", is news: the
 * page must look again. Streams stop while the tab is hidden. When one fails twice in a row we say so once (`onLost`),
 * and the page falls back to looking by itself.
 */

const TRIES = 2;

class Stream {
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.failures = 0;
    this.open();
  }

  open() {
    if (this.source || this.over || document.hidden) return;
    this.source = new EventSource(this.seen ? `${this.url.split("?")[0]}?after=${this.seen}` : this.url); // what was seen is not told again
    this.source.onmessage = (event) => this.#receive(event);
    this.source.addEventListener("end", () => { this.over = true; this.close(); this.on.news(this.url); });
    this.source.onerror = () => this.#fail();
  }

  #receive(event) {
    this.failures = 0;
    this.seen = event.lastEventId;
    const told = JSON.parse(event.data);
    this.on.event(this.url, told);
    if (told.payload?.edges ?? told.payload?.functions) this.on.frame(told.payload);
    else if (told.payload) this.on.news(this.url);
  }

  #fail() {
    this.failures += 1;
    if (this.failures < TRIES) return;
    this.over = true;
    this.close();
    this.on.lost(this.url);
  }

  close() {
    this.source?.close();
    this.source = null;
  }
}

export class LiveStreams {
  /** `on` offers onEvent(url, event), onFrame(frame), onNews(url), onLost(url). */
  constructor({ onEvent, onFrame, onNews, onLost }) {
    this.streams = new Map(); // address without its query -> Stream
    this.onFrame = onFrame;
    this.on = { event: onEvent, frame: (frame) => this.#draw(frame), news: onNews, lost: onLost };
    this.onVisibility = () => this.streams.forEach((stream) => (document.hidden ? stream.close() : stream.open()));
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  /** Follow these streams and no others; one that is followed already goes on. */
  follow(urls) {
    const wanted = new Map(urls.map((url) => [url.split("?")[0], url]));
    for (const [name, stream] of this.streams) {
      if (wanted.has(name)) continue;
      stream.close();
      this.streams.delete(name);
    }
    for (const [name, url] of wanted) {
      if (!this.streams.has(name)) this.streams.set(name, new Stream(url, this.on));
    }
  }

  #draw(frame) {
    this.latest = frame;
    this.request ??= requestAnimationFrame(() => {
      this.request = null;
      this.onFrame(this.latest);
    });
  }

  stop() {
    this.follow([]);
    if (this.request) cancelAnimationFrame(this.request);
    document.removeEventListener("visibilitychange", this.onVisibility);
  }
}
