import type { Configuration } from '../schema/configuration/load.ts';
import type { DeliveryId, RunId } from '../schema/ids.ts';
import type { Warehouse } from '../schema/warehouse/connect.ts';

/** What every step of the night is given. */
export interface RunContext {
  readonly warehouse: Warehouse;
  readonly configuration: Configuration;
  readonly dataFolder: string;
  readonly runId: RunId;
  /** YYYY-MM-DD */
  readonly businessDate: string;
  /** Told as work goes on, for the operator's eyes: rows so far of a delivery. */
  readonly onRows: (feed: string, rows: number) => void;
}

/** A delivery whose bytes are in the house and whose fate is open. */
export interface LandedDelivery {
  readonly deliveryId: DeliveryId;
  readonly feed: string;
  readonly businessDate: string;
  readonly landedPath: string;
  readonly sha256: string;
  readonly control: { rows: number; sha256: string } | null;
  /** An officer has looked at the gates' findings and let it pass. */
  readonly released: boolean;
  /** It has been applied before, and is replayed: the ledger keeps what it did then, unless it does more now. */
  readonly isReplay: boolean;
}
