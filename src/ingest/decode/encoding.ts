import iconv from 'iconv-lite';

/** What a feed's text may be written in. UTF-16LE is recognised by its byte order mark only. */
export type Encoding = 'utf-8' | 'gb18030' | 'gbk' | 'utf-16le';

/** How much of a source decides its encoding. */
export const DETECTION_BYTES = 1024 * 1024;

// GBK is read as GB 18030, which contains it; the Encoding Standard does the same.
const DECODERS = {
  'utf-8': new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  gb18030: new TextDecoder('gb18030', { fatal: true }),
  gbk: new TextDecoder('gb18030', { fatal: true }),
};

/**
 * The encoding of a source. A byte order mark of UTF-8 or UTF-16LE wins over what the binding says, because no
 * text in GB 18030 begins with it; then the binding; then, for `auto`, UTF-8 when the head is strictly
 * UTF-8, else GB 18030 (UTF-8 is very unlikely by chance, GB 18030 is not).
 *
 * @param head the first {@link DETECTION_BYTES} bytes, or all there are
 * @param complete true when `head` is the whole source, so that it cannot end inside a character
 */
export function detectEncoding(
  head: Buffer,
  complete: boolean,
  named: 'utf-8' | 'gb18030' | 'gbk' | 'auto',
): Encoding {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (named !== 'auto') return named;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: !complete });
    return 'utf-8';
  } catch {
    return 'gb18030';
  }
}

/** The text of bytes that do not end inside a character, or null when they are no text in the encoding. */
export function decodeStrictly(bytes: Buffer, encoding: Encoding): string | null {
  // UTF-16 has no invalid bytes, only lone surrogates, which JavaScript strings carry as they are.
  if (encoding === 'utf-16le') return bytes.toString('utf16le');
  try {
    return DECODERS[encoding].decode(bytes);
  } catch {
    return null;
  }
}

/**
 * Text of bytes that are not all text: what decodes is decoded, and each byte that does not becomes a lone surrogate
 * U+DC80…U+DCFF, as in PEP 383 (surrogateescape), so that {@link encodeField} gives the same bytes again.
 */
export function decodeEscaping(bytes: Buffer, encoding: Encoding): string {
  let text = '';
  let runStart = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at, encoding);
    if (length > 0) {
      at += length;
      continue;
    }
    text += decodeRun(bytes.subarray(runStart, at), encoding) + escapeBytes(bytes.subarray(at, at + 1));
    at += 1;
    runStart = at;
  }
  return text + decodeRun(bytes.subarray(runStart), encoding);
}

/** Bytes that are well formed, though single characters may still be unassigned. */
function decodeRun(run: Buffer, encoding: Encoding): string {
  const whole = decodeStrictly(run, encoding);
  if (whole !== null) return whole;
  let text = '';
  for (let at = 0; at < run.length; ) {
    const character = run.subarray(at, at + sequenceLength(run, at, encoding));
    text += decodeStrictly(character, encoding) ?? escapeBytes(character);
    at += character.length;
  }
  return text;
}

/** ASCII bytes of an undecodable character stand for themselves. */
function escapeBytes(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
  return text;
}

/** Length of the character that begins at `at` as its lead byte promises, 0 when the following bytes break the promise. */
function sequenceLength(bytes: Buffer, at: number, encoding: Encoding): number {
  const between = (offset: number, low: number, high: number): boolean => {
    const byte = bytes[at + offset];
    return byte !== undefined && byte >= low && byte <= high;
  };
  if (between(0, 0, 0x7f)) return 1;
  if (encoding === 'utf-8') {
    const length = between(0, 0xc2, 0xdf) ? 2 : between(0, 0xe0, 0xef) ? 3 : between(0, 0xf0, 0xf4) ? 4 : 0;
    for (let offset = 1; offset < length; offset += 1) if (!between(offset, 0x80, 0xbf)) return 0;
    return length;
  }
  if (!between(0, 0x81, 0xfe)) return 0;
  if (between(1, 0x40, 0x7e) || between(1, 0x80, 0xfe)) return 2;
  return between(1, 0x30, 0x39) && between(2, 0x81, 0xfe) && between(3, 0x30, 0x39) ? 4 : 0;
}

const ESCAPED_RUN = /([\udc80-\udcff]+)/u;

/**
 * The bytes of a decoded field as its sender wrote them: the reverse of decoding, undecodable bytes included.
 * Characters that the encoding spells in two ways (18 of GB 18030, and the euro sign of GBK) come out in one of them.
 *
 * @param encoding {@link Encoding}, as `DecodedSource.encoding` names it
 */
export function encodeField(text: string, encoding: string): Buffer {
  if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le');
  // iconv-lite's GBK lacks what GB 18030 adds, and decoding reads both as GB 18030.
  const name = encoding === 'gbk' ? 'gb18030' : encoding;
  if (text.isWellFormed()) return iconv.encode(text, name);
  const runs = text.split(ESCAPED_RUN).map((run, index) => {
    const escaped = index % 2 === 1;
    return escaped ? Buffer.from(run, 'latin1') : iconv.encode(run, name);
  });
  return Buffer.concat(runs);
}
