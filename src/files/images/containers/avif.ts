import { readAvifItems, type AvifItem, type AvifItems, type AvifReference } from './avif-items.js';
import { box, uint, type Box } from './iso-boxes.js';

/** Item types: a coded picture, and a grid of pictures. */
const PICTURES = ['av01', 'grid'];
/** Reference types: from a grid to its parts, and between a picture and its alpha. */
const LINKS = ['dimg', 'auxl', 'prem'];
/** Properties that are needed to display a picture; the others describe it. */
const PROPERTIES = [
  ...['av1C', 'ispe', 'pixi', 'colr', 'pasp', 'clap', 'irot', 'imir', 'auxC'],
  ...['a1op', 'lsel', 'a1lx', 'clli', 'mdcv', 'amve', 'cclv'],
];
const ALPHA = /auxid:1\0|:alpha\0/;
const VERSION_0 = uint(0, 4);
const FTYP = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf', 'latin1'));
const HANDLER = box('hdlr', VERSION_0, uint(0, 4), Buffer.from('pict'), Buffer.alloc(13));

/**
 * Returns an AVIF with only its primary picture, in the original encoding; null if the file is
 * malformed or not supported.
 */
export function stripAvif(bytes: Buffer): Buffer | null {
  try {
    const all = readAvifItems(bytes);
    const items = keptItems(all);
    if (items.length === 0 || !items.every(isUnderstood)) return null;
    return write(items, keptReferences(all, items));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Finds the primary picture, its parts, and their alpha. */
function keptItems({ primary, items, references }: AvifItems): AvifItem[] {
  const kept = new Set([primary]);
  // The iteration includes ids that are added during it.
  for (const id of kept) {
    for (const { type, from, to } of references) {
      if (type === 'dimg' && from === id) for (const part of to) kept.add(part);
      if (type === 'auxl' && to.includes(id) && isAlpha(items.get(from))) kept.add(from);
    }
  }
  return [...kept].flatMap((id) => items.get(id) ?? []);
}

function keptReferences({ references }: AvifItems, items: readonly AvifItem[]): AvifReference[] {
  const ids = new Map(items.map(({ id }, index) => [id, index + 1]));
  return references.flatMap(({ type, from: oldFrom, to: oldTo }) => {
    const from = ids.get(oldFrom);
    const to = oldTo.flatMap((id) => ids.get(id) ?? []);
    return from === undefined || to.length === 0 || !LINKS.includes(type)
      ? []
      : [{ type, from, to }];
  });
}

function isAlpha(item: AvifItem | undefined): boolean {
  const auxiliary = item?.properties.find(({ property }) => property.type === 'auxC');
  return ALPHA.test(auxiliary?.property.data.toString('latin1') ?? '');
}

function isUnderstood({ type, properties }: AvifItem): boolean {
  const unknown = properties.filter(({ property }) => !PROPERTIES.includes(property.type));
  return PICTURES.includes(type) && !unknown.some(({ isEssential }) => isEssential);
}

/** Writes items with new ids: their positions in the list, which starts with the primary one. */
function write(items: readonly AvifItem[], references: readonly AvifReference[]): Buffer {
  const parts = [
    HANDLER,
    box('pitm', VERSION_0, uint(1, 2)),
    writeInfos(items),
    ...(references.length === 0 ? [] : [writeReferences(references)]),
    writeProperties(items),
  ];
  const meta = (start: number) => box('meta', VERSION_0, ...parts, writeLocations(items, start));
  const start = FTYP.length + meta(0).length + box('mdat').length;
  return Buffer.concat([FTYP, meta(start), box('mdat', ...items.map(({ bytes }) => bytes))]);
}

function writeInfos(items: readonly AvifItem[]): Buffer {
  const infos = items.map(({ type, flags }, index) => {
    const name = Buffer.from(`${type}\0`, 'latin1');
    return box('infe', uint(2, 1), uint(flags, 3), uint(index + 1, 2), uint(0, 2), name);
  });
  return box('iinf', VERSION_0, uint(items.length, 2), ...infos);
}

function writeReferences(references: readonly AvifReference[]): Buffer {
  const links = references.map(({ type, from, to }) =>
    box(type, uint(from, 2), uint(to.length, 2), ...to.map((id) => uint(id, 2))),
  );
  return box('iref', VERSION_0, ...links);
}

function writeProperties(items: readonly AvifItem[]): Buffer {
  const all: Box[] = [];
  const links = items.map(({ properties }, index) => {
    const kept = properties.filter(({ property }) => PROPERTIES.includes(property.type));
    const own = kept.map(({ property, isEssential }) => {
      if (!all.includes(property)) all.push(property);
      return uint((isEssential ? 0x8000 : 0) + all.indexOf(property) + 1, 2);
    });
    return Buffer.concat([uint(index + 1, 2), uint(own.length, 1), ...own]);
  });
  const properties = box('ipco', ...all.map(({ type, data }) => box(type, data)));
  return box('iprp', properties, box('ipma', uint(1, 4), uint(items.length, 4), ...links));
}

function writeLocations(items: readonly AvifItem[], start: number): Buffer {
  let at = start;
  const locations = items.map(({ bytes }, index) => {
    const location = [uint(index + 1, 2), uint(0, 2), uint(1, 2)];
    const extent = [uint(at, 4), uint(bytes.length, 4)];
    at += bytes.length;
    return Buffer.concat([...location, ...extent]);
  });
  return box('iloc', VERSION_0, uint(0x44, 1), uint(0, 1), uint(items.length, 2), ...locations);
}
