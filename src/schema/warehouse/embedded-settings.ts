import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';

const MEBIBYTE = 1024 * 1024;

/**
 * The settings of the embedded server as the text of a Postgres configuration file: for one machine of two to
 * four cores and a few GiB that loads in bulk at night. Memory follows the machine, or the container's limit.
 *
 * @param port the TCP port on 127.0.0.1
 * @param overrides settings by name, which win
 */
export async function serverSettings(
  port: number,
  overrides: Readonly<Record<string, string>>,
): Promise<string> {
  const memory = Math.floor(Math.min(totalmem(), process.constrainedMemory() || Infinity) / MEBIBYTE);
  const megabytes = (most: number, share: number) => `${Math.min(most, Math.floor(memory * share))}MB`;
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // Socket files bring limits on path lengths, and the permissions of their folder.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',

    shared_buffers: megabytes(512, 1 / 8),
    work_mem: megabytes(64, 1 / 64),
    maintenance_work_mem: megabytes(512, 1 / 8),
    effective_cache_size: megabytes(Infinity, 1 / 2),
    dynamic_shared_memory_type: await sharedMemoryType(),
    max_wal_size: '8GB',
    // One machine, without standbys: what a transaction loads into a table that it made or truncated is flushed at its
    // end instead of being logged row by row. Backups are copies of the folder (docs/operations.md).
    wal_level: 'minimal',
    max_wal_senders: '0',
    // The npm package is built without lz4, and pglz takes as long as building an index.
    wal_compression: 'off',
    checkpoint_timeout: '15min',
    random_page_cost: '1.1',
    jit: 'off',

    timezone: 'Asia/Shanghai',
    log_timezone: 'Asia/Shanghai',

    // No personal data in the log. Messages of failed statements quote values (`invalid input syntax for
    // type date: "…"`), and so do their details and context; they go to the client, and the log keeps what
    // the server says of itself.
    log_min_messages: 'log',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    ...overrides,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return `# Written anew at each start. What ALTER SYSTEM sets wins over this.\n${lines.join('\n')}\n`;
}

/** Containers often have a /dev/shm of 64 MiB, too small for parallel queries; System V memory is elsewhere. */
async function sharedMemoryType(): Promise<string> {
  const device = await statfs('/dev/shm').catch(() => undefined);
  const room = device === undefined ? 0 : device.blocks * device.bsize;
  return room < 512 * MEBIBYTE ? 'sysv' : 'posix';
}
