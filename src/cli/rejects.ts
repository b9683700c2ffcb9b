import { writeFile } from 'node:fs/promises';

import path from 'node:path';
import type { Command } from 'commander';
import { sql } from 'kysely';
import { exportRejectedRows } from '../ingest/rejected-rows.ts';
import type { Configuration } from '../schema/configuration/load.ts';
import { PopshareError } from '../schema/errors.ts';
import { recordAct } from '../schema/warehouse/audit.ts';
import { outputFolder, say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

export function addRejectCommands(program: Command): void {
  const rejects = program.command('rejects').description('rows that the contracts refused 退回行');

  rejects
    .command('list')
    .description('open rejected rows, counted by delivery and reason')
    .option('--feed <feed>', 'only this feed')
    .option('--json', 'one JSON object on stdout: {"rejects": [...]}')
    .action(async (options: { feed?: string; json?: boolean }) => {
      await withSession(async ({ warehouse, configuration }) => {
        requireFeed(configuration, options.feed);
        const { rows } = await sql<Record<string, string | number | null>>`
          SELECT r.delivery_id, d.business_date, r.feed, r.field, r.code, count(*) AS rows, min(r.line) AS first_line,
                 min(r.message) AS message
          FROM reporting.rejected_row r JOIN reporting.delivery d USING (delivery_id)
          WHERE ${options.feed ?? null}::text IS NULL OR r.feed = ${options.feed ?? null}
          GROUP BY r.delivery_id, d.business_date, r.feed, r.field, r.code
          ORDER BY r.delivery_id, rows DESC`.execute(warehouse.db);
        if (options.json) return sayJson({ rejects: rows });
        if (rows.length === 0) return say('no rejected rows');
        const heading = ['delivery', 'date', 'feed', 'column', 'code', 'rows', 'first line', 'message'];
        say(table([heading, ...rows.map((row) => Object.values(row).map((value) => String(value ?? '')))]));
      });
    });

  rejects
    .command('export')
    .description(
      'open rejected rows as the source sent them, one file a delivery, with a file of reasons beside it',
    )
    .requiredOption('--out <folder>', 'where the files go')
    .option('--feed <feed>', 'only this feed')
    .action(async (options: { out: string; feed?: string }) => {
      await withSession(async ({ warehouse, configuration, user }) => {
        requireFeed(configuration, options.feed);
        await outputFolder(options.out);
        let files = 0;
        for (const binding of configuration.bindings) {
          if (options.feed !== undefined && options.feed !== binding.feed) continue;
          for (const file of await exportRejectedRows(warehouse, binding)) {
            await recordAct(warehouse.db, {
              actor: user,
              action: 'export',
              subject: `rejected rows of ${binding.feed}`,
              detail: { file: file.name, rows: file.rows },
            });
            await writeFile(path.join(options.out, file.name), file.bytes);
            say(`${file.name}  ${file.rows} rows`);
            files++;
          }
        }
        if (files === 0) say('no rejected rows');
      });
    });
}

/** @throws FEED_UNKNOWN */
function requireFeed({ bindings }: Configuration, asked: string | undefined): void {
  const known = bindings.map(({ feed }) => feed);
  if (asked !== undefined && !known.includes(asked))
    throw new PopshareError('FEED_UNKNOWN', `there is no feed ${asked}; expected ${known.join(', ')}`);
}
