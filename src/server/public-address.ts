import type { Settings } from '../schema/configuration/settings.ts';

/** Where people find the server, without a slash at the end: `notices.site`, or where it listens. */
export function publicAddress({ notices, server }: Pick<Settings, 'notices' | 'server'>): string {
  return (notices.site ?? `http://${server.host}:${server.port}`).replace(/\/+$/, '');
}
