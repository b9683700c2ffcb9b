import { defineContract } from './contract.ts';
import { address, date, decimal, division, idNumber, personName, text } from './field.ts';

export const housingOwnership = defineContract({
  feed: 'housing_ownership',
  department: 'housing',
  title: { zh: '不动产权登记', en: 'Housing ownership' },
  mode: 'snapshot',
  key: ['title_number'],
  updatedAt: null,
  fields: {
    title_number: text('不动产权证号', 'Title number', { required: true }),
    dwelling_code: text('房屋编码', 'Dwelling code', { required: true }),
    dwelling_address: address('房屋地址', 'Address of the dwelling', { required: true }),
    division: division('区划代码', 'Division', { required: true }),
    floor_area: decimal('建筑面积', 'Floor area (m²)'),
    owner_id_number: idNumber('权利人证件号码', "Owner's document number"),
    owner_name: personName('权利人姓名', "Owner's name", { required: true }),
    registered_on: date('登记日期', 'Registered on', { required: true }),
    status: text('房屋状态', 'State of the dwelling'),
  },
  mentions: [
    {
      role: 'owner',
      meaning: { zh: '权利人', en: 'the owner' },
      idNumber: 'owner_id_number',
      name: 'owner_name',
      division: 'division',
      address: 'dwelling_address',
      dwelling: 'dwelling_code',
      property: 'dwelling_code',
    },
  ],
});
