// @ts-check

/**
 * The wall of cameras: one tile for each, which plays it by WHEP. What is known about
 * the cameras comes from /api/cameras and /api/events. Addresses are relative, so that
 * the page works below any path.
 *
 * @module
 */

import { readEvents } from './events.js';
import { Backoff, fetchAuthorized, WhepClient, WhepError, withTimeout } from './whep.js';

/**
 * What the page uses of a camera's status; transport.Status in the gateway.
 *
 * @typedef {object} CameraStatus
 * @property {string} name
 * @property {string} state live, blind, obscured, starting, offline or failed
 * @property {string} [reason]
 * @property {string} [covered_by] faces, people, motion or slate, while live or blind
 * @property {Record<string, number>} [blind_last_day] Seconds by reason
 * @property {{size: number, need: number}} [sight] Heights of faces in pixels; size 0: unknown
 * @property {string} [warning]
 * @property {boolean} [cosmetic]
 * @property {number} [lookahead]
 * @property {number} [delay_ms]
 * @property {string[]} [ignored]
 * @property {number} width
 * @property {number} height
 * @property {number} fps Redacted pictures a second
 * @property {number} [expected_fps] Pictures a second that the camera sends
 */

/** @typedef {{camera: string, state: string, reason?: string, covered_by?: string}} CameraEvent */

/** The gateway writes to the event stream every second. */
const EVENTS_IDLE_MS = 5000;
const TOKEN_KEY = 'scrim-token';
const NO_GATEWAY = 'No connection to the gateway';
const NO_PICTURE = 'no picture';
/** States that the summary counts next to live ones. */
const TROUBLES = ['blind', 'obscured', 'offline', 'failed'];
/** A rate below this share of the expected one is shown as too low. */
const FULL_RATE = 0.8;
/**
 * What hides people while a camera is blind.
 * @type {Record<string, string>}
 */
const COVERS = {
  motion: 'covered by motion',
  slate: 'slate',
  faces: 'only found faces are covered',
  people: 'only found people are covered',
};

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
function find(root, selector, type) {
  const node = root.querySelector(selector);
  if (!(node instanceof type)) throw new Error(`the page has no ${type.name} "${selector}"`);
  return node;
}

/**
 * Changes only what is different: screen readers announce changes.
 * @param {HTMLElement} node
 * @param {string} text
 */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The access token of this tab, and the dialog that asks for it. */
class AccessToken {
  #value = sessionStorage.getItem(TOKEN_KEY) ?? '';
  /** @type {Promise<void> | null} */
  #prompt = null;

  get value() { return this.#value; }

  /**
   * Moves a token from the address (?token= or #token=) into the session, so that it
   * does not stay in the history or get copied with a link.
   */
  moveFromAddress() {
    const url = new URL(location.href);
    const token = url.searchParams.get('token') ?? new URLSearchParams(url.hash.slice(1)).get('token');
    if (token === null) return;
    this.#store(token);
    url.searchParams.delete('token');
    url.hash = '';
    history.replaceState(null, '', url);
  }

  /**
   * Resolves when there is another token than the one that was refused. The dialog is
   * shown once, however many requests were refused.
   * @param {string} refused
   */
  replace(refused) {
    if (refused !== this.#value) return Promise.resolve();
    this.#prompt ??= this.#askUser(refused).finally(() => { this.#prompt = null; });
    return this.#prompt;
  }

  /**
   * @param {string} refused
   * @returns {Promise<void>}
   */
  #askUser(refused) {
    const dialog = find(document, '#login', HTMLDialogElement);
    const input = find(dialog, '#token', HTMLInputElement);
    if (refused) setText(find(dialog, '#login-text', HTMLElement), 'That token was not accepted. Try another.');
    input.value = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        const token = input.value.trim();
        if (token) this.#store(token);
        resolve();
      }, { once: true });
    });
  }

  /** @param {string} token */
  #store(token) {
    this.#value = token;
    sessionStorage.setItem(TOKEN_KEY, token);
  }
}

const accessToken = new AccessToken();

/** @type {import('./whep.js').Authorization} */
const authorization = {
  token: () => accessToken.value,
  onUnauthorized: (refused) => accessToken.replace(refused),
};

/**
 * Whether pictures or slates are expected from a camera.
 * @param {Pick<CameraStatus, 'state'>} status
 */
function sendsVideo({ state }) {
  return state === 'live' || state === 'blind' || state === 'obscured';
}

/**
 * The rate of pictures, and the expected one if that is missed.
 * @param {CameraStatus} status
 * @returns {{text: string, low: boolean}}
 */
function pictureRate({ state, covered_by: coveredBy, fps, expected_fps: expected = 0 }) {
  if (!sendsVideo({ state }) || state === 'blind' && coveredBy === 'slate') return { text: '', low: false };
  const low = Math.round(fps) < FULL_RATE * Math.round(expected);
  if (low) return { text: `${Math.round(fps)} of ${Math.round(expected)} pictures/s`, low };
  return { text: state !== 'obscured' && fps ? `${Math.round(fps)} pictures/s` : '', low };
}

/**
 * The state in words, with its reason and, of a blind camera, what hides people.
 * @param {CameraStatus} status
 */
function stateText({ state, reason, covered_by: coveredBy = '' }) {
  if (state === 'live') return state;
  const text = reason ? `${state}: ${reason}` : state;
  const cover = state === 'blind' && COVERS[coveredBy];
  return cover ? `${text} · ${cover}` : text;
}

/**
 * From which size on faces are found, and must be.
 * @param {CameraStatus} status
 */
function sightText({ sight }) {
  if (!sight || !sight.need) return '';
  const size = sight.size ? `${Math.round(sight.size)} px` : 'unknown';
  return `sight ${size} · need ${Math.round(sight.need)} px`;
}

/**
 * For how long the camera could not be proved to see in the last day.
 * @param {CameraStatus} status
 */
function blindDayText({ blind_last_day: byReason = {} }) {
  const seconds = Object.values(byReason).reduce((sum, s) => sum + s, 0);
  if (!seconds) return '';
  const minutes = Math.ceil(seconds / 60);
  return `blind ${minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`} in 24 h`;
}

/** One camera on the wall. */
class Tile {
  /** @type {CameraStatus} */
  #status;
  #statusKnown = true;
  /** Laid over the video; '' while pictures arrive. */
  #problem = 'Connecting…';
  #client;
  #button;

  /** @param {CameraStatus} status */
  constructor(status) {
    this.#status = status;
    const template = find(document, '#tile', HTMLTemplateElement);
    const node = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.root = find(node, '.tile', HTMLElement);
    const video = find(this.root, 'video', HTMLVideoElement);
    video.dataset.camera = status.name;
    video.muted = true;
    video.setAttribute('aria-label', `Video of camera ${status.name}`);
    setText(this.#part('.name'), status.name);
    this.#button = find(this.root, '.enlarge', HTMLButtonElement);
    this.#button.addEventListener('click', () => this.setEnlarged(!this.root.classList.contains('large')));
    this.setEnlarged(false);
    this.#client = new WhepClient({ url: `whep/${encodeURIComponent(status.name)}`, video, ...authorization });
    this.#client.addEventListener('statechange', () => this.#clientChanged());
    this.#client.addEventListener('picture', () => this.#pictureCame());
    this.setStatus(status);
    this.#client.start();
  }

  get state() { return this.#statusKnown ? this.#status.state : 'unknown'; }

  /** @param {boolean} enlarged */
  setEnlarged(enlarged) {
    this.root.classList.toggle('large', enlarged);
    this.#button.setAttribute('aria-pressed', String(enlarged));
    this.#button.setAttribute('aria-label', enlarged ? 'Back to all cameras' : `Enlarge camera ${this.#status.name}`);
  }

  /** @param {CameraStatus} status */
  setStatus(status) {
    const cameBack = !sendsVideo(this.#status) && sendsVideo(status);
    this.#status = status;
    this.#statusKnown = true;
    this.#client.expectVideo(sendsVideo(status));
    // A picture that stays when nothing follows it would look like one of now.
    if (!sendsVideo(status)) this.#problem = NO_PICTURE;
    this.#showStatus();
    if (cameBack) this.#client.retryNow(); // the notice stays until a picture comes
    else this.#showNotice();
  }

  /**
   * The full status follows.
   * @param {CameraEvent} event
   */
  setState({ state, reason, covered_by: coveredBy }) {
    this.setStatus({ ...this.#status, state, reason, covered_by: coveredBy });
  }

  /** The last status may not be true any more. */
  forgetStatus() {
    this.#statusKnown = false;
    this.#showStatus();
    this.#showNotice();
  }

  remove() {
    this.#client.close();
    this.root.remove();
  }

  #clientChanged() {
    const { state, error } = this.#client;
    if (state === 'stalled') this.#problem = NO_PICTURE;
    else if (state === 'waiting' && error) this.#problem = error instanceof WhepError ? error.message : NO_GATEWAY;
    this.#showNotice();
  }

  #pictureCame() {
    // Of a camera that sends no video it is a slate, or the past.
    this.#problem = sendsVideo(this.#status) ? '' : NO_PICTURE;
    this.#showNotice();
  }

  #showNotice() {
    const notice = this.#part('.notice');
    const text = this.#problem === NO_PICTURE ? this.#noPictureText() : this.#problem;
    if (text) setText(find(notice, 'span', HTMLElement), text); // it stays while the notice fades
    notice.classList.toggle('shown', text !== '');
  }

  #noPictureText() {
    if (!this.#statusKnown) return 'no connection';
    const { state, reason } = this.#status;
    if (state === 'starting') return 'starting';
    const text = state === 'offline' ? state : NO_PICTURE;
    return !sendsVideo({ state }) && reason ? `${text}: ${reason}` : text;
  }

  #showStatus() {
    const { width, height, lookahead, delay_ms: delay, cosmetic, warning, ignored = [] } = this.#status;
    this.root.dataset.state = this.state;
    setText(this.#part('.state'), this.#statusKnown ? stateText(this.#status) : 'no connection');
    setText(this.#part('.size'), width && height ? `${width} × ${height}` : '');
    const rate = this.#statusKnown ? pictureRate(this.#status) : { text: '', low: false };
    this.#showOptional('.rate', rate.text);
    this.#part('.rate').classList.toggle('low', rate.low);
    // The delay that look-ahead adds on purpose.
    this.#showOptional('.delay', this.state === 'live' && lookahead && delay ? `delayed ${(delay / 1000).toFixed(1)} s` : '');
    this.#showOptional('.sight', sightText(this.#status));
    this.#showOptional('.blind-day', blindDayText(this.#status));
    this.#part('.cosmetic').hidden = !cosmetic;
    this.#showOptional('.warning', warning ?? '');
    const zones = ignored.map((zone) => zone.replaceAll('_', ' ')).join('; ');
    this.#showOptional('.ignored', zones && `Not searched for faces: ${zones}`);
  }

  /**
   * @param {string} selector
   * @param {string} text '' hides the part
   */
  #showOptional(selector, text) {
    setText(this.#part(selector), text);
    this.#part(selector).hidden = !text;
  }

  /** @param {string} selector */
  #part(selector) { return find(this.root, selector, HTMLElement); }
}

/** All tiles, in the order of their names, and the line that sums them up. */
class Wall {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #node = find(document, '#wall', HTMLElement);
  #summary = find(document, '#summary', HTMLElement);
  #empty = find(document, '#empty', HTMLElement);
  #connected = true;

  /**
   * Shows these cameras and no others.
   * @param {CameraStatus[]} cameras
   */
  replace(cameras) {
    this.#connected = true;
    const names = new Set(cameras.map(({ name }) => name));
    for (const name of [...this.#tiles.keys()]) if (!names.has(name)) this.remove(name);
    cameras.forEach((camera) => this.set(camera));
    this.#summarise();
  }

  /** @param {CameraStatus} status */
  set(status) {
    const tile = this.#tiles.get(status.name);
    if (tile) tile.setStatus(status);
    else this.#add(status);
    this.#summarise();
  }

  /** @param {CameraEvent} event */
  setState(event) {
    this.#tiles.get(event.camera)?.setState(event);
    this.#summarise();
  }

  /** @param {string} name */
  remove(name) {
    this.#tiles.get(name)?.remove();
    this.#tiles.delete(name);
    this.#summarise();
  }

  /** The gateway cannot be reached: what is known about the cameras may not be true. */
  disconnected() {
    this.#connected = false;
    for (const tile of this.#tiles.values()) tile.forgetStatus();
    this.#summarise();
  }

  showAll() {
    for (const tile of this.#tiles.values()) tile.setEnlarged(false);
  }

  /** @param {CameraStatus} status */
  #add(status) {
    const tile = new Tile(status);
    const next = [...this.#tiles.keys()].sort().find((name) => name > status.name);
    this.#tiles.set(status.name, tile);
    this.#node.insertBefore(tile.root, (next && this.#tiles.get(next)?.root) || null);
  }

  #summarise() {
    const tiles = [...this.#tiles.values()];
    this.#empty.hidden = tiles.length > 0 || !this.#connected;
    /** @param {string} state */
    const count = (state) => tiles.filter((tile) => tile.state === state).length;
    const others = TROUBLES.filter(count).map((state) => ` · ${count(state)} ${state}`).join('');
    if (!this.#connected) setText(this.#summary, NO_GATEWAY);
    else setText(this.#summary, tiles.length ? `${count('live')} of ${tiles.length} live${others}` : 'No cameras');
  }
}

/**
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function get(path) {
  const response = await fetchAuthorized(authorization, new URL(path, document.baseURI));
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response;
}

/**
 * Keeps the wall up to date until the stream of events ends or stays silent.
 * @param {Wall} wall
 * @param {() => void} onConnected
 */
async function followGateway(wall, onConnected) {
  const cameras = await get('api/cameras');
  wall.replace(await withTimeout(EVENTS_IDLE_MS, cameras.json()));
  const { body } = await get('api/events');
  if (!body) return;
  onConnected();
  for await (const { type, data } of readEvents(body, EVENTS_IDLE_MS)) {
    const value = JSON.parse(data);
    if (type === 'camera') wall.set(value);
    else if (type === 'event') wall.setState(value);
    else if (type === 'gone') wall.remove(value);
  }
}

async function main() {
  const wall = new Wall();
  document.addEventListener('keydown', ({ key }) => { if (key === 'Escape') wall.showAll(); });
  accessToken.moveFromAddress();
  const backoff = new Backoff();
  for (;;) {
    try {
      await followGateway(wall, () => backoff.reset());
    } catch (error) {
      console.warn(NO_GATEWAY, error);
    }
    wall.disconnected();
    await backoff.pause();
  }
}

void main();
