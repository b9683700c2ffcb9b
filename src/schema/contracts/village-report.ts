import { SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { birthDate, code, date, division, idNumber, integer, period, personName, text } from './field.ts';

export const villageReport = defineContract({
  feed: 'village_report',
  department: 'villages',
  title: { zh: '村直报', en: 'Village reports' },
  mode: 'incremental',
  key: ['village', 'report_period', 'item_number'],
  updatedAt: null,
  fields: {
    village: division('村代码', 'Village', { required: true }),
    village_name: text('村名', 'Name of the village'),
    report_period: period('报告期', 'Month of the report', { required: true }),
    item_number: integer('序号', 'Number of the item in the report', { required: true }),
    name: personName('姓名', 'Name', { required: true }),
    id_number: idNumber('证件号码', 'Document number'),
    sex: code('性别', 'Sex (GB/T 2261.1)', SEX_CODES, { sensitivity: 'personal' }),
    birth_date: birthDate('出生日期', 'Date of birth'),
    event: code(
      '事项',
      'Event',
      {
        出生: { zh: '出生', en: 'birth' },
        死亡: { zh: '死亡', en: 'death' },
        迁入: { zh: '迁入', en: 'moved in' },
        迁出: { zh: '迁出', en: 'moved out' },
        外出: { zh: '外出', en: 'left to live elsewhere' },
        返乡: { zh: '返乡', en: 'came back' },
      },
      { required: true, sensitivity: 'personal' },
    ),
    event_on: date('事项日期', 'Date of the event', { required: true, sensitivity: 'personal' }),
    destination: text('去往地', 'Destination'),
    reporter: text('填报人', 'Reporter'),
    remarks: text('备注', 'Remarks', { sensitivity: 'personal' }),
  },
  mentions: [
    {
      role: 'subject',
      meaning: { zh: '本人', en: 'the villager' },
      idNumber: 'id_number',
      name: 'name',
      sex: 'sex',
      birthDate: 'birth_date',
      division: 'village',
    },
  ],
});
