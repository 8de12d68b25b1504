import assert from 'node:assert/strict';
import test from 'node:test';

import { EventStreamParser, readEvents } from './events.js';
import { withTimeout } from './whep.js';

const camera = { type: 'camera', data: '{"name":"gate"}' };
const gone = { type: 'gone', data: '"yard"' };

test('an event stream is parsed as the standard says', () => {
  const cases = {
    'events of the gateway': [': scrim\n\nevent: camera\ndata: {"name":"gate"}\n\nevent: gone\ndata: "yard"\n\n', [camera, gone]],
    'heartbeats are no events': [': \n\n: \n\n:\n\n', []],
    'an event without a type is a message': ['data: x\n\n', [{ type: 'message', data: 'x' }]],
    'one space after the colon is left out': ['data:x\n\ndata:  y\n\n', [{ type: 'message', data: 'x' }, { type: 'message', data: ' y' }]],
    'lines of data are joined': ['data: a\ndata: b\ndata\n\n', [{ type: 'message', data: 'a\nb\n' }]],
    'without data there is no event': ['event: camera\n\n\n\n', []],
    'a type does not stay': ['event: camera\n\ndata: x\n\n', [{ type: 'message', data: 'x' }]],
    'colons in data are data': ['data: a: b\n\n', [{ type: 'message', data: 'a: b' }]],
    'other fields are ignored': ['id: 1\nretry: 5\nfoo: bar\ndata: x\n\n', [{ type: 'message', data: 'x' }]],
    'CRLF ends lines': ['event: gone\r\ndata: "yard"\r\n\r\n', [gone]],
    'CR ends lines': ['event: gone\rdata: "yard"\r\r\n', [gone]],
    'what is not complete is no event': ['data: x\n', []],
  };
  for (const [claim, [text, events]] of Object.entries(cases)) {
    assert.deepEqual(new EventStreamParser().push(text), events, claim);
    // It does not matter where the network cuts the text.
    const parser = new EventStreamParser();
    assert.deepEqual([...text].flatMap((character) => parser.push(character)), events, `${claim}, one character at a time`);
  }
});

/** A stream whose pieces the test sends. */
function controlledStream() {
  const stream = { cancelled: false };
  stream.body = new ReadableStream({
    start(controller) { stream.controller = controller; },
    cancel() { stream.cancelled = true; },
  });
  stream.send = (text) => stream.controller.enqueue(new TextEncoder().encode(text));
  return stream;
}

test('events are read until the stream ends, also with letters that are cut in two', async () => {
  const { body, controller } = controlledStream();
  const bytes = new TextEncoder().encode('data: Tür 門\n\n');
  for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
  controller.close();
  const events = [];
  for await (const event of readEvents(body, 5000)) events.push(event);
  assert.deepEqual(events, [{ type: 'message', data: 'Tür 門' }]);
});

test('a stream that is idle is given up and its connection closed', async () => {
  const stream = controlledStream();
  stream.send('data: x\n\n');
  const events = readEvents(stream.body, 20);
  assert.deepEqual((await events.next()).value, { type: 'message', data: 'x' });
  await assert.rejects(events.next(), { name: 'TimeoutError' });
  assert.equal(stream.cancelled, true);
});

test('heartbeats keep a stream open', async () => {
  const stream = controlledStream();
  const heartbeats = setInterval(() => stream.send(': \n\n'), 20);
  setTimeout(() => { clearInterval(heartbeats); stream.send('data: late\n\n'); }, 800);
  const { value } = await withTimeout(10_000, readEvents(stream.body, 400).next());
  assert.deepEqual(value, { type: 'message', data: 'late' });
});

test('a reader that stops closes the connection', async () => {
  const stream = controlledStream();
  stream.send('data: x\n\n');
  for await (const event of readEvents(stream.body, 5000)) {
    assert.equal(event.data, 'x');
    break;
  }
  assert.equal(stream.cancelled, true);
});
