import { birthCertificate } from './birth-certificate.ts';
import type { Contract } from './contract.ts';
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

/** Every contract that this version knows. A new feed is one file beside this one, and one line here. */
export const CONTRACTS: readonly Contract[] = [
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
