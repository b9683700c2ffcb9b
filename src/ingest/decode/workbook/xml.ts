import { SaxesParser } from 'saxes';
import { PopshareError } from '../../../schema/errors.ts';
import type { Limits } from '../limits.ts';

/** What a reader of a part wants to know. Names come without their namespace prefix. */
export interface XmlEvents {
  open(name: string, attributes: Record<string, string>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** SpreadsheetML nests less than twenty elements; each open one costs memory. */
const DEEPEST = 100;

/**
 * Reads a part's XML as it comes; `events` are called while writing.
 *
 * Throws SOURCE_FORMAT when the part is not well-formed UTF-8 XML or declares a document type, which ECMA-376 forbids;
 * SOURCE_TOO_LARGE when a single text or tag is longer than a row may be.
 */
export function xmlReader(
  part: string,
  events: XmlEvents,
  limits: Limits,
): { write(bytes: Buffer): void; end(): void } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = new SaxesParser({ xmlns: false, position: false });
  // A text or tag is held in memory until it ends: this counts what has been written since the last one ended.
  let pending = 0;
  let depth = 0;
  parser.on('error', (cause) => {
    throw new PopshareError('SOURCE_FORMAT', `The workbook's ${part} is not well-formed XML.`, { cause });
  });
  parser.on('doctype', () => {
    throw new PopshareError('SOURCE_FORMAT', `The workbook's ${part} declares a document type.`);
  });
  parser.on('opentag', (tag) => {
    pending = 0;
    depth += 1;
    if (depth > DEEPEST)
      throw new PopshareError('SOURCE_FORMAT', `The workbook's ${part} is nested too deeply.`);
    events.open(localName(tag.name), tag.attributes);
  });
  parser.on('text', (text) => events.text?.(text));
  parser.on('cdata', (text) => events.text?.(text));
  parser.on('closetag', (tag) => {
    pending = 0;
    depth -= 1;
    events.close?.(localName(tag.name));
  });

  const decode = (bytes?: Buffer): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new PopshareError('SOURCE_FORMAT', `The workbook's ${part} is not UTF-8.`, { cause });
    }
  };
  return {
    write(bytes) {
      pending += bytes.length;
      parser.write(decode(bytes));
      if (pending > limits.rowBytes + bytes.length) {
        throw new PopshareError(
          'SOURCE_TOO_LARGE',
          `The workbook's ${part} has a text beyond ${limits.rowBytes} bytes.`,
        );
      }
    },
    end() {
      parser.write(decode());
      parser.close();
    },
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
