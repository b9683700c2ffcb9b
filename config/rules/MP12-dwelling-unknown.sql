/*
rule: MP12
title: { zh: 登记房屋不存在, en: Registered at a dwelling that housing does not know }
severity: low
owner: housing
evaluates: everything
definition: 居住登记填写了房屋编码，而不动产权登记和房屋租赁备案中都没有这个编码。
resolved_by: 房产核实房屋编码并补录房屋，或由公安更正居住登记的编码。
*/
SELECT 'residence_registration|' || r.source_key AS subject,
       'residence_registration' AS feed, r.source_key, NULL::text AS role, NULL::bigint AS person_id,
       r.living_division AS division,
       jsonb_build_object('dwelling_code', r.dwelling_code, 'registered_on', r.registered_on,
                          'valid_until', r.valid_until) AS evidence
FROM registry.residence_registration r
WHERE r.dwelling_code IS NOT NULL
  AND NOT EXISTS (SELECT FROM registry.housing_ownership o WHERE o.dwelling_code = r.dwelling_code)
  AND NOT EXISTS (SELECT FROM registry.housing_lease l WHERE l.dwelling_code = r.dwelling_code)
