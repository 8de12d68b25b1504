'use strict';

// The wall of cameras. Each tile plays one camera over WHEP and connects anew
// when nothing comes any more; what is known about the cameras comes from
// /api/events. Addresses are relative, so that the page works below any path.

const TOKEN_KEY = 'scrim-token';
const STALL_MS = 3000;        // without a new picture: say so and connect anew
const CONNECT_MS = 12000;     // from the offer to the first picture
const GATHER_MS = 400;        // wait for candidates; later ones are trickled
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 15000;

const sleep = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});

// Back-off with some jitter, so that a hundred tiles do not come back at once.
class Backoff {
  constructor() { this.reset(); }
  reset() { this.next = RETRY_FIRST_MS; }
  wait(atLeast = 0, signal = undefined) {
    const ms = Math.max(atLeast, this.next * (0.75 + Math.random() / 2));
    this.next = Math.min(this.next * 2, RETRY_MOST_MS);
    return sleep(ms, signal);
  }
}

// ---- token ---------------------------------------------------------------

const auth = {
  token: sessionStorage.getItem(TOKEN_KEY) ?? '',
  asking: null,

  // take moves a token from the address (?token= or #token=) into the session,
  // so that it does not stay in the history or get copied with a link.
  take() {
    const url = new URL(location.href);
    const given = url.searchParams.get('token') ?? new URLSearchParams(url.hash.slice(1)).get('token');
    if (given === null) return;
    this.keep(given);
    url.searchParams.delete('token');
    url.hash = '';
    history.replaceState(null, '', url);
  },

  keep(token) {
    this.token = token;
    sessionStorage.setItem(TOKEN_KEY, token);
  },

  headers(more = {}) {
    return this.token ? { Authorization: `Bearer ${this.token}`, ...more } : more;
  },

  // ask shows the dialog once, however many requests were refused. refused is
  // the token that did not do.
  ask(refused) {
    if (refused !== this.token) return Promise.resolve();
    this.asking ??= new Promise((resolve) => {
      const dialog = document.getElementById('login');
      const input = document.getElementById('token');
      if (refused) document.getElementById('login-text').textContent = 'That token was not accepted. Try another.';
      input.value = '';
      dialog.addEventListener('close', () => {
        if (input.value.trim()) this.keep(input.value.trim());
        this.asking = null;
        resolve();
      }, { once: true });
      dialog.showModal();
    });
    return this.asking;
  },
};

// request fetches, asking for a token as often as that is refused.
async function request(url, options = {}) {
  for (;;) {
    const token = auth.token;
    const res = await fetch(url, { ...options, cache: 'no-store', headers: auth.headers(options.headers) });
    if (res.status !== 401) return res;
    await auth.ask(token);
    options.signal?.throwIfAborted();
  }
}

// ---- WHEP ----------------------------------------------------------------

// iceServers reads Link headers: <turn:…>; rel="ice-server"; username="…"; …
function iceServers(link) {
  const servers = [];
  for (const [, urls, rest] of (link ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
    const parameters = {};
    for (const [, key, value] of rest.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)) {
      parameters[key] = value.replace(/\\(.)/g, '$1');
    }
    if (parameters.rel !== 'ice-server') continue;
    const server = { urls };
    if (parameters.username !== undefined) {
      server.username = parameters.username;
      server.credential = parameters.credential;
    }
    servers.push(server);
  }
  return servers;
}

// fragment is the body that trickles candidates (RFC 8840).
function fragment(sdp, candidates, end) {
  const line = (name) => (sdp.match(new RegExp(`^a=${name}:.*$`, 'm')) ?? [''])[0].trim();
  const lines = [line('ice-ufrag'), line('ice-pwd'), 'm=video 9 UDP/TLS/RTP/SAVPF 0', line('mid')];
  for (const c of candidates) lines.push(`a=${c}`);
  if (end) lines.push('a=end-of-candidates');
  return lines.filter(Boolean).join('\r\n') + '\r\n';
}

class Refused extends Error {
  constructor(message, status, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

// One WHEP session. start resolves when the answer is in place.
class Session {
  constructor(camera, video, signal) {
    this.url = new URL(`whep/${encodeURIComponent(camera)}`, document.baseURI);
    this.video = video;
    this.signal = signal;
    this.resource = null;
    this.etag = null;
    this.late = [];      // candidates found after the offer was sent
    this.ended = false;  // no more will be found
  }

  async start() {
    const options = await request(this.url, { method: 'OPTIONS', signal: this.signal });
    const pc = this.pc = new RTCPeerConnection({
      iceServers: iceServers(options.headers.get('Link')),
      bundlePolicy: 'max-bundle',
    });
    const { receiver } = pc.addTransceiver('video', { direction: 'recvonly' });
    this.receiver = receiver;
    // As little delay as the network allows: this is live.
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    else if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = 0;
    pc.addEventListener('track', ({ track }) => {
      this.video.srcObject = new MediaStream([track]);
      this.video.play().catch(() => {}); // muted video may always play
    });
    await this.offer();
  }

  async offer() {
    const { pc } = this;
    let sent = false;
    const gathered = new Promise((resolve) => {
      pc.addEventListener('icecandidate', ({ candidate }) => {
        if (!candidate) { this.ended = true; resolve(); } else if (sent && candidate.candidate) this.late.push(candidate.candidate);
        if (sent) this.trickle();
      });
    });
    await pc.setLocalDescription();
    await Promise.race([gathered, sleep(GATHER_MS, this.signal)]);
    sent = true;
    const sdp = pc.localDescription.sdp;
    const complete = this.ended;
    const res = await request(this.url, {
      method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: sdp, signal: this.signal,
    });
    const answer = await res.text();
    if (res.status !== 201) {
      throw new Refused(answer.trim() || `HTTP ${res.status}`, res.status, Number(res.headers.get('Retry-After')) || 0);
    }
    this.resource = new URL(res.headers.get('Location'), this.url);
    this.etag = res.headers.get('ETag');
    this.signal.throwIfAborted();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    if (!complete) this.trickle();
  }

  async trickle() {
    if (!this.resource || !this.etag || (!this.late.length && !this.ended)) return;
    const body = fragment(this.pc.localDescription.sdp, this.late.splice(0), this.ended);
    try {
      await request(this.resource, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': this.etag },
        body,
        signal: this.signal,
      });
    } catch {
      // The connection may come about all the same; if not, the next one will.
    }
  }

  // frames is how many pictures have been decoded. It also grows while the tab
  // is hidden, when nothing is drawn.
  async frames() {
    if (!this.receiver) return 0;
    for (const s of (await this.receiver.getStats()).values()) {
      if (s.type === 'inbound-rtp') return s.framesDecoded ?? 0;
    }
    return 0;
  }

  // over reports whether the connection is over. When the gateway ends a session
  // the browser hears so at once by DTLS, and only much later by ICE.
  get over() {
    return ['failed', 'closed'].includes(this.pc.connectionState) ||
      ['failed', 'closed'].includes(this.receiver.transport?.state);
  }

  close() {
    this.pc?.close();
    if (!this.resource) return;
    fetch(this.resource, { method: 'DELETE', headers: auth.headers(), keepalive: true }).catch(() => {});
    this.resource = null;
  }
}

// ---- tiles ---------------------------------------------------------------

class Tile {
  constructor(name) {
    this.name = name;
    const node = document.getElementById('tile').content.cloneNode(true);
    this.root = node.querySelector('.tile');
    this.video = this.find('video');
    this.video.dataset.camera = name;
    this.video.muted = true;
    this.video.setAttribute('aria-label', `Video of camera ${name}`);
    this.find('.name').textContent = name;
    this.button = this.find('.enlarge');
    this.button.addEventListener('click', () => this.enlarge(!this.root.classList.contains('large')));
    this.enlarge(false);
    this.status = {};
    this.stop = new AbortController();
    this.kick = new AbortController(); // ends a pause early
    this.say('Connecting…');
    this.play();
  }

  find(selector) { return this.root.querySelector(selector); }

  enlarge(on) {
    this.root.classList.toggle('large', on);
    this.button.setAttribute('aria-pressed', String(on));
    this.button.setAttribute('aria-label', on ? `Back to all cameras` : `Enlarge camera ${this.name}`);
  }

  // say lays a text over the video; '' takes it away.
  say(text) {
    const notice = this.find('.notice');
    if (text) notice.firstElementChild.textContent = text;
    notice.classList.toggle('shown', text !== '');
  }

  update(status) {
    const cameBack = !this.sends && ['live', 'obscured'].includes(status.state);
    this.status = status;
    this.root.dataset.state = status.state;
    const reason = status.state === 'live' || !status.reason ? '' : `: ${status.reason}`;
    setText(this.find('.state'), status.state + reason);
    const size = status.width && status.height ? `${status.width} × ${status.height}` : '';
    const rate = status.state === 'live' && status.fps ? `${Math.round(status.fps)} fps` : '';
    setText(this.find('.size'), [size, rate].filter(Boolean).join(' · '));
    // How late the picture is on purpose.
    const late = status.state === 'live' && status.lookahead && status.delay_ms;
    setText(this.find('.delay'), late ? `delayed ${(status.delay_ms / 1000).toFixed(1)} s` : '');
    this.find('.delay').hidden = !late;
    this.find('.cosmetic').hidden = !status.cosmetic;
    setText(this.find('.warning'), status.warning ?? '');
    this.find('.warning').hidden = !status.warning;
    // What is not looked at is said to whoever watches.
    const ignored = status.ignored ?? [];
    setText(this.find('.ignored'), ignored.length ? `No faces are looked for in: ${ignored.map((z) => z.replaceAll('_', ' ')).join('; ')}` : '');
    this.find('.ignored').hidden = !ignored.length;
    // A picture that stays when nothing follows it would look like one of now.
    if (!this.sends) this.say(this.silence);
    if (cameBack) this.kick.abort();
  }

  // sends reports whether the camera is said to send anything, be it a slate.
  get sends() { return ['live', 'obscured'].includes(this.status.state); }

  // silence says that nothing comes, and why if that is known.
  get silence() {
    const { state, reason } = this.status;
    if (state === 'starting') return 'starting';
    return state === 'failed' && reason ? `no picture: ${reason}` : 'no picture';
  }

  async play() {
    const backoff = new Backoff();
    const { signal } = this.stop;
    while (!signal.aborted) {
      const session = this.session = new Session(this.name, this.video, signal);
      let atLeast = 0;
      try {
        await session.start();
        await this.watch(session, backoff);
      } catch (e) {
        if (signal.aborted) break;
        atLeast = (e.retryAfter ?? 0) * 1000;
        this.say(e instanceof Refused ? e.message : 'No connection to the gateway');
      } finally {
        session.close();
      }
      this.kick = new AbortController();
      await backoff.wait(atLeast, AbortSignal.any([signal, this.kick.signal]));
    }
    this.video.srcObject = null;
  }

  // watch returns when the session is of no more use.
  async watch(session, backoff) {
    let frames = 0;
    let since = performance.now(); // the last picture
    let patience = since;          // the last time that none was to be expected
    let limit = CONNECT_MS;
    while (!this.stop.signal.aborted) {
      await sleep(500, this.stop.signal);
      const now = await session.frames();
      if (now > frames) {
        frames = now;
        since = performance.now();
        limit = STALL_MS;
        backoff.reset();
        // Of a camera that is said to send nothing it is a slate, or the past.
        this.say(this.sends ? '' : this.silence);
        continue;
      }
      if (session.over || performance.now() - since > STALL_MS) this.say(this.silence);
      if (session.over) return;
      // A camera that sends nothing is waited for; a connection is not.
      if (session.pc.connectionState === 'connected' && !this.sends) patience = performance.now();
      if (performance.now() - Math.max(since, patience) > limit) return;
    }
  }

  remove() {
    this.stop.abort();
    this.root.remove();
  }
}

// setText changes only what is different: screen readers announce changes.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const wall = {
  tiles: new Map(),
  node: document.getElementById('wall'),

  put(status) {
    let tile = this.tiles.get(status.name);
    if (!tile) {
      tile = new Tile(status.name);
      this.tiles.set(status.name, tile);
      const after = [...this.tiles.keys()].sort().find((n) => n > status.name);
      this.node.insertBefore(tile.root, after ? this.tiles.get(after).root : null);
    }
    tile.update(status);
    this.summarise();
  },

  drop(name) {
    this.tiles.get(name)?.remove();
    this.tiles.delete(name);
    this.summarise();
  },

  // event changes the state at once; the full status follows.
  event(e) {
    const tile = this.tiles.get(e.camera);
    if (tile) tile.update({ ...tile.status, state: e.state, reason: e.reason });
    this.summarise();
  },

  summarise(problem = '') {
    const all = [...this.tiles.values()];
    const live = all.filter((t) => t.status.state === 'live').length;
    document.getElementById('empty').hidden = all.length > 0 || problem !== '';
    setText(document.getElementById('summary'), problem || (all.length ? `${live} of ${all.length} live` : 'No cameras'));
  },
};

// ---- events --------------------------------------------------------------

// events yields server-sent events. EventSource cannot send a token.
async function* events(res) {
  const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split('\n\n');
    text = parts.pop();
    for (const part of parts) {
      const event = { type: 'message', data: '' };
      for (const line of part.split('\n')) {
        if (line.startsWith('event: ')) event.type = line.slice(7);
        else if (line.startsWith('data: ')) event.data += line.slice(6);
      }
      if (event.data) yield event;
    }
  }
}

async function follow() {
  const backoff = new Backoff();
  for (;;) {
    try {
      const list = await request(new URL('api/cameras', document.baseURI));
      if (!list.ok) throw new Error(`HTTP ${list.status}`);
      const cameras = await list.json();
      const names = new Set(cameras.map((c) => c.name));
      for (const name of [...wall.tiles.keys()]) if (!names.has(name)) wall.drop(name);
      cameras.forEach((c) => wall.put(c));
      wall.summarise();
      const res = await request(new URL('api/events', document.baseURI));
      if (!res.ok) throw new Error(`HTTP ${res.status}`);
      backoff.reset();
      for await (const { type, data } of events(res)) {
        const value = JSON.parse(data);
        if (type === 'camera') wall.put(value);
        else if (type === 'event') wall.event(value);
        else if (type === 'gone') wall.drop(value);
      }
    } catch {
      // Said below; the reason is in the browser's console.
    }
    wall.summarise('No connection to the gateway');
    await backoff.wait();
  }
}

document.addEventListener('keydown', (e) => {
  if (e.key !== 'Escape') return;
  for (const tile of wall.tiles.values()) tile.enlarge(false);
});

addEventListener('pagehide', () => {
  for (const tile of wall.tiles.values()) tile.session?.close();
});

auth.take();
follow();
