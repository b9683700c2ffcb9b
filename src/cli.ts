import { Command, CommanderError } from 'commander';
import { addAuditCommands } from './cli/audit.ts';
import { addBenchCommand } from './cli/bench.ts';
import { addCaseCommands } from './cli/cases.ts';
import { addCorrectionCommands } from './cli/corrections.ts';
import { addDeliveryCommands } from './cli/deliveries.ts';
import { addDoctorCommand } from './cli/doctor.ts';
import { addExportCommand } from './cli/export.ts';
import { addFieldCheckCommands } from './cli/field-checks.ts';
import { addIdentityCommands } from './cli/identity.ts';
import { addIndicatorCommands } from './cli/indicators.ts';
import { addLinkCommand } from './cli/link.ts';
import { addModelCommands } from './cli/model.ts';
import { addNightlyCommands } from './cli/nightly.ts';
import { addNoticeCommands } from './cli/notices.ts';
import { tell } from './cli/output.ts';
import { addPurgeCommand } from './cli/purge.ts';
import { addRejectCommands } from './cli/rejects.ts';
import { addRuleCommands } from './cli/rules.ts';
import { addServiceCommands } from './cli/service.ts';
import { addStatusCommands } from './cli/status.ts';
import { addSynthCommand } from './cli/synth.ts';
import { addTokenCommands } from './cli/tokens.ts';
import { addUserCommands } from './cli/users.ts';
import { PopshareError } from './schema/errors.ts';
import { failureOf, messageWithoutValues } from './schema/failure.ts';

// Whoever reads the output may have had enough (`| head`): what is under way still ends in order.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const program = new Command('popshare')
  .description(
    '人口信息共享: the departments’ registers of one county, checked, linked and reported every night',
  )
  .exitOverride()
  .showHelpAfterError();

addNightlyCommands(program);
addDeliveryCommands(program);
addRejectCommands(program);
addServiceCommands(program);
addUserCommands(program);
addTokenCommands(program);
addNoticeCommands(program);
addPurgeCommand(program);
addDoctorCommand(program);
addStatusCommands(program);
addSynthCommand(program);
addLinkCommand(program);
addModelCommands(program);
addIdentityCommands(program);
addAuditCommands(program);
addCaseCommands(program);
addRuleCommands(program);
addIndicatorCommands(program);
addCorrectionCommands(program);
addFieldCheckCommands(program);
addExportCommand(program);
addBenchCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Tells the reader what went wrong; the exit code is INTERFACE's. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof PopshareError) {
    tell(`${error.code}: ${messageWithoutValues(error)}`);
    tell(error.todo);
    return error.exitCode;
  }
  const failure = failureOf(error);
  tell([failure.message, failure.sqlstate ?? '', ...failure.frames].filter((line) => line !== '').join('\n'));
  return 1;
}
