import type { DoubtfulRule } from '../anomalies/queue/worth.ts';
import { lateFeedText } from '../jobs/late-feeds.ts';
import type { NightlyReport } from '../jobs/nightly.ts';
import { table } from './output.ts';

/** A night's report for a terminal. */
export function reportLines(report: NightlyReport): string[] {
  const anomalies = Object.entries(report.anomalies)
    .filter(([, { opened, reopened, closed, open }]) => opened + reopened + closed + open > 0)
    .map(([rule, { opened, reopened, closed, open }]) => [
      rule,
      String(opened),
      String(reopened),
      String(closed),
      String(open),
    ]);
  return [
    `${report.date}  run ${report.run_id}  ${report.status}  ${(report.ms / 1000).toFixed(1)} s`,
    '',
    deliveryTable(report),
    '',
    identityTable(report),
    '',
    anomalies.length === 0
      ? 'no anomalies 无疑点'
      : table([['rule', 'opened', 'reopened', 'closed', 'open'], ...anomalies]),
    ...(report.failed_rules ?? []).map((message) => `rule failed: ${message}`),
    ...(report.failed_indicators ?? []).map((message) => `indicator failed: ${message}`),
    ...(report.late_feeds ?? []).map((late) => `late 未按时报送: ${lateFeedText(late)}`),
    ...(report.doubtful_rules ?? []).map(doubtLine),
    ...(report.warnings ?? []).map((message) => `warning: ${message}`),
  ];
}

/** What an operator is told of a rule that officers find wrong too often. */
export function doubtLine({ rule, closed, dismissed, dismissed_percent }: DoubtfulRule): string {
  return `${rule}: officers dismissed ${dismissed} of ${closed} (${dismissed_percent} %): look at the rule 请复核该规则`;
}

/** The deliveries of a night with their books, one a line. */
export function deliveryTable({ deliveries }: NightlyReport): string {
  const count = (value: number | null): string => (value === null ? '' : String(value));
  return table([
    [
      'feed',
      'status',
      'received',
      'accepted',
      'rejected',
      'new',
      'changed',
      'unchanged',
      'removed',
      'reason',
    ],
    ...deliveries.map((delivery) => [
      delivery.feed,
      delivery.status,
      count(delivery.received),
      count(delivery.accepted),
      count(delivery.rejected),
      count(delivery.new),
      count(delivery.changed),
      count(delivery.unchanged),
      count(delivery.removed),
      delivery.reason ?? '',
    ]),
  ]);
}

/** How many mentions and persons there are after a night, and how they were linked. */
export function identityTable({ identity }: NightlyReport): string {
  const links = Object.entries(identity.links).map(([method, mentions]) => [`  ${method}`, String(mentions)]);
  return table([
    ['mentions 人员引用', String(identity.mentions)],
    ['persons 人员', String(identity.persons)],
    ['links by method 关联', ''],
    ...links,
    ['reviews 复核', String(identity.reviews)],
  ]);
}
