import type { Binding } from '../schema/configuration/binding.ts';
import type { GateLimits } from '../schema/configuration/settings.ts';
import type { LandedDelivery } from './delivery.ts';
import { likelyRenames } from './likely-renames.ts';
import type { Staged } from './stage.ts';

/** What a gate found. A finding that holds keeps the delivery from being applied until an officer releases it. */
export interface GateFinding {
  readonly rule: 'FD02' | 'FD03' | 'FD04' | 'FD05' | 'FD07' | 'FD08';
  readonly holds: boolean;
  readonly message: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What stood before: the last delivery of the feed that was applied. */
export interface LastAccepted {
  readonly received: number;
}

/**
 * All gates over one staged delivery, worst first. Gates hold, they do not guess: nothing is mended here.
 * The definitions are those of RULES.md, FD02 to FD08.
 */
export function gateFindings(
  delivery: LandedDelivery,
  binding: Binding,
  staged: Staged,
  last: LastAccepted | null,
  limits: GateLimits,
): GateFinding[] {
  const findings = [
    structure(staged),
    controlTotals(delivery, staged),
    encoding(staged, limits),
    rejections(staged, limits),
    volume(binding, staged, last, limits),
  ];
  return findings.filter((finding) => finding !== null);
}

/** FD03 结构变化: a bound column is not in the header, or a column came that nobody asked for (noted only). */
function structure({ headerCheck: { missing, extra } }: Staged): GateFinding | null {
  if (missing.length > 0) {
    const renamed = likelyRenames(missing, extra);
    const hints = renamed.map(({ from, to }) => `“${from}”可能改名为“${to}”`);
    return {
      rule: 'FD03',
      holds: true,
      message: `结构变化：缺少列 ${missing.join('、')}${hints.length > 0 ? `（${hints.join('，')}）` : ''}`,
      evidence: { missing, extra, likely_renames: renamed },
    };
  }
  if (extra.length > 0) {
    return {
      rule: 'FD03',
      holds: false,
      message: `结构变化：多出列 ${extra.join('、')}`,
      evidence: { missing, extra },
    };
  }
  return null;
}

/** FD05 控制数不符: row count or digest differ from the sender's control file. */
function controlTotals(delivery: LandedDelivery, staged: Staged): GateFinding | null {
  const { control } = delivery;
  if (control === null) return null;
  const sameDigest = control.sha256.toLowerCase() === delivery.sha256;
  if (sameDigest && control.rows === staged.received) return null;
  return {
    rule: 'FD05',
    holds: true,
    message: `控制数不符：控制文件 ${control.rows} 行，收到 ${staged.received} 行${sameDigest ? '' : '，sha256 不一致'}`,
    evidence: { rows_announced: control.rows, rows_received: staged.received, digest_matches: sameDigest },
  };
}

/** FD07 编码错误: rows that are not text in the feed's encoding. */
function encoding(staged: Staged, limits: GateLimits): GateFinding | null {
  if (staged.undecodable === 0) return null;
  return {
    rule: 'FD07',
    holds: percentOf(staged.undecodable, staged.received) > limits.undecodable_percent,
    message: `编码错误：${staged.undecodable} 行不是 ${staged.encoding} 文本`,
    evidence: { undecodable: staged.undecodable, received: staged.received, encoding: staged.encoding },
  };
}

/** FD08 退回率过高: too many rows refused by the contract. */
function rejections(staged: Staged, limits: GateLimits): GateFinding | null {
  const share = percentOf(staged.rejected, staged.received);
  if (share <= limits.rejected_percent) return null;
  return {
    rule: 'FD08',
    holds: true,
    message: `退回率过高：${staged.received} 行中退回 ${staged.rejected} 行（${share.toFixed(1)}%）`,
    evidence: { rejected: staged.rejected, received: staged.received },
  };
}

/** FD02 数量异常: a snapshot that shrank or grew too much against the last accepted one, or has no rows at all. */
function volume(
  binding: Binding,
  staged: Staged,
  last: LastAccepted | null,
  limits: GateLimits,
): GateFinding | null {
  if (binding.contract.mode !== 'snapshot' || staged.headerCheck.missing.length > 0) return null;
  const before = last?.received ?? null;
  const evidence = { received: staged.received, last_accepted: before };
  if (staged.received === 0)
    return { rule: 'FD02', holds: true, message: '数量异常：全量报送没有任何行', evidence };
  if (before === null || before === 0) return null;
  const change = percentOf(staged.received - before, before);
  if (change >= -limits.fewer_percent && change <= limits.more_percent) return null;
  return {
    rule: 'FD02',
    holds: true,
    message: `数量异常：收到 ${staged.received} 行，上次 ${before} 行（${change > 0 ? '+' : ''}${change.toFixed(1)}%）`,
    evidence,
  };
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
