/*
rule: ID03
title: { zh: 证号疑似笔误, en: Identity number probably a slip of the pen }
severity: high
owner: source
evaluates: changed persons
wakes: []
definition: 校验错误的证件号码，与另一记录的有效公民身份号码只差一处（错一位、相邻两位颠倒、多一位或少一位），姓名相容，出生日期相同。没有登记出生日期的记录无从比较，不计。
resolved_by: 报送部门按证件原件更正号码。
*/
-- One slip always breaks the check character or the length (GB 11643), so a valid number is never a slip away from
-- another one.
WITH odd AS MATERIALIZED (
  SELECT m.mention_id, m.feed, m.source_key, m.role, m.division, m.id_given, m.name, m.birth_date, m.person_id,
         f.pinyin, f.shape, f.pattern, written.number, to_char(m.birth_date, 'YYYYMMDD') AS birth
  FROM rule_mention m
  JOIN identity.name_form f USING (name)
  CROSS JOIN LATERAL (SELECT upper(regexp_replace(normalize(m.id_given, NFKC), '[\s-]', '', 'g')) AS number) written
  WHERE m.id_kind = 'invalid' AND m.birth_date IS NOT NULL),
-- A person's birth date is what a record gives, and what the number itself says. One slip leaves the first six digits as
-- they are, or the last four.
near AS MATERIALIZED (
  SELECT o.mention_id, o.number, o.name, o.pinyin, o.shape, o.pattern, h.holder_id, h.id_number, h.holder_name
  FROM odd o
  CROSS JOIN LATERAL (
    SELECT m.mention_id AS holder_id, m.id_number, m.name AS holder_name
    FROM identity.mention m
    WHERE m.birth_date = o.birth_date AND m.active AND m.id_kind IN ('resident', 'resident_15')
    UNION ALL
    SELECT m.mention_id, m.id_number, m.name
    FROM identity.mention m
    WHERE substr(m.id_number, 7, 8) = o.birth AND m.active AND m.id_kind IN ('resident', 'resident_15')
      AND m.birth_date IS DISTINCT FROM o.birth_date
    OFFSET 0) h
  WHERE left(h.id_number, 6) = left(o.number, 6) OR right(h.id_number, 4) = right(o.number, 4)),
alike AS (
  SELECT n.mention_id, n.number, n.holder_id, n.id_number
  FROM near n JOIN identity.name_form f ON f.name = n.holder_name
  WHERE f.pinyin = n.pinyin OR f.shape = n.shape OR f.name LIKE n.pattern OR n.name LIKE f.pattern),
slip AS MATERIALIZED (
  SELECT n.mention_id, n.holder_id, edits.how
  FROM alike n
  CROSS JOIN LATERAL (SELECT
    CASE CASE WHEN length(n.number) BETWEEN 17 AND 19 THEN levenshtein_less_equal(n.number, n.id_number, 2) END
      WHEN 1 THEN CASE length(n.number) WHEN 18 THEN 'one digit wrong'
                                        WHEN 17 THEN 'one digit missing' ELSE 'one digit too many' END
      -- Of the changes by two edits, only two neighbours in the wrong order are one slip.
      WHEN 2 THEN CASE WHEN EXISTS (
        SELECT FROM generate_series(1, 17) AS at (place)
        WHERE overlay(n.number PLACING reverse(substr(n.number, place, 2)) FROM place FOR 2) = n.id_number)
        THEN 'two digits swapped' END
    END AS how) edits
  WHERE edits.how IS NOT NULL)
-- Of several persons, the one that the record is linked to, then the one in the household register.
SELECT DISTINCT ON (o.mention_id)
       o.feed || '|' || o.source_key || '|' || o.role AS subject,
       o.feed, o.source_key, o.role, o.person_id, o.division,
       jsonb_build_object(
         'id_number', masking.id_number(o.id_given), 'probable_id_number', masking.id_number(h.id_number),
         'slip', s.how, 'name', masking.name(o.name),
         'other_feed', h.feed, 'other_record', h.source_key) AS evidence
FROM slip s
JOIN odd o USING (mention_id)
JOIN identity.mention h ON h.mention_id = s.holder_id
LEFT JOIN identity.link l ON l.mention_id = h.mention_id
ORDER BY o.mention_id, (l.person_id = o.person_id) DESC NULLS LAST, (h.feed = 'household_register') DESC,
         h.id_number, h.feed, h.source_key, h.role
