import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A file whose bytes are in the storage, with its owner and message. */
@Entity('files')
export class FileEntity {
  @PrimaryColumn('text') id!: string;
  @Column('text', { name: 'owner_id' }) ownerId!: string;
  @Column('text', { name: 'message_id', nullable: true }) messageId!: string | null;
  @Column('text', { name: 'room_id', nullable: true }) roomId!: string | null;
  @Column('text') name!: string;
  @Column('text') type!: string;
  @Column('bigint') size!: number;
  @Column('integer', { nullable: true }) width!: number | null;
  @Column('integer', { nullable: true }) height!: number | null;
  @Column('integer', { name: 'preview_width', nullable: true }) previewWidth!: number | null;
  @Column('integer', { name: 'preview_height', nullable: true }) previewHeight!: number | null;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}
