import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import iconv from 'iconv-lite';
import { sql } from 'kysely';
import { afterEach, beforeEach } from 'vitest';
import type { Rule } from '../../src/anomalies/rule-file.ts';
import { type Decision, decideDelivery } from '../../src/ingest/decide.ts';
import type { DeliveryReport } from '../../src/jobs/deliveries.ts';
import { type NightlyOptions, type NightlyReport, runNight } from '../../src/jobs/nightly.ts';
import type { Purpose } from '../../src/jobs/run.ts';
import type { Step } from '../../src/jobs/steps.ts';
import type { Indicator } from '../../src/population/indicators/indicator-file.ts';
import type { Binding } from '../../src/schema/configuration/binding.ts';
import { type Configuration, loadConfiguration } from '../../src/schema/configuration/load.ts';
import type { GateLimits, Settings } from '../../src/schema/configuration/settings.ts';
import { toDeliveryId } from '../../src/schema/ids.ts';
import type { Warehouse } from '../../src/schema/warehouse/connect.ts';
import { cell, row, workbook } from '../decode/workbook-writer.ts';
import { partOfNight } from './part-of-night.ts';
import { useWarehouse } from './warehouse.ts';

/** A row to send: fields of the contract; the others stay empty. */
export type Row = Readonly<Record<string, string>>;

/** What the control file says, where it should not say the truth. */
interface ControlOptions {
  readonly control?: Readonly<{ rows?: number; sha256?: string }> | null;
}

/** The shipped configuration, which most tests use as it is. */
const shipped = await loadConfiguration('config');

/** A county for each test: an empty drop folder, an empty data folder, a warehouse without data. */
class County {
  drop = '';
  data = '';
  rules: readonly Rule[] = [];
  indicators: readonly Indicator[] = [];
  base = '';
  #configuration: Configuration | undefined;
  #elsewhere: Warehouse | undefined;
  readonly #warehouse: () => Warehouse;
  readonly #steps: readonly Step['name'][];

  constructor(warehouse: () => Warehouse, steps: readonly Step['name'][]) {
    this.#warehouse = warehouse;
    this.#steps = steps;
  }

  async open(): Promise<void> {
    this.base = await mkdtemp(path.join(tmpdir(), 'popshare-county-'));
    this.drop = path.join(this.base, 'drop');
    this.data = path.join(this.base, 'data');
    await mkdir(this.drop);
    this.#configuration = shipped;
    this.rules = [];
    this.indicators = [];
    this.#elsewhere = undefined;
    await this.empty();
  }

  async close(): Promise<void> {
    await rm(this.base, { recursive: true, force: true });
  }

  get warehouse(): Warehouse {
    return this.#elsewhere ?? this.#warehouse();
  }

  /** Uses this warehouse instead of the file's own, until the test ends. */
  moveTo(warehouse: Warehouse): void {
    this.#elsewhere = warehouse;
  }

  get configuration(): Configuration {
    if (this.#configuration === undefined) throw new Error('the county is open only inside tests');
    return this.#configuration;
  }

  /** Reads another configuration folder than the shipped one. */
  async configure(folder: string): Promise<void> {
    this.#configuration = await loadConfiguration(folder);
  }

  /** Other limits for the gates than those of the shipped configuration. */
  setGates(gates: Partial<GateLimits>): void {
    this.set({ gates: { ...this.configuration.settings.gates, ...gates } });
  }

  /** Other settings than those of the shipped configuration. */
  set(settings: Partial<Settings>): void {
    const { configuration } = this;
    this.#configuration = { ...configuration, settings: { ...configuration.settings, ...settings } };
  }

  binding(feed: string): Binding {
    const binding = this.configuration.bindings.find((candidate) => candidate.feed === feed);
    if (binding === undefined) throw new Error(`no binding for ${feed}`);
    return binding;
  }

  /** Sends rows as their binding says, with a control file that agrees. */
  async deliver(
    feed: string,
    date: string,
    rows: readonly Row[],
    options: ControlOptions = {},
  ): Promise<void> {
    await this.deliverBytes(feed, date, fileOf(this.binding(feed), rows), rows.length, options);
  }

  /** Sends bytes as they are. `rows` is what the control file announces. */
  async deliverBytes(
    feed: string,
    date: string,
    bytes: Buffer,
    rows: number,
    options: ControlOptions = {},
  ): Promise<void> {
    const { contract, format } = this.binding(feed);
    const file = path.join(this.drop, contract.department, `${feed}_${date.replaceAll('-', '')}`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.${format}`, bytes);
    if (options.control === null) return;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(`${file}.ctl.json`, JSON.stringify({ feed, rows, sha256, ...options.control }));
  }

  /** One night for the feeds named. */
  async night(date: string, feeds: readonly string[], purpose: Purpose = 'nightly'): Promise<NightlyReport> {
    const night: NightlyOptions = {
      warehouse: this.warehouse,
      configuration: this.configuration,
      rules: this.rules,
      indicators: this.indicators,
      dataFolder: this.data,
      dropFolder: purpose === 'nightly' ? this.drop : null,
      businessDate: date,
      purpose,
      feeds,
      progress: { stepBegan() {}, stepEnded() {}, rows() {} },
    };
    return this.#steps.length === 0 ? runNight(night) : partOfNight(night, this.#steps);
  }

  /** Sends rows of one feed and runs the night for it. */
  async send(
    feed: string,
    date: string,
    rows: readonly Row[],
    options: ControlOptions = {},
  ): Promise<DeliveryReport> {
    await this.deliver(feed, date, rows, options);
    return this.ingest(feed, date);
  }

  /** Runs the night for one feed, and says what became of its delivery. */
  async ingest(feed: string, date: string, purpose: Purpose = 'nightly'): Promise<DeliveryReport> {
    const [delivery] = (await this.night(date, [feed], purpose)).deliveries;
    if (delivery === undefined) throw new Error(`the night of ${date} has no delivery of ${feed}`);
    return delivery;
  }

  /** An officer decides, and the flow goes on, as the command line does it. */
  async decide(delivery: DeliveryReport, decision: Decision, reason = '测试'): Promise<DeliveryReport> {
    const { businessDate } = await decideDelivery(this.warehouse, {
      deliveryId: toDeliveryId(delivery.delivery_id),
      decision,
      reason,
      decidedBy: 'officer',
    });
    return this.ingest(delivery.feed, businessDate, decision);
  }

  /** The records of a feed as they stand, or as they stood on a date: source key → value of one field. */
  async records(feed: string, field: string, asOf?: string): Promise<Record<string, string>> {
    const source =
      asOf === undefined
        ? sql`${sql.id('registry', feed)}`
        : sql`${sql.id('registry', `${feed}_as_of`)}(${asOf}::date)`;
    const { rows } = await sql<{ source_key: string; value: string }>`
      SELECT source_key, ${sql.id(field)}::text AS value FROM ${source} ORDER BY source_key`.execute(
      this.warehouse.db,
    );
    const keys = rows.map(({ source_key }) => source_key);
    if (new Set(keys).size !== keys.length)
      throw new Error(`a key of ${feed} stands twice: ${keys.join(', ')}`);
    return Object.fromEntries(rows.map(({ source_key, value }) => [source_key, value]));
  }

  /** Takes all data out of the warehouse: as it is after migrating, but for the numbers that ids begin with. */
  async empty(): Promise<void> {
    await this.query(`
      DO $$ DECLARE statement text; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR statement IN SELECT format('DELETE FROM %I.%I', schemaname, tablename) FROM pg_tables
                    WHERE schemaname IN ('ops', 'registry', 'identity', 'population', 'anomalies', 'audit')
                      AND tablename NOT IN ('fence', 'state', 'head')
                    UNION ALL
                    SELECT format('DROP TABLE %I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'stage'
        LOOP EXECUTE statement; END LOOP;
        UPDATE identity.state SET reconciled_run = 0, model_weights = NULL, model_blocking = NULL;
        UPDATE population.state SET updated_run = 0, as_of = NULL;
        UPDATE audit.head SET entry_id = 0, hash = sha256('popshare');
      END $$`);
  }

  async query<Result>(text: string, values: readonly unknown[] = []): Promise<Result[]> {
    return (await this.warehouse.pool.query(text, [...values])).rows;
  }
}

/**
 * Registers the making and the ending of a county with the tests of the file.
 *
 * @param steps the steps that its nights take, where the tests are about no others; none means all
 */
export function useCounty(...steps: Step['name'][]): County {
  const county = new County(useWarehouse(), steps);
  beforeEach(() => county.open());
  afterEach(() => county.close());
  return county;
}

/** The file of a delivery as the binding says, header included. */
export function fileOf(binding: Binding, rows: readonly Row[]): Buffer {
  const columns = Object.entries(binding.columns);
  const table = [
    columns.map(([, name]) => name),
    ...rows.map((given) => columns.map(([field]) => given[field] ?? '')),
  ];
  if (binding.format === 'xlsx') {
    return workbook({ rows: table.map((cells) => row(...cells.map(cell))).join('') });
  }
  if (binding.format === 'jsonl') {
    const objects = rows.map((given) => columns.map(([field, name]) => [name, given[field] ?? '']));
    return Buffer.from(objects.map((entries) => `${JSON.stringify(Object.fromEntries(entries))}\n`).join(''));
  }
  const text = table.map((cells) => `${cells.join(binding.delimiter)}\r\n`).join('');
  return iconv.encode(text, binding.encoding === 'auto' ? 'utf-8' : binding.encoding);
}

/** A row of housing_ownership, a snapshot without a time of change. */
export function title(key: string, owner: string, more: Row = {}): Row {
  return {
    title_number: key,
    dwelling_code: `F${key}`,
    dwelling_address: '崆峒区东大街1号',
    division: '620802001001',
    owner_name: owner,
    registered_on: '20200101',
    ...more,
  };
}

/** A row of death_registration, an incremental feed with a time of change, in GB 18030. */
export function death(key: string, name: string, updatedAt: string, more: Row = {}): Row {
  return { cremation_number: key, name, died_on: '2026-11-01', updated_at: `2026-11-${updatedAt}`, ...more };
}
