import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue } from 'bullmq';
import type { Server, ServerContext } from './context.ts';
import { JOB_BOARD } from './pages-of-libraries.ts';

/**
 * Bull Board at /admin/queues, to look only: what is to be done again stands in the ledger, and the scheduler adds
 * the jobs of a night by itself.
 */
export async function addJobBoard(server: Server, { queue }: ServerContext): Promise<void> {
  if (!(queue.jobs instanceof Queue)) throw new Error('the jobs of nights are in no queue of BullMQ');
  const adapter = new FastifyAdapter();
  createBullBoard({
    queues: [
      new BullMQAdapter(queue.jobs, { readOnlyMode: true, description: '夜间任务 the jobs of nights' }),
    ],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'popshare 人口信息共享' } },
  });
  adapter.setBasePath(JOB_BOARD);
  await server.register(adapter.registerPlugin(), { prefix: JOB_BOARD });
}
