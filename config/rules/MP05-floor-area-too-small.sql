/*
rule: MP05
title: { zh: 居住面积过小, en: Too little floor area for its occupants }
severity: medium
owner: housing
evaluates: everything
parameters: { square_metres: 5 }
definition: 租赁备案的建筑面积除以居住人数小于 5 平方米。
resolved_by: 房产核实面积和人数，督促整改或更正备案。
*/
SELECT 'housing_lease|' || r.source_key AS subject,
       'housing_lease' AS feed, r.source_key, NULL::text AS role, NULL::bigint AS person_id, r.division,
       jsonb_build_object('floor_area', r.floor_area, 'occupants', r.occupants) AS evidence
FROM registry.housing_lease r
WHERE r.occupants > 0 AND r.floor_area < r.occupants * :square_metres::numeric
