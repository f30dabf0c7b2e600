import { Module } from '@nestjs/common';

import { UsersModule } from '../users/users.module.js';
import { FileIntake } from './file-intake.js';
import { FileSweeper } from './file-sweeper.js';
import { FilesService } from './files.service.js';
import { ImageCleaner } from './images/image-cleaner.js';

/** Files and images; `FileStorageModule` provides the storage of their bytes. */
@Module({
  imports: [UsersModule],
  providers: [FileIntake, FileSweeper, FilesService, ImageCleaner],
  exports: [FileIntake, FilesService],
})
export class FilesModule {}
