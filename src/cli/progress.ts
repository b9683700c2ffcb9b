import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from 'listr2';
import type { NightlyReport, Progress } from '../jobs/nightly.ts';
import { tell } from './output.ts';

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

/**
 * Shows a night as it goes: a list that redraws itself on a terminal, plain lines otherwise, always on stderr.
 *
 * @param steps the names of the steps that will come, in order: ingest steps by feed, then identity, detect
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
      const seconds = (performance.now() - (began.get(`${name} ${subject}`) ?? 0)) / 1000;
      tell(`${name} ${subject} ${rate(seen.get(subject), seconds)}`.replaceAll(/ +/g, ' ').trim());
    },
    rows: (feed, rows) => seen.set(feed, rows),
  };
}

function rate(rows: number | undefined, seconds: number): string {
  if (rows === undefined) return `${seconds.toFixed(1)} s`;
  return `${rows} rows, ${seconds.toFixed(1)} s, ${Math.round(rows / Math.max(seconds, 0.001))} rows/s`;
}

async function watchOnTerminal(
  feeds: readonly string[],
  work: (progress: Progress) => Promise<NightlyReport>,
): Promise<NightlyReport> {
  const names = [...feeds, 'identity', 'detect'];
  const stages = new Map(
    names.map((name) => [
      name,
      { ended: Promise.withResolvers<void>(), task: null as Task | null, began: 0 },
    ]),
  );
  const stageOf = (name: string, subject: string): string => (name === 'ingest' ? subject : name);
  const night = Promise.withResolvers<NightlyReport>();
  const progress: Progress = {
    stepBegan(name, subject) {
      const stage = stages.get(stageOf(name, subject));
      if (stage !== undefined && stage.began === 0) stage.began = performance.now();
      if (name === 'detect' && stage?.task) stage.task.output = subject;
    },
    stepEnded(name, subject) {
      if (name !== 'detect') stages.get(stageOf(name, subject))?.ended.resolve();
    },
    rows(feed, rows) {
      const stage = stages.get(feed);
      if (stage?.task) stage.task.output = rate(rows, (performance.now() - stage.began) / 1000);
    },
  };
  const list = new Listr(
    names.map((name) => ({
      title: name,
      task: async (_context: unknown, task: Task) => {
        const stage = stages.get(name);
        if (stage === undefined) return;
        stage.task = task;
        await stage.ended.promise;
        task.title = `${name} ${((performance.now() - stage.began) / 1000).toFixed(1)} s`;
      },
    })),
    { rendererOptions: { collapseSubtasks: false } },
  );
  const shown = list.run();
  work(progress).then(night.resolve, night.reject);
  try {
    return await night.promise;
  } finally {
    for (const { ended } of stages.values()) ended.resolve();
    await shown;
  }
}
