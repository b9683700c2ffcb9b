import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { answeredFileAt } from '../anomalies/answered-file.ts';
import { issueCorrections } from '../anomalies/corrections/issue.ts';
import { listCorrections } from '../anomalies/corrections/list.ts';
import { correctionFiles } from '../anomalies/corrections/list-file.ts';
import { takeReplies } from '../anomalies/corrections/reply.ts';
import { requireDepartment } from '../anomalies/queue/known.ts';
import { recordAct } from '../schema/warehouse/audit.ts';
import { today } from '../schema/warehouse/today.ts';
import { outputFolder, say, sayJson, table } from './output.ts';
import { withSession } from './session.ts';

/** `corrections`: what the departments are asked to mend, and what they answer. */
export function addCorrectionCommands(program: Command): void {
  const corrections = program
    .command('corrections')
    .description('lists of cases for the departments that own the records, and their answers 校核单');

  corrections
    .command('list')
    .description('the lists, newest first, and how far each has come')
    .option('--department <department>', 'only of this department')
    .option('--json', 'one JSON object on stdout: {"corrections": [...]}')
    .action(async (options: { department?: string; json?: boolean }) => {
      const department = departmentOf(options);
      await withSession(async ({ warehouse }) => {
        const rows = await listCorrections(warehouse, {
          department,
          after: null,
          limit: 1000,
        });
        if (options.json) return sayJson({ corrections: rows });
        if (rows.length === 0) return say('no lists');
        const heading = [
          'number',
          'department',
          'issued',
          'due',
          'lines',
          'answered',
          'closed',
          'escalated',
          'withdrawn',
        ];
        say(table([heading, ...rows.map((row) => Object.values(row).map(String))]));
      });
    });

  corrections
    .command('issue')
    .description('put every returned case that stands on no list yet on its department’s next list')
    .option('--department <department>', 'only for this department')
    .option('--out <folder>', 'write the files of the new lists there as well')
    .option('--json', 'one JSON object on stdout: {"issued": [...]}')
    .action(async (options: { department?: string; out?: string; json?: boolean }) => {
      const department = departmentOf(options);
      await withSession(async ({ warehouse, configuration, rules, user: by }) => {
        if (options.out !== undefined) await outputFolder(options.out);
        const issued = await issueCorrections(warehouse, { by, on: await today(warehouse), department });
        for (const { number } of options.out === undefined ? [] : issued) {
          const files = await correctionFiles(warehouse, number, configuration.bindings, rules);
          await writeFiles(options.out ?? '', files);
        }
        if (options.json) return sayJson({ issued });
        if (issued.length === 0) return say('no returned case waits for a list');
        say(table(issued.map(({ number, lines, due_on }) => [number, `${lines} cases`, `due ${due_on}`])));
      });
    });

  corrections
    .command('write')
    .argument('<number>')
    .description('the files of a list: a workbook and CSV for each feed of the department')
    .requiredOption('--out <folder>', 'where the files go')
    .action(async (number: string, options: { out: string }) => {
      await withSession(async ({ warehouse, configuration, rules, user }) => {
        const files = await correctionFiles(warehouse, number, configuration.bindings, rules);
        await outputFolder(options.out);
        await recordAct(warehouse.db, { actor: user, action: 'export', subject: number });
        await writeFiles(options.out, files);
        for (const { name } of files) say(name);
      });
    });

  corrections
    .command('reply')
    .argument('<file>')
    .description('read a list that a department sent back (XLSX or CSV)')
    .option('--json', 'one JSON object on stdout: {"taken", "known", "unanswered", "withdrawn"}')
    .action(async (file: string, options: { json?: boolean }) => {
      await withSession(async ({ warehouse, user }) => {
        const replying = { by: user, on: await today(warehouse), within: warehouse };
        const summary = await takeReplies(warehouse, answeredFileAt(file), replying);
        if (options.json) return sayJson(summary);
        say(
          `${summary.taken} answers taken, ${summary.known} known before, ${summary.unanswered} lines unanswered`,
        );
        for (const { number, line } of summary.withdrawn)
          say(`${number} line ${line} was withdrawn: its answer is kept, and changes no case 该行已撤回`);
      });
    });
}

/** @throws CASE_INPUT when there is no such department */
function departmentOf({ department }: { readonly department?: string }): string | null {
  if (department !== undefined) requireDepartment(department);
  return department ?? null;
}

async function writeFiles(
  folder: string,
  files: readonly { readonly name: string; readonly bytes: Buffer }[],
): Promise<void> {
  for (const { name, bytes } of files) await writeFile(path.join(folder, name), bytes);
}
