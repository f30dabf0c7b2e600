import { Global, Module, type DynamicModule } from '@nestjs/common';

import { DiskStorage } from './disk-storage.js';
import { FileFolder } from './file-folder.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';

/** Where the bytes of files are: where the app says, or on the local disk. */
@Global()
@Module({})
export class FileStorageModule {
  static of(storage?: FileStorage): DynamicModule {
    const provider =
      storage === undefined
        ? { provide: FILE_STORAGE, useClass: DiskStorage }
        : { provide: FILE_STORAGE, useValue: storage };
    return {
      module: FileStorageModule,
      providers: [FileFolder, provider],
      exports: [FileFolder, FILE_STORAGE],
    };
  }
}
