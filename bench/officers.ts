// Officers at their pages, in a thread of their own: a list, a case of it, now and then a person or a review, and between
// two of them the time to read. Tells the milliseconds of each answer when it is told to stop.
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

interface Officer {
  readonly token: string;
  /** Lists that they look at. */
  readonly lists: readonly string[];
  readonly persons: readonly number[];
}

export interface OfficersAtWork {
  readonly url: string;
  readonly cookie: string;
  readonly officers: readonly Officer[];
  /** Between two pages, on average. */
  readonly readingSeconds: number;
}

/** What was asked for, and how long the answer took. */
export interface Answered {
  readonly what: string;
  /** When it was asked for, in milliseconds since 1970. */
  readonly at: number;
  readonly milliseconds: number;
}

const { url, cookie, officers, readingSeconds }: OfficersAtWork = workerData;
const agent = new Agent({ keepAlive: true, maxSockets: officers.length });
const times: Answered[] = [];
let atWork = true;
parentPort?.once('message', () => {
  atWork = false;
});

await Promise.all(officers.map((officer, index) => work(officer, index)));
parentPort?.postMessage(times);

async function work(officer: Officer, index: number): Promise<void> {
  await pause(Math.random() * readingSeconds * 2);
  for (let round = index; atWork; round++) {
    const list = officer.lists[round % officer.lists.length] ?? '';
    const page = await ask('list', officer, `/api/anomalies${list}`);
    await read();
    const ids = idsOf(page, 'anomaly_id');
    for (const id of [ids[round % ids.length], ids[(7 * round) % ids.length]]) {
      if (id === undefined || !atWork) continue;
      await ask('one case', officer, `/api/anomalies/${id}`);
      await read();
    }
    if (round % 3 === 0) {
      const person = officer.persons[round % officer.persons.length];
      await ask('one person', officer, `/api/persons/${person}?purpose=case`);
      await read();
    }
    if (round % 3 === 1) {
      const reviews = idsOf(await ask('reviews', officer, '/api/reviews'), 'review_id');
      await read();
      if (reviews.length === 0) continue;
      await ask('one review', officer, `/api/reviews/${reviews[round % reviews.length]}`);
      await read();
    }
  }
}

function read(): Promise<void> {
  return pause((0.5 + Math.random()) * readingSeconds);
}

function pause(forSeconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forSeconds * 1000);
  });
}

function idsOf(page: unknown, name: string): number[] {
  const items = typeof page === 'object' && page !== null && 'items' in page ? page.items : [];
  return Array.isArray(items) ? items.map((item) => Number(item[name])) : [];
}

function ask(what: string, { token }: Officer, path: string): Promise<unknown> {
  const [at, started] = [Date.now(), performance.now()];
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { agent, headers: { cookie: `${cookie}=${token}` } }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        times.push({ what, at, milliseconds: performance.now() - started });
        const text = Buffer.concat(pieces).toString('utf8');
        if (answer.statusCode !== 200) reject(new Error(`${what}: ${answer.statusCode} ${text}`));
        else resolve(JSON.parse(text));
      });
    })
      .on('error', reject)
      .end();
  });
}
