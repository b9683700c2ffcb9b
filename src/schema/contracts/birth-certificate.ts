import { SEX_CODES } from '../standards/codes.ts';
import { defineContract } from './contract.ts';
import { birthDate, code, date, division, idNumber, personName, text, timestamp } from './field.ts';

export const birthCertificate = defineContract({
  feed: 'birth_certificate',
  department: 'health',
  title: { zh: '出生医学证明', en: 'Birth certificates' },
  mode: 'incremental',
  key: ['certificate_number'],
  updatedAt: 'updated_at',
  fields: {
    certificate_number: text('出生证编号', 'Certificate number', { required: true }),
    // Empty when the parents had not chosen a name yet.
    child_name: personName('新生儿姓名', "Child's name"),
    child_sex: code('新生儿性别', "Child's sex (GB/T 2261.1)", SEX_CODES, {
      required: true,
      sensitivity: 'personal',
    }),
    child_birth_date: birthDate('出生日期', 'Date of birth', { required: true }),
    mother_id_number: idNumber('母亲证件号码', "Mother's document number"),
    mother_name: personName('母亲姓名', "Mother's name", { required: true }),
    mother_birth_date: birthDate('母亲出生日期', "Mother's date of birth"),
    father_id_number: idNumber('父亲证件号码', "Father's document number"),
    father_name: personName('父亲姓名', "Father's name"),
    mother_registered_division: division(
      '母亲户籍地区划代码',
      "Division of the mother's household registration",
    ),
    mother_living_division: division('母亲现住地区划代码', 'Division where the mother lives'),
    hospital: text('接生机构', 'Place of delivery'),
    issued_on: date('签发日期', 'Issued on'),
    updated_at: timestamp('更新时间', 'Last change at the source', { required: true }),
  },
  mentions: [
    {
      // A newborn has no document number yet, and lives where the mother does.
      role: 'child',
      meaning: { zh: '新生儿', en: 'the newborn child' },
      name: 'child_name',
      sex: 'child_sex',
      birthDate: 'child_birth_date',
      division: 'mother_living_division',
      kin: ['mother', 'father'],
    },
    {
      role: 'mother',
      meaning: { zh: '母亲', en: 'the mother' },
      idNumber: 'mother_id_number',
      name: 'mother_name',
      sexOfRole: '2',
      birthDate: 'mother_birth_date',
      division: 'mother_living_division',
      registeredDivision: 'mother_registered_division',
      kin: ['child', 'father'],
    },
    {
      role: 'father',
      meaning: { zh: '父亲', en: 'the father' },
      idNumber: 'father_id_number',
      name: 'father_name',
      sexOfRole: '1',
      kin: ['child', 'mother'],
    },
  ],
});
