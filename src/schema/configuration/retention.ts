import { z } from 'zod';

/**
 * How many days something is kept.
 *
 * @param atLeast what other parts of popshare still read of it
 */
const days = (atLeast: number) => {
  const expected = `expected a number of days, at least ${atLeast}, or never`;
  return z.union([z.int().min(atLeast), z.literal('never')], { error: expected });
};

/** `retention` of `popshare.yaml`: after how many days what is not needed any more goes; `never` keeps it. */
export const retentionSchema = z
  .strictObject({
    landed_files: days(30).default(400),
    rejected_rows: days(30).default(180),
    // Rules and indicators look back a year.
    closed_cases: days(400).default(1095),
    registry_history: days(400).default(1825),
    former_mentions: days(400).default(1825),
    // What ended three days ago is looked for again.
    notices: days(7).default(90),
    sessions: days(1).default(30),
  })
  .prefault({});

export type RetentionSettings = z.output<typeof retentionSchema>;
