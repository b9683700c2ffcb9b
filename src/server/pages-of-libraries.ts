import type { Access } from './access.ts';

/** Where the API document is shown, and the jobs of nights. */
export const DOCUMENT_PAGES = '/api/docs';
export const JOB_BOARD = '/admin/queues';

/** Who may see the pages that libraries bring along: their routes cannot say it themselves. */
export const PAGES_OF_LIBRARIES: readonly { readonly prefix: string; readonly access: Access }[] = [
  { prefix: DOCUMENT_PAGES, access: 'public' },
  { prefix: JOB_BOARD, access: 'job queues' },
];
