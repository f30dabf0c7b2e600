import { Global, Module, type DynamicModule } from '@nestjs/common';

import { DiskStorage } from './disk-storage.js';
import { FileFolder } from './file-folder.js';
import { FILE_STORAGE, type FileStorage } from './file-storage.js';

/** Provides the storage of the app, or one on the local disk. */
@Global()
@Module({})
export class FileStorageModule {
  static forRoot(storage?: FileStorage): DynamicModule {
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
