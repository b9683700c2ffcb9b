import {
  ANSI_ESCAPE_CODES,
  DefaultRenderer,
  Listr,
  ListrLogger,
  type ListrTaskWrapper,
  ProcessOutput,
  type SimpleRenderer,
} from 'listr2';
import type { NightlyReport, Progress } from '../jobs/nightly.ts';
import { tell } from './output.ts';

/** listr2 decides by stdout whether it has a terminal; this list is for stderr, which has been looked at. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

type Task = ListrTaskWrapper<unknown, typeof StderrRenderer, typeof SimpleRenderer>;

/**
 * Shows a night as it goes: a list that redraws itself on a terminal, plain lines otherwise, always on stderr.
 *
 * @param feeds the feeds that will be read, in order; after them come identity and the rules
 * @throws whatever the work throws, after the list has been closed
 */
export async function watchNight(
  feeds: readonly string[],
  work: (progress: Progress) => Promise<NightlyReport>,
): Promise<NightlyReport> {
  return process.stderr.isTTY ? watchOnTerminal(feeds, work) : work(plainLines());
}

function plainLines(): Progress {
  const began = new Map<string, number>();
  const seen = new Map<string, number>();
  return {
    stepBegan: (name, subject) => began.set(`${name} ${subject}`, performance.now()),
    stepEnded: (name, subject) => {
      if (name === 'detect') return;
      const speed = rate(seen.get(subject), began.get(`${name} ${subject}`) ?? 0);
      tell(`${name} ${subject} ${speed}`.replaceAll(/ +/g, ' ').trim());
    },
    rows: (feed, rows) => seen.set(feed, rows),
  };
}

/** @param began when the step began, as performance.now() gave it */
function rate(rows: number | undefined, began: number): string {
  const seconds = (performance.now() - began) / 1000;
  if (rows === undefined) return `${seconds.toFixed(1)} s`;
  return `${rows} rows, ${seconds.toFixed(1)} s, ${Math.round(rows / Math.max(seconds, 0.001))} rows/s`;
}

/** One line of the list: a feed, the identity step, or all rules together. */
interface Stage {
  readonly name: string;
  readonly ended: PromiseWithResolvers<'done' | 'broken'>;
  /** Null until the list shows the stage as running. */
  task: Task | null;
  /** Null until the night comes to it. */
  began: number | null;
  rows: number | undefined;
}

async function watchOnTerminal(
  feeds: readonly string[],
  work: (progress: Progress) => Promise<NightlyReport>,
): Promise<NightlyReport> {
  const stages = [...feeds, 'identity', 'detect'].map(
    (name): Stage => ({ name, ended: Promise.withResolvers(), task: null, began: null, rows: undefined }),
  );
  const list = showList(stages);
  // Whoever is asked to stop in between leaves with process.exit: the cursor must come back all the same.
  const showCursor = (): boolean => process.stderr.write(ANSI_ESCAPE_CODES.CURSOR_SHOW);
  process.once('exit', showCursor);
  try {
    const report = await work(progressOf(stages));
    for (const { ended } of stages) ended.resolve('done');
    return report;
  } finally {
    for (const { ended } of stages) ended.resolve('broken');
    await list;
    process.off('exit', showCursor);
  }
}

function progressOf(stages: readonly Stage[]): Progress {
  const stageOf = (name: string, subject: string): Stage | undefined =>
    stages.find((stage) => stage.name === (name === 'ingest' ? subject : name));
  return {
    stepBegan(name, subject) {
      const stage = stageOf(name, subject);
      if (stage === undefined) return;
      stage.began ??= performance.now();
      if (name === 'detect' && stage.task !== null) stage.task.output = subject;
    },
    stepEnded(name, subject) {
      // The rules are one line: it ends with the night.
      if (name !== 'detect') stageOf(name, subject)?.ended.resolve('done');
    },
    rows(feed, rows) {
      const stage = stageOf('ingest', feed);
      if (stage === undefined) return;
      stage.rows = rows;
      if (stage.task !== null) stage.task.output = rate(rows, stage.began ?? 0);
    },
  };
}

/**
 * Shows the stages, waiting for each in turn, until the last has ended. A stage that the night never came to is
 * shown as skipped, one that it broke in as failed.
 */
async function showList(stages: readonly Stage[]): Promise<void> {
  const widest = Math.max(...stages.map(({ name }) => name.length));
  const list = new Listr(
    stages.map((stage) => ({
      title: stage.name,
      task: async (_context: unknown, task: Task) => {
        stage.task = task;
        const outcome = await stage.ended.promise;
        if (stage.began === null) task.skip();
        else if (outcome === 'broken') throw new Error(`${stage.name} did not end`);
        else task.title = `${stage.name.padEnd(widest)}  ${rate(stage.rows, stage.began)}`;
      },
    })),
    {
      renderer: StderrRenderer,
      rendererOptions: {
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
        // What went wrong is told by the command.
        showErrorMessage: false,
      },
      exitOnError: false,
      // The command stops in order: it closes the warehouse first.
      registerSignalListeners: false,
    },
  );
  await list.run();
}
