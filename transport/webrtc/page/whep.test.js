import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import test from 'node:test';

import { candidateFragment, fetchAuthorized, parseIceServers, sleep, withTimeout } from './whep.js';

test('ICE servers are read from Link headers', () => {
  // The header and what the gateway quotes: http.go, addLinks.
  const cases = [
    [null, []],
    ['', []],
    ['<stun:stun.example.org>; rel="ice-server"', [{ urls: 'stun:stun.example.org' }]],
    [
      '<stun:a.example.org>; rel="ice-server", <turn:b.example.org?transport=udp>; rel="ice-server"; username="me"; '
        + 'credential="a\\"b\\\\c"; credential-type="password"',
      [{ urls: 'stun:a.example.org' }, { urls: 'turn:b.example.org?transport=udp', username: 'me', credential: 'a"b\\c' }],
    ],
    ['<turn:a>;rel="ice-server";username="x, <y>; rel=\\"z\\"";credential="p"',
      [{ urls: 'turn:a', username: 'x, <y>; rel="z"', credential: 'p' }]],
    ['<https://example.org/events>; rel="urn:ietf:params:whep:ext:core:server-sent-events"', []],
    ['<https://example.org/next>; rel="next", <stun:c>; rel="ice-server"', [{ urls: 'stun:c' }]],
    ['<stun:d>', []],
    ['rubbish', []],
  ];
  for (const [header, servers] of cases) assert.deepEqual(parseIceServers(header), servers, header);
});

const OFFER = ['v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'a=mid:0', 'a=candidate:1 1 udp 1 10.0.0.1 1 typ host', ''].join('\r\n');

test('a fragment has the credentials, the section and the new candidates', () => {
  assert.equal(candidateFragment(OFFER, ['candidate:2 1 udp 2 10.0.0.2 2 typ host', 'candidate:3 1 udp 3 10.0.0.3 3 typ host'], false), [
    'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1', 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0',
    'a=candidate:2 1 udp 2 10.0.0.2 2 typ host', 'a=candidate:3 1 udp 3 10.0.0.3 3 typ host', '',
  ].join('\r\n'));
});

test('a fragment says that no more candidates follow', () => {
  assert.equal(candidateFragment(OFFER, [], true), [
    'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1', 'm=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', 'a=end-of-candidates', '',
  ].join('\r\n'));
});

test('a fragment of an offer without credentials has no empty lines', () => {
  assert.equal(candidateFragment('v=0\r\n', [], true), 'm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=end-of-candidates\r\n');
});

const abortListeners = (signal) => getEventListeners(signal, 'abort').length;

test('sleep leaves no listener on a signal that outlives it', async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 100; i++) await sleep(0, signal);
  assert.equal(abortListeners(signal), 0);
});

test('an abort ends a sleep', async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  assert.equal(abortListeners(controller.signal), 1);
  controller.abort();
  await withTimeout(5000, sleeping);
  assert.equal(abortListeners(controller.signal), 0);
});

test('sleep with a signal that is aborted already resolves at once', async () => {
  await withTimeout(5000, sleep(60_000, AbortSignal.abort()));
});

test('withTimeout gives the result, the error, or a TimeoutError', async () => {
  assert.equal(await withTimeout(60_000, Promise.resolve(7)), 7);
  await assert.rejects(withTimeout(60_000, Promise.reject(new Error('broken'))), /broken/);
  await assert.rejects(withTimeout(5, new Promise(() => {})), { name: 'TimeoutError' });
});

/** Runs a server for the time of a test; returns its address. */
async function serve(t, handler) {
  const server = createServer(handler);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}/`;
}

test('a request that is refused is repeated with another token', async (t) => {
  const seen = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(request.headers.authorization === 'Bearer right' ? 200 : 401).end('x');
  });
  let token = '';
  const refused = [];
  const authorization = {
    token: () => token,
    onUnauthorized: async (given) => { refused.push(given); token = given ? 'right' : 'wrong'; },
  };
  const { signal } = new AbortController();
  const response = await fetchAuthorized(authorization, url, { signal });
  assert.equal(response.status, 200);
  assert.deepEqual(seen, [undefined, 'Bearer wrong', 'Bearer right']);
  assert.deepEqual(refused, ['', 'wrong']);
  assert.equal(abortListeners(signal), 0);
});

test('without onUnauthorized a 401 is an answer like any other', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(401).end());
  assert.equal((await fetchAuthorized({ token: 'x' }, url)).status, 401);
});

test('an abort ends a request that is not answered', async (t) => {
  const controller = new AbortController();
  const url = await serve(t, () => controller.abort());
  await assert.rejects(withTimeout(5000, fetchAuthorized({}, url, { signal: controller.signal })), { name: 'AbortError' });
  assert.equal(abortListeners(controller.signal), 0);
});
