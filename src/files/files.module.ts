import { Module } from '@nestjs/common';

import { UsersModule } from '../users/users.module.js';
import { DiskStorage } from './disk-storage.js';
import { FileFolder } from './file-folder.js';
import { FileIntake } from './file-intake.js';
import { FileSweeper } from './file-sweeper.js';
import { FILE_STORAGE } from './file-storage.js';
import { FilesService } from './files.service.js';
import { ImageCleaner } from './image-cleaner.js';

/** Files and images, whose bytes are on the disk. */
@Module({
  imports: [UsersModule],
  providers: [
    FileFolder,
    FileIntake,
    FileSweeper,
    FilesService,
    ImageCleaner,
    { provide: FILE_STORAGE, useClass: DiskStorage },
  ],
  exports: [FileIntake, FilesService],
})
export class FilesModule {}
