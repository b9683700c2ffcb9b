import { defineContract } from './contract.ts';
import { birthDate, code, date, idNumber, personName, text, timestamp } from './field.ts';

export const marriageRegistration = defineContract({
  feed: 'marriage_registration',
  department: 'civil-affairs',
  title: { zh: '婚姻登记', en: 'Marriage registration' },
  mode: 'incremental',
  key: ['certificate_number'],
  updatedAt: 'updated_at',
  fields: {
    certificate_number: text('登记证号', 'Certificate number', { required: true }),
    event: code(
      '业务类型',
      'Kind of registration',
      { 结婚: { zh: '结婚', en: 'marriage' }, 离婚: { zh: '离婚', en: 'divorce' } },
      { required: true, sensitivity: 'personal' },
    ),
    registered_on: date('登记日期', 'Registered on', { required: true }),
    husband_id_number: idNumber('男方证件号码', "Husband's document number"),
    husband_name: personName('男方姓名', "Husband's name", { required: true }),
    husband_birth_date: birthDate('男方出生日期', "Husband's date of birth"),
    wife_id_number: idNumber('女方证件号码', "Wife's document number"),
    wife_name: personName('女方姓名', "Wife's name", { required: true }),
    wife_birth_date: birthDate('女方出生日期', "Wife's date of birth"),
    office: text('登记机关', 'Registration office'),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  mentions: [
    {
      role: 'husband',
      meaning: { zh: '男方', en: 'the husband' },
      idNumber: 'husband_id_number',
      name: 'husband_name',
      sexOfRole: '1',
      birthDate: 'husband_birth_date',
      kin: ['wife'],
    },
    {
      role: 'wife',
      meaning: { zh: '女方', en: 'the wife' },
      idNumber: 'wife_id_number',
      name: 'wife_name',
      sexOfRole: '2',
      birthDate: 'wife_birth_date',
      kin: ['husband'],
    },
  ],
});
