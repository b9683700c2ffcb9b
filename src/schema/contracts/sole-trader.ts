import { defineContract } from './contract.ts';
import { address, code, date, division, idNumber, personName, text, timestamp } from './field.ts';

export const soleTrader = defineContract({
  feed: 'sole_trader',
  department: 'market-supervision',
  title: { zh: '个体工商户', en: 'Sole traders' },
  mode: 'incremental',
  key: ['registration_number'],
  updatedAt: 'updated_at',
  fields: {
    registration_number: text('注册号', 'Registration number', { required: true }),
    operator_id_number: idNumber('经营者证件号码', "Operator's document number"),
    operator_name: personName('经营者姓名', "Operator's name", { required: true }),
    trade_name: text('字号名称', 'Trade name'),
    premises: address('经营场所', 'Premises'),
    division: division('区划代码', 'Division'),
    established_on: date('成立日期', 'Established on'),
    status: code(
      '经营状态',
      'State of the business',
      { active: { zh: '在营', en: 'active' }, cancelled: { zh: '注销', en: 'cancelled' } },
      { required: true },
    ),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  mentions: [
    {
      // Many trade where they live.
      role: 'operator',
      meaning: { zh: '经营者', en: 'the operator' },
      idNumber: 'operator_id_number',
      name: 'operator_name',
      division: 'division',
      address: 'premises',
    },
  ],
});
