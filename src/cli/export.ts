import path from 'node:path';
import { type Command, Option } from 'commander';
import { manifestName } from './export/manifest.ts';
import { outputFolder, say, sayJson, tell } from './output.ts';
import { withSession } from './session.ts';

interface ExportOptions {
  readonly schema: 'reporting';
  readonly format: 'csv' | 'parquet';
  readonly out: string;
  readonly json?: true;
}

/** `export`: what dashboards read, as files. */
export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('the reporting views as files, one a view, all as of one moment 导出报表视图')
    .addOption(new Option('--schema <schema>', 'whose views').choices(['reporting']).default('reporting'))
    .addOption(
      new Option('--format <format>', 'of the files').choices(['csv', 'parquet']).makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'where the files go; made when missing')
    .option(
      '--json',
      'one JSON object on stdout: {"business_date", "manifest", "views": [{"view", "file", "rows"}]}',
    )
    .addHelpText(
      'after',
      `
Files have the names of their views. Those of an earlier export of the same format are replaced, when the new ones are
whole; a file of the same name that no export has put there stops the command. reporting.FORMAT.manifest.json, written
last, says who exported what, when, as of which business date, and how many rows. The export is in the audit log.`,
    )
    .action(async ({ schema, format, out, json }: ExportOptions) => {
      await outputFolder(out);
      // What writes Parquet, other commands begin without.
      const { exportViews } = await import('./export/export-views.ts');
      const { business_date, files } = await withSession(({ warehouse, user }) =>
        exportViews(warehouse, {
          schema,
          format,
          folder: out,
          user,
          told: (view, rows) => tell(`${view}  ${rows} rows`),
        }),
      );
      if (json)
        return sayJson({
          business_date,
          manifest: path.join(out, manifestName({ schema, format })),
          views: files.map(({ view, file, rows }) => ({ view, file: path.join(out, file), rows })),
        });
      say(`${files.length} views as of ${business_date ?? 'no night yet'}, in ${out}`);
    });
}
