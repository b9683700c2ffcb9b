import type { Server, ServerContext } from '../context.ts';
import { addCaseRoutes } from './cases.ts';

/** Every resource of the API, one file each. */
export async function addRoutes(server: Server, context: ServerContext): Promise<void> {
  addCaseRoutes(server, context);
}
