import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import path from 'node:path';
import { loadDueDates } from '../../anomalies/queue/due-dates.ts';
import { loadRules } from '../../anomalies/rule-file.ts';
import { loadModel } from '../../identity/model/model-file.ts';
import { withWeights } from '../../identity/model/weights.ts';
import { openMailer } from '../../jobs/notices/mail.ts';
import { secretOf } from '../../jobs/notices/webhook.ts';
import type { Environment } from '../../schema/configuration/environment.ts';
import { type Configuration, loadConfiguration } from '../../schema/configuration/load.ts';
import type { NoticeSettings } from '../../schema/configuration/notices.ts';
import { type Check, failed, ok, problem, warning } from './check.ts';

const OLDEST_NODE = 24;
const GIBIBYTE = 1024 ** 3;
/** A full night of a large county writes this much. */
const SPACE_GIBIBYTES = { problem: 1, warning: 10 };
/** The State Council announces the next year's holidays in November. */
const CALENDAR_FROM_MONTH = 12;

/** Looks at what needs no warehouse: Node, configuration, folders, disk, calendar, secrets of notices. */
export async function checkSite(
  environment: Environment,
  today: string,
): Promise<{ checks: Check[]; configuration: Configuration | null }> {
  const checks = [checkNode(), await checkData(environment.dataFolder)];
  try {
    const configuration = await loadConfiguration(environment.configFolder);
    const rules = await loadRules(path.join(environment.configFolder, 'rules'));
    withWeights(await loadModel('persons', configuration.folder));
    checks.push(
      ok('configuration', `${configuration.bindings.length} feeds, ${rules.length} rules`),
      await checkCalendar(configuration, today),
      await checkDrop(path.resolve(environment.dropFolder ?? configuration.settings.drop)),
      ...checkNotices(configuration.settings.notices, process.env),
    );
    return { checks, configuration };
  } catch (error) {
    return { checks: [...checks, failed('configuration', error)], configuration: null };
  }
}

function checkNode(): Check {
  const { node } = process.versions;
  return Number(node.split('.')[0]) >= OLDEST_NODE
    ? ok('node', node)
    : problem('node', node, `Use Node ${OLDEST_NODE} or newer; \`npm ci\` brings it along.`);
}

async function checkCalendar(configuration: Configuration, today: string): Promise<Check> {
  const dueDates = await loadDueDates(configuration);
  const [year = 0, month = 0] = today.split('-').map(Number);
  const needed = month >= CALENDAR_FROM_MONTH ? [year, year + 1] : [year];
  const missing = needed.filter((one) => !dueDates.knows(one));
  return missing.length === 0
    ? ok('calendar', `holidays of ${needed.join(' and ')} are known`)
    : warning('calendar', `no holidays of ${missing.join(' and ')}`, 'Add the year to calendar.yaml.');
}

async function checkData(folder: string): Promise<Check> {
  try {
    await access(folder, constants.R_OK | constants.W_OK);
  } catch (error) {
    if (isMissing(error))
      return warning('data folder', 'not there yet', 'The first night makes it; or set POPSHARE_DATA.');
    return problem(
      'data folder',
      'may not be read and written',
      'Give it to the account that runs popshare.',
    );
  }
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIBIBYTE;
  const found = `${free.toFixed(1)} GiB free`;
  const todo = 'Free space on the disk of POPSHARE_DATA; docs/operations.md tells what grows there.';
  if (free < SPACE_GIBIBYTES.problem) return problem('data folder', found, todo);
  return free < SPACE_GIBIBYTES.warning ? warning('data folder', found, todo) : ok('data folder', found);
}

async function checkDrop(folder: string): Promise<Check> {
  try {
    await access(folder, constants.R_OK | constants.X_OK);
    return ok('file drop', folder);
  } catch (error) {
    const found = `${folder} ${isMissing(error) ? 'is not there' : 'may not be read'}`;
    return problem(
      'file drop',
      found,
      'Set POPSHARE_DROP or `drop`, or let the account of popshare read it.',
    );
  }
}

/** Whether the secrets that the configuration names are in the environment. Nothing is sent. */
function checkNotices(settings: NoticeSettings, variables: NodeJS.ProcessEnv): Check[] {
  const todo = 'Set the variable for the scheduler; docs/operations.md, Notices, tells what it holds.';
  const tried = (name: string, look: () => void): Check => {
    try {
      look();
      return ok(name, 'its secret is set');
    } catch (error) {
      return problem(name, error instanceof Error ? error.message : '', todo);
    }
  };
  const { smtp, webhooks } = settings;
  return [
    ...webhooks.map((webhook) => tried(`webhook ${webhook.name}`, () => secretOf(webhook, variables))),
    ...(smtp === undefined ? [] : [tried('mail server', () => openMailer(smtp, variables).close())]),
  ];
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
