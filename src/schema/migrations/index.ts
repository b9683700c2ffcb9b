import type { Migration } from 'kysely/migration';
import { ledger } from './0001-ledger.ts';
import { reference } from './0002-reference.ts';
import { identity } from './0003-identity.ts';
import { anomalies } from './0004-anomalies.ts';
import { reporting } from './0005-reporting.ts';
import { linkage } from './0006-linkage.ts';
import { linkShare } from './0007-link-share.ts';
import { decisions } from './0008-decisions.ts';
import { population } from './0009-population.ts';
import { profile } from './0010-profile.ts';
import { queue } from './0011-queue.ts';
import { corrections } from './0012-corrections.ts';
import { audit } from './0013-audit.ts';
import { touched } from './0014-touched.ts';
import { linkStands } from './0015-link-stands.ts';
import { relations } from './0016-relations.ts';
import { death } from './0017-death.ts';
import { tallies } from './0019-tallies.ts';
import { accounts } from './0020-accounts.ts';
import { rowLevelSecurity } from './0021-row-level-security.ts';
import { indicators } from './0022-indicators.ts';
import { notices } from './0024-notices.ts';
import { retention } from './0025-retention.ts';
import { lookUps } from './0027-look-ups.ts';
import { runRequests } from './0028-run-requests.ts';
import { birthInNumber } from './0030-birth-in-number.ts';
import { ledgerScope } from './0032-ledger-scope.ts';
import { lateAndWithdrawn } from './0034-late-and-withdrawn.ts';
import { readerRole } from './0035-reader-role.ts';
import { pushedRows } from './0036-pushed-rows.ts';
import { tallyScope } from './0037-tally-scope.ts';
import { touchedRelations } from './0038-touched-relations.ts';

/** The warehouse, step by step. A step that has been released is never edited; add the next one. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-ledger': ledger,
  '0002-reference': reference,
  '0003-identity': identity,
  '0004-anomalies': anomalies,
  '0005-reporting': reporting,
  '0006-linkage': linkage,
  '0007-link-share': linkShare,
  '0008-decisions': decisions,
  '0009-population': population,
  '0010-profile': profile,
  '0011-queue': queue,
  '0012-corrections': corrections,
  '0013-audit': audit,
  '0014-touched': touched,
  '0015-link-stands': linkStands,
  '0016-relations': relations,
  '0017-death': death,
  '0019-tallies': tallies,
  '0020-accounts': accounts,
  '0021-row-level-security': rowLevelSecurity,
  '0022-indicators': indicators,
  '0024-notices': notices,
  '0025-retention': retention,
  '0027-look-ups': lookUps,
  '0028-run-requests': runRequests,
  '0030-birth-in-number': birthInNumber,
  '0032-ledger-scope': ledgerScope,
  '0034-late-and-withdrawn': lateAndWithdrawn,
  '0035-reader-role': readerRole,
  '0036-pushed-rows': pushedRows,
  '0037-tally-scope': tallyScope,
  '0038-touched-relations': touchedRelations,
};
