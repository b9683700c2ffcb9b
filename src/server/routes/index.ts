import type { Server, ServerContext } from '../context.ts';
import { addFileBodies } from '../files.ts';
import { addAccountRoutes } from './accounts.ts';
import { addAuditRoutes } from './audit.ts';
import { addBulkRoutes } from './case-bulk.ts';
import { addCaseExportRoutes } from './case-exports.ts';
import { addCaseRoutes } from './cases.ts';
import { addCorrectionRoutes } from './corrections.ts';
import { addDeliveryRoutes } from './deliveries.ts';
import { addFeedRoutes } from './feeds.ts';
import { addFieldCheckRoutes } from './field-checks.ts';
import { addHealthRoutes } from './health.ts';
import { addIndicatorRoutes } from './indicators.ts';
import { addMatchRoutes } from './match.ts';
import { addMetricsRoute } from './metrics.ts';
import { addOfficerRoutes } from './officers.ts';
import { addOwnAccountRoutes } from './own-account.ts';
import { addPersonRoutes } from './persons.ts';
import { addRejectedRowRoutes } from './rejected-rows.ts';
import { addReviewRoutes } from './reviews.ts';
import { addRuleRoutes } from './rules.ts';
import { addRunRoutes } from './runs.ts';
import { addSessionRoutes } from './session.ts';
import { addSetUpPage } from './set-up-page.ts';
import { addSingleSignOnRoutes } from './single-sign-on.ts';
import { addSuppressionRoutes } from './suppressions.ts';
import { addTokenRoutes } from './tokens.ts';

/** Every resource of the API, one file each. */
export function addRoutes(server: Server, context: ServerContext): void {
  // First: it measures the others.
  addMetricsRoute(server, context);
  addHealthRoutes(server, context);
  addFileBodies(server);
  addAuditRoutes(server, context);
  addCaseRoutes(server, context);
  addBulkRoutes(server, context);
  addCaseExportRoutes(server, context);
  addOfficerRoutes(server, context);
  addSuppressionRoutes(server, context);
  addCorrectionRoutes(server, context);
  addFieldCheckRoutes(server, context);
  addPersonRoutes(server, context);
  addMatchRoutes(server, context);
  addReviewRoutes(server, context);
  addDeliveryRoutes(server, context);
  addFeedRoutes(server, context);
  addIndicatorRoutes(server, context);
  addRejectedRowRoutes(server, context);
  addRuleRoutes(server, context);
  addRunRoutes(server, context);
  addSessionRoutes(server, context);
  addSetUpPage(server);
  addSingleSignOnRoutes(server, context);
  addOwnAccountRoutes(server, context);
  addAccountRoutes(server, context);
  addTokenRoutes(server, context);
}
