import { appendFile, cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { raiseNotice } from '../../src/jobs/notices/outbox.ts';
import { SECRET } from '../notices/desk.ts';
import { httpReceiver, mailReceiver } from '../notices/receivers.ts';
import { useCounty } from '../support/drop.ts';
import { inCounty } from './popshare.ts';

const county = useCounty();
const popshare = inCounty(county);

async function configured(yaml: string): Promise<Record<string, string>> {
  const folder = path.join(county.base, 'config');
  await cp('config', folder, { recursive: true });
  await appendFile(path.join(folder, 'popshare.yaml'), `\n${yaml}`);
  return { POPSHARE_CONFIG: folder, HOOK_SECRET: SECRET };
}

test('a test goes to every endpoint and address, and tells which of them do not answer', async () => {
  const [hooks, mails] = [await httpReceiver(), await mailReceiver()];
  const environment = await configured(`notices:
  webhooks:
    - { name: duty, url: "${hooks.url}", secret_env: HOOK_SECRET }
    - { name: other, url: "${hooks.url}", secret_env: OTHER_SECRET }
  smtp:
    url_env: MAIL_URL
    from: popshare@county.example
    to: { night_failed: [duty@county.example] }
`);
  const { code, stdout } = await popshare(['notices', 'test', '--to', 'li@county.example', '--json'], {
    ...environment,
    MAIL_URL: mails.url,
  });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    trials: [
      { endpoint: 'webhook duty', address: '', error: null },
      { endpoint: 'webhook other', address: '', error: 'the environment variable OTHER_SECRET is not set' },
      { endpoint: 'smtp', address: 'duty@county.example', error: null },
      { endpoint: 'smtp', address: 'li@county.example', error: null },
    ],
  });
  expect([hooks.posts.length, mails.mails.length]).toEqual([1, 2]);
});

test('without an endpoint there is nothing to test', async () => {
  expect(await popshare(['notices', 'test'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^USAGE: /m),
  });
});

test('notices are listed, and status names those that nobody sends', async () => {
  const notice = {
    kind: 'night_late',
    subject: 'night late, 2026-11-18',
    title: '迟',
    body: '',
    payload: {},
  } as const;
  await raiseNotice(county.warehouse.db, notice, new Date('2026-11-19T06:00:00+08:00'));
  const list = await popshare(['notices', 'list', '--waiting', '--json']);
  expect(JSON.parse(list.stdout)).toMatchObject({
    notices: [{ subject: notice.subject, endpoint: null, sent_at: null }],
  });
  expect((await popshare(['notices', 'list'])).stdout).toContain(notice.subject);
  const status = await popshare(['status', '--json']);
  expect(JSON.parse(status.stdout)).toMatchObject({
    stuck_notices: [{ subject: notice.subject, endpoint: null }],
  });
  expect((await popshare(['status'])).stdout).toContain('未送达的通知');
});

test.each([
  ['webhooks: [{ name: duty, url: "ftp://x", secret_env: S }]', 'an address that begins with https://'],
  [
    'webhooks: [{ name: duty, url: "https://x", secret_env: "my secret" }]',
    'the name of an environment variable',
  ],
  [
    'webhooks: [{ name: a, url: "https://x", secret_env: S }, { name: a, url: "https://y", secret_env: S }]',
    'twice',
  ],
  ['digest: { at: "08:00" }', 'expected smtp, too'],
  ['late_by: 6', 'time of day'],
])('a mistake in %s is told with its line', async (yaml, expected) => {
  const { code, stderr } = await popshare(['status'], await configured(`notices:\n  ${yaml}\n`));
  expect(code).toBe(2);
  expect(stderr).toMatch(/CONFIG_INVALID: .*popshare\.yaml:\d+: notices\./);
  expect(stderr).toContain(expected);
});
