// @ts-check

/**
 * A WHEP client: it plays one live stream in a <video> element and connects again
 * whenever the pictures stop. It has no dependencies and works in any page:
 *
 *     import { WhepClient } from 'https://gateway.example.org/whep.js';
 *
 *     const client = new WhepClient({
 *       url: 'https://gateway.example.org/whep/hall',
 *       video: document.querySelector('video'),
 *       token: 'secret',
 *     });
 *     client.addEventListener('statechange', () => console.log(client.state, client.error));
 *     client.start();
 *
 * It follows draft-ietf-wish-whep-03; candidates are trickled as in RFC 8840.
 *
 * @module
 */

/**
 * - `idle`: not started yet
 * - `connecting`: a session is being opened, or its first picture is awaited
 * - `playing`: pictures arrive
 * - `stalled`: no picture for 3 seconds, or the session has ended
 * - `waiting`: the session is closed; the next one is opened after a pause
 * - `closed`: by `close()`; the client cannot be started again
 *
 * @typedef {'idle' | 'connecting' | 'playing' | 'stalled' | 'waiting' | 'closed'} WhepState
 */

/**
 * @typedef {object} Authorization
 * @property {string | (() => string)} [token] Sent as a bearer token; '' or nothing sends none.
 * @property {(refusedToken: string) => Promise<void>} [onUnauthorized]
 *   Called when the server answers 401. The request is repeated when the promise resolves.
 *   Without it, 401 is an error like any other.
 */

/**
 * @typedef {object} WhepTarget
 * @property {string | URL} url The WHEP endpoint, relative to the page or absolute.
 * @property {HTMLVideoElement} video Should be muted, otherwise browsers may refuse to play it.
 */

/** @typedef {WhepTarget & Authorization} WhepOptions */

/** Time without a new picture until the stream is `stalled` and a new session is opened. */
const STALL_MS = 3000;
/** Time from the answer to the first picture. */
const FIRST_PICTURE_MS = 12000;
/** Time to gather candidates for the offer. Candidates found later are trickled. */
const GATHER_MS = 400;
/** Time that the server has to answer a request. */
const REQUEST_MS = 10000;
/** Interval at which decoded pictures are counted. */
const POLL_MS = 500;
/** First and longest pause between two sessions. */
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 15000;

/** An answer of the server that refuses the session. */
export class WhepError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status
   * @param {number} retryAfterSeconds from Retry-After; 0 if the server did not send it
   */
  constructor(message, status, retryAfterSeconds) {
    super(message);
    this.name = 'WhepError';
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Events:
 * - `statechange`: `state` or `error` changed
 * - `picture`: new pictures were decoded; at most twice a second
 */
export class WhepClient extends EventTarget {
  /** @type {WhepOptions} */
  #options;
  /** @type {WhepState} */
  #state = 'idle';
  /** @type {Error | null} */
  #error = null;
  /** @type {Session | null} */
  #session = null;
  #videoExpected = true;
  #backoff = new Backoff();
  #closing = new AbortController();
  #retryPause = new AbortController();
  #closeSession = () => this.#session?.close();

  /** @param {WhepOptions} options */
  constructor(options) {
    super();
    this.#options = { ...options, url: new URL(options.url, document.baseURI) };
  }

  get state() { return this.#state; }

  /** Why the last session failed. null in other states than `waiting`, and when pictures just stopped. */
  get error() { return this.#error; }

  /** Connects, and stays connected until `close()`. */
  start() {
    if (this.#state !== 'idle') throw new Error(`WhepClient cannot be started: it is ${this.#state}`);
    addEventListener('pagehide', this.#closeSession);
    void this.#run();
  }

  /** Opens the next session now if the client is `waiting`. */
  retryNow() { this.#retryPause.abort(); }

  /**
   * Tells the client whether the source is known to send video. While it is not, a
   * connected session is kept open without pictures.
   * @param {boolean} expected
   */
  expectVideo(expected) { this.#videoExpected = expected; }

  /** Ends the session on the server, too. */
  close() {
    if (this.#state === 'closed') return;
    removeEventListener('pagehide', this.#closeSession);
    this.#closing.abort();
    this.#retryPause.abort();
    this.#closeSession();
    this.#options.video.srcObject = null;
    this.#setState('closed');
  }

  async #run() {
    while (!this.#closing.signal.aborted) {
      this.#setState('connecting');
      /** @type {Error | null} */
      let error = null;
      const session = this.#session = new Session(this.#options);
      try {
        await session.open();
        await this.#watch(session);
      } catch (e) {
        error = e instanceof Error ? e : new Error(String(e));
      } finally {
        session.close();
      }
      if (this.#closing.signal.aborted) return;
      this.#retryPause = new AbortController();
      this.#setState('waiting', error);
      const minimum = error instanceof WhepError ? error.retryAfterSeconds * 1000 : 0;
      await this.#backoff.pause(minimum, this.#retryPause.signal);
    }
  }

  /**
   * Returns when a new session is needed.
   * @param {Session} session
   */
  async #watch(session) {
    let decoded = 0;
    let lastPicture = performance.now();
    let lastNotExpected = lastPicture;
    let limit = FIRST_PICTURE_MS;
    for (;;) {
      await sleep(POLL_MS, this.#closing.signal);
      const count = await session.countDecodedPictures();
      if (this.#closing.signal.aborted) return;
      const now = performance.now();
      if (count > decoded) {
        decoded = count;
        lastPicture = now;
        limit = STALL_MS;
        this.#backoff.reset();
        this.#setState('playing');
        this.dispatchEvent(new Event('picture'));
        continue;
      }
      if (session.ended || now - lastPicture > STALL_MS) this.#setState('stalled');
      if (session.ended) return;
      if (session.connected && !this.#videoExpected) lastNotExpected = now;
      if (now - Math.max(lastPicture, lastNotExpected) > limit) return;
    }
  }

  /**
   * @param {WhepState} state
   * @param {Error | null} error
   */
  #setState(state, error = null) {
    if (this.#state === state && this.#error === error) return;
    this.#state = state;
    this.#error = error;
    this.dispatchEvent(new Event('statechange'));
  }
}

/** One WHEP session, from the offer to DELETE. */
class Session {
  /** @type {WhepOptions} */
  #options;
  /** @type {RTCPeerConnection | null} */
  #connection = null;
  /** @type {RTCRtpReceiver | null} */
  #receiver = null;
  /** @type {URL | null} */
  #resource = null;
  #etag = '';
  #closing = new AbortController();
  #gatheringDone = false;
  #trickling = false;
  /** @type {string[]} */
  #candidatesToTrickle = [];

  /** @param {WhepOptions} options */
  constructor(options) { this.#options = options; }

  /** Resolves when the server's answer is in place. */
  async open() {
    const options = await this.#request(this.#options.url, { method: 'OPTIONS' });
    const connection = this.#connection = new RTCPeerConnection({
      iceServers: parseIceServers(options.headers.get('Link')),
      bundlePolicy: 'max-bundle',
    });
    const { receiver } = connection.addTransceiver('video', { direction: 'recvonly' });
    this.#receiver = receiver;
    requestLowestDelay(receiver);
    connection.addEventListener('track', ({ track }) => {
      const { video } = this.#options;
      video.srcObject = new MediaStream([track]);
      video.play().catch(() => {}); // a new session replaces the stream before it plays
    });
    const offer = await this.#makeOffer(connection);
    const answer = await this.#sendOffer(offer);
    await connection.setRemoteDescription({ type: 'answer', sdp: answer });
    await this.#trickle();
  }

  /** How many pictures were decoded. It also grows in a hidden tab, where nothing is drawn. */
  async countDecodedPictures() {
    const stats = await this.#receiver?.getStats();
    for (const report of stats?.values() ?? []) {
      if (report.type === 'inbound-rtp') return Number(report.framesDecoded ?? 0);
    }
    return 0;
  }

  get connected() { return this.#connection?.connectionState === 'connected'; }

  /**
   * When the server ends a session, the state of the DTLS transport changes at once,
   * and that of the connection, which follows ICE, only much later.
   */
  get ended() {
    return [this.#connection?.connectionState, this.#receiver?.transport?.state]
      .some((state) => state === 'failed' || state === 'closed');
  }

  close() {
    this.#closing.abort();
    this.#connection?.close();
    if (!this.#resource) return;
    fetch(this.#resource, {
      method: 'DELETE',
      headers: authorizationHeader(currentToken(this.#options)),
      keepalive: true, // the page may be going away
      signal: AbortSignal.timeout(REQUEST_MS),
    }).catch(() => {}); // the server ends sessions that are silent
    this.#resource = null;
  }

  /** @param {RTCPeerConnection} connection */
  async #makeOffer(connection) {
    const gathered = new Promise((resolve) => {
      connection.addEventListener('icecandidate', ({ candidate }) => {
        if (!candidate) {
          this.#gatheringDone = true;
          resolve(null);
        } else if (this.#trickling && candidate.candidate) {
          this.#candidatesToTrickle.push(candidate.candidate);
        }
        void this.#trickle();
      });
    });
    await connection.setLocalDescription();
    await Promise.race([gathered, sleep(GATHER_MS, this.#closing.signal)]);
    this.#closing.signal.throwIfAborted();
    this.#trickling = !this.#gatheringDone;
    return this.#localDescription;
  }

  /** @param {string} offer */
  async #sendOffer(offer) {
    const response = await this.#request(this.#options.url, {
      method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: offer,
    });
    const location = response.headers.get('Location');
    // Set first: whatever fails from here on, the session is ended on the server.
    if (response.status === 201 && location) this.#resource = new URL(location, this.#options.url);
    const body = await withTimeout(REQUEST_MS, response.text());
    if (!this.#resource) {
      throw new WhepError(body.trim() || `HTTP ${response.status}`, response.status, Number(response.headers.get('Retry-After')) || 0);
    }
    this.#closing.signal.throwIfAborted();
    this.#etag = response.headers.get('ETag') ?? '';
    return body;
  }

  /** Sends the candidates that were not in the offer. */
  async #trickle() {
    if (!this.#trickling || !this.#resource || !this.#etag) return;
    if (!this.#candidatesToTrickle.length && !this.#gatheringDone) return;
    this.#trickling = !this.#gatheringDone;
    const body = candidateFragment(this.#localDescription, this.#candidatesToTrickle.splice(0), this.#gatheringDone);
    try {
      await this.#request(this.#resource, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': this.#etag },
        body,
      });
    } catch {
      // The other candidates may do. If not, no picture comes and a new session is opened.
    }
  }

  get #localDescription() { return this.#connection?.localDescription?.sdp ?? ''; }

  /**
   * @param {string | URL} url
   * @param {RequestOptions} init
   */
  #request(url, init) {
    return fetchAuthorized(this.#options, url, { ...init, signal: this.#closing.signal });
  }
}

/**
 * The stream is live: as little delay as the network allows.
 * @param {RTCRtpReceiver} receiver
 */
function requestLowestDelay(receiver) {
  const r = /** @type {{jitterBufferTarget?: number | null, playoutDelayHint?: number | null}} */ (receiver);
  if (r.jitterBufferTarget !== undefined) r.jitterBufferTarget = 0;
  else if (r.playoutDelayHint !== undefined) r.playoutDelayHint = 0; // older Chromium
}

/**
 * Reads the ICE servers of a WHEP answer:
 * `Link: <turn:…>; rel="ice-server"; username="…"; credential="…"`.
 * @param {string | null} link The header, or several joined by commas, as fetch gives them.
 * @returns {RTCIceServer[]}
 */
export function parseIceServers(link) {
  const servers = [];
  for (const [, urls, rest] of (link ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
    /** @type {Record<string, string>} */
    const parameters = {};
    for (const [, key, value] of rest.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)) {
      parameters[key] = value.replace(/\\(.)/g, '$1');
    }
    if (parameters.rel !== 'ice-server') continue;
    /** @type {RTCIceServer} */
    const server = { urls };
    if (parameters.username !== undefined) {
      server.username = parameters.username;
      server.credential = parameters.credential;
    }
    servers.push(server);
  }
  return servers;
}

/**
 * The SDP fragment that trickles candidates (RFC 8840, section 9).
 * @param {string} sdp The offer, which has the ICE credentials.
 * @param {string[]} candidates
 * @param {boolean} last No more candidates will follow.
 */
export function candidateFragment(sdp, candidates, last) {
  const line = (/** @type {string} */ name) => (sdp.match(new RegExp(`^a=${name}:.*$`, 'm')) ?? [''])[0].trim();
  const lines = [line('ice-ufrag'), line('ice-pwd'), 'm=video 9 UDP/TLS/RTP/SAVPF 0', line('mid')];
  for (const candidate of candidates) lines.push(`a=${candidate}`);
  if (last) lines.push('a=end-of-candidates');
  return lines.filter(Boolean).join('\r\n') + '\r\n';
}

/** Pauses that double, with jitter, so that a hundred clients do not come back at once. */
export class Backoff {
  #next = RETRY_FIRST_MS;

  reset() { this.#next = RETRY_FIRST_MS; }

  /**
   * @param {number} [minimum] milliseconds
   * @param {AbortSignal} [signal] Ends the pause early.
   */
  pause(minimum = 0, signal = undefined) {
    const ms = Math.max(minimum, this.#next * (0.75 + Math.random() / 2));
    this.#next = Math.min(this.#next * 2, RETRY_MAX_MS);
    return sleep(ms, signal);
  }
}

/**
 * Resolves after the time, or as soon as the signal is aborted.
 * @param {number} ms
 * @param {AbortSignal} [signal] May outlive many calls: nothing stays attached to it.
 * @returns {Promise<void>}
 */
export function sleep(ms, signal = undefined) {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/**
 * Rejects when the promise takes longer.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function withTimeout(ms, promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException(`timeout after ${ms} ms`, 'TimeoutError')), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @typedef {{method?: string, headers?: Record<string, string>, body?: string, signal?: AbortSignal}} RequestOptions */

/**
 * fetch with the token, again after each 401 that `onUnauthorized` deals with.
 * @param {Authorization} authorization
 * @param {string | URL} url
 * @param {RequestOptions} [init]
 */
export async function fetchAuthorized(authorization, url, init = {}) {
  for (;;) {
    const token = currentToken(authorization);
    const response = await fetchWithTimeout(url, { ...init, headers: { ...init.headers, ...authorizationHeader(token) } });
    if (response.status !== 401 || !authorization.onUnauthorized) return response;
    await authorization.onUnauthorized(token);
    init.signal?.throwIfAborted();
  }
}

/**
 * fetch that fails when the server does not answer. Time and signal bound the wait for
 * the headers, not the body.
 * @param {string | URL} url
 * @param {RequestOptions} init
 */
async function fetchWithTimeout(url, init) {
  const { signal } = init;
  signal?.throwIfAborted();
  const request = new AbortController();
  const forwardAbort = () => request.abort(signal?.reason);
  signal?.addEventListener('abort', forwardAbort);
  const timer = setTimeout(() => request.abort(new DOMException('the server does not answer', 'TimeoutError')), REQUEST_MS);
  try {
    return await fetch(url, { ...init, cache: 'no-store', signal: request.signal });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forwardAbort);
  }
}

/** @param {Authorization} authorization */
function currentToken({ token = '' }) {
  return typeof token === 'function' ? token() : token;
}

/**
 * @param {string} token
 * @returns {Record<string, string>}
 */
function authorizationHeader(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}
