// A reporter of `node --test` that writes results as package testsummary reads them, one
// JSON object a line.
export default async function* (events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue; // its tests are counted
    const result = { Action: type.slice('test:'.length), Package: 'transport/webrtc/page', Test: data.name };
    if (data.skip !== undefined) Object.assign(result, { Action: 'skip', Reason: String(data.skip || 'no reason given') });
    yield JSON.stringify(result) + '\n';
  }
}
