import type { Command } from 'commander';
import { synthesise } from '../synth/synthesise.ts';
import { dateArgument, numberArgument, say, tell } from './output.ts';

export function addSynthCommand(program: Command): void {
  program
    .command('synth')
    .description('invented deliveries of any size, with their truth 合成数据')
    .requiredOption('--persons <number>', 'how many persons live in the county, about')
    .option('--nights <number>', 'how many nights', '1')
    .option('--seed <number>', 'the same seed gives the same bytes', '1')
    .option('--county <code>', 'six digits of GB/T 2260; the county of the shipped sample unless given')
    .option('--first-date <date>', 'business date of the first night', '2026-11-18')
    .requiredOption('--out <folder>', 'an empty folder')
    .action(
      async (options: {
        persons: string;
        nights: string;
        seed: string;
        county?: string;
        firstDate: string;
        out: string;
      }) => {
        const { files, rows } = await synthesise({
          persons: numberArgument(options.persons),
          nights: numberArgument(options.nights),
          seed: numberArgument(options.seed),
          ...(options.county === undefined ? {} : { county: options.county }),
          firstDate: dateArgument(options.firstDate),
          out: options.out,
          onProgress: ({ night, feed, rows: written }) => tell(`night ${night} ${feed} ${written} rows`),
        });
        say(`${files} files, ${rows} rows in ${options.out}`);
      },
    );
}
