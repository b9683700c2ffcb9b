import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const run = inCounty(county);

test('with an OTLP endpoint in the environment, statements are traced, without their values', async () => {
  const received: Buffer[] = [];
  const collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const address = collector.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const ended = await run(['match', '--name', '王小强', '--id-number', '620802199711110883', '--json'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  collector.close();
  expect(ended.stderr).toBe('');
  const traces = Buffer.concat(received).toString('utf8');
  expect(traces).toContain('popshare');
  expect(traces).toContain('FROM identity.link');
  expect(traces).not.toContain('王小强');
  expect(traces).not.toContain('620802199711110883');
});
