import { z } from 'zod';
import type { ControlFile } from './connector.ts';

const controlFile = z.object({
  feed: z.string().min(1),
  rows: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, '须为 64 位十六进制数'),
  generated_at: z.string().min(1).nullish(),
});

type ControlFileReading = { valid: true; control: ControlFile } | { valid: false; reason: string };

/**
 * Reads the text of a control file. It never throws: a control file that cannot be used is a finding.
 *
 * @param text JSON, `{"feed","rows","sha256","generated_at"}`; further keys are ignored
 * @param feed the feed that the control file must speak of
 */
export function readControlFile(text: string, feed: string): ControlFileReading {
  let json: unknown;
  try {
    // Editors on Windows put a byte order mark before JSON.
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return { valid: false, reason: '控制文件不是有效的 JSON，可能尚未写完' };
  }
  const parsed = controlFile.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return {
      valid: false,
      reason: `控制文件字段 ${issue?.path.join('.') || '（整体）'} 有误：${issue?.message ?? ''}`,
    };
  }
  const { rows, sha256, generated_at } = parsed.data;
  if (parsed.data.feed !== feed) {
    return { valid: false, reason: `控制文件属于报送项 ${parsed.data.feed}，不是 ${feed}` };
  }
  return {
    valid: true,
    control: { feed, rows, sha256: sha256.toLowerCase(), generatedAt: generated_at ?? null },
  };
}
