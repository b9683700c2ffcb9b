import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest for their size, by which vitest sorts when it has not seen them run. */
const LONG = [
  'faults/process-killed',
  'jobs/service',
  'identity/laws',
  'server/logs',
  'server/fuzz',
  'rules/random-nights',
  'rules/incremental',
  'retention/next-nights',
  'operations/backup',
  'cli/nightly',
];

/** What takes long begins first: at the end no core waits for one file. The order within a file is as ever. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((name) => moduleId.endsWith(`test/${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
