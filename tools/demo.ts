// `npm run demo`: the shipped sample through its three nights, on an embedded Postgres of its own. Every time
// it begins with an empty warehouse, so it always shows the same.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { listIndicators } from '../src/cli/indicators.ts';
import { runDate } from '../src/cli/nightly.ts';
import { say, table, tell } from '../src/cli/output.ts';
import { deliveryTable, identityTable } from '../src/cli/report.ts';
import { type Session, withSession } from '../src/cli/session.ts';
import type { NightlyReport } from '../src/jobs/nightly.ts';
import { CONTRACTS } from '../src/schema/contracts/index.ts';
import { PopshareError } from '../src/schema/errors.ts';
import { openWarehouse } from '../src/schema/warehouse/connect.ts';
import { startEmbedded } from '../src/schema/warehouse/embedded.ts';
import { migrate } from '../src/schema/warehouse/migrate.ts';
import { DOCUMENT_PAGES } from '../src/server/pages-of-libraries.ts';
import { publicAddress } from '../src/server/public-address.ts';

const DATA = '.popshare/demo';
const DROP = 'demo/deliveries';
/** The figures that the report ends with. */
const SHOWN = [
  'P01',
  'P02',
  'P03',
  'P05',
  'S01',
  'S04',
  'S09',
  'V02',
  'V08',
  'M01',
  'B02',
  'Q01',
  'Q02',
  'Q03',
];
const NIGHTS = ['2026-11-18', '2026-11-19', '2026-11-20'];

process.chdir(path.resolve(import.meta.dirname, '..'));
// The site's own warehouse and configuration stay out of it.
Object.assign(process.env, {
  DATABASE_URL: '',
  REDIS_URL: '',
  POPSHARE_CONFIG: 'config',
  POPSHARE_DATA: DATA,
});

try {
  say('popshare 人口信息共享：演示 demo');
  say('虚构的一个区，约 6900 人，连续三夜的部门报送；没有任何真实个人。');
  say('An invented district of about 6,900 people, three nights of deliveries; no real person is in it.\n');
  tell('preparing an embedded Postgres and the reference tables 正在准备数据库 …');
  await emptyWarehouse();
  await withSession(showNights, { migrated: false });
} catch (error) {
  if (!(error instanceof PopshareError)) throw error;
  tell(`${error.code}: ${error.message}\n${error.todo}`);
  process.exitCode = error.exitCode;
}

/**
 * Before: any state of the demo's folder, also a server that a killed demo left running. After: its server
 * has an empty database, and nothing has landed. The server itself is kept: making one takes seconds.
 */
async function emptyWarehouse(): Promise<void> {
  await rm(path.join(DATA, 'landing'), { recursive: true, force: true });
  const server = await startEmbedded({ folder: path.join(DATA, 'postgres') });
  try {
    const url = new URL(server.url);
    const database = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = await openWarehouse(url.href);
    await admin.pool.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await admin.pool.query(`CREATE DATABASE ${database}`);
    await admin.close();
  } finally {
    await server.stop();
  }
}

async function showNights(session: Session): Promise<void> {
  await migrate(session.warehouse, CONTRACTS);
  const reports: NightlyReport[] = [];
  for (const [index, date] of NIGHTS.entries()) {
    say(`第 ${index + 1} 夜 Night ${index + 1} of ${NIGHTS.length}: ${date}`);
    const report = await runDate(session, date, 'nightly', { drop: DROP });
    say(`\n${deliveryTable(report)}\n`);
    reports.push(report);
  }
  const last = reports.at(-1);
  if (last !== undefined) for (const line of await summary(last, session)) say(line);
  if (reports.some(({ status }) => status === 'failed')) process.exitCode = 1;
}

/** Where the third night leaves the officers: what is known, what does not fit, what waits for a decision. */
async function summary(report: NightlyReport, session: Session): Promise<string[]> {
  const { rules, configuration } = session;
  const cases = rules
    .map(({ rule, title, severity }) => ({ rule, title, severity, open: report.anomalies[rule]?.open ?? 0 }))
    .filter(({ open }) => open > 0)
    .map(({ rule, title, severity, open }) => [rule, title.zh, severity, String(open)]);
  const held = report.deliveries.filter(({ status }) => status === 'held');
  return [
    '三夜之后 After three nights',
    '',
    identityTable(report),
    '',
    '未结疑点 Open anomalies by rule; each one is a question for a person to look into',
    '',
    cases.length === 0 ? 'none 无' : table([['rule', '规则', 'severity', 'open'], ...cases]),
    ...(report.failed_rules ?? []).map((message) => `rule failed: ${message}`),
    '',
    '指标 Indicators of the district; all of them: indicators list',
    '',
    await indicatorTable(session),
    ...(report.failed_indicators ?? []).map((message) => `indicator failed: ${message}`),
    '',
    `待处理批次 ${held.length} deliveries of the third night are held: the sample was made with faults.`,
    'Nothing of them has been applied; the data of the night before stand until somebody decides.',
    '',
    '继续查看 Look further',
    '',
    ...[
      'status',
      'deliveries list',
      ...held.slice(0, 1).map(({ delivery_id }) => `deliveries show ${delivery_id}`),
      'rejects list',
      'cases list',
      'indicators list',
      `nightly --date ${report.date} --drop ${DROP}`,
    ].map(command),
    '',
    '打开服务 Open the server: make an account, start the server, and go to the address',
    '',
    command('user add li.na --role supervisor'),
    command('server'),
    `  ${publicAddress(configuration.settings)}${DOCUMENT_PAGES}`,
    '',
    `The rules are the files in ${path.relative('.', configuration.folder)}/rules, the feeds those in ${path.relative('.', configuration.folder)}/feeds.`,
  ];
}

function command(given: string): string {
  return `  POPSHARE_DATA=${DATA} npx popshare ${given}`;
}

async function indicatorTable(session: Session): Promise<string> {
  const shown = (await listIndicators(session)).filter(({ code }) => SHOWN.includes(code));
  return table(
    shown.map(({ code, title, value, unit, suppressed }) => [
      code,
      title,
      value === null ? (suppressed ? '×' : '') : String(Math.round(value * 100) / 100),
      unit,
    ]),
  );
}
