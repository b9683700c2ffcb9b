import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { answeredFileAt } from '../anomalies/answered-file.ts';
import { takeFieldReports } from '../anomalies/field-checks/answer.ts';
import { askVillage } from '../anomalies/field-checks/ask.ts';
import { openByVillage } from '../anomalies/field-checks/list.ts';
import { fieldCheckFile } from '../anomalies/field-checks/list-file.ts';
import { requireVillage } from '../anomalies/queue/divisions.ts';
import { loadDueDates } from '../anomalies/queue/due-dates.ts';
import { today } from '../schema/warehouse/today.ts';
import { numberArgument, outputFolder, say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

/** `field-checks`: what villages are asked to go and look at. */
export function addFieldCheckCommands(program: Command): void {
  const checks = program
    .command('field-checks')
    .description('questions to villages, and their answers 现场核查');

  checks
    .command('ask')
    .argument('<case>')
    .description('ask a village to go and look')
    .requiredOption('--question <question>', 'what is to be found out')
    .option('--village <code>', '12 digits (default: the village that the case names)')
    .option('--json', 'one JSON object on stdout: {"check_id": …}')
    .action(async (given: string, options: { question: string; village?: string; json?: boolean }) => {
      const caseId = numberArgument(given);
      await withSession(async ({ warehouse, configuration, user }) => {
        const checkId = await askVillage(warehouse, await loadDueDates(configuration), {
          caseId,
          village: options.village ?? null,
          question: options.question,
          by: user,
          on: await today(warehouse),
        });
        if (options.json) sayJson({ check_id: checkId });
        else say(`field check ${checkId}`);
      });
    });

  checks
    .command('list')
    .description('open questions by village')
    .option('--json', 'one JSON object on stdout: {"villages": [...]}')
    .action(async (options: { json?: boolean }) => {
      await withSession(async ({ warehouse }) => {
        const rows = await openByVillage(warehouse);
        if (options.json) return sayJson({ villages: rows });
        if (rows.length === 0) return say('no open questions');
        const lines = rows.map(({ village, checks: open, due_on }) => [village, String(open), due_on]);
        say(table([['village', 'open', 'first due'], ...lines]));
      });
    });

  checks
    .command('print')
    .description('a workbook for each village with open questions, to print and to fill in')
    .requiredOption('--out <folder>', 'where the workbooks go')
    .option('--village <code>', 'only this village')
    .action(async (options: { out: string; village?: string }) => {
      await withSession(async ({ warehouse, rules, user }) => {
        if (options.village !== undefined) await requireVillage(warehouse, options.village);
        const rows = (await openByVillage(warehouse)).filter(
          ({ village }) => options.village === undefined || village === options.village,
        );
        await outputFolder(options.out);
        for (const { village } of rows) {
          const file = await fieldCheckFile(warehouse, village, user, rules);
          if (file === null) continue;
          await writeFile(path.join(options.out, file.name), file.bytes);
          say(`${file.name}  ${file.checks} questions`);
        }
        if (rows.length === 0) say('no open questions');
      });
    });

  checks
    .command('answer')
    .argument('<file>')
    .description('read a workbook that a village sent back')
    .option('--json', 'one JSON object on stdout: {"taken": …}')
    .action(async (file: string, options: { json?: boolean }) => {
      await withSession(async ({ warehouse, user }) => {
        const bringing = { by: user, on: await today(warehouse) };
        const taken = await takeFieldReports(warehouse, answeredFileAt(file), bringing);
        if (options.json) sayJson({ taken });
        else say(`${taken} answers taken`);
      });
    });
}
