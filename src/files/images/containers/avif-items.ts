import { ByteReader } from './byte-reader.js';
import { boxesOf, fullBox, leadingBoxesOf, type Box } from './iso-boxes.js';

const NONE = Buffer.alloc(0);
/** Construction methods: the bytes of an item are in the file, or in the box `idat`. */
const IN_FILE = 0;
const IN_IDAT = 1;

/** A property of an item, such as its size; several items can share one. */
export interface AvifProperty {
  readonly property: Box;
  readonly isEssential: boolean;
}

/** A coded picture, or a grid of pictures. */
export interface AvifItem {
  readonly id: number;
  readonly type: string;
  readonly flags: number;
  readonly bytes: Buffer;
  readonly properties: readonly AvifProperty[];
}

/** A reference from one item to others. */
export interface AvifReference {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

/** The items of an AVIF file. */
export interface AvifItems {
  readonly primary: number;
  readonly items: ReadonlyMap<number, AvifItem>;
  readonly references: readonly AvifReference[];
}

/** Reads the items of an AVIF file; throws `RangeError` if it is malformed. */
export function readAvifItems(file: Buffer): AvifItems {
  const meta = boxesOf(find(leadingBoxesOf(file), 'meta').subarray(4));
  const optional = (type: string) => meta.find((box) => box.type === type)?.data;
  const bytes = readLocations(find(meta, 'iloc'), file, optional('idat') ?? NONE);
  const properties = readProperties(boxesOf(find(meta, 'iprp')));
  const items = readInfos(find(meta, 'iinf')).map((info): AvifItem => ({
    ...info,
    bytes: bytes.get(info.id) ?? NONE,
    properties: properties.get(info.id) ?? [],
  }));
  const iref = optional('iref');
  return {
    primary: readPrimary(find(meta, 'pitm')),
    items: new Map(items.map((item) => [item.id, item])),
    references: iref === undefined ? [] : readReferences(iref),
  };
}

function find(boxes: readonly Box[], type: string): Buffer {
  const found = boxes.find((box) => box.type === type);
  if (found === undefined) throw new RangeError(`There is no box ${type}`);
  return found.data;
}

function readPrimary(data: Buffer): number {
  const { version, reader } = fullBox(data);
  return reader.number(version === 0 ? 2 : 4);
}

function readInfos(data: Buffer): Pick<AvifItem, 'id' | 'type' | 'flags'>[] {
  const { version, reader } = fullBox(data);
  reader.number(version === 0 ? 2 : 4);
  return boxesOf(data.subarray(reader.at)).map((box) => {
    const info = fullBox(box.data);
    const id = info.reader.number(info.version < 3 ? 2 : 4);
    info.reader.number(2);
    return { id, type: info.reader.text(4), flags: info.flags };
  });
}

/** Reads the bytes of items, from the file or from the box `idat`. */
function readLocations(data: Buffer, file: Buffer, idat: Buffer): Map<number, Buffer> {
  const { version, reader } = fullBox(data);
  const sizes = readSizes(reader, version);
  const found = new Map<number, Buffer>();
  // The items together cannot have more bytes than the file: overlaps could use up the memory.
  let left = file.length;
  for (let count = reader.number(version < 2 ? 2 : 4); count > 0; count--) {
    const id = reader.number(version < 2 ? 2 : 4);
    const method = version === 0 ? IN_FILE : reader.number(2) & 15;
    const isElsewhere = reader.number(2) !== 0 || method > IN_IDAT;
    const extents = readExtents(reader, sizes, method === IN_IDAT ? idat : file);
    left -= extents.reduce((total, { length }) => total + length, 0);
    if (left < 0) throw new RangeError('The items have more bytes than the file');
    if (!isElsewhere) found.set(id, Buffer.concat(extents));
  }
  return found;
}

/** Sizes in bytes of the numbers in a location. */
interface LocationSizes {
  readonly offset: number;
  readonly length: number;
  readonly base: number;
  readonly index: number;
}

function readSizes(reader: ByteReader, version: number): LocationSizes {
  const first = reader.number(1);
  const second = reader.number(1);
  const index = version === 0 ? 0 : second & 15;
  return { offset: first >> 4, length: first & 15, base: second >> 4, index };
}

function readExtents(reader: ByteReader, sizes: LocationSizes, source: Buffer): Buffer[] {
  const base = reader.number(sizes.base);
  return Array.from({ length: reader.number(2) }, () => {
    reader.number(sizes.index);
    const start = base + reader.number(sizes.offset);
    const length = reader.number(sizes.length);
    const end = length === 0 ? source.length : start + length;
    if (end > source.length) throw new RangeError('The bytes of an item are cut off');
    return source.subarray(start, end);
  });
}

function readProperties(boxes: readonly Box[]): Map<number, AvifProperty[]> {
  const all = boxesOf(find(boxes, 'ipco'));
  const found = new Map<number, AvifProperty[]>();
  for (const { data } of boxes.filter(({ type }) => type === 'ipma')) {
    const { version, flags, reader } = fullBox(data);
    const indexSize = (flags & 1) === 0 ? 1 : 2;
    const essential = indexSize === 1 ? 0x80 : 0x8000;
    for (let count = reader.number(4); count > 0; count--) {
      const id = reader.number(version === 0 ? 2 : 4);
      const own = found.get(id) ?? [];
      for (let links = reader.number(1); links > 0; links--) {
        const link = reader.number(indexSize);
        const property = all[(link & (essential - 1)) - 1];
        if (property !== undefined) own.push({ property, isEssential: link >= essential });
      }
      found.set(id, own);
    }
  }
  return found;
}

function readReferences(data: Buffer): AvifReference[] {
  const { version, reader: head } = fullBox(data);
  const size = version === 0 ? 2 : 4;
  return boxesOf(data.subarray(head.at)).map(({ type, data: links }) => {
    const reader = new ByteReader(links);
    const from = reader.number(size);
    const to = Array.from({ length: reader.number(2) }, () => reader.number(size));
    return { type, from, to };
  });
}
