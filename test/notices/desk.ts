import { loadDueDates } from '../../src/anomalies/queue/due-dates.ts';
import { loadRules } from '../../src/anomalies/rule-file.ts';
import { type NoticeDesk, tellNotices } from '../../src/jobs/notices/clerk.ts';
import { type NoticeSettings, noticesSchema } from '../../src/schema/configuration/notices.ts';
import type { useCounty } from '../support/drop.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const at = (text: string): Date => new Date(`${text}+08:00`);

type Given = Partial<NoticeSettings>;

/** What a scheduler has, in a county, with these settings of `notices`. */
export async function deskOf(
  county: ReturnType<typeof useCounty>,
  notices: Given,
  variables: NodeJS.ProcessEnv = { HOOK_SECRET: SECRET },
): Promise<NoticeDesk> {
  county.set({ notices: { ...noticesSchema.parse(undefined), ...notices } });
  return {
    warehouse: county.warehouse,
    configuration: county.configuration,
    rules: await loadRules('config/rules'),
    dueDates: await loadDueDates(county.configuration),
    variables,
  };
}

/** A webhook of all that is not a digest. */
export const hook = (url: string, name = 'duty'): NoticeSettings['webhooks'][number] => ({
  name,
  url,
  secret_env: 'HOOK_SECRET',
  events: ['night_failed', 'night_late', 'feeds_late', 'deliveries_held', 'bulk_look_ups'],
});

/** One look, under a clock that stands still. */
export const tell = (desk: NoticeDesk, now: Date): Promise<void> => tellNotices(desk, () => now);
