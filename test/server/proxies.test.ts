import { expect, test } from 'vitest';
import { readEnvironment } from '../../src/schema/configuration/environment.ts';
import { useApi } from './api.ts';
import { useBrowser } from './browser.ts';

const api = useApi({ empty: true, environment: { POPSHARE_PROXY: 'loopback, 172.16.0.0/12' } });

/** The address that the log has of a failed sign-in that came in from another one. */
async function addressOf(from: string, forwarded: string): Promise<unknown> {
  const browser = useBrowser(api, from);
  await browser.post('/api/session', { name: 'nobody', password: 'wrong' }, { 'x-forwarded-for': forwarded });
  const [entry] = await api.query<{ address: string }>(
    `SELECT detail ->> 'address' AS address FROM audit.entry ORDER BY entry_id DESC LIMIT 1`,
  );
  return entry?.address;
}

test('a proxy is believed on whose behalf it asks, anybody else is not', async () => {
  expect(await addressOf('127.0.0.1', '203.0.113.7')).toBe('203.0.113.7');
  expect(await addressOf('172.18.0.1', '203.0.113.8')).toBe('203.0.113.8');
  expect(await addressOf('10.1.2.3', '203.0.113.9')).toBe('10.1.2.3');
  // What a client says of itself before the proxy does counts for nothing.
  expect(await addressOf('172.18.0.1', '198.51.100.1, 203.0.113.8')).toBe('203.0.113.8');
});

test('what is no network is refused; unless set, this machine alone is believed', () => {
  expect(readEnvironment({}).proxy).toEqual(['loopback']);
  expect(readEnvironment({ POPSHARE_PROXY: 'uniquelocal,10.0.0.1,fd00::/8' }).proxy).toHaveLength(3);
  for (const wrong of ['everybody', '10.0.0.0/33', '10.0.0.1/8/8', '10.0.0', 'loopback,,'])
    expect(() => readEnvironment({ POPSHARE_PROXY: wrong })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
});
