// @ts-check

/**
 * The events of /api/events, read by fetch, because EventSource cannot send a
 * token and does not notice a connection that is dead.
 *
 * @module
 */

import { withTimeout } from './whep.js';

/**
 * @typedef {object} ServerEvent
 * @property {string} type
 * @property {string} data
 */

/**
 * Yields the events of a response until the stream ends. Throws a TimeoutError when no
 * byte came for `idleMs`.
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} idleMs
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 */
export async function* readEvents(body, idleMs) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await withTimeout(idleMs, reader.read());
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {}); // closes the connection
  }
}

/** Parses text/event-stream (WHATWG HTML, section 9.2.6), without `id` and `retry`. */
export class EventStreamParser {
  #line = '';
  #type = '';
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text The next piece of the stream, of any length.
   * @returns {ServerEvent[]} The events that it completes.
   */
  push(text) {
    // A CR at the end may be half of CRLF: it stays until more comes.
    const lines = (this.#line + text).split(/\r\n|\n|\r(?!$)/);
    this.#line = lines.pop() ?? '';
    return lines.flatMap((line) => this.#pushLine(line));
  }

  /**
   * @param {string} line
   * @returns {ServerEvent[]}
   */
  #pushLine(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    return []; // lines that begin with a colon are comments
  }

  /** @returns {ServerEvent[]} */
  #dispatch() {
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const complete = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return complete ? [event] : [];
  }
}
