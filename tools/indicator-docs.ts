// Writes docs/indicators.md from the headers of the indicators, or, with --verify, fails when it differs.
import { readFile, writeFile } from 'node:fs/promises';
import {
  type Indicator,
  loadIndicators,
  RESIDENT_FEEDS,
} from '../src/population/indicators/indicator-file.ts';

const OUT = 'docs/indicators.md';
const FAMILIES: Readonly<Record<string, string>> = {
  P: '人口 Population',
  S: '结构 Sex, age and households',
  V: '出生与死亡 Births and deaths',
  F: '婚姻 Marriages',
  M: '流动人口 People who came',
  B: '保障与经营 Benefits and trade',
  Q: '数据质量 Quality of the data',
};

const INTRODUCTION = `# Indicators 指标

Written from the headers of \`config/indicators/*.sql\` by \`npm run generate\`; do not edit by hand.

Each is computed in the step \`publish\` at the end of the night, once for the county and all its townships and villages,
as of the night's business date; *twelve months* are those that end with it. \`npx popshare indicators list\` and
\`indicators show CODE [--division D]\` tell the figures; the view \`reporting.indicator\` has them for dashboards. Why
things are so: [decision 23](decisions/0023-indicators.md).

## What a figure says

- \`code\`: the indicator's, and where it has several series a point and the series: \`F03.1\`, \`S12.2.34\`, \`V04.low\`.
- \`period\` is the month (\`YYYY-MM\`) of the night; \`as_of\` the last night of that month. A month that is over keeps the
  figures of its last night. What is as it was is not written again.
- \`numerator\`, \`denominator\`: what \`value\` was made of. A mean has what was added up, and over how many.
- Rates are over the mean residents of the twelve months: half the sum of both ends. In the first year of nights nobody
  knows who lived here a year before: then the residents tonight stand for the mean, with their ages of half a year ago,
  and indicators that compare (P07, P09) have no figure.
- **No row** means that there is no figure: a feed that it needs has never been applied
  (\`population.indicator_gap\`, and \`lacks\` of \`indicators list\`), or the file's own condition does not hold (V08).
  Nothing is guessed. Under *feeds*, *residents* stands for those that tell who lives here: ${RESIDENT_FEEDS.join(', ')}.
- Births count where the mother lives, deaths where the dead lived, couples where the wife lives or else the husband. Who
  lives in the county but in no known village counts for the county alone.

## What is not shown

A figure that tells of fewer than \`indicators.least_persons\` persons (10, in \`popshare.yaml\`) is \`suppressed\`: value,
numerator and denominator are NULL. None at all counts as few; so does a share of nobody. Of a share, those who are in it and
those who are not are both counted. With a suppressed figure go:

- **its neighbours**: of a township that is shown, at least two villages are suppressed or none is, and together they have
  as many persons as may be shown; the smallest go first. The same holds for the townships of the county. What a
  township hides it hides of its villages too.
- **its companions**: indicators from which one could be told by the others (*shown with*) are suppressed together.
- **its parts**: where an indicator is suppressed, those *within* it are.

The true figures are in \`population.indicator_value\`, which \`popshare_reader\` cannot read. Deliveries, rows and cases are
no persons and are always shown.

What this does not do: a month compared with the next can tell of one person; persons in no known village are what is
left of the county when its townships are taken away, and are not protected; \`reporting.residence\` shows its counts as
they are. No noise is added.
`;

/** A cell of a Markdown table. */
const cell = (text: string): string => text.trim().replaceAll('\n', ' ').replaceAll('|', '\\|');

/** Those that tell who lives here by one word. */
function feedsOf({ feeds }: Indicator): string {
  if (!RESIDENT_FEEDS.every((feed) => feeds.includes(feed))) return feeds.join(', ');
  return ['*residents*', ...feeds.filter((feed) => !RESIDENT_FEEDS.includes(feed))].join(', ');
}

function rowOf(indicator: Indicator): string {
  const { title, formula, unit, period, form, series, source, note, parameters } = indicator;
  const limits = Object.entries(parameters).map(([name, value]) => `\`${name}\` ${value}`);
  const shown = [
    form,
    indicator.block === undefined ? '' : `shown with ${indicator.block}`,
    indicator.within.length === 0 ? '' : `within ${indicator.within.join(', ')}`,
  ];
  const told = [
    formula,
    series === undefined ? '' : `series：${series}。`,
    note ?? '',
    limits.length === 0 ? '' : `参数 ${limits.join(', ')}。`,
  ];
  const cells = [
    indicator.indicator,
    `${title.zh}<br>${title.en}`,
    told.filter((text) => text !== '').join(' '),
    unit,
    period,
    feedsOf(indicator),
    shown.filter((text) => text !== '').join('; '),
    source ?? '',
  ];
  return `| ${cells.map(cell).join(' | ')} |`;
}

const indicators = await loadIndicators('config/indicators');
const sections = Object.entries(FAMILIES).map(([family, meaning]) => {
  const rows = indicators.filter(({ indicator }) => indicator.startsWith(family)).map(rowOf);
  return `## ${family}: ${meaning}

| code | name | formula | unit | period | feeds | suppression | after |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
});

const SCORECARD = `## The scorecard of a department

\`reporting.scorecard\`: a row for each feed and business date.

| column | of the feed, on that date |
|---|---|
| \`timeliness\` | 1 when a delivery had arrived by the end of the first night of the date, else 0; that it was held, and released later, does not matter |
| \`acceptance\` | accepted / received rows of what was read |
| \`valid_id\` | mentions with a valid document number / mentions |
| \`linked\` | mentions linked with others / mentions |
| \`agreement\` | persons on whom it agrees with the other feeds that name them (name, sex, date of birth) / such persons |
| \`corrections_on_time\` | lines of corrections that ended before they were escalated / that ended |

The last four are of the registry as it stood then (\`population.feed_quality\`, written when a count changes). Rank and trend
are a window function away:

\`\`\`sql
SELECT department, feed, business_date, agreement,
       rank() OVER (PARTITION BY business_date ORDER BY agreement DESC) AS rank,
       agreement - lag(agreement, 30) OVER (PARTITION BY feed ORDER BY business_date) AS trend
FROM reporting.scorecard
\`\`\`

## To add one

A file in \`config/indicators/\`; its keys are in [configuration.md](configuration.md#indicatorssql). What its SELECT may read,
made once a night: \`presence\`, \`died\` (\`src/population/indicators/presence.ts\`), \`insured\` (\`insured.ts\`), \`born\`,
\`wedded\`, \`spouse\` (\`events.ts\`), \`place\`, \`inhabitants\`, \`age_count\`, \`mention_count\` (\`counts.ts\`), and everything in the warehouse.
`;

const text = [INTRODUCTION, ...sections, SCORECARD].join('\n');
if (!process.argv.includes('--verify')) {
  await writeFile(OUT, text);
} else if ((await readFile(OUT, 'utf8')) !== text) {
  process.stderr.write(`${OUT} differs from the indicators: run \`npm run generate\`.\n`);
  process.exitCode = 1;
}
