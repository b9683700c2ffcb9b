import path from 'node:path';
import type { Command } from 'commander';
import { sql } from 'kysely';
import { type Indicator, loadIndicators } from '../population/indicators/indicator-file.ts';
import { PopshareError } from '../schema/errors.ts';
import { plain, say, sayJson, sayRows, table } from './output.ts';
import { type Session, withSession } from './session.ts';

/** `indicators`: what is published, and the figures that readers see. */
export function addIndicatorCommands(program: Command): void {
  const indicators = program.command('indicators').description('the published figures 指标');

  indicators
    .command('list')
    .description('the indicators, with the figure of the county, and why one has none')
    .option('--json', 'one JSON object on stdout: {"indicators": [...]}')
    .action(async (options: { json?: boolean }) => {
      const listed = await withSession(listIndicators);
      if (options.json) return sayJson({ indicators: listed });
      sayRows(listed, 'no indicators');
    });

  indicators
    .command('show')
    .argument('<code>', 'such as P02')
    .description('one indicator: its definition, and the figures of a division')
    .option('--division <code>', '12 digits; the county unless given')
    .option('--json', 'one JSON object on stdout')
    .action(async (code: string, options: { division?: string; json?: boolean }) => {
      const shown = await withSession((session) => showIndicator(session, code, options.division));
      if (options.json) return sayJson(shown);
      const { figures, ...definition } = shown;
      say(table(Object.entries(definition).map(([name, value]) => [name, plain(value)])));
      say('');
      sayRows(figures, 'no figures');
    });
}

/** A figure as readers see it: without numbers when it is suppressed. */
interface Figure {
  readonly code: string;
  readonly division: string;
  readonly name: string | null;
  readonly period: string;
  readonly value: number | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
  readonly unit: string;
  readonly suppressed: boolean;
  readonly as_of: string;
}

interface ListedIndicator {
  readonly code: string;
  readonly title: string;
  readonly value: number | null;
  readonly unit: string;
  readonly suppressed: boolean | null;
  readonly as_of: string | null;
  /** The feeds that it lacks; null when it lacks none. */
  readonly lacks: string | null;
}

/** The indicators of the configuration, with the county's figure of the last night. */
export async function listIndicators(session: Session): Promise<ListedIndicator[]> {
  const { warehouse, configuration } = session;
  const latest = await figuresOf(session, `${configuration.settings.county}000000`);
  const { rows: gaps } = await sql<{ code: string; feeds: string[] }>`
    SELECT code, feeds FROM population.indicator_gap`.execute(warehouse.db);
  return (await indicatorsOf(session)).map(({ indicator, title, unit }) => {
    const figure = latest.find(({ code }) => code === indicator);
    return {
      code: indicator,
      title: `${title.zh} ${title.en}`,
      value: figure?.value ?? null,
      unit,
      suppressed: figure?.suppressed ?? null,
      as_of: figure?.as_of ?? null,
      lacks: gaps.find(({ code }) => code === indicator)?.feeds.join(', ') ?? null,
    };
  });
}

/** @throws INDICATOR_UNKNOWN */
async function showIndicator(session: Session, code: string, given: string | undefined) {
  const indicator = (await indicatorsOf(session)).find((candidate) => candidate.indicator === code);
  if (indicator === undefined) throw new PopshareError('INDICATOR_UNKNOWN', `there is no indicator ${code}`);
  const { title, formula, unit, period, feeds, source, note } = indicator;
  const division = given ?? `${session.configuration.settings.county}000000`;
  const figures = (await figuresOf(session, division)).filter(
    (figure) => figure.code === code || figure.code.startsWith(`${code}.`),
  );
  return {
    code,
    title: `${title.zh} ${title.en}`,
    formula,
    unit,
    period,
    feeds: feeds.join(', '),
    source: source ?? null,
    note: note ?? null,
    figures,
  };
}

async function indicatorsOf({ configuration }: Session): Promise<Indicator[]> {
  return loadIndicators(path.join(configuration.folder, 'indicators'));
}

/** The figures of a division in the last period, values to four decimals. */
async function figuresOf({ warehouse }: Session, division: string): Promise<Figure[]> {
  const { rows } = await sql<Figure>`
    SELECT i.code, i.division, d.name, i.period, round(i.value::numeric, 4)::float8 AS value, i.numerator, i.denominator,
           i.unit, i.suppressed, i.as_of
    FROM reporting.indicator i LEFT JOIN reference.division d ON d.code = i.division
    WHERE i.division = ${division} AND i.period = (SELECT max(period) FROM population.indicator_period)
    ORDER BY i.code`.execute(warehouse.db);
  return rows;
}
