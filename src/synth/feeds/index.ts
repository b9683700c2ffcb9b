import type { SynthFeed } from '../feed.ts';
import { birthCertificate } from './birth-certificate.ts';
import { deathRegistration } from './death-registration.ts';
import { householdRegister } from './household-register.ts';
import { housingLease } from './housing-lease.ts';
import { housingOwnership } from './housing-ownership.ts';
import { marriageRegistration } from './marriage-registration.ts';
import { residenceRegistration } from './residence-registration.ts';
import { schoolEnrolment } from './school-enrolment.ts';
import { socialInsurance } from './social-insurance.ts';
import { soleTrader } from './sole-trader.ts';
import { subsistenceAllowance } from './subsistence-allowance.ts';
import { villageReport } from './village-report.ts';

/** The feeds that are invented, in the order of the sample. A new one is a file and a line here. */
export const SYNTH_FEEDS: readonly SynthFeed[] = [
  householdRegister,
  residenceRegistration,
  marriageRegistration,
  deathRegistration,
  subsistenceAllowance,
  socialInsurance,
  housingLease,
  housingOwnership,
  birthCertificate,
  schoolEnrolment,
  soleTrader,
  villageReport,
];
