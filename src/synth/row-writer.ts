import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** Characters that are collected before they are written. */
export const ENOUGH_TO_WRITE = 65_536;

/** Where the rows of one file go: collected by `add`; `flush` writes them when there are enough. */
export interface RowWriter {
  add(values: readonly string[]): void;
  flush(): Promise<void>;
  /** Ends the file. */
  close(): Promise<{ rows: number; sha256: string }>;
}

/** A new file whose sha256 is known when it is closed. */
export class HashedFile {
  readonly #handle: FileHandle;
  readonly #hash = createHash('sha256');

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#handle.writeFile(bytes);
  }

  /** @returns the sha256 */
  async close(): Promise<string> {
    await this.#handle.close();
    return this.#hash.digest('hex');
  }
}
