import assert from 'node:assert/strict';

import { animation, flicker, FORMATS, look, noise, photo, picture } from '../support/pictures.js';
import { bearer, errorOf, read, upload, uploaded } from '../support/uploads.js';
import { verifiesCore } from './suite.js';

verifiesCore('P-14.3', 'detects the type of an image from its bytes', async (scene) => {
  const ann = await scene.join('ann');

  for (const format of FORMATS) {
    const headers = { 'content-type': 'text/html' };
    const bytes = await picture(format);
    const file = await uploaded(scene.url, ann, bytes, { name: 'page.html', headers });
    const { bytes: stored } = await read(scene.url, file.url, ann);
    const { bytes: preview } = await read(scene.url, file.preview?.url ?? '', ann);

    assert.equal(file.type, `image/${format}`);
    assert.deepEqual(
      { width: file.width, height: file.height, size: file.size },
      { width: 60, height: 40, size: stored.length },
      format,
    );
    assert.equal((await look(stored)).mediaType, file.type);
    const { format: previewFormat, width, height } = await look(preview);
    assert.deepEqual(
      { format: previewFormat, width, height },
      { format: 'webp', width: 60, height: 40 },
    );
    assert.deepEqual(
      { width: file.preview?.width, height: file.preview?.height },
      { width: 60, height: 40 },
    );
  }
});

verifiesCore('P-14.3', 'stores an image upright and without metadata', async (scene) => {
  const ann = await scene.join('ann');

  for (const format of ['jpeg', 'png', 'webp'] as const) {
    const bytes = await photo(format, 'secret place');
    assert(bytes.includes('secret place'), 'the metadata is there before the upload');
    const file = await uploaded(scene.url, ann, bytes);
    const stored = (await read(scene.url, file.url, ann)).bytes;
    const preview = (await read(scene.url, file.preview?.url ?? '', ann)).bytes;

    assert.deepEqual({ width: file.width, height: file.height }, { width: 40, height: 60 }, format);
    assert.deepEqual(
      { width: file.preview?.width, height: file.preview?.height },
      { width: 40, height: 60 },
    );
    for (const clean of [stored, preview]) {
      assert(!clean.includes('secret place'), format);
      const { exif, xmp, icc, orientation } = await look(clean);
      assert.deepEqual(
        { exif, xmp, icc, orientation },
        { exif: undefined, xmp: undefined, icc: undefined, orientation: undefined },
      );
    }
  }
});

verifiesCore('P-14.3', 'keeps animations, with still previews', async (scene) => {
  const ann = await scene.join('ann');

  for (const format of ['gif', 'webp'] as const) {
    const file = await uploaded(scene.url, ann, await animation(format));
    const stored = await look((await read(scene.url, file.url, ann)).bytes);
    const preview = await look((await read(scene.url, file.preview?.url ?? '', ann)).bytes);

    assert.deepEqual({ width: file.width, height: file.height }, { width: 60, height: 40 }, format);
    assert.deepEqual(
      { pages: stored.pages, pageHeight: stored.pageHeight },
      { pages: 3, pageHeight: 40 },
    );
    assert.deepEqual([...(stored.delay ?? [])], [100, 100, 100]);
    assert.equal(preview.pages ?? 1, 1);
  }
});

verifiesCore('P-14.3', 'creates a small preview of any image', async (scene) => {
  const ann = await scene.join('ann');

  for (const [width, height, fits] of [
    [600, 900, { width: 320, height: 480 }],
    [2_000, 2, { width: 480, height: 1 }],
  ] as const) {
    const file = await uploaded(scene.url, ann, await noise('webp', width, height));
    const { bytes } = await read(scene.url, file.preview?.url ?? '', ann);

    assert.deepEqual({ width: file.preview?.width, height: file.preview?.height }, fits);
    assert(bytes.length <= 192_000, String(bytes.length));
  }
});

verifiesCore(
  ['P-14.3', 'P-14.2'],
  'refuses images that cannot be decoded completely',
  async (scene) => {
    const headers = bearer(await scene.join('ann'));

    for (const format of FORMATS) {
      const bytes = await noise(format, 40, 40);
      for (const end of [12, bytes.length >> 1]) {
        const answer = await upload(scene.url, bytes.subarray(0, end), { headers });
        if (format === 'avif' && end === 12) continue;
        errorOf(answer, 422, 'image_unreadable');
      }
    }
  },
);

verifiesCore(
  ['P-14.3', 'P-9.14', 'P-14.2'],
  'refuses more pixels than the limit, counting all frames',
  async (scene) => {
    const ann = await scene.join('ann');
    const headers = bearer(ann);

    for (const bytes of [
      await picture('png', { width: 101, height: 50 }),
      await animation('gif'),
      await animation('webp'),
    ]) {
      const error = errorOf(await upload(scene.url, bytes, { headers }), 413, 'too_large');
      assert.deepEqual(error.details, { limit: 'imagePixels', value: 5_000 });
    }
    await uploaded(scene.url, ann, await picture('avif', { width: 100, height: 50 }));
  },
  { settings: { PARLANCE_LIMIT_IMAGE_PIXELS: '5000' } },
);

verifiesCore(
  ['P-9.14', 'P-14.3'],
  'limits the frames of an animation, however small they are',
  async (scene) => {
    const ann = await scene.join('ann');

    await uploaded(scene.url, ann, flicker(3));
    const answer = await upload(scene.url, flicker(4), { headers: bearer(ann) });

    const error = errorOf(answer, 413, 'too_large');
    assert.deepEqual(error.details, { limit: 'imagePixels', value: 12_288 });
  },
  { settings: { PARLANCE_LIMIT_IMAGE_PIXELS: '12288' } },
);
