import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { listNotices } from '../jobs/notices/overview.ts';
import { tryEndpoints } from '../jobs/notices/send.ts';
import { PopshareError } from '../schema/errors.ts';
import { plain, say, sayJson, sayRows, table } from './output.ts';
import { withSession } from './session.ts';

/** `notices`: what people outside of popshare are told. */
export function addNoticeCommands(program: Command): void {
  const notices = program
    .command('notices')
    .description('what people are told by webhook and mail: failed and late nights, held deliveries 通知');

  notices
    .command('list')
    .description('the latest notices, newest first, and how far each way has come with them')
    .option('--waiting', 'only those that are not through')
    .option('--json', 'one JSON object on stdout: {"notices": [...]}')
    .action(async (options: { waiting?: true; json?: true }) => {
      const found = await withSession(({ warehouse }) =>
        listNotices(warehouse, options.waiting ? 'waiting' : 'all'),
      );
      if (options.json) return sayJson({ notices: found });
      if (found.length === 0) return say('no notices');
      const text = (value: unknown): string => (value instanceof Date ? value.toISOString() : plain(value));
      say(
        table([
          ['notice', 'subject', 'at', 'endpoint', 'attempts', 'sent', 'error'],
          ...found.map(({ notice_id, subject, created_at, endpoint, attempts, sent_at, last_error }) =>
            [notice_id, subject, created_at, endpoint ?? 'none', attempts, sent_at, last_error].map(text),
          ),
        ]),
      );
    });

  notices
    .command('test')
    .description(
      'sends a notice that says that it is a test to every endpoint and address; exit 1 when one fails',
    )
    .option('--to <address...>', 'also to these addresses, such as those of officers who get digests', [])
    .option('--json', 'one JSON object on stdout: {"trials": [...]}')
    .action(async (options: { to: string[]; json?: true }) => {
      const trials = await withSession(({ warehouse, configuration }) => {
        const at = new Date();
        const settings = configuration.settings.notices;
        return tryEndpoints(
          { warehouse, settings, variables: process.env, now: () => at },
          {
            id: randomUUID(),
            kind: 'test',
            at,
            title: '通知测试',
            body: '这是一条测试通知，无需处理。',
            payload: {},
          },
          options.to,
        );
      });
      if (trials.length === 0)
        throw new PopshareError(
          'USAGE',
          'popshare.yaml names no webhook, and no mail server with an address',
        );
      if (trials.some(({ error }) => error !== null)) process.exitCode = 1;
      if (options.json) return sayJson({ trials });
      sayRows(
        trials.map(({ error, ...way }) => ({ ...way, outcome: error ?? 'sent' })),
        '',
      );
    });
}
