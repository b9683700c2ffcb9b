import type { Server, ServerContext } from '../context.ts';
import { addAccountRoutes } from './accounts.ts';
import { addAuditRoutes } from './audit.ts';
import { addCaseRoutes } from './cases.ts';
import { addDeliveryRoutes } from './deliveries.ts';
import { addFeedRoutes } from './feeds.ts';
import { addHealthRoutes } from './health.ts';
import { addIndicatorRoutes } from './indicators.ts';
import { addMetricsRoute } from './metrics.ts';
import { addOwnAccountRoutes } from './own-account.ts';
import { addRejectedRowRoutes } from './rejected-rows.ts';
import { addRuleRoutes } from './rules.ts';
import { addRunRoutes } from './runs.ts';
import { addSessionRoutes } from './session.ts';
import { addSingleSignOnRoutes } from './single-sign-on.ts';
import { addTokenRoutes } from './tokens.ts';

/** Every resource of the API, one file each. */
export function addRoutes(server: Server, context: ServerContext): void {
  // First: it measures the others.
  addMetricsRoute(server, context);
  addHealthRoutes(server, context);
  addAuditRoutes(server, context);
  addCaseRoutes(server, context);
  addDeliveryRoutes(server, context);
  addFeedRoutes(server, context);
  addIndicatorRoutes(server, context);
  addRejectedRowRoutes(server, context);
  addRuleRoutes(server, context);
  addRunRoutes(server, context);
  addSessionRoutes(server, context);
  addSingleSignOnRoutes(server, context);
  addOwnAccountRoutes(server, context);
  addAccountRoutes(server, context);
  addTokenRoutes(server, context);
}
