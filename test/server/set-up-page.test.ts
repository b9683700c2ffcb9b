import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { newSetUpSecret } from '../../src/server/accounts/set-up.ts';
import { CHROMIUM, hasChromium } from '../support/chromium.ts';
import { useApi } from './api.ts';
import { OTHER_PASSWORD, PASSWORD } from './browser.ts';

const api = useApi({ empty: true });

test.skipIf(!hasChromium)('the link of the first start makes the first administrator, once', async () => {
  const secret = await newSetUpSecret(api.warehouse);
  const address = await api.server.listen({ host: '127.0.0.1', port: 0 });
  const browser = await chromium.launch(CHROMIUM);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 4')) faults.push(message.text());
  });
  await page.goto(`${address}/set-up#${secret}`);
  const fill = async (name: string, password: string, again: string): Promise<void> => {
    await page.getByLabel('登录名').fill(name);
    await page.getByLabel('姓名').fill('李娜');
    await page.getByLabel('密码 Password').fill(password);
    await page.getByLabel('再次输入密码').fill(again);
    await page.getByRole('button').click();
  };
  const told = page.getByRole('alert');

  await fill('li.na', PASSWORD, OTHER_PASSWORD);
  await told.getByText('两次输入的密码不同').waitFor();
  await fill('li.na', 'short', 'short');
  await told.getByText('PASSWORD_WEAK').waitFor();
  await fill('li.na', PASSWORD, PASSWORD);
  await page.getByRole('status').getByText('管理员帐号已建立').waitFor();
  expect(page.url()).toBe(`${address}/set-up`);
  const session = await page.evaluate(async () => (await fetch('/api/session')).json());
  expect(session).toMatchObject({ name: 'li.na', role: 'administrator' });

  await page.goto(`${address}/set-up#${secret}`);
  await page.reload();
  await fill('somebody', PASSWORD, PASSWORD);
  await told.getByText('SET_UP').waitFor();
  expect(faults).toEqual([]);
});
